//! `adapter.toml`, the settings' schema, the settings themselves and `describe` say the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use std::collections::BTreeSet;

use adapter_mosip::Mosip;
use adapter_mosip::settings::Settings;
use adapter_sdk::{About, Failure};
use serde_json::{Map, Value, json};

fn schema() -> Value {
    serde_json::from_str(&Mosip::describe().settings_schema.unwrap()).unwrap()
}

fn folder() -> Value {
    let text = include_str!("../adapter.toml");
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

fn read(json: &Value) -> Result<Settings, Failure> {
    Settings::read(&|key| json.get(key).map(ToString::to_string))
}

fn keys(object: &Value) -> BTreeSet<&str> {
    let object = object.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

#[test]
fn the_folder_says_what_the_component_says() {
    let (described, folder) = (Mosip::describe(), folder());
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
    let abilities = folder["abilities"].as_array().unwrap().iter();
    let abilities: Vec<&str> = abilities.map(|a| a.as_str().unwrap()).collect();
    assert!(exported.contains(&format!("export!(Mosip: {});", abilities.join(", "))));
}

/// Holds an object of the schema to the folder's, and tells how many settings it has.
fn same(schema: &Value, settings: &Value) -> usize {
    let properties = &schema["properties"];
    assert_eq!(keys(properties), keys(settings));
    let mut count = 0;
    for (name, property) in properties.as_object().unwrap() {
        let setting = &settings[name];
        assert_eq!(setting.get("default"), property.get("default"), "{name}");
        let required = schema["required"].as_array();
        let required = required.is_some_and(|names| names.contains(&json!(name)));
        assert_eq!(setting["required"] == true, required, "{name}");
        let words = property["enum"].as_array().map(|words| {
            let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
            words.join(" | ")
        });
        let kind = words.or(property["type"].as_str().map(str::to_owned));
        assert_eq!(setting["type"].as_str().map(str::to_owned), kind, "{name}");
        count += 1;
        if setting.get("properties").is_some() {
            count += same(property, &setting["properties"]);
        }
    }
    count
}

#[test]
fn the_folder_has_the_settings_of_the_schema() {
    assert_eq!(same(&schema(), &folder()["settings"]), 26);
}

fn least() -> Value {
    json!({ "ida": {}, "esignet": { "issuer": "https://i.example", "client_id": "c" } })
}

/// The least settings and every default of the schema.
fn with_defaults(given: &Value, schema: &Value) -> Value {
    let mut all: Map<String, Value> = given.as_object().unwrap().clone();
    for (name, property) in schema["properties"].as_object().unwrap() {
        if let Some(inner) = given.get(name).filter(|inner| inner.is_object()) {
            all.insert(name.clone(), with_defaults(inner, property));
        } else if let Some(default) = property.get("default") {
            all.insert(name.clone(), default.clone());
        }
    }
    Value::Object(all)
}

#[test]
fn the_schemas_defaults_are_the_settings_defaults() {
    let written = with_defaults(&least(), &schema());
    assert_ne!(written, least());
    assert_eq!(read(&least()), read(&written));
}

#[test]
fn every_setting_of_the_schema_is_a_setting() {
    let schema = schema();
    let mut all = with_defaults(&least(), &schema);
    for section in ["ida", "esignet"] {
        for (name, property) in schema["properties"][section]["properties"]
            .as_object()
            .unwrap()
        {
            let value = property.get("default").or(property["enum"].get(0)).cloned();
            all[section][name] = value.unwrap_or_else(|| json!("x"));
        }
    }
    read(&all).unwrap();
    for wrong in [
        json!({ "ida": { "uin": 1 } }),
        json!({ "esignet": { "issuer": "i" } }),
        json!({ "esignet": { "issuer": "i", "client_id": "c", "algorithms": ["none"] } }),
        json!({ "genders": { "unknown": ["U"] } }),
    ] {
        let refused = read(&wrong).unwrap_err();
        assert_eq!(refused.code(), Some("settings.invalid"), "{wrong}");
    }
}
