//! How much a schema may ask of its validator. It is a guest's text: a chain of references takes the
//! stack, and references that double at each step take for ever.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Schemas in schemas, a reference being one more.
pub(in crate::gateway) const MAX_DEPTH: usize = 64;
/// Values in the schema, where each reference counts as all that it refers to.
pub(in crate::gateway) const MAX_COST: usize = 10_000;
/// Of a place that is told.
const MAX_PLACE: usize = 200;

/// The drafts that the validator has.
const DRAFTS: [&str; 5] = [
    "json-schema.org/draft-04/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft/2020-12/schema",
];
/// Their keys are names that the author chose.
const MAPS: [&str; 6] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];
/// What is in them is no schema.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Schema,
    Map,
    Data,
}

#[derive(Clone, Copy)]
enum Looked {
    /// What it refers to is being looked at.
    Open,
    Done(Size),
}

#[derive(Clone, Copy)]
struct Size {
    cost: usize,
    height: usize,
}

struct Walk<'s> {
    root: &'s Value,
    /// By where the value is in memory: one may be a schema here, and data there.
    looked: HashMap<(usize, Kind), Looked>,
    path: Vec<&'s str>,
}

/// Refuses a schema that takes more than it may, with the place and the remedy.
pub(in crate::gateway) fn check(schema: &Value) -> Result<(), String> {
    let mut walk = Walk {
        root: schema,
        looked: HashMap::new(),
        path: vec!["#"],
    };
    walk.size(schema, Kind::Schema, 0).map(|_| ())
}

impl<'s> Walk<'s> {
    fn size(&mut self, value: &'s Value, kind: Kind, depth: usize) -> Result<Size, String> {
        let key = (std::ptr::from_ref(value).addr(), kind);
        let size = match self.looked.get(&key) {
            Some(Looked::Open) => {
                return Err(
                    self.refused("it refers to itself: write out the levels that are meant")
                );
            }
            Some(Looked::Done(size)) => *size,
            None => {
                self.fits(depth)?;
                self.looked.insert(key, Looked::Open);
                let size = self.inner(value, kind, depth)?;
                self.looked.insert(key, Looked::Done(size));
                size
            }
        };
        self.fits(depth.saturating_add(size.height))?;
        Ok(size)
    }

    fn inner(&mut self, value: &'s Value, kind: Kind, depth: usize) -> Result<Size, String> {
        let mut sum = Size { cost: 1, height: 0 };
        match value {
            Value::Object(fields) => {
                if kind == Kind::Schema {
                    self.plain(fields)?;
                }
                for (key, field) in fields {
                    self.path.push(key);
                    if kind == Kind::Schema && key == "$ref" {
                        let target = self.target(field)?;
                        self.add(&mut sum, target, Kind::Schema, depth)?;
                    } else {
                        self.add(&mut sum, field, of_field(kind, key), depth)?;
                    }
                    self.path.pop();
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.add(&mut sum, item, kind, depth)?;
                }
            }
            _ => {}
        }
        Ok(sum)
    }

    fn add(
        &mut self,
        sum: &mut Size,
        value: &'s Value,
        kind: Kind,
        depth: usize,
    ) -> Result<(), String> {
        let size = self.size(value, kind, depth + 1)?;
        sum.cost = sum.cost.saturating_add(size.cost);
        sum.height = sum.height.max(size.height + 1);
        if sum.cost > MAX_COST {
            return Err(self.refused(&format!(
                "it has more than {MAX_COST} values, each reference counted as what it refers to: \
                 make it smaller"
            )));
        }
        Ok(())
    }

    fn fits(&self, depth: usize) -> Result<(), String> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.refused(&format!(
            "it goes deeper than {MAX_DEPTH} levels, each reference being one: make it flatter"
        )))
    }

    /// What moves references elsewhere is not taken.
    fn plain(&self, fields: &Map<String, Value>) -> Result<(), String> {
        for key in ["$dynamicRef", "$recursiveRef", "$id", "id"] {
            if fields.contains_key(key) {
                let problem = format!("leave out `{key}`: refer by `$ref` to `#/$defs/…`");
                return Err(self.refused(&problem));
            }
        }
        let draft = |text: &str| {
            let text = text.strip_suffix('#').unwrap_or(text);
            let text = text
                .strip_prefix("http")
                .map(|it| it.trim_start_matches('s'));
            let text = text.and_then(|it| it.strip_prefix("://"));
            text.is_some_and(|text| DRAFTS.contains(&text))
        };
        match fields.get("$schema") {
            Some(named) if !named.as_str().is_some_and(draft) => Err(self.refused(
                "its `$schema` is not known: name https://json-schema.org/draft/2020-12/schema",
            )),
            _ => Ok(()),
        }
    }

    /// A pointer into the schema. One that is spelled in another way could be read in two.
    fn target(&self, reference: &Value) -> Result<&'s Value, String> {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let plain = |c: u8| c.is_ascii_graphic() && !b"%#\"<>`".contains(&c);
        let pointer = pointer.filter(|it| it.bytes().all(plain));
        let Some(pointer) = pointer.filter(|it| it.is_empty() || it.starts_with('/')) else {
            return Err(self.refused(
                "a schema may not refer to another document: put the part into it and write \
                 `#/$defs/…`, of letters, digits, `-` and `_`",
            ));
        };
        let target = self.root.pointer(pointer);
        target.ok_or_else(|| self.refused("it refers to nothing: correct the `$ref`"))
    }

    fn refused(&self, problem: &str) -> String {
        let place: String = self.path.join(".").chars().take(MAX_PLACE).collect();
        format!("{place}: {problem}")
    }
}

fn of_field(kind: Kind, key: &str) -> Kind {
    match kind {
        Kind::Schema if MAPS.contains(&key) => Kind::Map,
        Kind::Schema if DATA.contains(&key) => Kind::Data,
        Kind::Schema | Kind::Map => Kind::Schema,
        Kind::Data => Kind::Data,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each refers to the next, so often.
    fn chain(length: usize, times: usize) -> Value {
        let mut defs = Map::new();
        for at in 0..length {
            let next = json!({ "$ref": format!("#/$defs/n{}", at + 1) });
            defs.insert(format!("n{at}"), json!({ "allOf": vec![next; times] }));
        }
        defs.insert(format!("n{length}"), json!({ "type": "string" }));
        json!({ "$ref": "#/$defs/n0", "$defs": defs })
    }

    #[test]
    fn neither_a_long_chain_nor_a_doubling_one_is_followed() {
        let deep = check(&chain(8_000, 1)).unwrap_err();
        assert!(
            deep.contains("64 levels") && deep.starts_with("#."),
            "{deep}"
        );
        let doubling = check(&chain(16, 2)).unwrap_err();
        assert!(doubling.contains("10000 values"), "{doubling}");
        assert!(check(&chain(60, 2)).is_err());
        assert_eq!(check(&chain(8, 2)), Ok(()));
    }

    #[test]
    fn what_turns_or_goes_elsewhere_is_refused_by_its_place() {
        for (schema, place) in [
            (json!({ "$ref": "#" }), "#.$ref"),
            (
                json!({ "properties": { "a": { "items": { "$ref": "#/properties/a" } } } }),
                "#.properties.a.items.$ref",
            ),
            (
                json!({ "not": { "$ref": "file:///etc/passwd" } }),
                "#.not.$ref",
            ),
            (json!({ "$ref": "https://example.org/a.json#/a" }), "#.$ref"),
            (json!({ "$ref": "#name" }), "#.$ref"),
            (
                json!({ "$ref": "#/%24defs/a", "$defs": { "a": {} } }),
                "#.$ref",
            ),
            (json!({ "$ref": "#/$defs/none" }), "#.$ref"),
            (json!({ "$ref": 7 }), "#.$ref"),
            (json!({ "anyOf": [{ "$dynamicRef": "#a" }] }), "#.anyOf"),
            (json!({ "anyOf": [{ "$recursiveRef": "#" }] }), "#.anyOf"),
            (json!({ "$defs": { "a": { "$id": "b" } } }), "#.$defs.a"),
            (json!({ "$schema": "https://example.org/own" }), "#"),
        ] {
            let problem = check(&schema).unwrap_err();
            assert!(problem.starts_with(&format!("{place}: ")), "{problem}");
        }
    }

    #[test]
    fn names_and_values_that_look_like_keywords_are_none() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": { "$ref": { "type": "string" }, "id": {}, "$id": {} },
            "enum": [{ "$ref": "x" }], "default": { "$id": "x" },
        });
        assert_eq!(check(&schema), Ok(()));
        let values = json!({ "enum": vec![1; MAX_COST] });
        assert!(check(&values).unwrap_err().starts_with("#.enum"));
    }
}
