//! A notification as the FHIR document of OpenCRVS up to 1.8 (STU3; opencrvs-core 1.8.3,
//! gateway/features/eventNotification, and the requests of opencrvs-countryconfig's Postman collection).

use adapter_sdk::Failure;
use adapter_sdk::model::{Address, PartialDate, RelationRole};
use serde_json::{Value, json};

use super::notice::{
    Named, Notice, coded_marital_status, coded_relation, coded_sex, contact, location, main_name,
    whole_date,
};
use super::shape::{Object, put};
use crate::settings::{Kind, Role, Settings};

const SPECS: &str = "http://opencrvs.org/specs/";
const FHIR: &str = "http://hl7.org/fhir/";

/// The document. `now` and `id` make what differs each time: a time and one id after the other.
///
/// # Errors
/// `unsupported` with the field, where OpenCRVS's list has no code for a value; `rejected` with code
/// `place.required` where there is no location of OpenCRVS's, without which it takes nothing.
pub fn document(
    notice: &mut Notice<'_>,
    office: &str,
    settings: &Settings,
    now: &str,
    mut id: impl FnMut() -> String,
) -> Result<Value, Failure> {
    let place = notice.location();
    let (place, _) = place.ok_or_else(|| Failure::rejected("place.required").field("place"))?;
    let mut urn = move || format!("urn:uuid:{}", id());
    let (composition, task, encounter) = (urn(), urn(), urn());
    let mut sections = Vec::new();
    let mut entries = Vec::new();
    let mut patients: Vec<(Role, String)> = Vec::new();
    for named in notice.people.clone() {
        if named.role == Role::Informant {
            continue;
        }
        let url = urn();
        entries.push(json!({ "fullUrl": url, "resource": patient(&named, notice, settings)? }));
        sections.push(section(&format!("{}-details", named.role.word()), &url));
        patients.push((named.role, url));
    }
    let mut extensions = Vec::new();
    if let Some(named) = notice.person(Role::Informant).cloned() {
        let known = named.relation.and_then(|relation| {
            let role = match relation {
                RelationRole::Mother => Role::Mother,
                RelationRole::Father => Role::Father,
                RelationRole::Spouse => Role::Spouse,
                _ => return None,
            };
            patients.iter().find(|(known, _)| *known == role)
        });
        let person = match known {
            Some((_, url)) => url.clone(),
            None => {
                let url = urn();
                let patient = patient(&named, notice, settings)?;
                entries.push(json!({ "fullUrl": url, "resource": patient }));
                url
            }
        };
        let relation = coded_relation(&named, settings)?;
        let url = urn();
        let mut related = json!({
            "resourceType": "RelatedPerson", "patient": { "reference": person },
        });
        if let Some(code) = &relation {
            let system = format!("{FHIR}ValueSet/relatedperson-relationshiptype");
            put(&mut related, "relationship", concept(&system, code));
            extensions.push(extension("contact-person", code));
        }
        for (name, system) in [
            ("contact-person-phone-number", "phone"),
            ("contact-person-email", "email"),
        ] {
            let value = contact(named.person, system);
            extensions.extend(value.map(|it| extension(name, &it)));
        }
        entries.push(json!({ "fullUrl": url, "resource": related }));
        sections.push(section("informant-details", &url));
    }
    sections.push(section(
        match notice.kind {
            Kind::Birth => "birth-encounter",
            Kind::Death => "death-encounter",
        },
        &encounter,
    ));
    entries.push(json!({ "fullUrl": encounter, "resource": {
        "resourceType": "Encounter",
        "status": "finished",
        "location": [{ "location": { "reference": format!("Location/{place}") } }],
    } }));
    extensions.push(json!({
        "url": format!("{SPECS}extension/regLastOffice"),
        "valueReference": { "reference": format!("Location/{office}") },
    }));
    // OpenCRVS wants these two first, in this order.
    let mut all = vec![
        json!({ "fullUrl": composition, "resource": {
            "resourceType": "Composition",
            "identifier": { "system": "urn:ietf:rfc:3986", "value": composition.clone() },
            "status": "preliminary",
            "type": concept("http://opencrvs.org/doc-types", &format!("{}-notification", notice.kind.word())),
            "class": concept("http://opencrvs.org/doc-classes", "crvs-document"),
            "title": match notice.kind {
                Kind::Birth => "Birth Notification",
                Kind::Death => "Death Notification",
            },
            "date": now,
            "section": sections,
        } }),
        json!({ "fullUrl": task, "resource": {
            "resourceType": "Task",
            "status": "draft",
            "intent": "unknown",
            "identifier": [],
            "code": concept(&format!("{SPECS}types"), &notice.kind.word().to_uppercase()),
            "focus": { "reference": composition.clone() },
            "extension": extensions,
        } }),
    ];
    all.append(&mut entries);
    Ok(json!({
        "resourceType": "Bundle",
        "type": "document",
        "meta": { "lastUpdated": now },
        "entry": all,
    }))
}

fn patient(
    named: &Named<'_>,
    notice: &mut Notice<'_>,
    settings: &Settings,
) -> Result<Value, Failure> {
    let person = named.person;
    let mut patient = json!({ "resourceType": "Patient", "active": true });
    let mut identifiers = Vec::new();
    for (at, identifier) in person.identifiers.iter().enumerate() {
        match settings.identifier_type(&identifier.scheme) {
            Some(word) => identifiers.push(json!({
                "type": concept(&format!("{SPECS}identifier-type"), word),
                "value": identifier.value,
            })),
            None => notice.leave_of(named, &format!("identifiers.{at}")),
        }
    }
    if !identifiers.is_empty() {
        put(&mut patient, "identifier", Value::Array(identifiers));
    }
    match main_name(person) {
        Some(name) if name.family.is_some() || !name.given.is_empty() => {
            let mut of = json!({ "use": "en", "given": name.given });
            if let Some(family) = &name.family {
                put(&mut of, "family", Value::String(family.clone()));
            }
            put(&mut patient, "name", json!([of]));
        }
        Some(_) => notice.leave_of(named, "names"),
        None => {}
    }
    if let Some(sex) = coded_sex(named, settings)? {
        put(&mut patient, "gender", Value::String(sex));
    }
    let mut date =
        |name: &str, field: &str, date: &Option<PartialDate>| match date.as_ref().map(whole_date) {
            Some(None) => notice.leave_of(named, field),
            date => {
                if let Some(date) = date.flatten() {
                    put(&mut patient, name, Value::String(date));
                }
            }
        };
    date("birthDate", "birth-date", &person.birth_date);
    date("deceasedDateTime", "death-date", &person.death_date);
    if named.role == Role::Deceased {
        put(&mut patient, "deceasedBoolean", Value::Bool(true));
    }
    if let Some(status) = coded_marital_status(named, settings)? {
        put(&mut patient, "maritalStatus", json!({ "text": status }));
    }
    let telecom = ["phone", "email"].into_iter().filter_map(|system| {
        let value = contact(person, system)?;
        Some(json!({ "system": system, "value": value }))
    });
    let telecom: Vec<Value> = telecom.collect();
    if !telecom.is_empty() {
        put(&mut patient, "telecom", Value::Array(telecom));
    }
    if let Some(of) = person.addresses.first() {
        match address(of) {
            Some(address) => put(&mut patient, "address", json!([address])),
            None => notice.leave_of(named, "addresses"),
        }
    }
    Ok(patient)
}

/// OpenCRVS takes an address only with a country, and checks state and district against its locations.
fn address(of: &Address) -> Option<Value> {
    let country = of.country.as_ref()?;
    let mut address = Object::new();
    address.insert("type".to_owned(), json!("PRIMARY_ADDRESS"));
    address.insert("country".to_owned(), json!(country));
    let areas = of
        .areas
        .iter()
        .filter(|it| location(of).is_some_and(|leaf| leaf.code_system == it.code_system));
    for area in areas {
        let (Some(kind), Some(code)) = (&area.kind, &area.code) else {
            continue;
        };
        if ["state", "district"].contains(&kind.as_str()) {
            address.insert(kind.clone(), json!(code));
        }
    }
    for (name, value) in [("city", &of.city), ("postalCode", &of.postal_code)] {
        address.extend(value.as_ref().map(|it| (name.to_owned(), json!(it))));
    }
    if !of.lines.is_empty() {
        address.insert("line".to_owned(), json!(of.lines));
    }
    Some(Value::Object(address))
}

fn section(code: &str, reference: &str) -> Value {
    let system = match code.ends_with("-encounter") {
        true => format!("{SPECS}sections"),
        false => "http://opencrvs.org/doc-sections".to_owned(),
    };
    json!({
        "title": code, "code": concept(&system, code), "entry": [{ "reference": reference }],
    })
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn extension(name: &str, value: &str) -> Value {
    json!({ "url": format!("{SPECS}extension/{name}"), "valueString": value })
}
