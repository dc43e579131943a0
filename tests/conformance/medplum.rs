//! Medplum's FHIR router: conditional writes, versions, searches, Groups and RelatedPersons of a server
//! that we did not write. It has no `$match`, no `$ihe-pix` and no pages.

use serde_json::{Value, json};

use crate::fixtures;
use crate::gateway::{Registry, Served, client};
use crate::peer::Peer;

const NID: &str = "https://example.org/nid";
const IMIS: &str = "https://example.org/openimis";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";

async fn serve(base: &str) -> Served {
    Served::start_by(
        "adapter-fhir-client-registry",
        Registry {
            url: base,
            settings: json!({
                "identifier_systems": {
                    "national-id": NID, "openimis": IMIS, "household-id": "urn:example:household",
                },
                "household_schemes": ["household-id"],
                "resource_id_scheme": "medplum-id",
                "head": { "characteristic": "urn:example:group|head" },
            }),
            with_token: false,
        },
    )
    .await
}

/// What a health facility would write, past the gateway.
async fn put_there(base: &str, resource: Value) -> String {
    let url = format!("{base}/{}", resource["resourceType"].as_str().unwrap());
    let request = client().post(url).json(&resource);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let stored: Value = answer.json().await.unwrap();
    stored["id"].as_str().unwrap().to_owned()
}

fn patient(nid: &str, given: &str) -> Value {
    json!({ "resourceType": "Patient", "active": true,
        "identifier": [{ "system": NID, "value": nid }],
        "name": [{ "use": "official", "family": "Rai", "given": [given] }],
        "gender": "female", "birthDate": "1985-05" })
}

fn by(scheme: &str, value: &str) -> Value {
    json!({ "identifiers": [{ "scheme": scheme, "value": value }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_created_once_found_changed_and_linked() {
    // A build server runs all of the conformance tests or says why not.
    if fixtures::spdci("mockoon/mockoon-sr.json").is_none() {
        return;
    }
    let medplum = Peer::medplum();
    let base = format!("{}/fhir/R4", medplum.url);
    let gateway = serve(&base).await;

    let nobody = gateway.call("find", by("national-id", "1")).await;
    assert_eq!(nobody.problem().0, 404, "{}", nobody.body);

    let create = json!({ "subject": "person-1", "create": { "person": {
        "identifiers": [{ "scheme": "national-id", "value": "1" }],
        "names": [{ "use": "official", "family": "Rai", "given": ["Sita"], "language": "ne-Latn" }],
        "sex": "female", "birthDate": "1985-05" } } });
    let created = gateway.write("create-1", create.clone()).await;
    assert_eq!(created.body["state"], "applied", "{}", created.body);
    assert_eq!(created.body["receipt"]["outcome"], "applied");
    let version = created.body["receipt"]["version"].clone();
    assert!(version.is_string(), "{}", created.body);
    // If-None-Exist: another operation for the same number.
    let again = gateway.write("create-2", create).await;
    assert_eq!(
        again.body["receipt"]["outcome"], "unchanged",
        "{}",
        again.body
    );

    let found = gateway.call("find", by("national-id", "1")).await;
    assert_eq!(found.status, 200, "{}", found.body);
    let person = &found.body["person"];
    assert_eq!(person["names"][0]["given"], json!(["Sita"]));
    assert_eq!(person["names"][0]["language"], "ne-Latn");
    assert_eq!(person["birthDate"]["value"], "1985-05");
    assert_eq!(person["version"], version);

    let linked = json!({ "subject": "person-1", "link": {
        "identifiers": [{ "scheme": "national-id", "value": "1" }], "change": "add",
        "linked": { "scheme": "openimis", "value": "070707070" }, "version": version } });
    let linked = gateway.write("link-1", linked).await;
    assert_eq!(linked.body["state"], "applied", "{}", linked.body);
    let by_imis = gateway.call("find", by("openimis", "070707070")).await;
    assert_eq!(by_imis.status, 200, "{}", by_imis.body);
    // The version that was read before the link is not the record's any more.
    let stale = json!({ "subject": "person-1", "update": {
        "identifiers": [{ "scheme": "national-id", "value": "1" }], "version": version,
        "person": { "sex": "other" }, "mask": ["sex"] } });
    let stale = gateway.write("update-1", stale).await;
    assert_eq!(stale.body["state"], "conflict", "{}", stale.body);

    let died = json!({ "subject": "person-1", "update": {
        "identifiers": [{ "scheme": "national-id", "value": "1" }],
        "person": { "status": "deceased", "deathDate": "2026-02-03" },
        "mask": ["status", "deathDate"] } });
    let died = gateway.write("update-2", died).await;
    assert_eq!(died.body["state"], "applied", "{}", died.body);
    let dead = gateway.call("find", by("national-id", "1")).await;
    assert_eq!(dead.body["person"]["status"], "deceased", "{}", dead.body);
    assert_eq!(dead.body["person"]["deathDate"]["value"], "2026-02-03");
    assert_eq!(
        dead.body["person"]["identifiers"].as_array().unwrap().len(),
        3
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_searched_and_two_with_one_number_are_ambiguous() {
    if fixtures::spdci("mockoon/mockoon-sr.json").is_none() {
        return;
    }
    let medplum = Peer::medplum();
    let base = format!("{}/fhir/R4", medplum.url);
    for (nid, given) in [("1", "Sita"), ("2", "Gita"), ("2", "Maya")] {
        put_there(&base, patient(nid, given)).await;
    }
    let gateway = serve(&base).await;
    let search = json!({ "criteria": [{ "field": "name.given", "equals": "Gita" }] });
    let answer = gateway.call("search", search).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.body["candidates"].as_array().unwrap().len(),
        1,
        "{}",
        answer.body
    );
    let born = json!({ "criteria": [
        { "field": "birth-date", "range": { "from": "1985-01-01", "to": "1985-12-31" } }] });
    let answer = gateway.call("search", born).await;
    assert_eq!(
        answer.body["candidates"].as_array().unwrap().len(),
        3,
        "{}",
        answer.body
    );
    let nobody = json!({ "criteria": [{ "field": "name.family", "equals": "Lama" }] });
    let answer = gateway.call("search", nobody).await;
    assert_eq!(answer.body["candidates"], json!([]), "{}", answer.body);
    let several = gateway.call("find", by("national-id", "2")).await;
    assert_eq!(several.problem(), (409, "ambiguous", "answer.several"));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_a_household_with_its_relations() {
    if fixtures::spdci("mockoon/mockoon-sr.json").is_none() {
        return;
    }
    let medplum = Peer::medplum();
    let base = format!("{}/fhir/R4", medplum.url);
    let child = put_there(&base, patient("2", "Maya")).await;
    let related = json!({ "resourceType": "RelatedPerson",
        "patient": { "reference": format!("Patient/{child}") },
        "relationship": [{ "coding": [{ "system": ROLE, "code": "MTH" }] }] });
    let related = put_there(&base, related).await;
    let mut mother = patient("1", "Sita");
    mother["link"] = json!([{ "type": "seealso",
        "other": { "reference": format!("RelatedPerson/{related}") } }]);
    let mother = put_there(&base, mother).await;
    let reference = |id: &str| json!({ "reference": format!("Patient/{id}") });
    let code = json!({ "coding": [{ "system": "urn:example:group", "code": "head" }] });
    let group = json!({ "resourceType": "Group", "type": "person", "actual": true,
        "identifier": [{ "system": "urn:example:household", "value": "H1" }],
        "characteristic": [{ "code": code, "valueReference": reference(&mother), "exclude": false }],
        "member": [{ "entity": reference(&child) }, { "entity": reference(&mother) }] });
    put_there(&base, group).await;

    let gateway = serve(&base).await;
    for asked in [by("household-id", "H1"), by("national-id", "2")] {
        let answer = gateway.call("household", asked).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let household = &answer.body["household"];
        assert_eq!(household["members"], json!([0, 1]), "{household}");
        assert_eq!(household["head"], 1, "{household}");
        let relation = json!({ "subject": 0, "object": 1, "role": "mother" });
        assert_eq!(household["relations"], json!([relation]), "{household}");
    }
    gateway.stop().await;
}
