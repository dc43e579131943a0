//! Groups as households.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{HouseholdKind, Identifier, Unmapped};
use adapter_sdk::testing;
use common::{GROUPS, bundle, form, group, household, patient, registry, stage, with, with_group};
use serde_json::{Value, json};

#[test]
fn a_household_by_its_number_with_its_people() {
    let extra = json!({ "meta": { "versionId": "4" }, "quantity": 2,
        "code": { "coding": [{ "code": "H", "system": "urn:x:group-type" }] },
        "extension": [{ "url": "https://example.org/poverty", "valueBoolean": true }] });
    let people = json!([patient("a", "1"), patient("b", "2")]);
    let stage = with_group(json!({}), group(&["a", "b"], extra), people);
    let found = household("household-id", "H1").unwrap();
    assert_eq!(found.identifiers, [Identifier::new("household-id", "H1")]);
    assert_eq!(
        (found.kind, found.members),
        (HouseholdKind::Household, vec![0, 1])
    );
    assert_eq!(found.people[1].identifier("national-id"), Some("2"));
    // Nobody says who heads it, and nobody is taken for it.
    assert_eq!((found.head, found.version.as_deref()), (None, Some("4")));
    let keys: Vec<&str> = found.extra.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "group-type",
            "group-size",
            "x-fhir-client-registry-extension"
        ]
    );
    let sent = form(&stage.requests()[0]);
    assert_eq!(
        sent,
        "identifier=urn%3Ax%3Ahousehold%7CH1&_include=Group%3Amember"
    );
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn a_household_of_a_member_reads_whom_the_answer_did_not_bring() {
    let stage = registry(json!({}), json!([patient("a", "1")]))
        .on_post(GROUPS, |_| {
            bundle(&json!([group(&["a", "b", "gone"], json!({}))]))
        })
        .on_get("/Patient/a", |_| patient("a", "1"))
        .on_get("/Patient/b", |_| patient("b", "2"));
    let found = household("national-id", "1").unwrap();
    assert_eq!(found.members, [0, 1, 2]);
    // Whose record is gone is a member all the same, of whom nothing is known.
    assert_eq!(found.people[2].identifiers, []);
    assert_eq!(found.unmapped, [Unmapped::new("people", "Patient/gone")]);
    assert_eq!(
        form(&stage.requests()[1]),
        "member=Patient%2Fa&_include=Group%3Amember"
    );
    assert_eq!(stage.requests().len(), 5);
}

#[test]
fn a_member_who_cannot_be_read_now_ends_the_call() {
    let _stage = registry(json!({}), json!([patient("a", "1")]))
        .on_post(GROUPS, |_| bundle(&json!([group(&["a", "b"], json!({}))])))
        .on_get("/Patient/a", |_| patient("a", "1"))
        .on_get("/Patient/b", |_| testing::status(503, &[]));
    assert_eq!(
        household("national-id", "1").unwrap_err().summary(),
        "unavailable: http.503"
    );
}

#[test]
fn who_has_left_and_what_is_no_person_is_no_member() {
    let members = json!([
        { "entity": { "reference": "Patient/a" }, "period": { "start": "2020-01-01" } },
        { "entity": { "reference": "Patient/b" }, "inactive": true },
        { "entity": { "reference": "Device/d" } },
        { "entity": { "reference": "Patient/a" } },
        { "entity": { "type": "Patient",
            "identifier": { "system": "https://example.org/nid", "value": "9" } } },
        "nobody",
    ]);
    let people = json!([patient("a", "1"), patient("b", "2")]);
    let _stage = with_group(json!({}), group(&[], json!({ "member": members })), people);
    let found = household("household-id", "H1").unwrap();
    assert_eq!(found.members, [0, 1]);
    assert_eq!(found.people[0].extra.last().unwrap().key, "member-since");
    assert_eq!(
        found.people[1].identifiers,
        [Identifier::new("national-id", "9")]
    );
    let reported: Vec<&str> = found.unmapped.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(reported, ["nobody", "Device/d"]);
}

#[test]
fn a_household_of_twenty_five_is_whole() {
    let ids: Vec<String> = (0..25).map(|at| format!("p{at}")).collect();
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let answer = bundle(&json!([group(&members, json!({}))]));
    let mut stage = stage(json!({})).on_post(GROUPS, move |_| answer.clone());
    for (at, id) in ids.iter().enumerate() {
        let record = patient(id, &at.to_string());
        stage = stage.on_get(&format!("/Patient/{id}"), move |_| record.clone());
    }
    let found = household("household-id", "H1").unwrap();
    assert_eq!(found.members, (0..25).collect::<Vec<u32>>());
    let numbers: Vec<&str> = found
        .people
        .iter()
        .map(|it| it.identifier("national-id").unwrap())
        .collect();
    assert_eq!(
        numbers,
        (0..25).map(|at| at.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(stage.requests().len(), 26);
}

#[test]
fn a_village_is_refused() {
    let ids: Vec<String> = (0..101).map(|at| format!("p{at}")).collect();
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let _stage = with_group(json!({}), group(&members, json!({})), json!([]));
    let failure = household("household-id", "H1").unwrap_err();
    assert_eq!(failure.summary(), "unsupported: household.size (members)");
}

#[test]
fn no_household_several_and_what_is_none() {
    let with_groups = |groups: Value| {
        registry(json!({}), json!([patient("a", "1")]))
            .on_post(GROUPS, move |_| bundle(&groups))
            .on_get("/Patient/a", |_| patient("a", "1"))
    };
    let gone = group(&["a"], json!({ "active": false }));
    let herd = group(&["a"], json!({ "type": "animal" }));
    let of_others = group(&["b"], json!({}));
    for (groups, summary) in [
        (json!([]), "not-found"),
        (json!([gone]), "not-found"),
        (
            json!([
                group(&["a"], json!({})),
                group(&["a"], json!({ "id": "g2" }))
            ]),
            "ambiguous: answer.several (identifiers)",
        ),
        (json!([herd]), "unreadable: group.type"),
        (json!([of_others]), "unreadable: answer.mismatch"),
    ] {
        let _stage = with_groups(groups);
        assert_eq!(
            household("national-id", "1").unwrap_err().summary(),
            summary
        );
    }
    let _stage = registry(json!({}), json!([patient("a", "1")]));
    assert_eq!(
        household("national-id", "1").unwrap_err().summary(),
        "misconfigured: http.404 (endpoints.registry)"
    );
    let _stage = registry(json!({}), json!([]));
    assert_eq!(
        household("national-id", "1").unwrap_err().summary(),
        "not-found"
    );
}

#[test]
fn a_patient_may_refer_to_its_group() {
    let url = "https://example.org/patient-group-reference";
    let referring = with(
        patient("a", "1"),
        json!({ "extension": [
        { "url": url, "valueReference": { "reference": "Group/g1" } }] }),
    );
    let settings = json!({ "group_reference_extension": url,
        "group_address_extension": "https://example.org/group-address" });
    let address = json!({ "extension": [{ "url": "https://example.org/group-address",
        "valueAddress": { "text": "Ward 3", "district": "Chitwan" } }] });
    let people = json!([referring]);
    let of_group = group(&["a"], address);
    let _stage = registry(settings.clone(), people.clone())
        .on_get("/Group/g1", move |_| of_group.clone())
        .on_get("/Patient/a", |_| patient("a", "1"));
    let found = household("national-id", "1").unwrap();
    assert_eq!(found.addresses[0].text.as_deref(), Some("Ward 3"));
    let area = &found.addresses[0].areas[0];
    assert_eq!((area.name.as_deref(), area.level), (Some("Chitwan"), None));
    let _stage = registry(settings, json!([patient("a", "1")]));
    assert_eq!(
        household("national-id", "1").unwrap_err().summary(),
        "not-found"
    );
}

#[test]
fn the_household_of_a_replaced_record_is_not_guessed() {
    let link = json!([{ "other": { "reference": "Patient/b" }, "type": "replaced-by" }]);
    let record = with(patient("a", "1"), json!({ "active": false, "link": link }));
    let _stage = registry(json!({}), json!([record]));
    let failure = household("national-id", "1").unwrap_err();
    assert_eq!(failure.summary(), "rejected: patient.merged (identifiers)");
}
