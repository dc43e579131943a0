//! What an administrator sets for one registry. `settings.schema.json` says the same to the
//! gateway, and a test holds them together.

use std::collections::BTreeMap;

use adapter_sdk::Failure;
use adapter_sdk::model::Sex;
use serde::{Deserialize, Serialize};

use crate::language;

/// The settings of one registry. A registry may have one of the two services or both.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// ID Authentication, for `verify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ida: Option<Ida>,
    /// eSignet, for `find`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub esignet: Option<Esignet>,
    /// BCP 47 and the three letters (ISO 639-2) by which MOSIP knows a language.
    #[serde(default = "language::defaults")]
    pub languages: BTreeMap<String, String>,
    /// `female`, `male`, `other` and the registry's words. The first is sent, all are read.
    #[serde(default = "default_genders")]
    pub genders: BTreeMap<Gender, Vec<String>>,
}

/// ID Authentication.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ida {
    /// The name of IDA's certificate among the gateway's keys: the session key is sealed for it.
    #[serde(default = "default_ida_certificate")]
    pub certificate: String,
    /// The name of our own key, with its certificate: the request is signed with it.
    #[serde(default = "default_signing_key")]
    pub signing_key: String,
    /// Our identifier scheme and IDA's `individualIdType`.
    #[serde(default = "default_identifier_types")]
    pub identifier_types: BTreeMap<String, String>,
    /// The language of a name without one, and of the gender: a key of `languages`.
    #[serde(default = "default_language")]
    pub language: String,
    /// How a whole name is put together where the claim has only its parts.
    #[serde(default)]
    pub name_order: NameOrder,
    /// Whence the person's consent is known.
    #[serde(default)]
    pub consent: Consent,
    /// `env`, where IDA checks it: `Staging`, `Production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// `domainUri`, where IDA checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_uri: Option<String>,
}

/// The order of a whole name.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameOrder {
    /// `Sudarat Phumchai`
    #[default]
    GivenFirst,
    /// `Nguyễn Văn An`
    FamilyFirst,
}

/// Whence the person's consent is known: IDA wants to be told that there is one.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Each call states it.
    #[default]
    Stated,
    /// It is obtained outside, for every call: an agreement with the registry's owner says so.
    Agreed,
}

/// eSignet.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Esignet {
    /// eSignet's `issuer`, as its configuration endpoint tells.
    pub issuer: String,
    /// Who we are to eSignet.
    pub client_id: String,
    /// `aud` of the client assertion. Not set: the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where eSignet sends the citizen back, unless the proof names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// The name of our key: the client assertion is signed with it.
    #[serde(default = "default_client_key")]
    pub client_key: String,
    /// The name of the key that userinfo is encrypted for. Not set: it comes signed only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// The name of eSignet's key set (JWKS).
    #[serde(default = "default_jwks")]
    pub jwks: String,
    /// The signature algorithms that are accepted.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// The token endpoint, below the endpoint `esignet`.
    #[serde(default = "default_token_path")]
    pub token_path: String,
    /// The userinfo endpoint, below the endpoint `userinfo`.
    #[serde(default = "default_userinfo_path")]
    pub userinfo_path: String,
    /// The scheme of `sub`, which is this partner's own number of the person and no UIN.
    #[serde(default = "default_subject_scheme")]
    pub subject_scheme: String,
    /// The scheme of the claim `individual_id`, where eSignet gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual_id_scheme: Option<String>,
    /// A larger photo is left out and reported.
    #[serde(default = "default_max_photo_bytes")]
    pub max_photo_bytes: usize,
    /// By how much clocks may differ, in seconds.
    #[serde(default = "default_clock_skew_s")]
    pub clock_skew_s: u64,
}

/// JWS algorithms of eSignet (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
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

    /// The sex that a registry's word stands for, whatever its case.
    pub fn sex(&self, word: &str) -> Option<Sex> {
        let word = word.trim().to_lowercase();
        let said = |words: &[String]| words.iter().any(|known| known.to_lowercase() == word);
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

/// MOSIP's default schema writes the word; its master data have the code.
fn default_genders() -> BTreeMap<Gender, Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    BTreeMap::from([
        (Gender::Female, words(&["Female", "FLE", "F"])),
        (Gender::Male, words(&["Male", "MLE", "M"])),
        (Gender::Other, words(&["Others", "Other", "OTH", "O"])),
    ])
}

fn default_identifier_types() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("national-id".to_owned(), "UIN".to_owned()),
        ("mosip-vid".to_owned(), "VID".to_owned()),
    ])
}

fn default_ida_certificate() -> String {
    "ida".to_owned()
}

fn default_signing_key() -> String {
    "partner".to_owned()
}

fn default_language() -> String {
    "en".to_owned()
}

fn default_client_key() -> String {
    "client".to_owned()
}

fn default_jwks() -> String {
    "esignet".to_owned()
}

fn default_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256]
}

fn default_token_path() -> String {
    "/oauth/v2/token".to_owned()
}

fn default_userinfo_path() -> String {
    "/userinfo".to_owned()
}

fn default_subject_scheme() -> String {
    "mosip-psut".to_owned()
}

fn default_max_photo_bytes() -> usize {
    512 * 1024
}

fn default_clock_skew_s() -> u64 {
    60
}
