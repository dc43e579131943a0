//! Whom a record names: parents by their numbers, and `related_person`.

use adapter_sdk::model::{RelatedPerson, RelationRole, Unmapped};
use serde_json::Value;

use super::identifiers::{carried, identifiers, one};
use super::person::{IDENTIFIER, MEMBER_IDENTIFIER, NAME, PARENTS, RELATED, person};
use super::shape::{self, report};
use super::{codes, extras};
use crate::settings::{Described, Settings};
use crate::wire::record::Record;

/// `relationship_type` of `related_person`.
pub(super) const RELATIONSHIP_TYPE: &[&str] = &["relationship_type"];
/// `related_member` of `related_person`.
pub(super) const RELATED_MEMBER: &[&str] = &["related_member"];

/// Everybody whom the record names.
pub(super) fn related(
    record: &Record<'_>,
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<RelatedPerson> {
    let own = carried(record, IDENTIFIER);
    let mut related = Vec::new();
    for field in PARENTS {
        let Some(value) = record.get(field) else {
            continue;
        };
        // Nobody is their own parent: samples and test data say so all the same.
        let parent = one(value).filter(|parent| !own.iter().any(|own| own.same(parent)));
        match parent {
            Some(_) => related.push(named(RelationRole::Parent, value, settings, unmapped)),
            None => unmapped.push(report("related", value)),
        }
    }
    for value in record.list(RELATED) {
        let entry = Record::new(value);
        let member = entry.as_ref().and_then(|entry| entry.get(RELATED_MEMBER));
        // A role that nobody has, or a name where the specification has numbers.
        let (Some(entry), Some(member)) = (entry, member) else {
            unmapped.push(report("related", value));
            continue;
        };
        let word = shape::text(&entry, RELATIONSHIP_TYPE, "related.role", unmapped);
        let role = role(&word, settings, unmapped).unwrap_or(RelationRole::Unknown);
        let mut person = named(role, member, settings, unmapped);
        let rest = entry.rest(&[RELATIONSHIP_TYPE, RELATED_MEMBER]);
        person.extra.extend(extras(rest));
        related.push(person);
    }
    related
}

/// What the related member is to the person. Without the setting that tells the direction, or where
/// the other direction has no word, the type is reported.
fn role(word: &str, settings: &Settings, unmapped: &mut Vec<Unmapped>) -> Option<RelationRole> {
    let role = codes::ROLE.read("related.role", word, unmapped)?;
    let role = match settings.relationship_type_describes {
        Some(Described::RelatedMember) => Some(role),
        Some(Described::RecordHolder) => codes::inverse(&role),
        None => None,
    };
    if role.is_none() {
        unmapped.push(Unmapped::new("related.role", word));
    }
    role
}

fn named(
    role: RelationRole,
    value: &Value,
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
) -> RelatedPerson {
    // Their fields, not those of the one who names them.
    let mut theirs = Vec::new();
    // A whole person may stand where the specification has a number.
    let whole = Record::new(value)
        .filter(|record| record.get(NAME).is_some() || record.get(MEMBER_IDENTIFIER).is_some());
    let named = if let Some(record) = whole {
        let found = person(&record, settings);
        theirs.extend(found.unmapped);
        RelatedPerson {
            role,
            identifiers: found.identifiers,
            names: found.names,
            sex: found.sex,
            birth_date: found.birth_date,
            status: found.status,
            extra: found.extra,
        }
    } else {
        let holder = serde_json::json!({ "identifier": value });
        let record = Record::new(&holder).unwrap_or_default();
        let mut extra = Vec::new();
        let identifiers = identifiers(&record, IDENTIFIER, settings, &mut theirs, &mut extra);
        RelatedPerson {
            role,
            identifiers,
            extra,
            ..RelatedPerson::default()
        }
    };
    let prefixed = |one: Unmapped| Unmapped::new(format!("related.{}", one.field), one.value);
    unmapped.extend(theirs.into_iter().map(prefixed));
    named
}
