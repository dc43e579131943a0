use serde_json::{Value, json};

use super::*;
use crate::criteria::Register;

fn read(criteria: Value) -> Result<Criteria, String> {
    let criteria = criteria.as_object().cloned().expect("an object");
    Criteria::read(&criteria, Register::Social).map_err(|reject| reject.code)
}

fn by_uin(uin: &str, record_type: &str) -> Criteria {
    let query = json!({"type": "UIN", "value": uin});
    read(json!({"query_type": "idtype-value", "query": query, "reg_record_type": record_type}))
        .expect("in order")
}

fn expression(query: Value, rest: Value) -> Criteria {
    let query =
        json!({"type": "ns:org:QueryType:NoSql", "value": {"expression": {"query": query}}});
    let mut criteria = json!({"query_type": "expression", "query": query});
    let whole = criteria.as_object_mut().expect("an object");
    whole.extend(rest.as_object().cloned().expect("an object"));
    read(criteria).expect("in order")
}

#[test]
fn a_member_s_number_leads_to_the_household() {
    let people = Population::new(3, 1_000_000);
    let person = people.person(777_777);
    let group = by_uin(&person.uin, "spdci:Group")
        .find(&people, 10)
        .expect("found");
    assert_eq!((group.page, group.total), (vec![person.household], 1));
    let alone = by_uin(&person.uin, "Person")
        .find(&people, 10)
        .expect("found");
    assert_eq!(alone.page, [777_777]);
}

#[test]
fn a_number_that_is_nobody_s_finds_nobody() {
    let found = by_uin("1234567890", "Person").find(&Population::new(3, 100), 10);
    assert_eq!(
        found,
        Ok(Found {
            page: vec![],
            total: 0,
            under_uin: None
        })
    );
}

#[test]
fn pages_follow_each_other_in_the_order_asked_for() {
    let people = Population::new(3, 300);
    let page = |number: usize| {
        let sort = json!([{"attribute_name": "age", "sort_order": "desc"}]);
        let pagination = json!({"page_size": 40, "page_number": number});
        expression(
            json!({"sex": "female"}),
            json!({"sort": sort, "pagination": pagination}),
        )
        .find(&people, 300)
        .expect("found")
    };
    let first = page(1);
    let mut all: Vec<u64> = Vec::new();
    for number in 1..=first.total.div_ceil(40) {
        all.extend(page(number).page);
    }
    assert_eq!(all.len(), first.total);
    assert!(all.is_sorted_by_key(|index| -people.person(*index).age()));
    assert!(page(99).page.is_empty());
}

#[test]
fn groups_are_found_once_by_what_any_member_meets() {
    let people = Population::new(3, 300);
    let found = expression(
        json!({"group_size": {"$gte": 6}}),
        json!({"response_entity": "Group"}),
    );
    let found = found.find(&people, 300).expect("found");
    assert!(found.total > 3);
    assert!(found.page.is_sorted_by(|one, two| one < two));
}

#[test]
fn a_person_registered_twice_is_found_twice() {
    let people = Population::new(3, 20);
    let person = people.person(0);
    let query = json!({"surname": person.name.surname, "birth_date": person.birth.to_string(),
        "given_name": person.name.given});
    assert_eq!(
        expression(query, json!({}))
            .find(&people, 10)
            .map(|found| found.page),
        Ok(vec![0, 19])
    );
}

#[test]
fn too_many_are_rejected() {
    let found = expression(json!({"sex": "male"}), json!({})).find(&Population::new(3, 300), 10);
    assert_eq!(
        found.map_err(|reject| reject.code),
        Err("rjct.search.too_many_records_found".into())
    );
}

#[test]
fn criteria_out_of_order_have_their_code() {
    let query = json!({"type": "UIN", "value": "1"});
    let search = |name: &str, value: Value| {
        let mut criteria = json!({"query_type": "idtype-value", "query": query});
        criteria[name] = value;
        read(criteria)
            .map(|_| "accepted".to_owned())
            .unwrap_or_else(|code| code)
    };
    let (bad, page) = ("rjct.search_criteria.invalid", "rjct.pagination.invalid");
    for (name, value, code) in [
        ("version", json!("1.0.0"), "accepted"),
        ("version", json!("3"), bad),
        ("query_type", json!("graphql"), bad),
        ("query_type", json!("predicate"), bad),
        ("query", json!({"type": "PASSPORT", "value": "1"}), bad),
        ("query", json!({"type": "UIN"}), bad),
        ("query", json!({"type": "HHID", "value": "1"}), "accepted"),
        ("reg_type", json!("ns:org:RegistryType:IBR"), bad),
        ("reg_type", json!("ns:org:RegistryType:Civil"), "accepted"),
        ("reg_record_type", json!("Farmer"), bad),
        ("consent", json!(""), bad),
        (
            "sort",
            json!([{"attribute_name": "shoe_size"}]),
            "rjct.sort.invalid",
        ),
        (
            "sort",
            json!([{"attribute_name": "age", "sort_order": "up"}]),
            "rjct.sort.invalid",
        ),
        ("pagination", json!({}), page),
        ("pagination", json!({"page_size": 0}), page),
        (
            "pagination",
            json!({"page_size": 10, "page_number": 0}),
            page,
        ),
        ("pagination", json!({"page_size": "10"}), page),
    ] {
        assert_eq!(search(name, value.clone()), code, "{name} {value}");
    }
}

#[test]
fn a_civil_register_knows_no_households() {
    let civil = |name: &str, value: &str| {
        let query = json!({"type": "HHID", "value": "1"});
        let mut criteria =
            json!({"query_type": "idtype-value", "query": query, "reg_type": "Civil"});
        criteria[name] = json!(value);
        read(criteria).map(|_| ())
    };
    assert_eq!(civil("version", "1.0.0"), Err("rjct.filter.invalid".into()));
    assert_eq!(
        civil("reg_record_type", "Group"),
        Err("rjct.search_criteria.invalid".into())
    );
}
