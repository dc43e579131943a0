//! What the three forms of a record have in common: who tells of an event, and how many were born.

use adapter_sdk::model::{Extra, Person, RelationRole, Unmapped};
use serde_json::Value;

use super::codes;
use super::record::Record;
use crate::settings::{Role, Settings};

/// What an informant is to the subject. `OTHER` stands for the words beside it.
pub(super) fn relation(
    code: Option<String>,
    words: Option<String>,
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
) -> Option<RelationRole> {
    let list = codes::relation(&settings.codes);
    match (code, words) {
        (Some(code), words) => match (list.value(&code), words) {
            (Some(role), _) => Some(role),
            (None, Some(words)) => Some(RelationRole::Other(words)),
            // It is told that it is another, and not which.
            (None, None) if code.eq_ignore_ascii_case("OTHER") => None,
            (None, None) => list.read("relation", &code, unmapped),
        },
        (None, words) => words.map(RelationRole::Other),
    }
}

/// An informant who is the mother, the father or the spouse is told of there: the declaration, unlike
/// the FHIR record, has no more than the relation.
pub(super) fn complete(record: &mut Record) {
    let same = |relation: &RelationRole| match relation {
        RelationRole::Mother => Some(Role::Mother),
        RelationRole::Father => Some(Role::Father),
        RelationRole::Spouse => Some(Role::Spouse),
        _ => None,
    };
    let informant = record.party(Role::Informant);
    let role = informant.and_then(|it| same(it.relation.as_ref()?));
    let Some(whole) = role.and_then(|role| record.party(role)) else {
        return;
    };
    let whole = Person {
        unmapped: Vec::new(),
        ..whole.person.clone()
    };
    let informant = record
        .parties
        .iter_mut()
        .find(|it| it.role == Role::Informant);
    if let Some(informant) = informant
        && informant.person.names.is_empty()
        && informant.person.identifiers.is_empty()
    {
        let own = std::mem::take(&mut informant.person.contacts);
        let unmapped = std::mem::take(&mut informant.person.unmapped);
        informant.person = whole;
        informant.person.contacts.extend(own);
        informant.person.unmapped = unmapped;
    }
}

/// Whether the child is one of several: the contract's `multiple-birth`.
pub(super) fn birth_type(code: Option<String>, record: &mut Record) {
    let Some(code) = code else { return };
    let field = "extra.multiple-birth";
    let several = codes::MULTIPLE_BIRTH.read(field, &code, &mut record.unmapped);
    let child = record.parties.iter_mut().find(|it| it.role == Role::Child);
    if let (Some(several), Some(child)) = (several, child) {
        let several = Extra::new("multiple-birth", &Value::Bool(several));
        child.person.extra.push(several);
    }
}
