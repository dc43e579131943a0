//! Families as their records have them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::model::{Household, HouseholdKind, RelationRole};
use adapter_sdk::{Failure, FindHousehold};
use common::*;
use serde_json::{Value, json};

fn family(scheme: &str, value: &str) -> Result<Household, Failure> {
    OpenCrvs::find_household(household_of(scheme, value)).map(|answer| answer.done().unwrap())
}

/// Each relation by the family's given names.
fn relations(household: &Household) -> Vec<(String, RelationRole, String)> {
    let name = |at: u32| household.people[at as usize].names[0].given[0].clone();
    let of =
        |it: &adapter_sdk::model::Relation| (name(it.subject), it.role.clone(), name(it.object));
    household.relations.iter().map(of).collect()
}

fn relation(subject: &str, role: RelationRole, object: &str) -> (String, RelationRole, String) {
    (subject.to_owned(), role, object.to_owned())
}

/// A child of Ada, and of Ben where he is named.
fn child(given: &str, father: bool) -> Value {
    let mut declaration = json!({
        "child.name": { "firstname": given, "surname": "Okoro" }, "child.dob": "2024-02-29",
        "child.birthType": "TWIN",
        "mother.name": { "firstname": "Ada", "surname": "Okoro" }, "mother.nid": "5550001111",
        "father.detailsNotAvailable": !father,
    });
    if father {
        declaration["father.name"] = json!({ "firstname": "Ben", "surname": "Okoro" });
        declaration["father.nid"] = json!("5550002222");
    } else {
        declaration["father.reason"] = json!("not known");
    }
    declaration
}

#[test]
fn a_child_and_both_parents() {
    let stage = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([index(ONE, "birth", "B1", child("Mina", true))]))
    });
    let household = family("birth-registration-number", "B1").unwrap();
    assert_eq!(
        (household.kind.clone(), household.head),
        (HouseholdKind::Kinship, None)
    );
    assert_eq!(household.members, [0, 1, 2]);
    assert_eq!(
        relations(&household),
        [
            relation("Mina", RelationRole::Mother, "Ada"),
            relation("Mina", RelationRole::Father, "Ben"),
        ]
    );
    assert!(household.identifiers.is_empty() && household.addresses.is_empty());
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn a_child_without_a_father_has_none() {
    let _stage = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([index(ONE, "birth", "B1", child("Mina", false))]))
    });
    let household = family("birth-registration-number", "B1").unwrap();
    assert_eq!(household.people.len(), 2);
    assert_eq!(
        relations(&household),
        [relation("Mina", RelationRole::Mother, "Ada")]
    );
}

#[test]
fn twins_are_found_by_their_mother_and_are_two() {
    let stage = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([
            index(ONE, "birth", "B1", child("Mina", true)),
            index(TWO, "birth", "B2", child("Musa", true)),
        ]))
    });
    let household = family("national-id", "5550001111").unwrap();
    // Their parents carry their numbers in both records, and are there once.
    assert_eq!(household.people.len(), 4);
    assert_eq!(household.members, [0, 1, 2, 3]);
    assert_eq!(
        relations(&household),
        [
            relation("Mina", RelationRole::Mother, "Ada"),
            relation("Mina", RelationRole::Father, "Ben"),
            relation("Musa", RelationRole::Mother, "Ada"),
            relation("Musa", RelationRole::Father, "Ben"),
        ]
    );
    for twin in [0, 3] {
        let extra = &household.people[twin].extra;
        let multiple = extra.iter().find(|it| it.key == "multiple-birth").unwrap();
        assert_eq!(multiple.value, "true");
    }
    let clauses = stage.requests()[0].json()["query"]["clauses"].clone();
    let fields: Vec<String> = clauses
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            it["data"]
                .as_object()
                .unwrap()
                .keys()
                .next()
                .unwrap()
                .clone()
        })
        .collect();
    assert_eq!(
        fields,
        ["mother.nid", "father.nid", "deceased.nid", "spouse.nid"]
    );
}

#[test]
fn a_family_with_somebody_who_died() {
    let _stage = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([
            index(ONE, "birth", "B1", child("Mina", true)),
            index(TWO, "death", "D1", death_declaration()),
        ]))
    });
    let household = family("national-id", "5550001111").unwrap();
    assert_eq!(household.people.len(), 3);
    let ada = &household.people[1];
    assert_eq!(ada.identifier("death-registration-number"), Some("D1"));
    assert!(ada.death_date.is_some());
    assert!(relations(&household).contains(&relation("Ada", RelationRole::Spouse, "Ben")));
    // The informant is kin of the deceased, and no member of a family of parents and children.
    assert!(
        household
            .people
            .iter()
            .all(|it| it.names[0].given[0] != "Odo")
    );
}

#[test]
fn nobody_is_their_own_parent() {
    let mut declaration = child("Mina", false);
    declaration["child.nid"] = json!("5550001111");
    let _stage = stage("1.9", with_child_nid()).on_post(SEARCH, move |_| {
        found(json!([index(ONE, "birth", "B1", declaration.clone())]))
    });
    let household = family("national-id", "5550001111").unwrap();
    assert!(household.relations.is_empty());
    assert_eq!(household.people.len(), 1);
}

#[test]
fn graphql_looks_among_everybody_and_passes_marriages_over() {
    let births = vec![birth_registration(ONE, "B1", "1")];
    let marriage = json!({ "__typename": "MarriageRegistration", "id": TWO });
    let stage = graphql("1.8", json!({}), births, vec![marriage]);
    let household = family("national-id", "5550002222").unwrap();
    assert_eq!(household.people.len(), 3);
    let variables = stage.requests()[0].json()["variables"].clone();
    assert_eq!(variables["a"]["nationalId"], "5550002222");
    assert_eq!(variables["a"]["event"], Value::Null);
    // An informant's number finds records that are of others.
    let nobody = family("national-id", "404");
    assert_eq!(nobody, Err(Failure::not_found()));
}

#[test]
fn a_family_of_twenty_five_is_whole_where_so_many_records_are_read() {
    let records: Vec<Value> = (0..23)
        .map(|at| {
            let id = format!("11111111-aaaa-4bbb-8ccc-{at:012}");
            let given = format!("Child{at}");
            index(&id, "birth", &format!("B{at}"), child(&given, true))
        })
        .collect();
    let page = found(json!(records));
    let _stage = stage("1.9", json!({ "max_records": 30 })).on_post(SEARCH, move |_| page.clone());
    let household = family("national-id", "5550001111").unwrap();
    assert_eq!((household.people.len(), household.head), (25, None));
    assert_eq!(household.members, (0..25).collect::<Vec<u32>>());
    // Each child has both parents, who are there once.
    assert_eq!(household.relations.len(), 46);
}
