//! What is sent holds to the official request schema (`SearchRequest`, `MsgHeader_V1.0.0`), which
//! the official samples do not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::call::ConsentStatement;
use adapter_sdk::model::{Criterion, SearchQuery, Test};
use adapter_sdk::{Find, FindHousehold, Search, testing};
use adapter_spdci::Spdci;
use common::{answer, by, household_of};
use serde_json::{Value, json};

/// The bodies of a find, a household and a search under these settings.
fn bodies(registry_type: &str, more: Value) -> Vec<Value> {
    let mut settings = json!({ "registry_type": registry_type, "sender_id": "openimis" });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let consent = ConsentStatement {
        reference: "consent-1".to_owned(),
        given_at: Some("2026-01-02T03:04:05+05:45".to_owned()),
        expires_at: None,
    };
    let stage = testing::stage()
        .settings(settings)
        .purpose("enrolment")
        .legal_basis("act-7")
        .consent(consent)
        .endpoint("registry")
        .on_post(common::PATH, |request| answer(request, "succ", json!([])));
    let criteria = [
        ("name.family", "Rai"),
        ("name.given", "Mira"),
        ("sex", "female"),
    ];
    let criteria = criteria.map(|(field, value)| Criterion {
        field: field.to_owned(),
        test: Test::Equals(value.to_owned()),
    });
    let search = SearchQuery {
        criteria: criteria.into(),
        sort: vec![],
        page_size: 10,
        page: None,
    };
    assert!(Spdci::find(by("national-id", "1")).is_err());
    assert!(Spdci::find_household(household_of("national-id", "1")).is_err());
    assert!(Spdci::search(search).is_ok());
    stage
        .requests()
        .iter()
        .map(adapter_sdk::http::Request::json)
        .collect()
}

fn all_bodies() -> Vec<Value> {
    let mut all = Vec::new();
    for registry_type in ["Social", "Civil"] {
        for kind in ["idtype-value", "predicate", "expression"] {
            let search = if kind == "idtype-value" {
                "predicate"
            } else {
                kind
            };
            all.extend(bodies(registry_type, json!({
                "find_query": kind, "search_query": search, "reg_event_type": "birth",
                "sender_uri": "https://openimis.example.org/on-search", "receiver_id": "registry",
            })));
            all.extend(bodies(registry_type, json!({ "find_query": kind })));
        }
    }
    assert_eq!(all.len(), 36);
    all
}

fn no_blank(value: &Value, path: &str) {
    match value {
        Value::Null => panic!("{path} is null"),
        Value::String(text) => assert!(!text.trim().is_empty(), "{path} is blank"),
        Value::Array(values) => values.iter().for_each(|value| no_blank(value, path)),
        Value::Object(object) => {
            object
                .iter()
                .for_each(|(key, value)| no_blank(value, &format!("{path}/{key}")));
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    let zoned = text.ends_with('Z') || text.get(19..).is_some_and(|zone| zone.starts_with('+'));
    assert!(adapter_sdk::dates::parse(text).is_some() && zoned, "{text}");
}

fn assert_uuid(value: &Value) {
    let text = value.as_str().unwrap();
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{text}");
}

#[test]
fn every_request_is_as_the_schema_wants_it() {
    for body in all_bodies() {
        no_blank(&body, "");
        let header = &body["header"];
        assert_uuid(&header["message_id"]);
        assert_time(&header["message_ts"]);
        assert_eq!(header["version"], "1.0.0");
        assert_eq!(header["action"], "search");
        assert_eq!(header["total_count"], 1);
        assert_eq!(header["is_msg_encrypted"], false);
        assert_uuid(&body["message"]["transaction_id"]);

        let requests = body["message"]["search_request"].as_array().unwrap();
        assert_eq!(requests.len(), 1);
        let request = &requests[0];
        assert_uuid(&request["reference_id"]);
        assert_time(&request["timestamp"]);
        assert_eq!(request["locale"], "eng");

        let criteria = &request["search_criteria"];
        match criteria["query_type"].as_str() {
            Some("idtype-value") => {
                assert_eq!(criteria["query"], json!({ "type": "UIN", "value": "1" }));
            }
            Some("expression") => {
                assert!(criteria["query"]["type"].is_string());
                assert!(criteria["query"]["value"]["expression"].is_object());
            }
            Some("predicate") => {
                for entry in criteria["query"].as_array().unwrap() {
                    assert!(entry["seq_num"].is_u64());
                    assert!(entry["expression1"]["attribute_value"].is_string());
                    assert_eq!(
                        entry["condition"].is_string(),
                        entry["expression2"].is_object()
                    );
                }
            }
            other => panic!("{other:?}"),
        }
        for agreement in ["consent", "authorize"] {
            assert_time(&criteria[agreement]["ts"]);
            assert_eq!(criteria[agreement]["purpose"]["text"], "enrolment");
        }
        assert_eq!(criteria["consent"]["purpose"]["code"], "consent-1");
        assert_eq!(criteria["authorize"]["purpose"]["code"], "act-7");
    }
}

#[test]
fn only_a_social_household_asks_for_groups() {
    let asked = |registry_type| {
        let criteria = |body: Value| {
            let criteria = &body["message"]["search_request"][0]["search_criteria"];
            let word = |name: &str| criteria[name].as_str().unwrap_or("-").to_owned();
            (
                word("reg_type"),
                word("reg_record_type"),
                word("response_entity"),
            )
        };
        bodies(registry_type, json!({}))
            .into_iter()
            .map(criteria)
            .collect::<Vec<_>>()
    };
    let three = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    let social = "ns:org:RegistryType:Social";
    let person = three(social, "SRPerson", "-");
    assert_eq!(
        asked("Social"),
        [person.clone(), three(social, "Group", "Group"), person]
    );
    let person = three(
        "ns:org:RegistryType:Civil",
        "spdci-extensions-dci:Person",
        "-",
    );
    assert_eq!(asked("Civil"), [person.clone(), person.clone(), person]);
}

#[test]
fn no_message_has_the_number_of_another() {
    let mut numbers: Vec<String> = Vec::new();
    for body in all_bodies() {
        let request = &body["message"]["search_request"][0];
        let ids = [
            &body["header"]["message_id"],
            &body["message"]["transaction_id"],
        ];
        numbers.extend(
            ids.into_iter()
                .chain([&request["reference_id"]])
                .map(ToString::to_string),
        );
    }
    let before = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), before);
}

#[test]
fn purpose_stays_here_where_the_registry_must_not_see_it() {
    let body = bodies("Civil", json!({ "send_authorize": false })).remove(0);
    let criteria = &body["message"]["search_request"][0]["search_criteria"];
    assert_eq!(criteria.get("authorize"), None);
}

/// The schema asks for no `ts`: a time at which nobody consented would be worse than none.
#[test]
fn a_consent_without_a_date_gets_none() {
    let consent = ConsentStatement {
        reference: "consent-1".to_owned(),
        given_at: None,
        expires_at: None,
    };
    let stage = common::registry("Civil", json!([])).consent(consent);
    assert!(Spdci::find(by("national-id", "1")).is_err());
    let body = stage.requests()[0].json();
    let consent = &body["message"]["search_request"][0]["search_criteria"]["consent"];
    let expected = json!({ "@type": "Consent", "purpose": { "code": "consent-1" } });
    assert_eq!(*consent, expected);
}
