//! Who heads a household, and who is what to whom: RelatedPersons in a Group, and as a kinship.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{HouseholdKind, RelationRole, Unmapped};
use common::{
    IS_HEAD, RELATED, SEARCH, bundle, form, group, household, patient, related, relation,
};
use common::{stage, who, with, with_group};
use serde_json::json;

const HEAD: &str = "https://example.org/group-head";
const MEMBER_HEAD: &str = "https://example.org/member-is-head";

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
        let found = household("household-id", "H1").unwrap();
        // A head who is a child is the head.
        assert_eq!(found.head, Some(1), "{marker}");
        assert_eq!(found.unmapped, []);
        // Without the setting the same answer has none.
        let _stage = with_group(json!({}), group(&["a", "b"], more), people);
        assert_eq!(household("household-id", "H1").unwrap().head, None);
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
    let found = household("household-id", "H1").unwrap();
    let both = ["Patient/a", "Patient/b"].map(|it| Unmapped::new("head", it));
    assert_eq!((found.head, found.unmapped), (None, both.to_vec()));
}

#[test]
fn a_head_who_is_no_member_is_one_more_of_the_people() {
    let more =
        json!({ "extension": [{ "url": HEAD, "valueReference": { "reference": "Patient/c" } }] });
    let settings = json!({ "head": { "group_extension": HEAD } });
    let _stage = with_group(settings, group(&["a"], more), json!([patient("a", "1")]))
        .on_get("/Patient/c", |_| patient("c", "3"));
    let found = household("household-id", "H1").unwrap();
    assert_eq!((found.head, &found.members[..]), (Some(1), &[0][..]));
    assert_eq!(found.people.len(), 2);
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
    let found = household("household-id", "H1").unwrap();
    // The father is named, and is no member.
    assert_eq!((found.people.len(), found.members.len()), (5, 3));
    assert_eq!(found.people[3].names[0].given, ["Ram"]);
    assert_eq!(
        found.relations,
        [
            relation(1, 0, RelationRole::Mother),
            relation(2, 0, RelationRole::Mother),
            relation(2, 3, RelationRole::Father),
            relation(1, 4, RelationRole::Unknown),
        ]
    );
    assert_eq!(found.unmapped, [Unmapped::new("relations.role", "boss")]);
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
    let kinship = household("national-id", "1").unwrap();
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
    let kinship = household("national-id", "1").unwrap();
    assert_eq!(kinship.people.len(), 2);
    assert_eq!(kinship.relations, [relation(1, 0, RelationRole::Mother)]);
    assert_eq!(stage.requests().len(), 5);
}
