//! People and households as life has them: twins, a child without a father, a head who is a child, a
//! household of 25. Partial dates, missing names, several numbers, the dead, and codes that nobody knows are
//! in `mapping`, a household without a head in `heads`. SPDCI has no word for a merged record.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::FindHousehold;
use adapter_sdk::model::{Household, HouseholdKind, Relation, RelationRole};
use adapter_sdk::{Find, dates};
use adapter_spdci::Spdci;
use common::{PATH, answer, by, group, household_of, member, record, registry, stage};
use serde_json::{Value, json};

fn family(scheme: &str, value: &str) -> Household {
    let answer = Spdci::find_household(household_of(scheme, value));
    answer.unwrap().done().unwrap()
}

fn relation(subject: u32, object: u32, role: RelationRole) -> Relation {
    Relation {
        subject,
        object,
        role,
    }
}

/// A member who was born on this day.
fn born(uin: &str, given: &str, day: &str, relationship: &str) -> Value {
    let mut member = member(uin, given, relationship);
    member["household_member"]["demographic_info"]["person"]["birth_date"] = json!(day);
    member
}

#[test]
fn twins_are_two_people() {
    let members = json!([
        born("1", "Mira", "1990-02-03", "self"),
        born("2", "Asha", "2020-05-06", "daughter"),
        born("3", "Usha", "2020-05-06", "daughter"),
    ]);
    let _stage = registry("Social", json!([group(json!({}), members)]));
    let household = family("national-id", "G1");
    assert_eq!(
        (household.members, household.head),
        (vec![0, 1, 2], Some(0))
    );
    assert_eq!(
        household.relations,
        [
            relation(0, 1, RelationRole::Daughter),
            relation(0, 2, RelationRole::Daughter)
        ]
    );
    let [_, one, other] = household.people.as_slice() else {
        panic!("{:?}", household.people)
    };
    assert_eq!(one.birth_date, other.birth_date);
    assert_ne!(one.names, other.names);
    // Each is found by their own number.
    for (uin, given) in [("2", "Asha"), ("3", "Usha")] {
        let twins = json!([
            born("2", "Asha", "2020-05-06", ""),
            born("3", "Usha", "2020-05-06", "")
        ]);
        let _stage = registry("Social", json!([group(json!({}), twins)]));
        let found = Spdci::find(by("national-id", uin)).unwrap().done().unwrap();
        assert_eq!(found.names[0].given, [given]);
    }
}

#[test]
fn a_child_without_a_father() {
    let stage = stage("Civil").on_post(PATH, |request| {
        let asked = request.json();
        let query = &asked["message"]["search_request"][0]["search_criteria"]["query"]["value"];
        let mut child = record("1", "Asha", "F");
        child["parent1_identifier"] = json!({ "identifier_type": "UIN", "identifier_value": "2" });
        child["parent2_identifier"] = json!("");
        match query.as_str() {
            Some("1") => answer(request, "succ", json!([child])),
            _ => answer(request, "succ", json!([record("2", "Mira", "F")])),
        }
    });
    let family = family("national-id", "1");
    assert_eq!((family.kind, family.head), (HouseholdKind::Kinship, None));
    assert_eq!(family.people.len(), 2);
    assert_eq!(family.relations, [relation(0, 1, RelationRole::Mother)]);
    assert_eq!((family.unmapped, stage.requests().len()), (vec![], 2));
}

#[test]
fn a_head_who_is_a_child() {
    let members = json!([
        born("1", "Asha", "2016-01-02", "self"),
        born("2", "Hari", "2019-03-04", "brother"),
    ]);
    let _stage = registry("Social", json!([group(json!({}), members)]));
    let household = family("national-id", "G1");
    assert_eq!(household.head, Some(0));
    assert_eq!(household.people[0].birth_date, dates::parse("2016-01-02"));
    assert_eq!(household.relations, [relation(0, 1, RelationRole::Brother)]);
}

#[test]
fn a_household_of_twenty_five_is_whole() {
    let members: Vec<Value> = (0..25)
        .map(|at| match at {
            0 => member("0", "Mira", "self"),
            at => member(&at.to_string(), "A", "son"),
        })
        .collect();
    let stage = registry("Social", json!([group(json!({}), json!(members))]));
    let household = family("national-id", "G1");
    assert_eq!(household.members, (0..25).collect::<Vec<u32>>());
    assert_eq!((household.head, household.relations.len()), (Some(0), 24));
    for (at, person) in household.people.iter().enumerate() {
        assert_eq!(person.identifier("national-id"), Some(&*at.to_string()));
    }
    assert_eq!(stage.requests().len(), 1);
}
