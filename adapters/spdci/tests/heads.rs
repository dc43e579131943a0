//! Who is the head of a group, and who is in it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::FindHousehold;
use adapter_sdk::model::{Household, Relation, RelationRole, Unmapped};
use adapter_spdci::Spdci;
use common::{group, household_of, member, record, registry};
use serde_json::{Value, json};

fn social(record: Value) -> Household {
    let _stage = registry("Social", json!([record]));
    let answer = Spdci::find_household(household_of("national-id", "G1"));
    answer.unwrap().done().unwrap()
}

fn relation(subject: u32, object: u32, role: RelationRole) -> Relation {
    Relation {
        subject,
        object,
        role,
    }
}

#[test]
fn the_head_is_never_guessed() {
    // Nobody says who it is.
    let household = social(group(
        json!({}),
        json!([member("1", "A", ""), member("2", "B", "")]),
    ));
    assert_eq!(household.head, None);
    // Two say that they are.
    let two = json!([member("1", "A", "self"), member("2", "B", "head")]);
    let household = social(group(json!({}), two));
    assert_eq!(household.head, None);
    assert_eq!(
        household.unmapped,
        [Unmapped::new("head", "self"), Unmapped::new("head", "head")]
    );
    // What somebody is to a head that nobody knows has no place.
    let household = social(group(json!(null), json!([member("1", "A", "spouse")])));
    assert_eq!(
        household.unmapped,
        [Unmapped::new("people.0.relations", "spouse")]
    );
}

#[test]
fn a_head_who_is_not_listed_is_no_member() {
    let household = social(group(
        record("9", "Mira", "F"),
        json!([member("1", "A", "son")]),
    ));
    assert_eq!((household.members, household.head), (vec![0], Some(1)));
    assert_eq!(household.people[1].identifier("national-id"), Some("9"));
    assert_eq!(household.relations, [relation(1, 0, RelationRole::Son)]);
    assert_eq!(household.unmapped, []);
}

#[test]
fn a_head_who_may_be_several_members_is_reported() {
    let info = record("1", "Mira", "F");
    let twice = |first, second| json!([member("1", "A", first), member("1", "B", second)]);
    let household = social(group(info.clone(), twice("", "")));
    assert_eq!((household.people.len(), household.head), (2, None));
    assert_eq!(
        household.unmapped,
        [Unmapped::new("head", info.to_string())]
    );
    // One of them says so.
    let household = social(group(info, twice("", "self")));
    assert_eq!((household.people.len(), household.head), (2, Some(1)));
    assert_eq!(household.unmapped, []);
}

#[test]
fn a_head_whom_the_members_contradict_is_reported() {
    let members = || json!([member("1", "A", "self"), member("2", "B", "")]);
    for (info, people) in [
        // Another member, and somebody who is none.
        (record("2", "B", "F"), 2),
        (record("9", "Mira", "F"), 3),
    ] {
        let household = social(group(info.clone(), members()));
        assert_eq!(household.head, None);
        assert_eq!(
            (household.people.len(), household.members.len()),
            (people, 2)
        );
        assert_eq!(
            household.unmapped,
            [
                Unmapped::new("head", info.to_string()),
                Unmapped::new("head", "self")
            ]
        );
    }
    // Without a number it contradicts nobody, and is nobody for sure.
    let nameless = json!({ "name": { "given_name": "Mira" } });
    let household = social(group(nameless.clone(), members()));
    assert_eq!((household.head, household.people.len()), (Some(0), 2));
    assert_eq!(
        household.unmapped,
        [Unmapped::new("head", nameless.to_string())]
    );
    let both = json!([member("1", "A", "self"), member("2", "B", "self")]);
    let household = social(group(nameless, both));
    assert_eq!((household.head, household.people.len()), (None, 2));
    assert_eq!(household.unmapped.len(), 3);
    // A name where the specification has a person.
    let household = social(group(json!("Mira"), members()));
    assert_eq!(household.head, Some(0));
    assert_eq!(household.unmapped, [Unmapped::new("head", "Mira")]);
}

#[test]
fn members_of_another_shape_are_reported() {
    let household = social(group(json!({}), json!(["Mira", member("2", "B", "")])));
    assert_eq!(household.people.len(), 1);
    assert_eq!(household.unmapped, [Unmapped::new("people", "Mira")]);
}

#[test]
fn a_members_number_does_not_make_somebody_else_the_head() {
    // One's number as a member is another's number as a person: the specification's own example.
    let listed = |uin: &str, number: &str| {
        json!({
            "member_identifier": [{ "identifier_type": "UIN", "identifier_value": number }],
            "demographic_info": record(uin, "A", "F"),
        })
    };
    let members = json!([listed("1", "2"), listed("2", "7")]);
    assert_eq!(social(group(listed("2", "7"), members)).head, Some(1));
}
