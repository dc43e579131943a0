//! The registry's settings, as the gateway's configuration gives them.

use serde::de::DeserializeOwned;

use crate::{Failure, lent};

/// All settings as the adapter's own type. Give fields `#[serde(default)]`, so that an
/// administrator writes only what differs, and the type `#[serde(deny_unknown_fields)]`.
///
/// # Errors
/// `misconfigured` with code `settings.invalid` and the key as field (`settings.sender_id`): no
/// call can be answered until the configuration is mended. Values are not repeated.
pub fn load<T: DeserializeOwned>() -> Result<T, Failure> {
    from_json(&lent::settings::all())
}

/// One setting as JSON text; none where it is not set.
pub fn get(key: &str) -> Option<String> {
    lent::settings::get(key)
}

/// Settings from JSON text, as [`load`] does.
///
/// # Errors
/// As [`load`].
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.inner().to_string();
        let mut field = String::from("settings");
        // Serde names a missing key in its text only, with the path of what lacks it.
        for part in [path.as_str(), missing_key(&problem).unwrap_or_default()] {
            if !part.is_empty() && part != "." {
                field.push('.');
                field.push_str(part);
            }
        }
        let message = if missing_key(&problem).is_some() {
            "is required"
        } else {
            "does not fit"
        };
        Failure::misconfigured("settings.invalid")
            .field(field)
            .message(message)
    })
}

fn missing_key(problem: &str) -> Option<&str> {
    problem.strip_prefix("missing field `")?.split('`').next()
}
