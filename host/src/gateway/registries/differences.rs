//! What differs between two configurations, field by field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::What;
use crate::config::registry::RegistryConfig;

/// What becomes of one registry.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryDifference {
    /// Its name.
    pub registry: String,
    /// What becomes of it.
    pub what: What,
    /// By path. Of a new or a removed one: what is not as it is by default.
    pub fields: Vec<FieldDifference>,
}

/// What becomes of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// `endpoints.registry.timeout_ms`.
    pub field: String,
    /// None: it was not there.
    pub from: Option<Value>,
    /// None: it is no longer there.
    pub to: Option<Value>,
}

impl RegistryDifference {
    /// Whether anything becomes of it.
    pub fn is_any(&self) -> bool {
        self.what != What::Unchanged
    }
}

type Leaves = BTreeMap<String, Value>;

/// Compares configurations as a file has them. None: there is no such registry before or after.
pub(super) fn between(from: Option<&Value>, to: Option<&Value>) -> Vec<FieldDifference> {
    let default = default();
    let (from, to) = (from.map(leaves), to.map(leaves));
    let empty = Leaves::new();
    let (before, after) = (
        from.as_ref().unwrap_or(&empty),
        to.as_ref().unwrap_or(&empty),
    );
    let mut fields: Vec<&String> = before.keys().chain(after.keys()).collect();
    fields.sort_unstable();
    fields.dedup();
    let differs = |field: &String| {
        let (was, is) = (before.get(field), after.get(field));
        // What came or went with a whole, and says no more than was so without it.
        let telling = |value: Option<&Value>| value != default.get(&pattern(field));
        match (was, is) {
            (Some(was), Some(is)) => was != is,
            (was, is) => telling(was.or(is)),
        }
    };
    fields
        .into_iter()
        .filter(|field| differs(field))
        .map(|field| FieldDifference {
            field: field.clone(),
            from: before.get(field).cloned(),
            to: after.get(field).cloned(),
        })
        .collect()
}

/// Values by path. A list is one value; an empty table is none.
fn leaves(value: &Value) -> Leaves {
    let mut leaves = Leaves::new();
    collect(value, "", &mut leaves);
    leaves
}

fn collect(value: &Value, path: &str, leaves: &mut Leaves) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                collect(value, &path, leaves);
            }
        }
        value => {
            leaves.insert(path.to_owned(), value.clone());
        }
    }
}

/// The defaults by pattern: `endpoints.*.timeout_ms`.
fn default() -> Leaves {
    let any = json!({ "endpoints": { "*": { "base_url": "" } } });
    let config = serde_json::from_value::<RegistryConfig>(any).and_then(serde_json::to_value);
    // It is a configuration: a test below would see that nothing is left out otherwise.
    leaves(&config.unwrap_or_default())
}

fn pattern(field: &str) -> String {
    let mut parts: Vec<&str> = field.split('.').collect();
    if let [first, name, ..] = parts.as_mut_slice()
        && *first == "endpoints"
    {
        *name = "*";
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: Value) -> Value {
        let config: RegistryConfig = serde_json::from_value(value).expect("a configuration");
        serde_json::to_value(config).expect("JSON")
    }

    fn told(differences: &[FieldDifference]) -> Vec<String> {
        let show = |value: &Option<Value>| value.as_ref().map_or("-".into(), Value::to_string);
        let line =
            |it: &FieldDifference| format!("{} {} {}", it.field, show(&it.from), show(&it.to));
        differences.iter().map(line).collect()
    }

    #[test]
    fn a_change_is_told_by_its_path() {
        let before = written(json!({
            "summary": "a",
            "limits": { "cpu_ms": 5 },
            "settings": { "deep": { "er": 1 }, "list": [1, 2] },
            "endpoints": {
                "a": { "base_url": "https://a", "credential": { "kind": "bearer", "token": "env:REGISTRY_SECRET_A" } },
                "b": { "base_url": "https://b" },
            },
        }));
        let after = written(json!({
            "summary": "a",
            "settings": { "deep": { "er": 2 }, "list": [2] },
            "endpoints": {
                "a": { "base_url": "https://a", "credential": { "kind": "bearer", "token": "file:a" } },
                "c": { "base_url": "https://c", "timeout_ms": 7 },
            },
        }));
        assert_eq!(
            told(&between(Some(&before), Some(&after))),
            [
                "endpoints.a.credential.token \"env:REGISTRY_SECRET_A\" \"file:a\"",
                "endpoints.b.base_url \"https://b\" -",
                "endpoints.c.base_url - \"https://c\"",
                "endpoints.c.timeout_ms - 7",
                "limits.cpu_ms 5 1000",
                "settings.deep.er 1 2",
                "settings.list [1,2] [2]",
            ]
        );
        assert!(between(Some(&after), Some(&after)).is_empty());
    }

    #[test]
    fn of_a_new_one_what_is_not_the_default_is_told() {
        let new =
            written(json!({ "summary": "s", "endpoints": { "e": { "base_url": "https://e" } } }));
        let added = told(&between(None, Some(&new)));
        assert_eq!(
            added,
            ["endpoints.e.base_url - \"https://e\"", "summary - \"s\""]
        );
        let removed = told(&between(Some(&new), None));
        assert_eq!(
            removed,
            ["endpoints.e.base_url \"https://e\" -", "summary \"s\" -"]
        );
    }
}
