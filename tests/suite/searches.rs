//! Searches: whom they find, and that their pages are whole.

use std::collections::BTreeSet;

use gateway_tests::gateway::TestGateway;
use gateway_tests::stand_in::Person;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// The first child of the first household.
const CHILD: u64 = 2;

/// A search for all of a family's name.
fn family(person: &Person) -> Value {
    json!({ "criteria": [{ "field": "name.family", "equals": person.name.surname }] })
}

/// The UINs of a page.
fn uins(page: &Value) -> Vec<String> {
    let candidates = page["candidates"].as_array().expect("candidates");
    let numbers = candidates.iter().map(|candidate| {
        let identifiers = candidate["person"]["identifiers"].as_array().unwrap();
        let uin = identifiers
            .iter()
            .find(|one| one["scheme"] == "national-id");
        uin.expect("a UIN")["value"].as_str().unwrap().to_owned()
    });
    numbers.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_gives_whom_it_was_asked_for() {
    let gateway = TestGateway::start().await;
    let person = gateway.person(CHILD);
    for registry in ["civil", "social"] {
        let page = gateway.lookup(registry, "search", &family(&person));
        let page = page.send().await.ok().json;
        let surname = &person.name.surname;
        let all = gateway.stand_in.population().iter();
        let known: BTreeSet<String> = all
            .filter(|other| other.name.surname.eq_ignore_ascii_case(surname))
            .map(|other| other.uin)
            .collect();
        assert_eq!(page["total"], known.len(), "{registry}");
        let found: BTreeSet<String> = uins(&page).into_iter().collect();
        assert!(!found.is_empty() && found.is_subset(&known), "{registry}");
    }
    let none = json!({ "criteria": [{ "field": "name.family", "equals": "Nobody" }] });
    let none = gateway.lookup("social", "search", &none).send().await;
    assert_json_snapshot!(none.shown(), @r#"
    {
      "body": {
        "candidates": [],
        "source": {
          "module": "[digest]",
          "registry": "social"
        },
        "total": 0
      },
      "status": 200
    }
    "#);
}

/// Every one of them once: none twice where two pages meet, none lost between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_pages_through_all() {
    let gateway = TestGateway::start().await;
    for registry in ["civil", "social"] {
        let mut body = json!({
            "criteria": [{ "field": "birth-date", "range": { "from": "1950-01-01" } }],
            "sort": [{ "field": "birth-date", "descending": true }],
            "fields": ["identifiers", "birthDate"],
            "pageSize": 7,
        });
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = gateway.lookup(registry, "search", &body);
            let page = page.send().await.ok().json;
            let people = uins(&page);
            assert!(people.len() <= 7);
            seen.extend(people);
            pages += 1;
            match page.get("next") {
                Some(next) => body["page"] = next.clone(),
                None => break,
            }
        }
        let all = gateway.stand_in.population().iter();
        let known = all.filter(|person| *person.birth.to_string() >= *"1950-01-01");
        let known: BTreeSet<String> = known.map(|person| person.uin).collect();
        assert_eq!(pages, known.len().div_ceil(7), "{registry}");
        assert_eq!(seen.len(), known.len(), "{registry}");
        assert_eq!(BTreeSet::from_iter(seen), known, "{registry}");
    }
}
