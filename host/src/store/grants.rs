//! Roles, grants and limits of callers as text. A word that this gateway does not know, from a later
//! one, grants nothing: refusing the row would lock out the caller, and with it every other.

use serde::Deserialize;

use super::columns::check_size;
use super::error::StoreError;
use crate::model::{Ability, CallerLimits, EventsOf, Grant, Role};

/// A thousand registries with long names, each granted by itself.
const GRANTS_MAX_BYTES: usize = 256 << 10;

/// A grant as it is read: without the strictness of one that is written.
#[derive(Deserialize)]
struct Stored {
    registries: Option<Vec<String>>,
    abilities: Vec<String>,
    #[serde(default)]
    fields: Option<Vec<String>>,
    #[serde(default)]
    events: Option<String>,
}

/// Limits as they are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredLimits {
    requests_per_second: Option<u32>,
    burst: Option<u32>,
    requests_per_day: Option<u32>,
}

pub(super) fn grants_to_text(grants: &[Grant]) -> Result<String, StoreError> {
    let text = serde_json::to_string(grants).map_err(|_| StoreError::Damaged { what: "grants" })?;
    check_size("caller.grants", text.len(), GRANTS_MAX_BYTES, "bytes")?;
    Ok(text)
}

pub(super) fn grants_from_text(text: &str) -> Result<Vec<Grant>, StoreError> {
    let stored: Vec<Stored> =
        serde_json::from_str(text).map_err(|_| StoreError::Damaged { what: "grants" })?;
    let grant = |one: Stored| {
        let abilities = one.abilities.iter();
        Grant {
            registries: one.registries,
            abilities: abilities.filter_map(|word| Ability::parse(word)).collect(),
            fields: one.fields,
            events: one
                .events
                .as_deref()
                .and_then(EventsOf::parse)
                .unwrap_or_default(),
        }
    };
    Ok(stored.into_iter().map(grant).collect())
}

pub(super) fn limits_to_text(limits: Option<CallerLimits>) -> Option<String> {
    limits.and_then(|limits| serde_json::to_string(&limits).ok())
}

pub(super) fn limits_from_text(text: Option<&str>) -> Result<Option<CallerLimits>, StoreError> {
    let Some(text) = text else { return Ok(None) };
    let stored: StoredLimits =
        serde_json::from_str(text).map_err(|_| StoreError::Damaged { what: "limits" })?;
    Ok(Some(CallerLimits {
        requests_per_second: stored.requests_per_second,
        burst: stored.burst,
        requests_per_day: stored.requests_per_day,
    }))
}

pub(super) fn roles_to_text(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    serde_json::Value::from(words).to_string()
}

pub(super) fn roles_from_text(text: &str) -> Result<Vec<Role>, StoreError> {
    let words: Vec<String> =
        serde_json::from_str(text).map_err(|_| StoreError::Damaged { what: "roles" })?;
    Ok(words.iter().filter_map(|word| Role::parse(word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a later gateway may write it.
    #[test]
    fn what_is_not_known_grants_nothing() {
        let text =
            r#"[{"registries":["a"],"abilities":["find","rewrite"],"events":"more","more":1}]"#;
        let grants = grants_from_text(text).unwrap();
        assert_eq!(grants, [Grant::of(&["a"], &[Ability::Find])]);
        let roles = roles_from_text(r#"["client","emperor"]"#).unwrap();
        assert_eq!(roles, [Role::Client]);
        for damaged in ["", "{}", r#"[{"abilities":"find"}]"#] {
            let error = grants_from_text(damaged).unwrap_err();
            assert_eq!(error.to_string(), "the stored grants is damaged");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut masked = Grant::of(&["a", "b"], &[Ability::Verify]);
        masked.fields = Some(vec!["names".into()]);
        masked.events = EventsOf::All;
        let grants = vec![masked, Grant::everything()];
        let text = grants_to_text(&grants).unwrap();
        assert_eq!(grants_from_text(&text).unwrap(), grants);
        let limits = CallerLimits {
            burst: Some(3),
            ..CallerLimits::default()
        };
        let text = limits_to_text(Some(limits));
        assert_eq!(limits_from_text(text.as_deref()).unwrap(), Some(limits));
        assert_eq!(limits_from_text(None).unwrap(), None);

        let long = vec![Grant::of(&[&"r".repeat(300 << 10)], &[])];
        let error = grants_to_text(&long).unwrap_err().to_string();
        assert!(error.starts_with("caller.grants has "), "{error}");
    }
}
