//! An OpenCRVS of few words for the tests of this adapter, in each of its forms.
#![allow(dead_code, reason = "each test file uses its part")]

use adapter_opencrvs::settings::Settings;
use adapter_sdk::model::{FindQuery, HouseholdQuery, Identifier};
use adapter_sdk::testing::{self, Stage};
use serde_json::{Value, json};

pub(crate) const SEARCH: &str = "/events/events/search";
pub(crate) const GRAPHQL: &str = "/graphql";

/// Ids of records.
pub(crate) const ONE: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub(crate) const TWO: &str = "22222222-aaaa-4bbb-8ccc-000000000002";
/// Ids of locations.
pub(crate) const DISTRICT: &str = "dddddddd-aaaa-4bbb-8ccc-00000000000d";
pub(crate) const FACILITY: &str = "ffffffff-aaaa-4bbb-8ccc-00000000000f";
pub(crate) const OFFICE: &str = "00000000-aaaa-4bbb-8ccc-0000000000ff";

/// Settings of this version, and more.
pub(crate) fn set(version: &str, more: Value) -> Value {
    let mut settings = json!({ "version": version });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    settings
}

pub(crate) fn settings(version: &str, more: Value) -> Settings {
    serde_json::from_value(set(version, more)).unwrap()
}

pub(crate) fn stage(version: &str, more: Value) -> Stage {
    testing::stage()
        .settings(set(version, more))
        .endpoint("registry")
}

/// A country whose children have national ids.
pub(crate) fn with_child_nid() -> Value {
    json!({ "fields": { "birth.child.identifier.national-id": "child.nid" } })
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

/// A birth's declaration in the fields of the reference country.
pub(crate) fn birth_declaration() -> Value {
    json!({
        "child.name": { "firstname": "Mina Sol", "middlename": "Rae", "surname": "Okoro" },
        "child.gender": "female",
        "child.dob": "2024-02-29",
        "child.placeOfBirth": "HEALTH_FACILITY",
        "child.birthLocation": FACILITY,
        "child.birthType": "SINGLE",
        "child.weightAtBirth": 3.25,
        "mother.name": { "firstname": "Ada", "surname": "Okoro" },
        "mother.dob": "1995-07-01",
        "mother.nationality": "FAR",
        "mother.idType": "NATIONAL_ID",
        "mother.nid": "5550001111",
        "mother.maritalStatus": "MARRIED",
        "mother.address": {
            "country": "FAR", "addressType": "DOMESTIC", "administrativeArea": DISTRICT,
            "streetLevelDetails": { "town": "Lakeside", "street": "Mill road", "number": "7" },
        },
        "father.name": { "firstname": "Ben", "surname": "Okoro" },
        "father.dobUnknown": true,
        "father.age": { "age": 31, "asOfDateRef": "child.dob" },
        "father.nid": "5550002222",
        "informant.relation": "MOTHER",
        "informant.phoneNo": "0700000001",
    })
}

/// A death's.
pub(crate) fn death_declaration() -> Value {
    json!({
        "deceased.name": { "firstname": "Ada", "surname": "Okoro" },
        "deceased.gender": "female",
        "deceased.dob": "1995-07-01",
        "deceased.nid": "5550001111",
        "deceased.maritalStatus": "MARRIED",
        "eventDetails.date": "2025-03-04",
        "eventDetails.placeOfDeath": "OTHER",
        "eventDetails.deathLocationOther": {
            "country": "FAR", "addressType": "DOMESTIC", "administrativeArea": DISTRICT,
        },
        "spouse.name": { "firstname": "Ben", "surname": "Okoro" },
        "spouse.nid": "5550002222",
        "informant.relation": "SON_IN_LAW",
        "informant.name": { "firstname": "Odo", "surname": "Bay" },
    })
}

/// What the search's index has of a registered event.
pub(crate) fn index(id: &str, kind: &str, number: &str, declaration: Value) -> Value {
    json!({
        "id": id, "type": kind, "status": "REGISTERED", "trackingId": format!("T{number}"),
        "legalStatuses": { "REGISTERED": {
            "registrationNumber": number, "acceptedAt": "2024-03-10T08:00:00.000Z",
        } },
        "dateOfEvent": "2024-02-29", "flags": [], "declaration": declaration,
    })
}

/// The same as the list of its actions.
pub(crate) fn document(id: &str, kind: &str, number: &str, declaration: Value) -> Value {
    json!({
        "id": id, "type": kind, "trackingId": format!("T{number}"),
        "createdAt": "2024-03-01T08:00:00.000Z", "updatedAt": "2024-03-10T08:00:00.000Z",
        "actions": [
            action("CREATE", "a1", "2024-03-01T08:00:00.000Z", json!({})),
            action("DECLARE", "a2", "2024-03-02T08:00:00.000Z", declaration),
            register("a3", number, "Accepted"),
        ],
    })
}

pub(crate) fn action(kind: &str, id: &str, at: &str, declaration: Value) -> Value {
    json!({
        "id": id, "type": kind, "status": "Accepted", "createdAt": at, "transactionId": id,
        "createdByUserType": "user", "declaration": declaration,
    })
}

pub(crate) fn register(id: &str, number: &str, status: &str) -> Value {
    json!({
        "id": id, "type": "REGISTER", "status": status, "createdAt": "2024-03-10T08:00:00.000Z",
        "transactionId": id, "createdByUserType": "user", "declaration": {},
        "registrationNumber": number,
    })
}

pub(crate) fn found(results: Value) -> Value {
    let total = results.as_array().unwrap().len();
    json!({ "results": results, "total": total })
}

/// A person of GraphQL.
pub(crate) fn person(first: &str, family: &str, nid: &str) -> Value {
    json!({
        "identifier": [{ "id": nid, "type": "NATIONAL_ID", "otherType": null }],
        "name": [{ "use": "en", "firstNames": first, "middleName": "", "familyName": family,
            "marriedLastName": null }],
        "telecom": null, "gender": null, "birthDate": "1995-07-01", "maritalStatus": null,
        "occupation": null, "educationalAttainment": null, "nationality": ["FAR"],
        "detailsExist": true, "ageOfIndividualInYears": null, "exactDateOfBirthUnknown": null,
        "address": null, "deceased": { "deceased": false, "deathDate": null },
    })
}

/// A registered birth of GraphQL.
pub(crate) fn birth_registration(id: &str, number: &str, nid: &str) -> Value {
    let mut child = person("Mina", "Okoro", nid);
    child["gender"] = json!("female");
    child["birthDate"] = json!("2024-02-29");
    json!({
        "__typename": "BirthRegistration", "id": id,
        "registration": { "trackingId": format!("T{number}"), "registrationNumber": number, "status": [
            { "type": "CERTIFIED", "timestamp": "2024-04-01T08:00:00.000Z" },
            { "type": "REGISTERED", "timestamp": "2024-03-10T08:00:00.000Z" },
        ] },
        "child": child,
        "mother": person("Ada", "Okoro", "5550001111"),
        "father": person("Ben", "Okoro", "5550002222"),
        "informant": { "relationship": "MOTHER", "otherRelationship": null,
            "name": [{ "use": "en", "firstNames": "Ada", "familyName": "Okoro" }] },
        "birthType": "SINGLE",
        "eventLocation": { "id": FACILITY, "name": "Lakeside Clinic", "type": "HEALTH_FACILITY",
            "address": null },
    })
}

/// A registered death of GraphQL.
pub(crate) fn death_registration(id: &str, number: &str, nid: &str) -> Value {
    let mut deceased = person("Ada", "Okoro", nid);
    deceased["gender"] = json!("female");
    deceased["deceased"] = json!({ "deceased": true, "deathDate": "2025-03-04" });
    json!({
        "__typename": "DeathRegistration", "id": id,
        "registration": { "trackingId": format!("T{number}"), "registrationNumber": number,
            "status": [{ "type": "REGISTERED", "timestamp": "2025-03-10T08:00:00.000Z" }] },
        "deceased": deceased,
        "spouse": person("Ben", "Okoro", "5550002222"),
        "mother": null, "father": null, "informant": null, "eventLocation": null,
    })
}

/// An OpenCRVS of GraphQL that has these records, and finds all of them whatever is searched for.
pub(crate) fn graphql(version: &str, more: Value, births: Vec<Value>, deaths: Vec<Value>) -> Stage {
    stage(version, more).on_post(GRAPHQL, move |request| {
        let body = request.json();
        let variables = &body["variables"];
        if let Some(id) = variables["id"].as_str() {
            let all = births.iter().chain(&deaths);
            let found = all.clone().find(|it| it["id"] == id);
            return json!({ "data": { "fetchRegistration": found } });
        }
        let hits = |of: Vec<&Value>| {
            let ids: Vec<Value> = of.iter().map(|it| json!({ "id": it["id"] })).collect();
            json!({ "totalItems": ids.len(), "results": ids })
        };
        match (variables["a"]["event"].as_str(), variables.get("b")) {
            (Some("birth"), None) => json!({ "data": { "a": hits(births.iter().collect()) } }),
            (Some("death"), None) => json!({ "data": { "a": hits(deaths.iter().collect()) } }),
            (None, None) => {
                let all = births.iter().chain(&deaths);
                json!({ "data": { "a": hits(all.collect()) } })
            }
            _ => json!({ "data": {
                "a": hits(births.iter().collect()), "b": hits(deaths.iter().collect()),
            } }),
        }
    })
}
