//! `Identifier` (R4, section 2.24.0.12), ours and theirs.

use adapter_sdk::Failure;
use adapter_sdk::model::{Extra, Identifier, PartialDate};
use serde_json::{Map, Value, json};

use crate::Rules;
use crate::dates::{is_before, parse};
use crate::json::{Notes, Object};
use crate::rules::Carried;

const FIELD: &str = "identifiers";

/// The identifiers of a resource in the model. One whose system has no scheme is noted and kept whole
/// in `extra`; one that is `old` or has run out is kept out of the list.
pub(super) fn identifiers(
    resource: &Object<'_>,
    rules: &Rules,
    notes: &mut Notes,
    extras: &mut Vec<Extra>,
) -> Vec<Identifier> {
    let mut identifiers: Vec<Identifier> = Vec::new();
    let (mut unknown, mut periods) = (Vec::new(), Vec::new());
    for object in notes.objects(resource, "identifier", FIELD) {
        let Some(carried) = Carried::read(&object, notes, FIELD) else {
            continue;
        };
        let Some(scheme) = rules.schemes.of(&carried) else {
            let said = carried
                .system
                .or_else(|| carried.types.into_iter().next().map(|it| it.1));
            notes.add("identifiers.scheme", &json!(said.unwrap_or_default()));
            unknown.push(whole(&object));
            continue;
        };
        if let Some(period) = object.object("period") {
            let mut told = Map::new();
            told.insert("scheme".to_owned(), json!(scheme));
            told.insert("value".to_owned(), json!(carried.value));
            for end in ["start", "end"] {
                told.extend(period.get(end).map(|it| (end.to_owned(), it.clone())));
            }
            periods.push(Value::Object(told));
        }
        if is_past(&object, rules.today.as_ref()) {
            unknown.push(whole(&object));
            continue;
        }
        let identifier = Identifier::new(scheme, carried.value);
        if !identifiers.contains(&identifier) {
            identifiers.push(identifier);
        }
    }
    if let Some((scheme, id)) = rules.resource_id_scheme.as_ref().zip(resource.text("id")) {
        identifiers.push(Identifier::new(scheme, id));
    }
    for (key, values) in [
        ("identifier-period".to_owned(), periods),
        (rules.key("identifier"), unknown),
    ] {
        if !values.is_empty() {
            extras.push(Extra::new(key, &Value::Array(values)));
        }
    }
    identifiers
}

fn whole(object: &Object<'_>) -> Value {
    let fields = object.rest(&[]).into_iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
    )
}

/// `use` `old`, or a period that has ended.
fn is_past(identifier: &Object<'_>, today: Option<&PartialDate>) -> bool {
    let end = identifier
        .object("period")
        .and_then(|it| parse(it.text("end")?));
    let has_ended = end
        .zip(today)
        .is_some_and(|(end, today)| is_before(&end, today));
    identifier.text("use") == Some("old") || has_ended
}

/// Every identifier of a resource, old ones too.
pub fn carried(resource: &Value) -> Vec<Carried> {
    let identifiers = Object::new(resource).map(|it| it.objects("identifier"));
    let identifiers = identifiers.unwrap_or_default().into_iter();
    let mut unseen = Notes::default();
    identifiers
        .filter_map(|it| Carried::read(&it, &mut unseen, FIELD))
        .collect()
}

/// Whether this resource is whom we asked for: it carries the number, under the asked scheme. FHIR
/// searches for the very value; case alone may differ, since some servers ignore it.
///
/// # Errors
/// `unreadable` with code `answer.mismatch`.
pub fn carries(resource: &Value, asked: &Identifier, rules: &Rules) -> Result<(), Failure> {
    let same = |one: &Carried| {
        rules.schemes.of(one) == Some(asked.scheme.as_str())
            && one.value.eq_ignore_ascii_case(asked.value.trim())
    };
    let by_id = rules.resource_id_scheme.as_ref() == Some(&asked.scheme)
        && crate::bundle::id(resource) == Some(asked.value.trim());
    if by_id || carried(resource).iter().any(same) {
        return Ok(());
    }
    Err(Failure::unreadable("answer.mismatch"))
}
