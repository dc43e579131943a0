//! Groups as households, RelatedPersons as kinship.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::model::{Household, HouseholdKind, Identifier, Relation, RelationRole, Unmapped};
use adapter_sdk::testing::Stage;
use adapter_sdk::{Failure, FindHousehold, testing};
use common::{SEARCH, bundle, done, form, household_of, patient, registry, stage, with};
use serde_json::{Value, json};

const GROUPS: &str = "/Group/_search";
const RELATED: &str = "/RelatedPerson/_search";
const IS_HEAD: &str = "https://example.org/patient-is-head";
const HEAD: &str = "https://example.org/group-head";
const MEMBER_HEAD: &str = "https://example.org/member-is-head";

fn ask(scheme: &str, value: &str) -> Result<Household, Failure> {
    done(FhirClientRegistry::find_household(household_of(
        scheme, value,
    )))
}

fn group(members: &[&str], more: Value) -> Value {
    let member = |id: &&str| json!({ "entity": { "reference": format!("Patient/{id}") } });
    let members: Vec<Value> = members.iter().map(member).collect();
    let group = json!({ "resourceType": "Group", "id": "g1", "type": "person", "actual": true,
        "identifier": [{ "system": "urn:x:household", "value": "H1" }], "member": members });
    with(group, more)
}

/// The group by its number, with its people brought along.
fn with_group(settings: Value, group: Value, people: Value) -> Stage {
    let mut answer = bundle(&json!([group]));
    for resource in people.as_array().unwrap() {
        let entry = json!({ "resource": resource, "search": { "mode": "include" } });
        answer["entry"].as_array_mut().unwrap().push(entry);
    }
    stage(settings).on_post(GROUPS, move |_| answer.clone())
}

fn related(id: &str, of: &str, code: &str) -> Value {
    json!({ "resourceType": "RelatedPerson", "id": id,
        "patient": { "reference": format!("Patient/{of}") },
        "relationship": [{ "coding": [{ "code": code,
            "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode" }] }] })
}

fn who(id: &str, related: &str) -> Value {
    let link = json!([{ "other": { "reference": format!("RelatedPerson/{related}") },
        "type": "seealso" }]);
    with(patient(id, id), json!({ "link": link }))
}

fn relation(subject: u32, object: u32, role: RelationRole) -> Relation {
    Relation {
        subject,
        object,
        role,
    }
}

#[test]
fn a_household_by_its_number_with_its_people() {
    let extra = json!({ "meta": { "versionId": "4" }, "quantity": 2,
        "code": { "coding": [{ "code": "H", "system": "urn:x:group-type" }] },
        "extension": [{ "url": "https://example.org/poverty", "valueBoolean": true }] });
    let people = json!([patient("a", "1"), patient("b", "2")]);
    let stage = with_group(json!({}), group(&["a", "b"], extra), people);
    let household = ask("household-id", "H1").unwrap();
    assert_eq!(
        household.identifiers,
        [Identifier::new("household-id", "H1")]
    );
    assert_eq!(
        (household.kind, household.members),
        (HouseholdKind::Household, vec![0, 1])
    );
    assert_eq!(household.people[1].identifier("national-id"), Some("2"));
    // Nobody says who heads it, and nobody is taken for it.
    assert_eq!(
        (household.head, household.version.as_deref()),
        (None, Some("4"))
    );
    let keys: Vec<&str> = household.extra.iter().map(|it| it.key.as_str()).collect();
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
    let household = ask("national-id", "1").unwrap();
    assert_eq!(household.members, [0, 1, 2]);
    // Whose record is gone is a member all the same, of whom nothing is known.
    assert_eq!(household.people[2].identifiers, []);
    assert_eq!(
        household.unmapped,
        [Unmapped::new("people", "Patient/gone")]
    );
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
        ask("national-id", "1").unwrap_err().summary(),
        "unavailable: http.503"
    );
}

#[test]
fn the_head_is_who_the_settings_name() {
    let head = json!({ "reference": "Patient/b" });
    let is_head = json!({ "extension": [{ "url": IS_HEAD, "valueBoolean": true }] });
    let members = json!([
        { "entity": { "reference": "Patient/a" } },
        { "entity": head, "extension": [{ "url": MEMBER_HEAD, "valueBoolean": true }] },
    ]);
    let code = json!({ "coding": [{ "system": "urn:x", "code": "head" }] });
    for (marker, more, patient_more) in [
        (json!({ "patient_extension": IS_HEAD }), json!({}), is_head),
        (
            json!({ "group_extension": HEAD }),
            json!({ "extension": [{ "url": HEAD, "valueReference": head }] }),
            json!({}),
        ),
        (
            json!({ "member_extension": MEMBER_HEAD }),
            json!({ "member": members }),
            json!({}),
        ),
        (
            json!({ "characteristic": "urn:x|head" }),
            json!({ "characteristic": [{ "code": code, "valueReference": head, "exclude": false }] }),
            json!({}),
        ),
    ] {
        let child = with(patient("b", "2"), json!({ "birthDate": "2019-03-01" }));
        let people = json!([patient("a", "1"), with(child, patient_more)]);
        let settings = json!({ "head": marker });
        let _stage = with_group(settings, group(&["a", "b"], more.clone()), people.clone());
        let household = ask("household-id", "H1").unwrap();
        // A head who is a child is the head.
        assert_eq!(household.head, Some(1), "{marker}");
        assert_eq!(household.unmapped, []);
        // Without the setting the same answer has none.
        let _stage = with_group(json!({}), group(&["a", "b"], more), people);
        assert_eq!(ask("household-id", "H1").unwrap().head, None);
    }
}

#[test]
fn two_heads_are_none_and_both_are_reported() {
    let is_head = json!({ "extension": [{ "url": IS_HEAD, "valueBoolean": true }] });
    let people = json!([
        with(patient("a", "1"), is_head.clone()),
        with(patient("b", "2"), is_head)
    ]);
    let settings = json!({ "head": { "patient_extension": IS_HEAD } });
    let _stage = with_group(settings, group(&["a", "b"], json!({})), people);
    let household = ask("household-id", "H1").unwrap();
    let both = ["Patient/a", "Patient/b"].map(|it| Unmapped::new("head", it));
    assert_eq!((household.head, household.unmapped), (None, both.to_vec()));
}

#[test]
fn a_head_who_is_no_member_is_one_more_of_the_people() {
    let more =
        json!({ "extension": [{ "url": HEAD, "valueReference": { "reference": "Patient/c" } }] });
    let settings = json!({ "head": { "group_extension": HEAD } });
    let _stage = with_group(settings, group(&["a"], more), json!([patient("a", "1")]))
        .on_get("/Patient/c", |_| patient("c", "3"));
    let household = ask("household-id", "H1").unwrap();
    assert_eq!(
        (household.head, &household.members[..]),
        (Some(1), &[0][..])
    );
    assert_eq!(household.people.len(), 2);
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
    let household = ask("household-id", "H1").unwrap();
    assert_eq!(household.members, [0, 1]);
    assert_eq!(
        household.people[0].extra.last().unwrap().key,
        "member-since"
    );
    assert_eq!(
        household.people[1].identifiers,
        [Identifier::new("national-id", "9")]
    );
    let reported: Vec<&str> = household
        .unmapped
        .iter()
        .map(|it| it.value.as_str())
        .collect();
    assert_eq!(reported, ["nobody", "Device/d"]);
}

#[test]
fn relations_of_a_household_are_those_that_related_persons_tell() {
    let people = json!([
        who("mother", "r1"),
        patient("first", "2"),
        patient("twin", "3")
    ]);
    let twin = json!({ "multipleBirthInteger": 2 });
    let _stage = with_group(
        json!({ "with_related": true }),
        group(&["mother", "first", "twin"], json!({})),
        json!([people[0], people[1], with(people[2].clone(), twin)]),
    )
    .on_post(RELATED, |_| {
        bundle(&json!([
            related("r1", "first", "MTH"),
            with(
                related("r2", "twin", "NMTH"),
                json!({ "identifier": [
                { "system": "https://example.org/nid", "value": "mother" }] })
            ),
            with(
                related("r3", "twin", "FTH"),
                json!({ "name": [{ "given": ["Ram"] }] })
            ),
            related("r4", "first", "boss"),
        ]))
    });
    let household = ask("household-id", "H1").unwrap();
    // The father is named, and is no member.
    assert_eq!((household.people.len(), household.members.len()), (5, 3));
    assert_eq!(household.people[3].names[0].given, ["Ram"]);
    assert_eq!(
        household.relations,
        [
            relation(1, 0, RelationRole::Mother),
            relation(2, 0, RelationRole::Mother),
            relation(2, 3, RelationRole::Father),
            relation(1, 4, RelationRole::Unknown),
        ]
    );
    assert_eq!(
        household.unmapped,
        [Unmapped::new("relations.role", "boss")]
    );
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
    let household = ask("household-id", "H1").unwrap();
    assert_eq!(household.members, (0..25).collect::<Vec<u32>>());
    let numbers: Vec<&str> = household
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
    let failure = ask("household-id", "H1").unwrap_err();
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
        assert_eq!(ask("national-id", "1").unwrap_err().summary(), summary);
    }
    let _stage = registry(json!({}), json!([]));
    assert_eq!(ask("national-id", "1").unwrap_err().summary(), "not-found");
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
    let household = ask("national-id", "1").unwrap();
    assert_eq!(household.addresses[0].text.as_deref(), Some("Ward 3"));
    let area = &household.addresses[0].areas[0];
    assert_eq!((area.name.as_deref(), area.level), (Some("Chitwan"), None));
    let _stage = registry(settings, json!([patient("a", "1")]));
    assert_eq!(ask("national-id", "1").unwrap_err().summary(), "not-found");
}

#[test]
fn a_kinship_has_no_head_and_a_child_may_have_no_father() {
    let settings =
        json!({ "household": "related-person", "head": { "patient_extension": IS_HEAD } });
    let is_head = json!({ "extension": [{ "url": IS_HEAD, "valueBoolean": true }] });
    let mother = with(who("mother", "r1"), is_head);
    let _stage = stage(settings)
        .on_post(SEARCH, move |request| {
            match form(request).starts_with("link=") {
                true => bundle(&json!([mother])),
                false => bundle(&json!([patient("child", "1")])),
            }
        })
        .on_post(RELATED, |_| bundle(&json!([related("r1", "child", "MTH")])));
    let kinship = ask("national-id", "1").unwrap();
    assert_eq!((kinship.kind, kinship.head), (HouseholdKind::Kinship, None));
    assert_eq!(kinship.people.len(), 2);
    assert_eq!(kinship.people[1].identifier("national-id"), Some("mother"));
    assert_eq!(kinship.relations, [relation(0, 1, RelationRole::Mother)]);
}

#[test]
fn a_mother_is_asked_for_her_children() {
    let settings = json!({ "household": "related-person" });
    let stage = stage(settings)
        .on_post(SEARCH, move |_| {
            bundle(&json!([with(
                who("mother", "r1"),
                json!({
            "identifier": [{ "system": "https://example.org/nid", "value": "1" }] })
            )]))
        })
        .on_post(RELATED, |_| bundle(&json!([])))
        .on_get("/RelatedPerson/r1", |_| related("r1", "child", "MTH"))
        .on_get("/Patient/child", |_| patient("child", "2"));
    let kinship = ask("national-id", "1").unwrap();
    assert_eq!(kinship.people.len(), 2);
    assert_eq!(kinship.relations, [relation(1, 0, RelationRole::Mother)]);
    assert_eq!(stage.requests().len(), 5);
}

#[test]
fn the_household_of_a_replaced_record_is_not_guessed() {
    let link = json!([{ "other": { "reference": "Patient/b" }, "type": "replaced-by" }]);
    let record = with(patient("a", "1"), json!({ "active": false, "link": link }));
    let _stage = registry(json!({}), json!([record]));
    let failure = ask("national-id", "1").unwrap_err();
    assert_eq!(failure.summary(), "rejected: patient.merged (identifiers)");
}
