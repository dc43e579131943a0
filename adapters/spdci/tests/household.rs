//! Households of a social registry, and families of a civil one.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::http::Request;
use adapter_sdk::model::{
    Household, HouseholdKind, HouseholdQuery, Identifier, Relation, RelationRole, Unmapped,
};
use adapter_sdk::{Failure, FindHousehold};
use adapter_spdci::Spdci;
use common::{answer, group, household_of, member, record, registry, registry_set, stage};
use serde_json::{Value, json};

fn find(query: HouseholdQuery) -> Result<Household, Failure> {
    Spdci::find_household(query).map(|answer| answer.done().unwrap())
}

fn summary(query: HouseholdQuery) -> String {
    find(query).unwrap_err().summary()
}

fn relation(subject: u32, object: u32, role: RelationRole) -> Relation {
    Relation {
        subject,
        object,
        role,
    }
}

fn social(record: Value) -> Household {
    let _stage = registry("Social", json!([record]));
    find(household_of("national-id", "G1")).unwrap()
}

#[test]
fn a_group_is_a_household() {
    let head = json!({ "person": record("2", "Mira", "F") });
    let members = json!([member("1", "Asha", "daughter"), member("2", "Mira", "self")]);
    let household = social(group(head, members));
    assert_eq!(household.kind, HouseholdKind::Household);
    assert_eq!(
        household.identifiers,
        [Identifier::new("national-id", "G1")]
    );
    assert_eq!(household.people.len(), 2);
    assert_eq!((household.members, household.head), (vec![0, 1], Some(1)));
    assert_eq!(
        household.relations,
        [relation(1, 0, RelationRole::Daughter)]
    );
    assert_eq!(household.addresses[0].text.as_deref(), Some("Main road 1"));
    let mut keys: Vec<&str> = household
        .extra
        .iter()
        .map(|extra| extra.key.as_str())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["group-type", "poverty-score"]);
    assert_eq!(household.unmapped, []);
}

#[test]
fn members_may_name_each_other() {
    let mut first = member("1", "A", "");
    first["household_member"]["related_person"] = json!([
        { "relationship_type": "mother",
          "related_member": { "identifier_type": "MEMBER", "identifier_value": "2" } },
        { "relationship_type": "sister",
          "related_member": { "identifier_type": "UIN", "identifier_value": "77" } },
    ]);
    let members = json!([first, member("2", "B", "")]);
    let told = |describes: Value| {
        let settings = json!({ "relationship_type_describes": describes });
        let records = json!([group(json!({}), members.clone())]);
        let _stage = registry_set("Social", settings, records);
        find(household_of("national-id", "G1")).unwrap()
    };
    let roles = |household: &Household| {
        let related = household.people[0].related.iter();
        related.map(|one| one.role.clone()).collect::<Vec<_>>()
    };

    let household = told(json!("related-member"));
    assert_eq!(household.relations, [relation(0, 1, RelationRole::Mother)]);
    assert_eq!(
        roles(&household),
        [RelationRole::Mother, RelationRole::Sister]
    );
    let number = Unmapped::new("related.identifiers.scheme", "MEMBER");
    assert_eq!(household.people[0].unmapped, std::slice::from_ref(&number));

    let household = told(json!("record-holder"));
    assert_eq!(household.relations, [relation(1, 0, RelationRole::Mother)]);
    assert_eq!(
        roles(&household),
        [RelationRole::Child, RelationRole::Sibling]
    );

    // Nobody says which it is.
    let household = social(group(json!({}), members));
    assert_eq!(household.relations, []);
    assert_eq!(
        roles(&household),
        [RelationRole::Unknown, RelationRole::Unknown]
    );
    assert_eq!(
        household.people[0].unmapped,
        [
            Unmapped::new("related.role", "mother"),
            number,
            Unmapped::new("related.role", "sister")
        ]
    );
}

#[test]
fn the_one_who_is_named_may_be_a_whole_member() {
    let mut first = member("1", "A", "");
    first["household_member"]["related_person"] = json!({
        "relationship_type": "mother",
        "related_member": { "@type": "Member", "member_identifier": [
            { "identifier_type": "UIN", "identifier_value": "2" }
        ] },
    });
    let settings = json!({ "relationship_type_describes": "related-member" });
    let records = json!([group(json!({}), json!([first, member("2", "B", "")]))]);
    let _stage = registry_set("Social", settings, records);
    let household = find(household_of("national-id", "G1")).unwrap();
    assert_eq!(household.relations, [relation(0, 1, RelationRole::Mother)]);
    let mother = &household.people[0].related[0];
    assert_eq!(mother.identifiers, [Identifier::new("national-id", "2")]);
}

#[test]
fn a_household_is_found_by_a_member_and_never_for_a_stranger() {
    let members = json!([member("1", "A", ""), member("2", "B", "")]);
    let _stage = registry("Social", json!([group(json!({}), members)]));
    assert!(find(household_of("national-id", "2")).is_ok());
    assert_eq!(
        summary(household_of("national-id", "3")),
        "unreadable: answer.mismatch"
    );
}

#[test]
fn other_answers_are_failures() {
    let _stage = registry("Social", json!([]));
    assert_eq!(
        find(household_of("national-id", "1")),
        Err(Failure::NotFound)
    );
    let _stage = registry(
        "Social",
        json!([group(json!({}), json!([])), group(json!({}), json!([]))]),
    );
    assert_eq!(
        summary(household_of("national-id", "G1")),
        "ambiguous: answer.several (identifiers)"
    );
    let _stage = registry("Social", json!([record("1", "A", "F")]));
    assert_eq!(
        summary(household_of("national-id", "1")),
        "unreadable: answer.record_type"
    );
}

/// A civil registry with a child, its mother, and what is given for the father.
fn civil(father: fn(&Request) -> Value) -> adapter_sdk::testing::Stage {
    stage("Civil").on_post(common::PATH, move |request| {
        let asked = request.json();
        let query = &asked["message"]["search_request"][0]["search_criteria"]["query"]["value"];
        let mut child = record("1", "Asha", "F");
        child["parent1_identifier"] = json!({ "identifier_type": "UIN", "identifier_value": "2" });
        child["parent2_identifier"] =
            json!([{ "identifier_type": "UIN", "identifier_value": "3" }]);
        match query.as_str() {
            Some("1") => answer(request, "succ", json!([child])),
            Some("2") => answer(request, "succ", json!([record("2", "Mira", "F")])),
            _ => father(request),
        }
    })
}

#[test]
fn a_civil_family_is_a_kinship_without_a_head() {
    let stage = civil(|request| answer(request, "succ", json!([record("3", "Hari", "M")])));
    let family = find(household_of("national-id", "1")).unwrap();
    assert_eq!((family.kind, family.head), (HouseholdKind::Kinship, None));
    assert_eq!(family.people.len(), 3);
    assert_eq!(family.members, [0, 1, 2]);
    assert_eq!(
        family.relations,
        [
            relation(0, 1, RelationRole::Mother),
            relation(0, 2, RelationRole::Father)
        ]
    );
    assert_eq!(stage.requests().len(), 3);
}

#[test]
fn a_parent_without_a_record_is_known_by_number() {
    let _stage = civil(|request| answer(request, "succ", json!([])));
    let family = find(household_of("national-id", "1")).unwrap();
    assert_eq!(
        family.people[2].identifiers,
        [Identifier::new("national-id", "3")]
    );
    assert_eq!(family.people[2].status, None);
    assert_eq!(family.relations[1].role, RelationRole::Parent);
}

#[test]
fn half_a_family_is_none() {
    let _stage = civil(|request| answer(request, "pdng", json!([])));
    assert_eq!(
        summary(household_of("national-id", "1")),
        "unavailable: pdng"
    );
    let _stage = civil(|request| answer(request, "succ", json!([record("4", "Other", "M")])));
    assert_eq!(
        summary(household_of("national-id", "1")),
        "unreadable: answer.mismatch"
    );
}

#[test]
fn parents_are_looked_up_once_and_never_oneself() {
    let own = json!({ "identifier_type": "UIN", "identifier_value": "1" });
    let mut child = record("1", "Asha", "F");
    child["parent1_identifier"] = own.clone();
    child["parent2_identifier"] = own;
    let stage = registry("Civil", json!([child]));
    let family = find(household_of("national-id", "1")).unwrap();
    assert_eq!((family.people.len(), family.relations.len()), (1, 0));
    assert_eq!(stage.requests().len(), 1);
}
