//! What people read of registries.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::Failure;

#[derive(Deserialize)]
pub(super) struct Registries {
    registries: Vec<Registry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registry {
    name: String,
    state: String,
    reason: Option<String>,
    module: Option<String>,
    adapter: Option<String>,
    version: Option<String>,
    updated_at: Option<String>,
    configuration: Option<Value>,
}

impl Registries {
    pub(super) fn lines(&self) -> String {
        self.registries.iter().map(Registry::line).collect()
    }
}

impl Registry {
    pub(super) fn line(&self) -> String {
        let adapter = self.adapter.as_deref().unwrap_or("-");
        let version = self.version.as_deref().unwrap_or("-");
        let adapter = format!("{adapter} {version}");
        let module = self.module.as_deref().unwrap_or("-");
        let mut line = format!(
            "{:<20} {:<9} {adapter:<24} {module}\n",
            self.name, self.state
        );
        if let Some(reason) = &self.reason {
            line.push_str(&format!("{:<20} because: {reason}\n", ""));
        }
        line
    }

    /// As a file has it, under what a file cannot say.
    pub(super) fn whole(self) -> Result<String, Failure> {
        let mut head = format!("# {}: {}\n", self.name, self.state);
        for (word, value) in [
            ("because", &self.reason),
            ("adapter", &self.adapter),
            ("version", &self.version),
            ("updated", &self.updated_at),
        ] {
            if let Some(value) = value {
                head.push_str(&format!("# {word}: {}\n", value.replace('\n', " ")));
            }
        }
        let configuration = self.configuration.unwrap_or_default();
        let file = json!({ "registries": { self.name: configuration } });
        Ok(head + "\n" + &toml(file)?)
    }
}

/// JSON as TOML, which has no word for nothing.
pub(super) fn toml(value: Value) -> Result<String, Failure> {
    let value = without_nulls(value);
    toml::to_string(&value).map_err(|_| "this cannot be written as TOML: use --json".into())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(key, value)| (key, without_nulls(value)));
            Value::Object(Map::from_iter(fields))
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_nulls).collect()),
        value => value,
    }
}
