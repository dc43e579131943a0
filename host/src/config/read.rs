//! Reads TOML with errors a person can act on.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Below this likeness no key is suggested.
const LIKE_ENOUGH: f64 = 0.6;

const UNKNOWN_WORD: &str = "unknown variant";

/// How serde's messages begin that quote the value.
const WITH_VALUE: [&str; 4] = [
    "invalid type",
    "invalid value",
    "invalid length",
    UNKNOWN_WORD,
];

/// Why a configuration is not read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or not readable.
    #[error("{} cannot be read", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not TOML, a key is unknown, or a value is not what the key takes.
    #[error("{}: {message}", .file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// With line and key.
        message: String,
    },
}

/// Reads a TOML file.
///
/// # Errors
/// [`ConfigError`].
pub fn toml_file<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File {
        file: file.to_owned(),
        source,
    })?;
    toml_text(&text).map_err(|message| ConfigError::Content {
        file: file.to_owned(),
        message,
    })
}

/// Reads TOML text. The error's message holds line, key and remedy.
///
/// # Errors
/// The message.
pub fn toml_text<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let deserializer =
        toml::Deserializer::parse(text).map_err(|error| explain(text, "", &error))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        explain(text, &path, error.inner())
    })
}

/// Reads a file as it is written, as JSON where its name ends so, or else as TOML.
///
/// # Errors
/// [`ConfigError`].
pub fn written(file: &Path) -> Result<serde_json::Value, ConfigError> {
    let wrong = |message| ConfigError::Content {
        file: file.to_owned(),
        message,
    };
    if file.extension().is_none_or(|kind| kind != "json") {
        return toml_file(file);
    }
    let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File {
        file: file.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(format!("line {line}, column {column}: this is no JSON"))
    })
}

/// Reads a JSON value. The error is the path, empty for the value itself, and what is wrong with
/// the remedy; no value is repeated.
///
/// # Errors
/// The two.
pub fn json_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = path.replace('[', ".").replace(']', "");
        let path = if path == "." { String::new() } else { path };
        (path, tell(&error.inner().to_string()))
    })
}

fn explain(text: &str, path: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let place = match (line, path) {
        (Some(line), "" | ".") => format!("line {line}: "),
        (Some(line), path) => format!("line {line}, `{path}`: "),
        (None, "" | ".") => String::new(),
        (None, path) => format!("`{path}`: "),
    };
    format!("{place}{}", tell(error.message()))
}

/// serde's message for an unknown key lists all keys; a person wants the one they meant. For a wrong
/// value it quotes the value, which may be a secret in the wrong place: what was expected says as
/// much, and is ours. A key's name is told: without it the mistake is not found.
fn tell(message: &str) -> String {
    let told = if WITH_VALUE.iter().any(|begin| message.starts_with(begin)) {
        match message.rsplit_once("expected ") {
            Some((_, expected)) => format!("expected {expected}"),
            None => "the value is not what the key takes".into(),
        }
    } else {
        message.to_owned()
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown field") || message.starts_with(UNKNOWN_WORD);
    let (true, Some(written)) = (unknown, quoted.next()) else {
        return told;
    };
    let nearest = quoted
        .map(|key| (strsim::jaro_winkler(written, key), key))
        .filter(|(likeness, key)| *likeness >= LIKE_ENOUGH && told.contains(*key))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, key)) => format!("{told}; did you mean `{key}`?"),
        None => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::registry::RegistryFile;

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = toml_text::<Config>("[api]\nlisen = '127.0.0.1:1'").unwrap_err();
        assert!(error.starts_with("line 2"), "{error}");
        assert!(error.ends_with("did you mean `listen`?"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_the_key() {
        let error = toml_text::<Config>("[sandbox]\nbusy_threads = 'many'").unwrap_err();
        assert!(error.contains("sandbox.busy_threads"), "{error}");
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_told() {
        let endpoint = "[registries.r.endpoints.e]\nbase_url = 'https://x'\n";
        for (text, hint) in [
            ("[registries.r]\nenabled = 'hunter2'", "expected a boolean"),
            (
                "[registries]\nr = 'hunter2, expected `x`'",
                "expected struct",
            ),
            (
                "[registries.r]\npolicy.required = ['hunter2']",
                "expected one of `purpose`",
            ),
            (
                "[registries.r]\npolicy.required = ['hunter2`purpos`']",
                "expected one of `purpose`",
            ),
            (&format!("{endpoint}credential = 'hunter2'"), "expected "),
            (
                &format!("{endpoint}credential = {{ kind = 'hunter2' }}"),
                "expected one of `none`",
            ),
            (
                &format!("{endpoint}credential = {{ kind = 'bearer', token = 'hunter2' }}"),
                "env:REGISTRY_SECRET_",
            ),
            (&format!("{endpoint}allow_networks = ['hunter2']"), "line 3"),
            (&format!("{endpoint}timeout_ms = 'hunter2'"), "expected u64"),
            ("[registries.r]\nsummary = hunter2", "line 2"),
            ("[registries.r]\nsummary = 'hunter2", "line 2"),
        ] {
            let error = toml_text::<RegistryFile>(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_wrong_word_names_the_nearest() {
        let text = "[registries.r]\npolicy.required = ['purpos']";
        let error = toml_text::<RegistryFile>(text).unwrap_err();
        assert!(error.ends_with("did you mean `purpose`?"), "{error}");
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let config: Config = toml_text("").unwrap();
        assert_eq!(config.api.listen.to_string(), "127.0.0.1:8080");
    }
}
