//! `adapter.toml`, the settings' schema, the settings themselves and `describe` say the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use std::collections::BTreeSet;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_fhir_client_registry::settings::Settings;
use adapter_sdk::About;
use serde_json::{Map, Value, json};

fn schema() -> Value {
    serde_json::from_str(&FhirClientRegistry::describe().settings_schema.unwrap()).unwrap()
}

fn folder() -> Value {
    let text = include_str!("../adapter.toml");
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    let object = object.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

#[test]
fn the_folder_says_what_the_component_says() {
    let (described, folder) = (FhirClientRegistry::describe(), folder());
    assert_eq!(folder["name"], described.name);
    assert_eq!(folder["version"], described.version);
    assert_eq!(folder["summary"], described.summary);
    assert_eq!(folder["licence"], described.licence.unwrap());
    assert_eq!(folder["source"], described.source.unwrap());
    assert_eq!(folder["readable_states"], json!(described.readable_states));
    let endpoints: Vec<Value> = described
        .endpoints
        .iter()
        .map(|it| json!({ "name": it.name, "summary": it.summary, "required": it.required }))
        .collect();
    assert_eq!(folder["endpoints"], json!(endpoints));
    // The abilities of `export!`, which a native build cannot ask for.
    let exported = include_str!("../src/lib.rs");
    let abilities: Vec<&str> = folder["abilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let exports = format!("export!(FhirClientRegistry: {});", abilities.join(", "));
    assert!(exported.contains(&exports));
}

#[test]
fn the_folder_has_the_settings_of_the_schema() {
    let (schema, folder) = (schema(), folder());
    let (properties, settings) = (&schema["properties"], &folder["settings"]);
    assert_eq!(keys(properties), keys(settings));
    for (name, property) in properties.as_object().unwrap() {
        let setting = &settings[name];
        assert_eq!(setting.get("default"), property.get("default"), "{name}");
        let words = property["enum"].as_array().map(|words| {
            let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
            words.join(" | ")
        });
        let kind = words.or(property["type"].as_str().map(str::to_owned));
        let kind = kind.unwrap_or_else(|| "string or list of strings".to_owned());
        assert_eq!(setting["type"], kind, "{name}");
    }
}

#[test]
fn the_schemas_defaults_are_the_settings_defaults() {
    let settings: Settings = serde_json::from_value(json!({})).unwrap();
    let written = serde_json::to_value(settings).unwrap();
    let mut defaults = Map::new();
    for (name, property) in schema()["properties"].as_object().unwrap() {
        if let Some(default) = property.get("default") {
            defaults.insert(name.clone(), default.clone());
        }
    }
    assert_eq!(written, Value::Object(defaults));
}

#[test]
fn every_setting_of_the_schema_is_a_setting_and_nothing_else_is() {
    let mut all = json!({});
    for (name, property) in schema()["properties"].as_object().unwrap() {
        let value = property.get("default").or(property["enum"].get(0)).cloned();
        let number = (property["type"] == "integer").then(|| json!(1));
        all[name] = value.or(number).unwrap_or_else(|| json!("x"));
    }
    serde_json::from_value::<Settings>(all.clone()).unwrap();
    all["identifier_system"] = json!({});
    serde_json::from_value::<Settings>(all).unwrap_err();
}
