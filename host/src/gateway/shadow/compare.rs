//! Two answers, field by field: where they differ, and never how. A path is made of names of the model
//! alone; positions are left out, and whatever has names of the registry's own is one field.

use std::collections::BTreeSet;

use serde_json::Value;

/// Where two answers differ.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Difference {
    /// Both have it, and it differs.
    Changed,
    /// Only the one that serves has it.
    Missing,
    /// Only the candidate has it.
    Added,
}

/// Below these the names are the registry's, or the adapter's.
const OPEN: [&str; 3] = ["extra", "unmapped", "value"];

/// Each path once with each difference that it has.
pub(super) fn differences(live: &Value, candidate: &Value) -> BTreeSet<(String, Difference)> {
    let mut found = BTreeSet::new();
    walk("", live, candidate, &mut found);
    found
}

fn walk(path: &str, live: &Value, candidate: &Value, found: &mut BTreeSet<(String, Difference)>) {
    if live == candidate {
        return;
    }
    match (live, candidate) {
        (Value::Null, _) => note(path, Difference::Added, found),
        (_, Value::Null) => note(path, Difference::Missing, found),
        (Value::Object(a), Value::Object(b)) if !is_open(path) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                let of = |value: &serde_json::Map<String, Value>| {
                    value.get(key).cloned().unwrap_or_default()
                };
                walk(&path, &of(a), &of(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if !is_open(path) => {
            let path = format!("{path}[]");
            for (a, b) in a.iter().zip(b) {
                walk(&path, a, b, found);
            }
            if a.len() > b.len() {
                note(&path, Difference::Missing, found);
            }
            if a.len() < b.len() {
                note(&path, Difference::Added, found);
            }
        }
        _ => note(path, Difference::Changed, found),
    }
}

fn note(path: &str, difference: Difference, found: &mut BTreeSet<(String, Difference)>) {
    found.insert((path.to_owned(), difference));
}

fn is_open(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    OPEN.contains(&last.trim_end_matches("[]"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_has_its_path_and_no_value() {
        let live = json!({
            "names": [{ "given": ["Sita"], "family": "Sharma" }, { "text": "S" }],
            "birthDate": { "year": 1987 },
            "sex": "female",
            "extra": [{ "key": "x-sita", "value": { "Sita": 1 } }],
        });
        let candidate = json!({
            "names": [{ "given": ["Rita"], "family": "Sharma" }],
            "birthDate": { "year": 1987, "month": 4 },
            "extra": [{ "key": "x-sita", "value": { "Rita": 1 } }],
            "status": "active",
        });
        let found = differences(&live, &candidate);
        let told: Vec<_> = found
            .iter()
            .map(|(path, what)| (path.as_str(), *what))
            .collect();
        let expected = [
            ("birthDate.month", Difference::Added),
            ("extra", Difference::Changed),
            ("names[]", Difference::Missing),
            ("names[].given[]", Difference::Changed),
            ("sex", Difference::Missing),
            ("status", Difference::Added),
        ];
        assert_eq!(told, expected);
        assert!(differences(&live, &live).is_empty());
    }
}
