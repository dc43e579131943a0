//! A client registry of few words for the tests of this adapter.
#![allow(dead_code, reason = "each test file uses its part")]

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::Failure;
use adapter_sdk::http::{Request, Response};
use adapter_sdk::model::{
    CreateRequest, CreateSubject, FindQuery, Household, HouseholdQuery, HumanName, Identifier,
    LinkChange, LinkRequest, Person, Receipt, Relation, RelationRole, Sex, UpdateRequest,
    WriteAnswer,
};
use adapter_sdk::testing::{self, Stage, Told};
use adapter_sdk::{Answer, Create, Find, FindHousehold, dates};
use fhir_r4::mapping::{MARITAL_STATUS, SEX};
use serde_json::{Value, json};

pub(crate) const NID: &str = "https://example.org/nid";
pub(crate) const IMIS: &str = "https://example.org/openimis";
pub(crate) const SEARCH: &str = "/Patient/_search";

/// Settings with these besides.
pub(crate) fn settings(more: Value) -> Value {
    let mut settings = json!({
        "identifier_systems": { "national-id": NID, "openimis": IMIS, "household-id": "urn:x:household" },
        "household_schemes": ["household-id"],
        "with_related": false,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    settings
}

/// A stage without a route.
pub(crate) fn stage(more: Value) -> Stage {
    testing::stage()
        .settings(settings(more))
        .operation_key("op-1")
        .endpoint("registry")
}

/// A registry that answers a search for Patients with these.
pub(crate) fn registry(more: Value, patients: Value) -> Stage {
    stage(more).on_post(SEARCH, move |_| bundle(&patients))
}

/// The answer to a search.
pub(crate) fn bundle(resources: &Value) -> Value {
    let resources = resources.as_array().cloned().unwrap_or_default();
    let total = resources.len();
    let entry: Vec<Value> = resources
        .into_iter()
        .map(|it| json!({ "resource": it, "search": { "mode": "match" } }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "total": total, "entry": entry })
}

/// A Patient in few words.
pub(crate) fn patient(id: &str, nid: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "meta": { "versionId": "3" }, "active": true,
        "identifier": [{ "system": NID, "value": nid }],
        "name": [{ "use": "official", "family": "Rai", "given": ["Sita"] }],
        "gender": "female", "birthDate": "1985-05-20",
    })
}

/// The same, with more or other fields.
pub(crate) fn with(mut resource: Value, more: Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        resource[name] = value.clone();
    }
    resource
}

pub(crate) fn by(scheme: &str, value: &str) -> FindQuery {
    FindQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

pub(crate) fn household_of(scheme: &str, value: &str) -> HouseholdQuery {
    HouseholdQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

pub(crate) fn find(nid: &str) -> Result<Person, Failure> {
    let answer = FhirClientRegistry::find(by("national-id", nid))?;
    Ok(answer.done().unwrap())
}

pub(crate) fn done<T>(answer: Result<Answer<T>, Failure>) -> Result<T, Failure> {
    answer.map(|it| it.done().unwrap())
}

pub(crate) fn update(person: Person, mask: &[&str]) -> UpdateRequest {
    UpdateRequest {
        identifiers: vec![Identifier::new("national-id", "1")],
        person,
        mask: mask.iter().map(|it| (*it).to_owned()).collect(),
        version: None,
        extra: Vec::new(),
    }
}

pub(crate) fn link(change: LinkChange) -> LinkRequest {
    LinkRequest {
        identifiers: vec![Identifier::new("national-id", "1")],
        change,
        linked: Identifier::new("openimis", "070707070"),
        version: None,
        extra: Vec::new(),
    }
}

/// The form of a POST, as it was sent.
pub(crate) fn form(request: &Request) -> String {
    String::from_utf8(request.body.clone().unwrap_or_default()).unwrap()
}

pub(crate) const GROUPS: &str = "/Group/_search";
pub(crate) const RELATED: &str = "/RelatedPerson/_search";
pub(crate) const IS_HEAD: &str = "https://example.org/patient-is-head";
pub(crate) fn household(scheme: &str, value: &str) -> Result<Household, Failure> {
    done(FhirClientRegistry::find_household(household_of(
        scheme, value,
    )))
}

pub(crate) fn group(members: &[&str], more: Value) -> Value {
    let member = |id: &&str| json!({ "entity": { "reference": format!("Patient/{id}") } });
    let members: Vec<Value> = members.iter().map(member).collect();
    let group = json!({ "resourceType": "Group", "id": "g1", "type": "person", "actual": true,
        "identifier": [{ "system": "urn:x:household", "value": "H1" }], "member": members });
    with(group, more)
}

/// The group by its number, with its people brought along.
pub(crate) fn with_group(settings: Value, group: Value, people: Value) -> Stage {
    let mut answer = bundle(&json!([group]));
    for resource in people.as_array().unwrap() {
        let entry = json!({ "resource": resource, "search": { "mode": "include" } });
        answer["entry"].as_array_mut().unwrap().push(entry);
    }
    stage(settings).on_post(GROUPS, move |_| answer.clone())
}

pub(crate) fn related(id: &str, of: &str, code: &str) -> Value {
    json!({ "resourceType": "RelatedPerson", "id": id,
        "patient": { "reference": format!("Patient/{of}") },
        "relationship": [{ "coding": [{ "code": code,
            "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode" }] }] })
}

pub(crate) fn who(id: &str, related: &str) -> Value {
    let link = json!([{ "other": { "reference": format!("RelatedPerson/{related}") },
        "type": "seealso" }]);
    with(patient(id, id), json!({ "link": link }))
}

pub(crate) fn relation(subject: u32, object: u32, role: RelationRole) -> Relation {
    Relation {
        subject,
        object,
        role,
    }
}

pub(crate) const TAG: &str = "urn:openimis:registry-gateway:operation";

pub(crate) fn sita() -> Person {
    let mut name = HumanName::of("Rai", ["Sita"]);
    name.language = Some("ne-Latn".to_owned());
    Person {
        identifiers: vec![Identifier::new("national-id", "1")],
        names: vec![name],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1985-05"),
        ..Person::default()
    }
}

pub(crate) fn create(person: Person) -> Result<WriteAnswer, Failure> {
    FhirClientRegistry::create(CreateRequest {
        subject: CreateSubject::Person(person),
        extra: Vec::new(),
    })
}

pub(crate) fn receipt(answer: Result<WriteAnswer, Failure>) -> Receipt {
    match answer.unwrap() {
        WriteAnswer::Done(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn created(status: u16, headers: &[(&str, &str)]) -> Response {
    testing::status(status, headers)
}

/// How many damaged copies a test reads.
pub(crate) const COPIES: usize = 10_000;

/// What these answers say, with what the settings say besides.
pub(crate) fn told(answers: &[&Value]) -> Told {
    Told::by(answers)
        .codes(&SEX, &MARITAL_STATUS)
        .and(&["national-id", "openimis", "household-id"])
}
