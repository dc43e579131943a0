//! The people of a Group, or the kinship that RelatedPersons tell.

use adapter_sdk::model::{Household, HouseholdQuery, Identifier};
use adapter_sdk::{Answer, Failure, FindHousehold, http};
use fhir_r4::bundle::{Bundle, id, reference};
use fhir_r4::groups::{Groups, MOST_MEMBERS, related_of, related_to, too_many};
use fhir_r4::json::Object;
use fhir_r4::lookup::{self, Hits, patient_of};
use fhir_r4::mapping::{self, is_replaced};
use fhir_r4::server;
use serde_json::Value;

use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::settings::HouseholdFrom;

impl FindHousehold for FhirClientRegistry {
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let registry = Registry::load()?;
        let groups = Groups {
            server: &registry.server,
            rules: &registry.rules,
            with_related: registry.settings.with_related,
            reference_extension: registry.settings.group_reference_extension.as_deref(),
        };
        let schemes = &registry.settings.household_schemes;
        let own = |it: &&Identifier| schemes.contains(&it.scheme) && !it.value.trim().is_empty();
        let household = match (
            query.identifiers.iter().find(own),
            registry.settings.household,
        ) {
            (Some(number), HouseholdFrom::Group) => groups.household(groups.by_number(number)?)?,
            (_, from) => {
                let asked = registry.settings.asked(&query.identifiers)?;
                let (patient, hits) = registry.patient(asked)?;
                if is_replaced(&patient) {
                    // `find` tells by which number to ask.
                    return Err(Failure::rejected("patient.merged").field("identifiers"));
                }
                match from {
                    HouseholdFrom::Group => groups.household(groups.by_member(&patient)?)?,
                    HouseholdFrom::RelatedPerson => kinship(&registry, patient, hits)?,
                }
            }
        };
        Ok(household.into())
    }
}

/// Whom RelatedPersons name as the patient's, with their own records where they have one; and those
/// whose RelatedPerson the patient is.
fn kinship(registry: &Registry, patient: Value, hits: Hits) -> Result<Household, Failure> {
    // Those of a record that this one replaced came along with it: they are not its own.
    let of_standing = |it: &Value| belongs_to(it) == id(&patient);
    let told = hits.related.into_iter();
    let mut told: Vec<Value> = told.filter(of_standing).collect();
    let own = id(&patient).map(|id| format!("Patient/{id}"));
    let own = own.ok_or_else(|| Failure::unreadable("answer.resource"))?;
    let mut requests = vec![related_to(&registry.server, &[own])];
    let as_related = mapping::counterparts(&patient);
    if as_related.len() > MOST_MEMBERS {
        return Err(too_many());
    }
    for id in &as_related {
        requests.push(registry.server.read("RelatedPerson", id));
    }
    let mut answers = http::send_all(requests).into_iter();
    if let Some(answer) = answers.next() {
        told.extend(related_of(&registry.server, &answer?)?);
    }
    for answer in answers {
        let answer = answer?;
        if !matches!(answer.status, 404 | 410) {
            let resource = server::body(&registry.server, &answer)?;
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

/// The id of the Patient to whom a RelatedPerson belongs.
fn belongs_to(resource: &Value) -> Option<&str> {
    let to = Object::new(resource)?.object("patient")?;
    let (kind, id) = reference(to.text("reference")?)?;
    (kind == "Patient").then_some(id)
}

/// The Patients whom RelatedPersons belong to, and those who are one.
fn people_of(
    registry: &Registry,
    patient: &Value,
    related: &[Value],
) -> Result<Vec<Value>, Failure> {
    let mut belong: Vec<&str> = Vec::new();
    for resource in related {
        if let Some(to) = belongs_to(resource)
            && Some(to) != id(patient)
            && !belong.contains(&to)
        {
            belong.push(to);
        }
    }
    if belong.len() > MOST_MEMBERS {
        return Err(too_many());
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
        people.extend(patient_of(&registry.server, &answer?)?);
    }
    if let Some(answer) = searched {
        let body = lookup::answer(&registry.server, &answer?)?;
        let bundle = Bundle::read(&body, "Patient")?;
        // Half a family would look like the whole.
        if bundle.next.is_some() {
            return Err(Failure::unsupported("related.several-pages").field("relations"));
        }
        for found in bundle.matches("Patient") {
            mapping::check(found, "Patient")?;
            // A server that does not know `link` ignores it, and answers with whom it likes.
            let is_one = mapping::counterparts(found)
                .iter()
                .any(|it| related.iter().any(|related| id(related) == Some(it)));
            if is_one {
                people.push(found.clone());
            }
        }
    }
    match people.len() > MOST_MEMBERS {
        true => Err(too_many()),
        false => Ok(people),
    }
}
