//! What a module says it is, and the bounds of that: it is kept, listed and shown to operators.

use serde::{Deserialize, Serialize};

use super::bindings::abilities::about;
use super::load_error::LoadError;
use crate::model::Ability;

/// Names of the adapter, its endpoints, fields.
const MAX_NAME: usize = 64;
/// One sentence, an SPDX expression, an address.
const MAX_TEXT: usize = 1_000;
/// Adapters have one to three.
const MAX_ENDPOINTS: usize = 32;
/// One per version of the mapping's state.
const MAX_READABLE_STATES: usize = 256;
/// The model has a few dozen; registries have their own.
const MAX_SEARCHABLE_FIELDS: usize = 256;
/// 256 KiB.
const MAX_SETTINGS_SCHEMA: usize = 256 << 10;

/// What a module says it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Description {
    /// The adapter's name.
    pub name: String,
    /// Semantic version of the mapping.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// SPDX expression.
    pub licence: Option<String>,
    /// Where the source is.
    pub source: Option<String>,
    /// What it exports, probed from the component.
    pub abilities: Vec<Ability>,
    /// The endpoints it calls by name.
    pub endpoints: Vec<EndpointNeed>,
    /// JSON Schema of the registry's settings.
    pub settings_schema: Option<serde_json::Value>,
    /// The `opaque.schema` numbers that it reads.
    pub readable_states: Vec<u32>,
    /// The fields that `search` can test.
    pub searchable_fields: Vec<String>,
}

/// An endpoint that a module calls by name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EndpointNeed {
    /// Its name in `http.send`.
    pub name: String,
    /// What it is for.
    pub summary: String,
    /// The adapter does nothing without it.
    pub required: bool,
}

pub(super) fn check(
    description: about::Description,
    abilities: Vec<Ability>,
) -> Result<Description, LoadError> {
    let rules = [
        (
            is_plain(&description.name),
            "name: lower-case letters, digits and `-`, at most 64",
        ),
        (
            is_version(&description.version),
            "version: a semantic version, at most 64",
        ),
        (
            is_text(&description.summary),
            "summary: at most 1000 bytes without control characters",
        ),
        (
            description.licence.iter().all(|text| is_text(text)),
            "licence: at most 1000 bytes without control characters",
        ),
        (
            description.source.iter().all(|text| is_text(text)),
            "source: at most 1000 bytes without control characters",
        ),
        (
            description.endpoints.len() <= MAX_ENDPOINTS,
            "endpoints: at most 32",
        ),
        (
            description.endpoints.iter().all(|need| is_name(&need.name)),
            "endpoints.name: printable ASCII without spaces, at most 64",
        ),
        (
            description
                .endpoints
                .iter()
                .all(|need| is_text(&need.summary)),
            "endpoints.summary: at most 1000 bytes without control characters",
        ),
        (
            description.readable_states.len() <= MAX_READABLE_STATES,
            "readable-states: at most 256",
        ),
        (
            description.searchable_fields.len() <= MAX_SEARCHABLE_FIELDS
                && description
                    .searchable_fields
                    .iter()
                    .all(|name| is_name(name)),
            "searchable-fields: at most 256, each printable ASCII without spaces, at most 64",
        ),
        (
            description
                .settings_schema
                .iter()
                .all(|schema| schema.len() <= MAX_SETTINGS_SCHEMA),
            "settings-schema: at most 256 KiB",
        ),
    ];
    if let Some((_, rule)) = rules.into_iter().find(|(holds, _)| !holds) {
        return Err(LoadError::Description(rule));
    }
    let settings_schema = description
        .settings_schema
        .map(|schema| serde_json::from_str(&schema))
        .transpose()
        .map_err(|_| LoadError::Description("settings-schema: not JSON"))?;
    Ok(Description {
        name: description.name,
        version: description.version,
        summary: description.summary,
        licence: description.licence,
        source: description.source,
        abilities,
        endpoints: description
            .endpoints
            .into_iter()
            .map(|need| EndpointNeed {
                name: need.name,
                summary: need.summary,
                required: need.required,
            })
            .collect(),
        settings_schema,
        readable_states: description.readable_states,
        searchable_fields: description.searchable_fields,
    })
}

fn is_plain(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// It stands in messages and configurations.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_text(text: &str) -> bool {
    text.len() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// Three numbers, then perhaps `-` or `+` and dotted words. Looser than semver.org in what follows
/// them: nothing here compares versions.
fn is_version(text: &str) -> bool {
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, more) = text.split_at(end);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= MAX_NAME
        && numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && more.len() != 1
        && more
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> about::Description {
        about::Description {
            name: "a-1".into(),
            version: "1.0.0".into(),
            summary: "Asks a registry.".into(),
            licence: Some("AGPL-3.0-only".into()),
            source: None,
            endpoints: vec![about::EndpointNeed {
                name: "main".into(),
                summary: String::new(),
                required: true,
            }],
            settings_schema: Some("{}".into()),
            readable_states: vec![1],
            searchable_fields: vec!["names.family".into()],
            extra: Vec::new(),
        }
    }

    fn refused(change: impl FnOnce(&mut about::Description)) -> String {
        let mut said = said();
        change(&mut said);
        match check(said, Vec::new()) {
            Err(LoadError::Description(rule)) => {
                rule.split_once(':').unwrap_or_default().0.to_owned()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn versions_are_semantic() {
        for good in ["0.1.0", "10.20.30", "1.0.0-rc.1", "1.0.0+5", "1.0.0-a+b"] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.0",
            "1.0.0-",
            "1.0.0 x",
            "v1.0.0",
            "1.0.0-a\n",
            "1..0",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused_by_name() {
        assert!(check(said(), Vec::new()).is_ok());
        let long = "x".repeat(MAX_TEXT + 1);
        assert_eq!(refused(|it| it.name = "A".into()), "name");
        assert_eq!(refused(|it| it.version = "1".into()), "version");
        assert_eq!(refused(|it| it.summary = "a\nb".into()), "summary");
        assert_eq!(refused(|it| it.licence = Some(long.clone())), "licence");
        assert_eq!(refused(|it| it.source = Some(long.clone())), "source");
        let name = |it: &mut about::Description| {
            for need in &mut it.endpoints {
                need.name = "a b".into();
            }
        };
        assert_eq!(refused(name), "endpoints.name");
        let many = |it: &mut about::Description| {
            let need = it.endpoints[0].clone();
            it.endpoints = vec![need; MAX_ENDPOINTS + 1];
        };
        assert_eq!(refused(many), "endpoints");
        let states = |it: &mut about::Description| it.readable_states = vec![0; 257];
        assert_eq!(refused(states), "readable-states");
        let fields = |it: &mut about::Description| it.searchable_fields = vec![String::new()];
        assert_eq!(refused(fields), "searchable-fields");
        let schema = format!("\"{}\"", "x".repeat(MAX_SETTINGS_SCHEMA));
        let schema = |it: &mut about::Description| it.settings_schema = Some(schema);
        assert_eq!(refused(schema), "settings-schema");
    }
}
