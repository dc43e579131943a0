//! Settings from JSON, with the name of what does not fit.

use adapter_sdk::Failure;
use serde_json::{Map, Value};

use super::{Algorithm, Consent, Esignet, Gender, Ida, NameOrder, Settings, Words};
use crate::language;

impl Settings {
    /// Reads settings, each by its key as JSON text. A key that is none is refused by the gateway, which
    /// has the schema, and within a section here, too.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let [ida, esignet, languages, genders] =
            ["ida", "esignet", "languages", "genders"].map(|key| {
                let text = get(key)?;
                Some((
                    key,
                    serde_json::from_str::<Value>(&text).unwrap_or(Value::Null),
                ))
            });
        Ok(Self {
            ida: section(&ida)?.map(|it| read_ida(&it)).transpose()?,
            esignet: section(&esignet)?.map(|it| read_esignet(&it)).transpose()?,
            languages: match section(&languages)? {
                Some(section) => section.words()?,
                None => table(language::DEFAULTS),
            },
            genders: match section(&genders)? {
                Some(section) => read_genders(&section)?,
                None => default_genders(),
            },
        })
    }
}

fn section<'a>(setting: &'a Option<(&'static str, Value)>) -> Result<Option<Section<'a>>, Failure> {
    match setting {
        None | Some((_, Value::Null)) => Ok(None),
        Some((key, Value::Object(record))) => {
            let path = format!("settings.{key}");
            Ok(Some(Section { path, record }))
        }
        Some((key, _)) => Err(invalid(&format!("settings.{key}"), "does not fit")),
    }
}

fn read_ida(section: &Section<'_>) -> Result<Ida, Failure> {
    section.known(&[
        "certificate",
        "signing_key",
        "identifier_types",
        "language",
        "name_order",
        "consent",
        "env",
        "domain_uri",
    ])?;
    Ok(Ida {
        certificate: section.text_or("certificate", "ida")?,
        signing_key: section.text_or("signing_key", "partner")?,
        identifier_types: match section.section("identifier_types")? {
            Some(types) => types.words()?,
            None => table(&[("mosip-vid", "VID"), ("national-id", "UIN")]),
        },
        language: section.text_or("language", "en")?,
        name_order: match section.choice("name_order", &["given-first", "family-first"])? {
            1 => NameOrder::FamilyFirst,
            _ => NameOrder::GivenFirst,
        },
        consent: match section.choice("consent", &["stated", "agreed"])? {
            1 => Consent::Agreed,
            _ => Consent::Stated,
        },
        env: section.text("env")?,
        domain_uri: section.text("domain_uri")?,
    })
}

fn read_esignet(section: &Section<'_>) -> Result<Esignet, Failure> {
    section.known(&[
        "issuer",
        "client_id",
        "audience",
        "redirect_uri",
        "client_key",
        "encryption_key",
        "jwks",
        "algorithms",
        "token_path",
        "userinfo_path",
        "subject_scheme",
        "individual_id_scheme",
        "max_photo_bytes",
        "clock_skew_s",
    ])?;
    Ok(Esignet {
        issuer: section.required("issuer")?,
        client_id: section.required("client_id")?,
        audience: section.text("audience")?,
        redirect_uri: section.text("redirect_uri")?,
        client_key: section.text_or("client_key", "client")?,
        encryption_key: section.text("encryption_key")?,
        jwks: section.text_or("jwks", "esignet")?,
        algorithms: section.algorithms()?,
        token_path: section.text_or("token_path", "/oauth/v2/token")?,
        userinfo_path: section.text_or("userinfo_path", "/userinfo")?,
        subject_scheme: section.text_or("subject_scheme", "mosip-psut")?,
        individual_id_scheme: section.text("individual_id_scheme")?,
        max_photo_bytes: section.number_or("max_photo_bytes", 512 * 1024)?,
        clock_skew_s: section.number_or("clock_skew_s", 60)?,
    })
}

/// In the order of the table, which is that of the schema.
const GENDERS: [(&str, Gender, &[&str]); 3] = [
    // MOSIP's default schema writes the word; its master data have the code.
    ("female", Gender::Female, &["Female", "FLE", "F"]),
    ("male", Gender::Male, &["Male", "MLE", "M"]),
    ("other", Gender::Other, &["Others", "Other", "OTH", "O"]),
];

fn read_genders(section: &Section<'_>) -> Result<Vec<(Gender, Vec<String>)>, Failure> {
    section.known(&GENDERS.map(|(key, _, _)| key))?;
    let mut genders = Vec::new();
    for (key, gender, _) in GENDERS {
        if let Some(words) = section.list(key)? {
            genders.push((gender, words));
        }
    }
    Ok(genders)
}

fn default_genders() -> Vec<(Gender, Vec<String>)> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let all = GENDERS.iter();
    all.map(|(_, gender, words)| (*gender, owned(words)))
        .collect()
}

fn table(rows: &[(&str, &str)]) -> Words {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Words(rows.iter().map(owned).collect())
}

/// A JSON object.
struct Section<'a> {
    path: String,
    record: &'a Map<String, Value>,
}

impl Section<'_> {
    fn wrong(&self, key: &str) -> Failure {
        invalid(&format!("{}.{key}", self.path), "does not fit")
    }

    fn known(&self, keys: &[&str]) -> Result<(), Failure> {
        let mut other = self
            .record
            .keys()
            .filter(|key| !keys.contains(&key.as_str()));
        match other.next() {
            Some(key) => Err(invalid(&format!("{}.{key}", self.path), "is not known")),
            None => Ok(()),
        }
    }

    fn filled(&self, key: &str, value: &Value) -> Result<String, Failure> {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| self.wrong(key))
    }

    /// A text that says something.
    fn text(&self, key: &str) -> Result<Option<String>, Failure> {
        match self.record.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.filled(key, value).map(Some),
        }
    }

    fn text_or(&self, key: &str, default: &str) -> Result<String, Failure> {
        Ok(self.text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    fn required(&self, key: &str) -> Result<String, Failure> {
        let text = self.text(key)?;
        text.ok_or_else(|| invalid(&format!("{}.{key}", self.path), "is required"))
    }

    fn number_or(&self, key: &str, default: u64) -> Result<u64, Failure> {
        match self.record.get(key) {
            None => Ok(default),
            Some(value) => value.as_u64().ok_or_else(|| self.wrong(key)),
        }
    }

    /// Which one of some words, the first being the default.
    fn choice(&self, key: &str, words: &[&str]) -> Result<usize, Failure> {
        let Some(text) = self.text(key)? else {
            return Ok(0);
        };
        let found = words.iter().position(|word| *word == text);
        found.ok_or_else(|| self.wrong(key))
    }

    /// A list of texts, at least one.
    fn list(&self, key: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(value) = self.record.get(key) else {
            return Ok(None);
        };
        let list = value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| self.wrong(key))?;
        let texts: Result<Vec<String>, Failure> =
            list.iter().map(|one| self.filled(key, one)).collect();
        texts.map(Some)
    }

    fn algorithms(&self) -> Result<Vec<Algorithm>, Failure> {
        let Some(names) = self.list("algorithms")? else {
            return Ok(vec![Algorithm::RS256]);
        };
        let known = |name: &String| {
            let all = Algorithm::ALL.iter();
            let found = all.copied().find(|algorithm| algorithm.name() == name);
            found.ok_or_else(|| self.wrong("algorithms"))
        };
        names.iter().map(known).collect()
    }

    fn section(&self, key: &str) -> Result<Option<Section<'_>>, Failure> {
        match self.record.get(key) {
            None => Ok(None),
            Some(Value::Object(record)) => {
                let path = format!("{}.{key}", self.path);
                Ok(Some(Section { path, record }))
            }
            Some(_) => Err(self.wrong(key)),
        }
    }

    /// All of it, each a text.
    fn words(&self) -> Result<Words, Failure> {
        let mut words = Vec::new();
        for (key, value) in self.record {
            words.push((key.clone(), self.filled(key, value)?));
        }
        Ok(Words(words))
    }
}

fn invalid(field: &str, message: &str) -> Failure {
    Failure::misconfigured("settings.invalid")
        .field(field)
        .message(message)
}
