//! `adapter.toml`, the settings' schema, the settings themselves and `describe` say the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use std::collections::BTreeSet;

use adapter_opencrvs::OpenCrvs;
use adapter_opencrvs::settings::{FIELDS, Settings, is_field_key};
use adapter_sdk::{About, settings};
use serde_json::{Map, Value, json};

fn schema() -> Value {
    serde_json::from_str(&OpenCrvs::describe().settings_schema.unwrap()).unwrap()
}

fn folder() -> Value {
    let text = include_str!("../adapter.toml");
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_folder_says_what_the_component_says() {
    let (described, folder) = (OpenCrvs::describe(), folder());
    assert_eq!(folder["name"], described.name);
    assert_eq!(folder["version"], described.version);
    assert_eq!(folder["summary"], described.summary);
    assert_eq!(folder["licence"], described.licence.unwrap());
    assert_eq!(folder["source"], described.source.unwrap());
    assert_eq!(folder["readable_states"], json!(described.readable_states));
    let endpoints: Vec<Value> = described
        .endpoints
        .iter()
        .map(|e| json!({ "name": e.name, "summary": e.summary, "required": e.required }))
        .collect();
    assert_eq!(folder["endpoints"], json!(endpoints));
    // The abilities of `export!`, which a native build cannot ask for.
    let exported = include_str!("../src/lib.rs");
    let abilities: Vec<&str> = folder["abilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a.as_str().unwrap())
        .collect();
    assert!(exported.contains(&format!("export!(OpenCrvs: {});", abilities.join(", "))));
}

#[test]
fn the_folder_has_the_settings_of_the_schema() {
    let (schema, folder) = (schema(), folder());
    let (properties, settings) = (&schema["properties"], &folder["settings"]);
    assert_eq!(keys(properties), keys(settings));
    for (name, property) in properties.as_object().unwrap() {
        let setting = &settings[name];
        assert_eq!(setting.get("default"), property.get("default"), "{name}");
        let required = schema["required"]
            .as_array()
            .unwrap()
            .contains(&json!(name));
        assert_eq!(setting["required"] == true, required, "{name}");
        let words = property["enum"].as_array().map(|words| {
            words
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(" | ")
        });
        let kind = words.or(property["type"].as_str().map(str::to_owned));
        assert_eq!(setting["type"].as_str().map(str::to_owned), kind, "{name}");
    }
}

#[test]
fn the_schemas_defaults_are_the_settings_defaults() {
    let least = json!({ "version": "2" });
    let settings: Settings = serde_json::from_value(least.clone()).unwrap();
    let written = serde_json::to_value(settings).unwrap();
    let mut defaults: Map<String, Value> = least.as_object().unwrap().clone();
    for (name, property) in schema()["properties"].as_object().unwrap() {
        if let Some(default) = property.get("default") {
            defaults.insert(name.clone(), default.clone());
        }
    }
    assert_eq!(written, Value::Object(defaults));
}

#[test]
fn every_version_of_the_schema_is_a_version() {
    for version in schema()["properties"]["version"]["enum"]
        .as_array()
        .unwrap()
    {
        let mut all = json!({ "version": version });
        for (name, property) in schema()["properties"].as_object().unwrap() {
            if name != "version" {
                all[name] = property
                    .get("default")
                    .cloned()
                    .unwrap_or_else(|| json!("x"));
            }
        }
        serde_json::from_value::<Settings>(all).unwrap();
    }
}

#[test]
fn every_field_of_the_reference_country_is_a_key_of_fields() {
    for (key, ids) in FIELDS {
        assert!(is_field_key(key), "{key}");
        assert!(!ids.is_empty(), "{key}");
    }
    let keys: BTreeSet<&str> = FIELDS.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys.len(), FIELDS.len(), "no key twice");
}

#[test]
fn a_wrong_setting_is_named() {
    for (settings_, field) in [
        (json!({}), "settings.version"),
        (json!({ "version": "1.2" }), "settings.version"),
        (json!({ "version": "2", "colour": 1 }), "settings.colour"),
        (
            json!({ "version": "2", "fields": { "birth.child.shoe-size": "child.shoe" } }),
            "settings.fields.birth.child.shoe-size",
        ),
        (
            json!({ "version": "2", "fields": { "birth.spouse.name": "spouse.name" } }),
            "settings.fields.birth.spouse.name",
        ),
        (
            json!({ "version": "2", "codes": { "sex": { "3": "third" } } }),
            "settings.codes.sex.3",
        ),
        (
            json!({ "version": "2", "codes": { "relation": { "AUNTIE": "auntie" } } }),
            "settings.codes.relation.AUNTIE",
        ),
    ] {
        let loaded = settings::from_json::<Settings>(&settings_.to_string());
        let failure = loaded.and_then(Settings::checked).unwrap_err();
        assert_eq!(failure.kind(), "misconfigured");
        let refusal = failure.refusal().unwrap();
        assert_eq!(refusal.field.as_deref(), Some(field), "{settings_}");
    }
}
