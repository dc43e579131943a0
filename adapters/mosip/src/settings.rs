//! What an administrator sets for one registry. `settings.schema.json` says the same to the
//! gateway, and a test holds them together.
//!
//! Read by hand (`settings/read.rs`): what serde and its paths make of them is a tenth of the component.

mod read;

use adapter_sdk::model::Sex;
use adapter_sdk::{Failure, settings};
/// Our words beside the registry's: a list, since the few rows of a tree would cost a tree's code.
#[derive(Clone, Debug, PartialEq)]
pub struct Words(pub Vec<(String, String)>);

impl Words {
    /// The registry's word for ours.
    pub fn get(&self, ours: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == ours);
        found.map(|(_, theirs)| theirs.as_str())
    }
}

/// The settings of one registry. A registry may have one of the two services or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// ID Authentication, for `verify`.
    pub ida: Option<Ida>,
    /// eSignet, for `find`.
    pub esignet: Option<Esignet>,
    /// BCP 47 and the three letters (ISO 639-2) by which MOSIP knows a language.
    pub languages: Words,
    /// `female`, `male`, `other` and the registry's words. The first is sent, all are read.
    pub genders: Vec<(Gender, Vec<String>)>,
}

/// ID Authentication.
#[derive(Clone, Debug, PartialEq)]
pub struct Ida {
    /// The name of IDA's certificate among the gateway's keys: the session key is sealed for it.
    pub certificate: String,
    /// The name of our own key, with its certificate: the request is signed with it.
    pub signing_key: String,
    /// Our identifier scheme and IDA's `individualIdType`.
    pub identifier_types: Words,
    /// The language of a name without one, and of the gender: a key of `languages`.
    pub language: String,
    /// How a whole name is put together where the claim has only its parts.
    pub name_order: NameOrder,
    /// Whence the person's consent is known.
    pub consent: Consent,
    /// `env`, where IDA checks it: `Staging`, `Production`.
    pub env: Option<String>,
    /// `domainUri`, where IDA checks it.
    pub domain_uri: Option<String>,
}

/// The order of a whole name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameOrder {
    /// `Sudarat Phumchai`
    #[default]
    GivenFirst,
    /// `Nguyễn Văn An`
    FamilyFirst,
}

/// Whence the person's consent is known: IDA wants to be told that there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Each call states it.
    #[default]
    Stated,
    /// It is obtained outside, for every call: an agreement with the registry's owner says so.
    Agreed,
}

/// eSignet.
#[derive(Clone, Debug, PartialEq)]
pub struct Esignet {
    /// eSignet's `issuer`, as its configuration endpoint tells.
    pub issuer: String,
    /// Who we are to eSignet.
    pub client_id: String,
    /// `aud` of the client assertion. Not set: the issuer.
    pub audience: Option<String>,
    /// Where eSignet sends the citizen back, unless the proof names it.
    pub redirect_uri: Option<String>,
    /// The name of our key: the client assertion is signed with it.
    pub client_key: String,
    /// The name of the key that userinfo is encrypted for. Not set: it comes signed only.
    pub encryption_key: Option<String>,
    /// The name of eSignet's key set (JWKS).
    pub jwks: String,
    /// The signature algorithms that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// The token endpoint, below the endpoint `esignet`.
    pub token_path: String,
    /// The userinfo endpoint, below the endpoint `userinfo`.
    pub userinfo_path: String,
    /// The scheme of `sub`, which is this partner's own number of the person and no UIN.
    pub subject_scheme: String,
    /// The scheme of the claim `individual_id`, where eSignet gives it.
    pub individual_id_scheme: Option<String>,
    /// A larger photo is left out and reported.
    pub max_photo_bytes: u64,
    /// By how much clocks may differ, in seconds.
    pub clock_skew_s: u64,
}

/// JWS algorithms of eSignet (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 4] = [Self::RS256, Self::PS256, Self::ES256, Self::EdDSA];

    /// Its JOSE name.
    pub fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }
}

/// A sex that has words on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Other.
    Other,
}

impl Gender {
    /// The model's.
    pub fn sex(self) -> Sex {
        match self {
            Self::Female => Sex::Female,
            Self::Male => Sex::Male,
            Self::Other => Sex::Other,
        }
    }
}

impl Settings {
    /// The settings of this registry.
    ///
    /// # Errors
    /// `misconfigured` with code `settings.invalid` and the key as field (`settings.ida.language`). Values
    /// are not repeated.
    pub fn load() -> Result<Self, Failure> {
        Self::read(&settings::get)
    }

    /// The settings of IDA.
    ///
    /// # Errors
    /// `misconfigured`: this registry has none.
    pub fn ida(&self) -> Result<&Ida, Failure> {
        self.ida.as_ref().ok_or_else(|| absent("settings.ida"))
    }

    /// The settings of eSignet.
    ///
    /// # Errors
    /// `misconfigured`: this registry has none.
    pub fn esignet(&self) -> Result<&Esignet, Failure> {
        self.esignet
            .as_ref()
            .ok_or_else(|| absent("settings.esignet"))
    }

    /// The sex that a registry's word stands for, whatever the case of its Latin letters.
    pub fn sex(&self, word: &str) -> Option<Sex> {
        let same = |known: &String| known.eq_ignore_ascii_case(word.trim());
        let said = |words: &[String]| words.iter().any(same);
        let mut found = self.genders.iter().filter(|(_, words)| said(words));
        let (gender, _) = found.next()?;
        // A word that stands for two says nothing.
        found.next().is_none().then(|| gender.sex())
    }

    /// The word that is sent for a sex.
    pub fn gender(&self, sex: Sex) -> Option<&str> {
        let found = self.genders.iter().find(|(gender, _)| gender.sex() == sex);
        found.and_then(|(_, words)| words.first().map(String::as_str))
    }
}

fn absent(field: &str) -> Failure {
    Failure::misconfigured("settings.missing")
        .field(field)
        .message("this registry is not set up for what was asked")
}
