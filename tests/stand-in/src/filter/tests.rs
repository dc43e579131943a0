use serde_json::json;

use super::*;
use crate::people::{Person, Population};

fn people() -> Population {
    Population::new(1, 400)
}

fn matching(filter: &Filter) -> Vec<Person> {
    let people = people();
    people
        .iter()
        .filter(|person| filter.holds(&Subject::new(&people, person)))
        .collect()
}

#[test]
fn the_mongo_form_compares_combines_and_nests() {
    let filter = Filter::from_mongo(&json!({"$and": [
        {"age": {"$gte": 60, "$lt": "70"}},
        {"$or": [{"demographic_info.sex": "FEMALE"}, {"sex": {"$in": ["other", "unknown"]}}]},
    ]}));
    let found = matching(&filter.expect("in order"));
    assert!(!found.is_empty());
    assert!(found.iter().all(|person| (60..70).contains(&person.age())));
    assert!(found.iter().all(|person| person.sex.code() != "male"));
}

#[test]
fn the_predicate_form_says_the_same() {
    let expression = |name: &str, operator: &str, value: Value| json!({"attribute_name": name, "operator": operator, "attribute_value": value});
    let predicates = [json!({
        "seq_num": 1,
        "expression1": expression("group_size", "ge", json!(6)),
        "condition": "not",
        "expression2": expression("poverty_score", "gt", json!("50")),
    })];
    let found = matching(&Filter::from_predicates(&predicates).expect("in order"));
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|person| people().household(person.household).poverty_score <= 50.0)
    );
}

#[test]
fn a_missing_value_meets_no_test() {
    let filter = Filter::from_mongo(&json!({"given_name": {"$ne": "nobody"}})).expect("in order");
    assert!(
        matching(&filter)
            .iter()
            .all(|person| person.name.given.is_some())
    );
}

#[test]
fn names_are_found_whatever_their_letter_case() {
    let person = people().person(45);
    let filter = Filter::from_mongo(&json!({"surname": person.name.surname.to_uppercase()}));
    assert!(matching(&filter.expect("in order")).contains(&person));
}

#[test]
fn pinned_identifiers_are_seen_through_and() {
    let filter =
        Filter::from_mongo(&json!({"$and": [{"sex": "male"}, {"uin": {"$in": ["1", "2"]}}]}));
    let filter = filter.expect("in order");
    assert_eq!(filter.pinned(), Some((Scheme::Uin, vec!["1", "2"])));
    let either = Filter::from_mongo(&json!({"$or": [{"uin": "1"}, {"sex": "male"}]}));
    assert_eq!(either.expect("in order").pinned(), None);
}

#[test]
fn what_is_not_understood_is_rejected() {
    for wrong in [
        json!([]),
        json!({"colour": "red"}),
        json!({"age": {"$near": 3}}),
        json!({"age": "old"}),
        json!({"$nor": []}),
        json!({"sex": {"$in": "male"}}),
        json!({"sex": {"$eq": ["male"]}}),
    ] {
        let reject = Filter::from_mongo(&wrong).expect_err("not understood");
        assert_eq!(reject.code, "rjct.filter.invalid", "{wrong}");
    }
    let empty = json!({"attribute_name": "UIN", "operator": "eq", "attribute_value": "1"});
    let sample = [json!({"seq_num": "", "expression1": empty, "condition": "", "expression2": ""})];
    assert!(Filter::from_predicates(&sample).is_err());
}
