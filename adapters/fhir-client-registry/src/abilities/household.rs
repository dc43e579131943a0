//! The people of a Group, or the kinship that RelatedPersons tell.

use adapter_sdk::model::{Household, HouseholdQuery, Identifier};
use adapter_sdk::{Answer, Failure, FindHousehold, http};
use fhir_r4::bundle::{Bundle, id, reference};
use fhir_r4::json::Object;
use fhir_r4::mapping::{self, is_replaced};
use serde_json::Value;

use crate::FhirClientRegistry;
use crate::exchange::{self, Registry, patient_of, related};
use crate::settings::HouseholdFrom;

/// A household with more members is a village, or a fault.
const MOST_MEMBERS: usize = 100;

impl FindHousehold for FhirClientRegistry {
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let registry = Registry::load()?;
        let schemes = &registry.settings.household_schemes;
        let own = |it: &&Identifier| schemes.contains(&it.scheme) && !it.value.trim().is_empty();
        let household = match (query.identifiers.iter().find(own), registry.settings.household) {
            (Some(number), HouseholdFrom::Group) => of_group(&registry, by_number(&registry, number)?)?,
            (_, from) => {
                let asked = registry.settings.asked(&query.identifiers)?;
                let (patient, hits) = registry.patient(asked)?;
                if is_replaced(&patient) {
                    // `find` tells by which number to ask.
                    return Err(Failure::rejected("patient.merged").field("identifiers"));
                }
                match from {
                    HouseholdFrom::Group => of_group(&registry, by_member(&registry, &patient)?)?,
                    HouseholdFrom::RelatedPerson => kinship(&registry, patient, hits.related)?,
                }
            }
        };
        Ok(household.into())
    }
}

/// The Group with a number of its own.
fn by_number(registry: &Registry, asked: &Identifier) -> Result<(Value, Vec<Value>), Failure> {
    let token = registry.rules.schemes.token(&asked.scheme, asked.value.trim());
    let token = token.ok_or_else(|| Failure::rejected("identifier.scheme").field("identifiers"))?;
    let (group, patients) = search(registry, ("identifier", token))?;
    mapping::carries(&group, asked, &registry.rules)?;
    Ok((group, patients))
}

/// The Group that a Patient refers to, or that has it as a member.
fn by_member(registry: &Registry, patient: &Value) -> Result<(Value, Vec<Value>), Failure> {
    if let Some(url) = &registry.settings.group_reference_extension {
        let told = Object::new(patient).and_then(|it| it.extensions().first(url));
        let told = told.and_then(|it| it.object("valueReference"));
        let told = told.and_then(|it| reference(it.text("reference")?));
        let Some(("Group", id)) = told else {
            return Err(Failure::not_found());
        };
        let group = exchange::send(registry.server.read("Group", id))?;
        mapping::check(&group, "Group")?;
        return Ok((group, Vec::new()));
    }
    let id = id(patient).ok_or_else(|| Failure::unreadable("answer.resource"))?;
    let found = search(registry, ("member", format!("Patient/{id}")))?;
    let is_member = mapping::members(&found.0, &registry.rules).iter().any(|it| it == id);
    match is_member {
        true => Ok(found),
        false => Err(Failure::unreadable("answer.mismatch")),
    }
}

fn search(registry: &Registry, by: (&str, String)) -> Result<(Value, Vec<Value>), Failure> {
    let query = vec![
        (by.0.to_owned(), by.1),
        ("_include".to_owned(), "Group:member".to_owned()),
    ];
    let body = registry.search("Group", &query)?;
    let bundle = Bundle::read(&body, "Group")?;
    // One that is not active is a household no more.
    let stands = |it: &&&Value| {
        Object::new(it).and_then(|it| it.truth("active")) != Some(false)
    };
    let groups = bundle.matches("Group");
    let standing: Vec<&&Value> = groups.iter().filter(stands).collect();
    let [group] = standing.as_slice() else {
        return Err(match standing.len() {
            0 => Failure::not_found(),
            _ => exchange::several(),
        });
    };
    mapping::check(group, "Group")?;
    let patients = bundle.all("Patient");
    for patient in &patients {
        mapping::check(patient, "Patient")?;
    }
    Ok(((**group).clone(), patients.into_iter().cloned().collect()))
}

/// Reads whom the answer did not bring along, and who is what to whom, all at the same time.
fn of_group(
    registry: &Registry,
    (group, mut patients): (Value, Vec<Value>),
) -> Result<Household, Failure> {
    if kind(&group).is_some_and(|kind| !kind.eq_ignore_ascii_case("person")) {
        return Err(Failure::unreadable("group.type"));
    }
    let members = mapping::members(&group, &registry.rules);
    if members.len() > MOST_MEMBERS {
        return Err(Failure::unsupported("household.size").field("members"));
    }
    let known = |wanted: &str| patients.iter().any(|it| id(it) == Some(wanted));
    let missing: Vec<&String> = members.iter().filter(|it| !known(it)).collect();
    let mut requests: Vec<http::Builder> = missing
        .iter()
        .map(|id| registry.server.read("Patient", id))
        .collect();
    let asks_related = registry.settings.with_related && !members.is_empty();
    if asks_related {
        let of: Vec<String> = members.iter().map(|id| format!("Patient/{id}")).collect();
        requests.push(registry.server.search("RelatedPerson", &related_to(&of)));
    }
    let mut answers = http::send_all(requests);
    let told = asks_related.then(|| answers.pop()).flatten();
    for answer in answers {
        // A member who is gone stays a member; one who cannot be read now would be missing.
        patients.extend(patient_of(&answer?)?);
    }
    let related = match told {
        Some(answer) => related_of(&answer?)?,
        None => Vec::new(),
    };
    let patients: Vec<&Value> = patients.iter().collect();
    let related: Vec<&Value> = related.iter().collect();
    Ok(mapping::household(&group, &patients, &related, &registry.rules))
}

fn kind(group: &Value) -> Option<&str> {
    Object::new(group)?.text("type")
}

fn related_to(patients: &[String]) -> fhir_r4::server::Parameters {
    vec![
        ("patient".to_owned(), patients.join(",")),
        ("_count".to_owned(), "500".to_owned()),
    ]
}

fn related_of(response: &http::Response) -> Result<Vec<Value>, Failure> {
    if response.status == 404 {
        return Err(Failure::misconfigured("http.404").field("settings.with_related"));
    }
    let body = fhir_r4::server::body(response)?;
    let bundle = Bundle::read(&body, "RelatedPerson")?;
    if bundle.next.is_some() {
        // Half of who is what to whom would look like all of it.
        return Err(Failure::unsupported("related.several-pages").field("relations"));
    }
    related(&bundle)
}

/// Whom RelatedPersons name as the patient's, with their own records where they have one; and those
/// whose RelatedPerson the patient is.
fn kinship(
    registry: &Registry,
    patient: Value,
    mut told: Vec<Value>,
) -> Result<Household, Failure> {
    let own = id(&patient).map(|id| format!("Patient/{id}"));
    let own = own.ok_or_else(|| Failure::unreadable("answer.resource"))?;
    let mut requests = vec![registry.server.search("RelatedPerson", &related_to(&[own]))];
    let as_related = mapping::counterparts(&patient);
    if as_related.len() > MOST_MEMBERS {
        return Err(Failure::unsupported("household.size").field("members"));
    }
    for id in &as_related {
        requests.push(registry.server.read("RelatedPerson", id));
    }
    let mut answers = http::send_all(requests).into_iter();
    if let Some(answer) = answers.next() {
        told.extend(related_of(&answer?)?);
    }
    for answer in answers {
        let answer = answer?;
        if !matches!(answer.status, 404 | 410) {
            let resource = fhir_r4::server::body(&answer)?;
            mapping::check(&resource, "RelatedPerson")?;
            told.push(resource);
        }
    }
    let mut once: Vec<Value> = Vec::new();
    for resource in told {
        if id(&resource).is_none_or(|it| once.iter().all(|known| id(known) != Some(it))) {
            once.push(resource);
        }
    }
    let others = people_of(registry, &patient, &once)?;
    let patients: Vec<&Value> = std::iter::once(&patient).chain(&others).collect();
    let related: Vec<&Value> = once.iter().collect();
    Ok(mapping::kinship(&patients, &related, &registry.rules))
}

/// The Patients whom RelatedPersons belong to, and those who are one.
fn people_of(
    registry: &Registry,
    patient: &Value,
    related: &[Value],
) -> Result<Vec<Value>, Failure> {
    let mut belong: Vec<&str> = Vec::new();
    for resource in related {
        let to = Object::new(resource).and_then(|it| it.object("patient"));
        let to = to.and_then(|it| reference(it.text("reference")?));
        if let Some(("Patient", to)) = to
            && Some(to) != id(patient)
            && !belong.contains(&to)
        {
            belong.push(to);
        }
    }
    let mut requests: Vec<http::Builder> = belong
        .iter()
        .map(|id| registry.server.read("Patient", id))
        .collect();
    let linked: Vec<String> = related
        .iter()
        .filter_map(|it| Some(format!("RelatedPerson/{}", id(it)?)))
        .collect();
    if !linked.is_empty() {
        let query = vec![
            ("link".to_owned(), linked.join(",")),
            ("_count".to_owned(), "500".to_owned()),
        ];
        requests.push(registry.server.search("Patient", &query));
    }
    let mut people = Vec::new();
    let mut answers = http::send_all(requests);
    let searched = (!linked.is_empty()).then(|| answers.pop()).flatten();
    for answer in answers {
        people.extend(patient_of(&answer?)?);
    }
    if let Some(answer) = searched {
        let body = exchange::answer(&answer?)?;
        let bundle = Bundle::read(&body, "Patient")?;
        for found in bundle.matches("Patient") {
            mapping::check(found, "Patient")?;
            people.push(found.clone());
        }
    }
    Ok(people)
}
