//! As much of JSON Schema as the gateway's OpenAPI document uses. An unknown keyword is an error:
//! what is not understood is not checked either. Stricter in one thing: an object has no properties
//! that its schema does not name, so that the document leaves nothing out.

use serde_json::{Map, Value};

/// The schemas of a document.
pub struct Schemas<'a> {
    document: &'a Value,
}

/// Keywords that say nothing about a value's shape.
const REMARKS: [&str; 8] = [
    "description",
    "title",
    "example",
    "examples",
    "default",
    "format",
    "deprecated",
    "propertyNames",
];

impl<'a> Schemas<'a> {
    /// Those that `$ref` names in an OpenAPI document.
    pub fn new(document: &'a Value) -> Self {
        Self { document }
    }

    /// Checks a value against a schema.
    ///
    /// # Errors
    /// Where in the value, and what is wrong there.
    pub fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.at("", schema, value)
    }

    fn at(&self, path: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let Value::Object(schema) = schema else {
            // `true` and `{}` take anything.
            return Ok(());
        };
        for (keyword, said) in schema {
            self.keyword(path, (keyword, said), schema, value)?;
        }
        Ok(())
    }

    fn keyword(
        &self,
        path: &str,
        (keyword, said): (&str, &Value),
        schema: &Map<String, Value>,
        value: &Value,
    ) -> Result<(), String> {
        let wrong = |what: String| Err(format!("{path}: {what}"));
        let list = || said.as_array().map(Vec::as_slice).unwrap_or_default();
        match keyword {
            "$ref" => {
                let place = said.as_str().unwrap_or_default().trim_start_matches('#');
                match self.document.pointer(place) {
                    Some(schema) => self.at(path, schema, value),
                    None => wrong(format!("no schema {place}")),
                }
            }
            "type" => {
                let kinds = if said.is_array() {
                    list()
                } else {
                    std::slice::from_ref(said)
                };
                match kinds
                    .iter()
                    .any(|kind| is(kind.as_str().unwrap_or_default(), value))
                {
                    true => Ok(()),
                    false => wrong(format!("not {said}: {value}")),
                }
            }
            "enum" if list().contains(value) => Ok(()),
            "const" if said == value => Ok(()),
            "enum" | "const" => wrong(format!("{value} is not {said}")),
            "oneOf" | "anyOf" => {
                let fits = list()
                    .iter()
                    .filter(|one| self.at(path, one, value).is_ok());
                match (keyword, fits.count()) {
                    (_, 0) => wrong(format!("{value} is none of {keyword}")),
                    ("oneOf", 2..) => wrong(format!("{value} is several of oneOf")),
                    _ => Ok(()),
                }
            }
            "allOf" => list().iter().try_for_each(|one| self.at(path, one, value)),
            "items" => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let mut items = items.iter().enumerate();
                items.try_for_each(|(at, item)| self.at(&format!("{path}/{at}"), said, item))
            }
            "required" => {
                let absent = list()
                    .iter()
                    .find(|name| value.get(name.as_str().unwrap_or("")).is_none());
                match absent {
                    Some(name) if value.is_object() => wrong(format!("no {name}")),
                    _ => Ok(()),
                }
            }
            "properties" | "additionalProperties" => self.properties(path, schema, value),
            "minimum" if value.as_f64() < said.as_f64() => wrong(format!("{value} under {said}")),
            "maximum" if value.as_f64() > said.as_f64() => wrong(format!("{value} over {said}")),
            "minimum" | "maximum" => Ok(()),
            remark if REMARKS.contains(&remark) => Ok(()),
            other => wrong(format!("the keyword {other} is not understood")),
        }
    }

    fn properties(
        &self,
        path: &str,
        schema: &Map<String, Value>,
        value: &Value,
    ) -> Result<(), String> {
        let known = schema.get("properties").and_then(Value::as_object);
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            let named = known.and_then(|known| known.get(name));
            match named.or(schema.get("additionalProperties")) {
                None | Some(Value::Bool(false)) => {
                    return Err(format!("{path}: not in the schema"));
                }
                Some(schema) => self.at(&path, schema, value)?,
            }
        }
        Ok(())
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}
