//! A registry's settings against the schema that its adapter states.

mod bounds;

use std::error::Error;

use boon::{
    CompileError, Compiler, Draft, ErrorKind, InstanceToken, Schemas, UrlLoader, ValidationError,
};
use serde_json::{Map, Value};

use crate::gateway::Finding;

/// What the schema is known by to the validator. It is never fetched: the validator has it.
const SCHEMA: &str = "memory:settings-schema";
/// As many as a person mends at once.
const MOST: usize = 50;

/// What is wrong with the settings, by their paths: `settings.identifier_types.national-id`. Empty:
/// nothing. No value of the settings is repeated.
pub fn check_settings(schema: &Value, settings: &Map<String, Value>) -> Vec<Finding> {
    let mut schemas = Schemas::new();
    let compiled = match compile(schema, &mut schemas) {
        Ok(compiled) => compiled,
        Err(problem) => return vec![finding("settings", problem)],
    };
    let settings = Value::Object(settings.clone());
    let mut findings = Vec::new();
    if let Err(error) = schemas.validate(&settings, compiled) {
        gather(&error, &mut findings);
    }
    findings.truncate(MOST);
    findings
}

/// What is wrong with the schema itself, if anything.
pub(in crate::gateway) fn check_schema(schema: &Value) -> Option<String> {
    compile(schema, &mut Schemas::new()).err()
}

/// A schema stands for itself: it may refer to its own parts, and to nothing elsewhere.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, _: &str) -> Result<Value, Box<dyn Error>> {
        Err("a schema may not refer to another document: put the part into it".into())
    }
}

fn compile(schema: &Value, schemas: &mut Schemas) -> Result<boon::SchemaIndex, String> {
    // Before the validator sees it. A module that was stored earlier is looked at as well.
    bounds::check(schema)?;
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    // Without it a `format` would be a mere remark.
    compiler.enable_format_assertions();
    compiler.use_loader(Box::new(Nowhere));
    let added = compiler.add_resource(SCHEMA, schema.clone());
    added
        .and_then(|()| compiler.compile(SCHEMA, schemas))
        .map_err(|error| format!("it is not a valid JSON Schema: {}", told(&error)))
}

/// With the place in the schema, and without the name that only the validator knows.
fn told(error: &CompileError) -> String {
    let text = match error {
        CompileError::LoadUrlError { src, .. } => src.to_string(),
        CompileError::ValidationError { src, .. } => {
            let mut findings = Vec::new();
            gather(src, &mut findings);
            let first = findings.into_iter().next();
            first.map_or_else(String::new, |first| {
                let place = first.place.replacen("settings", "#", 1);
                format!("{place}: {}", first.problem.unwrap_or_default())
            })
        }
        other => other.to_string(),
    };
    text.replace(SCHEMA, "")
}

/// The innermost errors say what to mend. Of alternatives there is no telling which was meant.
fn gather(error: &ValidationError<'_, '_>, into: &mut Vec<Finding>) {
    let alternatives = matches!(
        error.kind,
        ErrorKind::AnyOf | ErrorKind::OneOf(_) | ErrorKind::Not | ErrorKind::Contains
    );
    if !alternatives && !error.causes.is_empty() {
        for cause in &error.causes {
            gather(cause, into);
        }
        return;
    }
    let place = place(error);
    match &error.kind {
        ErrorKind::Required { want } => into.extend(want.iter().map(|name| {
            let problem = "is missing: the adapter needs it";
            finding(&format!("{place}.{name}"), problem)
        })),
        ErrorKind::AdditionalProperties { got } => into.extend(got.iter().map(|name| {
            let problem = "the adapter knows no such setting: leave it out, or correct its name";
            finding(&format!("{place}.{name}"), problem)
        })),
        kind => into.push(finding(&place, problem(kind))),
    }
}

fn place(error: &ValidationError<'_, '_>) -> String {
    let mut place = String::from("settings");
    for token in &error.instance_location.tokens {
        place.push('.');
        match token {
            InstanceToken::Prop(name) => place.push_str(name),
            InstanceToken::Item(index) => place.push_str(&index.to_string()),
        }
    }
    place
}

/// What is wanted, and never what is there: some settings are nobody else's business.
fn problem(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Type { want, .. } => {
            let want: Vec<String> = want.iter().map(|kind| kind.to_string()).collect();
            format!("must be of type {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => {
            let want: Vec<String> = want.iter().map(Value::to_string).collect();
            format!("must be one of {}", want.join(", "))
        }
        ErrorKind::Const { want } => format!("must be {want}"),
        ErrorKind::Format { want, .. } => format!("must be a valid {want}"),
        ErrorKind::Pattern { want, .. } => format!("must match the pattern {want}"),
        ErrorKind::MinLength { want, .. } => format!("must have at least {want} characters"),
        ErrorKind::MaxLength { want, .. } => format!("must have at most {want} characters"),
        ErrorKind::MinItems { want, .. } => format!("must have at least {want} items"),
        ErrorKind::MaxItems { want, .. } => format!("must have at most {want} items"),
        ErrorKind::MinProperties { want, .. } => format!("must have at least {want} keys"),
        ErrorKind::MaxProperties { want, .. } => format!("must have at most {want} keys"),
        ErrorKind::Minimum { want, .. } => format!("must be at least {want}"),
        ErrorKind::Maximum { want, .. } => format!("must be at most {want}"),
        ErrorKind::ExclusiveMinimum { want, .. } => format!("must be more than {want}"),
        ErrorKind::ExclusiveMaximum { want, .. } => format!("must be less than {want}"),
        ErrorKind::MultipleOf { want, .. } => format!("must be a multiple of {want}"),
        ErrorKind::UniqueItems { .. } => "must have no item twice".into(),
        ErrorKind::FalseSchema => "must not be there".into(),
        ErrorKind::AnyOf | ErrorKind::OneOf(_) => {
            "has none of the forms that the adapter takes: its settings schema has them".into()
        }
        _ => "is not what the adapter's settings schema says".into(),
    }
}

fn finding(place: &str, problem: impl Into<String>) -> Finding {
    Finding {
        place: place.to_owned(),
        problem: Some(problem.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(schema: Value, settings: Value) -> Vec<(String, String)> {
        let Value::Object(settings) = settings else {
            panic!("an object");
        };
        let findings = check_settings(&schema, &settings).into_iter();
        findings
            .map(|finding| (finding.place, finding.problem.unwrap()))
            .collect()
    }

    fn spdci() -> Value {
        let text = include_str!("../../../../adapters/spdci/src/settings.schema.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_mistake_is_named_by_its_path() {
        let right = json!({ "registry_type": "Civil", "sender_id": "openimis" });
        assert_eq!(wrong(spdci(), right), []);
        let settings = json!({
            "registry_type": "Secret", "max_page_size": 0, "sender_uri": "here",
            "record_types": { "find": 7 }, "sender": "x", "locale": "english",
            "identifier_types": { "national-id": [] },
        });
        let mut found = wrong(spdci(), settings);
        found.sort();
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(
            places,
            [
                "settings.identifier_types.national-id",
                "settings.locale",
                "settings.max_page_size",
                "settings.record_types.find",
                "settings.registry_type",
                "settings.sender",
                "settings.sender_id",
                "settings.sender_uri",
            ]
        );
        assert_eq!(found[4].1, "must be one of \"Social\", \"Civil\", \"IBR\"");
        assert_eq!(found[3].1, "must be of type string");
        assert!(found.iter().all(|(_, text)| !text.contains("Secret")));
    }

    #[test]
    fn a_schema_refers_to_its_own_parts_alone() {
        let own = json!({ "$defs": { "n": { "type": "number" } },
            "properties": { "a": { "$ref": "#/$defs/n" } } });
        assert_eq!(check_schema(&own), None);
        let found = wrong(own, json!({ "a": "x" }));
        assert_eq!(
            found,
            [("settings.a".into(), "must be of type number".into())]
        );
        for elsewhere in [
            "https://example.org/a.json",
            "file:///etc/passwd",
            "other.json",
        ] {
            let problem = check_schema(&json!({ "$ref": elsewhere })).unwrap();
            assert!(problem.contains("another document"), "{problem}");
        }
    }

    #[test]
    fn what_is_no_schema_is_told_by_its_place() {
        for (schema, place) in [
            (json!({ "type": "text" }), "#.type"),
            (
                json!({ "properties": { "a": { "minLength": -1 } } }),
                "#.properties.a.minLength",
            ),
            (json!({ "required": "a" }), "#.required"),
            (json!(7), "#"),
        ] {
            let problem = check_schema(&schema).unwrap();
            assert!(problem.contains(place), "{problem}");
        }
        let pattern = check_schema(&json!({ "pattern": "(" })).unwrap();
        assert!(pattern.contains("not a valid JSON Schema"), "{pattern}");
    }

    /// It ends, and does not take the gateway with it: of a module that comes, and of one that is
    /// stored.
    #[test]
    fn a_schema_that_turns_on_itself_is_refused() {
        let turning = json!({ "$ref": "#" });
        assert!(check_schema(&turning).unwrap().contains("#.$ref"));
        let found = wrong(turning, json!({}));
        assert_eq!(found[0].0, "settings");
        assert!(found[0].1.contains("refers to itself"), "{found:?}");
    }
}
