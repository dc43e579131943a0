//! Group (R4, section 8.4) as a household.

use adapter_sdk::model::{
    Address, Extra, Household, HouseholdKind, Identifier, Person, Relation, Unmapped,
};
use serde_json::{Value, json};

use super::family::People;
use super::{address, codes, head, identifiers, kept, patient};
use crate::Rules;
use crate::bundle::{id, reference};
use crate::json::{Notes, Object};
use crate::rules::Carried;

/// What is read here, or is of the exchange and not of the household.
const READ: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "language",
    "text",
    "identifier",
    "type",
    "actual",
    "code",
    "quantity",
    "characteristic",
    "member",
    "extension",
];

/// The ids of the Patients whom a Group speaks of: its members, and a head who is none of them.
pub fn members(group: &Value, rules: &Rules) -> Vec<String> {
    let Some(group) = Object::new(group) else {
        return Vec::new();
    };
    let mut ids = Vec::new();
    let listed = group.objects("member").into_iter();
    let listed = listed.filter(|it| it.truth("inactive") != Some(true));
    let referred = listed.filter_map(|it| patient_id(&it.object("entity")?).map(str::to_owned));
    for id in referred.chain(head::told_by_group(&group, &rules.head)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

fn patient_id<'a>(entity: &Object<'a>) -> Option<&'a str> {
    let to = reference(entity.text("reference")?);
    to.filter(|(kind, _)| *kind == "Patient").map(|(_, id)| id)
}

/// Maps a Group that may be read (`check`) with those of its Patients and RelatedPersons that could be
/// read. A member whose Patient is not among them is a person of whom only the number is known.
pub fn household(
    group_resource: &Value,
    patients: &[&Value],
    related: &[&Value],
    rules: &Rules,
) -> Household {
    let Some(group) = Object::new(group_resource) else {
        return Household::default();
    };
    let (mut notes, mut extra) = (Notes::default(), Vec::new());
    let identifiers = identifiers::identifiers(&group, rules, &mut notes, &mut extra);
    let (mut people, members) = people(&group, patients, rules, &mut notes);
    let head = head(&group, patients, &mut people, rules, &mut notes);
    let relations: Vec<Relation> = people.relate(related, rules, &mut notes);

    extra.extend(group_extras(&group, rules));
    let group_address = rules.group_address.as_deref();
    let addresses = group_address.map(|url| addresses(&group, url, rules, &mut notes));
    let read: Vec<&str> = [group_address, rules.head.group_extension.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    extra.extend(kept::rest(&group.extensions(), &read, rules));
    extra.extend(kept::fields(&group, READ, rules));
    let version = group.object("meta").and_then(|it| it.text("versionId"));
    Household {
        identifiers,
        kind: HouseholdKind::Household,
        people: people.all,
        members,
        relations,
        head,
        addresses: addresses.unwrap_or_default(),
        version: version.map(str::to_owned),
        extra,
        unmapped: notes.0,
    }
}

/// The members in the Group's order, each once; who has left is none of them.
fn people<'a>(
    group: &Object<'_>,
    patients: &[&'a Value],
    rules: &Rules,
    notes: &mut Notes,
) -> (People<'a>, Vec<u32>) {
    let (mut people, mut members) = (People::default(), Vec::new());
    for member in notes.objects(group, "member", "members") {
        if notes.truth(&member, "inactive", "members") == Some(true) {
            continue;
        }
        let Some(entity) = member.object("entity") else {
            notes.add("members", member.get("entity").unwrap_or(&Value::Null));
            continue;
        };
        let id = patient_id(&entity);
        let kind = entity.text("type").or(id.map(|_| "Patient"));
        let number = logical(&entity, rules);
        if id.is_none() && (number.is_none() || kind.is_some_and(|it| it != "Patient")) {
            // A device, a practitioner, another group; or nobody can tell who.
            let said = entity.get("reference").or_else(|| entity.get("identifier"));
            notes.add("members", said.unwrap_or(&Value::Null));
            continue;
        }
        let resource = patients
            .iter()
            .copied()
            .find(|it| id.is_some() && crate::bundle::id(it) == id)
            .or_else(|| by_number(patients, number.as_ref(), rules));
        if resource
            .and_then(crate::bundle::id)
            .is_some_and(|id| people.of_id(id).is_some())
        {
            continue;
        }
        let mut person = match resource {
            Some(resource) => patient(resource, rules),
            None => unread(id, number, notes),
        };
        person.extra.extend(period(&member));
        members.extend(u32::try_from(people.add(person, resource)));
    }
    (people, members)
}

/// A reference by identifier (R4, section 2.26.0.1).
fn logical(entity: &Object<'_>, rules: &Rules) -> Option<Identifier> {
    let identifier = entity.object("identifier")?;
    let carried = Carried::read(&identifier, &mut Notes::default(), "members")?;
    let scheme = rules.schemes.of(&carried)?;
    Some(Identifier::new(scheme, carried.value.clone()))
}

fn by_number<'a>(
    patients: &[&'a Value],
    number: Option<&Identifier>,
    rules: &Rules,
) -> Option<&'a Value> {
    let number = number?;
    let fits = |it: &&&Value| identifiers::carries(it, number, rules).is_ok();
    patients.iter().find(fits).copied()
}

/// A member whose record was not to be had.
fn unread(id: Option<&str>, number: Option<Identifier>, notes: &mut Notes) -> Person {
    let said = id.map(|id| format!("Patient/{id}"));
    notes.0.extend(said.map(|it| Unmapped::new("people", it)));
    Person {
        identifiers: number.into_iter().collect(),
        ..Person::default()
    }
}

/// `member.period`: reserved keys of the person.
fn period(member: &Object<'_>) -> Vec<Extra> {
    let Some(period) = member.object("period") else {
        return Vec::new();
    };
    let told = [("member-since", "start"), ("member-until", "end")].into_iter();
    told.filter_map(|(key, name)| Some(Extra::new(key, period.get(name)?)))
        .collect()
}

/// One head, or a report of what says that there are several.
fn head<'a>(
    group: &Object<'_>,
    patients: &[&'a Value],
    people: &mut People<'a>,
    rules: &Rules,
    notes: &mut Notes,
) -> Option<u32> {
    let heads = head::heads(group, patients, rules);
    match heads.as_slice() {
        [] => None,
        [head] => {
            let place = people.of_id(head).or_else(|| {
                // Who heads it and is no member: one more of the people.
                let of_id = |it: &&&Value| id(it) == Some(head.as_str());
                let resource = patients.iter().find(of_id)?;
                Some(people.add(patient(resource, rules), Some(resource)))
            });
            if place.is_none() {
                notes.add("head", &json!(format!("Patient/{head}")));
            }
            place.and_then(|it| u32::try_from(it).ok())
        }
        several => {
            for head in several {
                notes.add("head", &json!(format!("Patient/{head}")));
            }
            None
        }
    }
}

/// Its kind and size, and characteristics other than the head: keys of `extra`.
fn group_extras(group: &Object<'_>, rules: &Rules) -> Vec<Extra> {
    let mut extra = Vec::new();
    let code = group.get("code").and_then(kept::code);
    extra.extend(code.map(|it| Extra::new("group-type", &it)));
    let size = group.get("quantity").filter(|it| it.is_u64());
    extra.extend(size.map(|it| Extra::new("group-size", it)));
    let is_head = |it: &Object<'_>| {
        let word = rules.head.characteristic.as_deref();
        word.is_some_and(|word| it.object("code").is_some_and(|it| codes::is(&it, word)))
    };
    let others: Vec<Value> = group
        .list("characteristic")
        .into_iter()
        .filter(|it| !Object::new(it).is_some_and(|it| is_head(&it)))
        .cloned()
        .collect();
    if !others.is_empty() {
        extra.push(Extra::new(
            rules.key("characteristic"),
            &Value::Array(others),
        ));
    }
    extra
}

fn addresses(group: &Object<'_>, url: &str, rules: &Rules, notes: &mut Notes) -> Vec<Address> {
    let told = group.extensions().all(url).into_iter();
    let told = told.filter_map(|it| it.object("valueAddress"));
    told.map(|it| address::address(&it, rules, notes)).collect()
}
