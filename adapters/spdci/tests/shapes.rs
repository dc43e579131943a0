//! Values of a shape that nobody foresaw, and values for which the contract has a key.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use adapter_sdk::model::{AddressUse, Extra, Person, Sex, Unmapped};
use adapter_spdci::mapping;
use adapter_spdci::settings::Settings;
use adapter_spdci::wire::record::Record;
use serde_json::{Value, json};

fn person(record: Value) -> Person {
    let settings = json!({ "registry_type": "Civil", "sender_id": "a" });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    mapping::person(&Record::new(&record).unwrap(), &settings)
}

#[test]
fn values_of_another_shape_are_reported() {
    for (record, field, value) in [
        (json!({ "sex": { "code": "F" } }), "sex", "{\"code\":\"F\"}"),
        (json!({ "sex": ["F", "M"] }), "sex", "[\"F\",\"M\"]"),
        (
            json!({ "birth_date": { "year": 1990 } }),
            "birth-date",
            "{\"year\":1990}",
        ),
        (
            json!({ "death_date": { "year": 1990 } }),
            "death-date",
            "{\"year\":1990}",
        ),
        (
            json!({ "is_deceased": { "x": true } }),
            "status",
            "{\"x\":true}",
        ),
        (
            json!({ "marital_status": { "x": "M" } }),
            "marital-status",
            "{\"x\":\"M\"}",
        ),
        (
            json!({ "phone_number": { "number": 5 } }),
            "contacts",
            "{\"number\":5}",
        ),
        (
            json!({ "email": [{ "value": "a" }] }),
            "contacts",
            "{\"value\":\"a\"}",
        ),
        (
            json!({ "name": { "surname": { "x": "Rai" } } }),
            "names",
            "{\"x\":\"Rai\"}",
        ),
        (
            json!({ "related_person": "my mother" }),
            "related",
            "my mother",
        ),
        (
            json!({ "related_person": { "relationship_type": "mother" } }),
            "related",
            "{\"relationship_type\":\"mother\"}",
        ),
        (json!({ "parent1_identifier": "77" }), "related", "77"),
        (json!({ "address": [["a"]] }), "addresses", "[\"a\"]"),
    ] {
        let person = person(record.clone());
        assert_eq!(person.unmapped, [Unmapped::new(field, value)], "{record}");
        assert_eq!(person.status, None, "{record}");
    }
    // Of an address what is left goes to its `extra`, so does this.
    let person = person(json!({ "address": { "region_code": { "code": "P1" } } }));
    assert_eq!(
        person.addresses[0].extra,
        [Extra::new("x-spdci-region-code", &json!({ "code": "P1" }))]
    );
}

#[test]
fn one_of_a_list_is_the_one_and_names_may_be_several() {
    let person = person(json!({ "sex": ["F"], "name": { "given_name": ["Mira", "Devi"] } }));
    assert_eq!(person.sex, Some(Sex::Female));
    assert_eq!(person.names[0].given, ["Mira", "Devi"]);
    assert_eq!(person.unmapped, []);
}

#[test]
fn what_the_contract_has_a_key_for_is_under_it() {
    for (record, key, value) in [
        (json!({ "nationality": ["NP"] }), "nationality", json!("NP")),
        (
            json!({ "nationality": ["NP", "IN"] }),
            "x-spdci-nationality",
            json!(["NP", "IN"]),
        ),
        (
            json!({ "education_level": 3 }),
            "education-level",
            json!("3"),
        ),
        (
            json!({ "employment_status": "employed" }),
            "employment-status",
            json!("employed"),
        ),
        (json!({ "is_disabled": "no" }), "is-disabled", json!(false)),
        // Which of the two a number means, differs.
        (
            json!({ "is_disabled": "2" }),
            "x-spdci-is-disabled",
            json!("2"),
        ),
        (
            json!({ "divorce_date": "2019/09/21" }),
            "divorce-date",
            json!("2019-09-21"),
        ),
        (
            json!({ "divorce_date": "once" }),
            "x-spdci-divorce-date",
            json!("once"),
        ),
        (
            json!({ "poverty_score": 45.2 }),
            "poverty-score",
            json!("45.2"),
        ),
        (
            json!({ "poverty_score_type": "pmt" }),
            "poverty-score-type",
            json!("pmt"),
        ),
        (
            json!({ "registration_date": "2022-01-10T08:00:00Z" }),
            "registration-date",
            json!("2022-01-10T08:00:00Z"),
        ),
        (
            json!({ "last_update": "2022-01-10T08:00:00" }),
            "last-updated",
            json!("2022-01-10"),
        ),
        (
            json!({ "language_code": "ne" }),
            "communication-languages",
            json!(["ne"]),
        ),
        (
            json!({ "language_code": "Eng" }),
            "x-spdci-language-code",
            json!("Eng"),
        ),
        (
            json!({ "household_status": 1 }),
            "household-status",
            json!("1"),
        ),
        (
            json!({ "disability_info": [{ "disability_type": "1", "functional_severity": "2" }] }),
            "disability-info",
            json!([{ "type": "1", "severity": "2" }]),
        ),
        (
            json!({ "disability_info": [{ "disability_type": "1", "since": "2020" }] }),
            "x-spdci-disability-info",
            json!([{ "disability_type": "1", "since": "2020" }]),
        ),
        // A group's.
        (json!({ "group_size": 4 }), "x-spdci-group-size", json!(4)),
    ] {
        assert_eq!(
            person(record.clone()).extra,
            [Extra::new(key, &value)],
            "{record}"
        );
    }
}

#[test]
fn where_somebody_died_is_an_address() {
    let person = person(json!({ "death_place": { "name": "Ilam" } }));
    let used = AddressUse::Other("death".to_owned());
    assert_eq!(person.addresses[0].use_, Some(used));
    assert_eq!(person.extra, []);
}
