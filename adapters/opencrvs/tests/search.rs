//! People by what is known of them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::model::{Criterion, Opaque, Page, SearchQuery, SortKey, Test, ValueRange};
use adapter_sdk::{Failure, Search};
use common::*;
use serde_json::{Value, json};

fn criterion(field: &str, test: Test) -> Criterion {
    Criterion {
        field: field.to_owned(),
        test,
    }
}

fn equals(field: &str, value: &str) -> Criterion {
    criterion(field, Test::Equals(value.to_owned()))
}

fn query(criteria: Vec<Criterion>) -> SearchQuery {
    SearchQuery {
        criteria,
        sort: Vec::new(),
        page_size: 5,
        page: None,
    }
}

fn search(query: SearchQuery) -> Result<Page, Failure> {
    OpenCrvs::search(query).map(|answer| answer.done().unwrap())
}

fn given(page: &Page) -> Vec<String> {
    let people = page.candidates.iter();
    people
        .map(|it| it.person.names[0].given[0].clone())
        .collect()
}

#[test]
fn names_and_dates_of_the_events_api() {
    let stage = stage("2", json!({})).on_post(SEARCH, |_| found(json!([])));
    let page = search(query(vec![
        equals("name.family", "Okoro"),
        equals("name.given", "Mina"),
        criterion(
            "birth-date",
            Test::Range(ValueRange {
                from: Some("2024-01-01".to_owned()),
                to: None,
            }),
        ),
        equals("sex", "female"),
    ]));
    assert_eq!(page.unwrap().candidates, []);
    let body = stage.requests()[0].json();
    assert_eq!((&body["limit"], &body["offset"]), (&json!(5), &json!(0)));
    assert_eq!(body["query"]["type"], "or");
    let clauses = body["query"]["clauses"].as_array().unwrap();
    let data = json!({
        "child.name": { "type": "exact", "term": "Okoro Mina" },
        "child.dob": { "type": "range", "gte": "2024-01-01", "lte": "9999-12-31" },
        "child.gender": { "type": "exact", "term": "female" },
    });
    assert_eq!(
        (clauses[0]["eventType"].as_str(), &clauses[0]["data"]),
        (Some("birth"), &data)
    );
    assert_eq!(clauses[1]["data"]["deceased.dob"]["gte"], "2024-01-01");
    // One request: a search does not read each record.
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn who_has_only_one_word_of_the_name_is_left_out() {
    let answer = || {
        let of = |first: &str, family: &str| json!({ "child.name": { "firstname": first, "surname": family } });
        json!({ "total": 9, "results": [
            index(ONE, "birth", "B1", of("Mina", "Okoro")),
            index(TWO, "birth", "B2", of("Okoro", "Mina")),
        ] })
    };
    let stage = stage("1.9", json!({})).on_post(SEARCH, move |_| answer());
    let page = search(SearchQuery {
        page_size: 2,
        ..query(vec![equals("name.family", "ókoro")])
    });
    let page = page.unwrap();
    assert_eq!(given(&page), ["Mina"]);
    // How many more there are is not known; that there are more is.
    assert_eq!(page.total, None);
    let next = page.next.unwrap();
    let second = SearchQuery {
        page: Some(next),
        ..query(vec![equals("name.family", "Okoro")])
    };
    search(second).unwrap();
    let body = stage.requests()[1].json();
    assert_eq!((&body["limit"], &body["offset"]), (&json!(2), &json!(2)));
    let likely = query(vec![criterion(
        "name.text",
        Test::Fuzzy("mina okoro".to_owned()),
    )]);
    let page = search(likely).unwrap();
    assert_eq!((page.candidates.len(), page.total), (2, Some(9)));
}

#[test]
fn parameters_of_graphql() {
    let stage = graphql(
        "1.8",
        json!({}),
        vec![birth_registration(ONE, "B1", "1")],
        vec![death_registration(TWO, "D1", "2")],
    );
    let page = search(query(vec![
        equals("name.family", "Okoro"),
        equals("birth-date", "2024-02-29"),
        equals("related.mother.name.given", "Ada"),
    ]));
    // OpenCRVS's deaths have no such mothers: only the child is who was searched for.
    assert_eq!(given(&page.unwrap()), ["Mina"]);
    let variables = stage.requests()[0].json()["variables"].clone();
    assert_eq!(variables["a"]["childLastName"], "Okoro");
    assert_eq!(variables["a"]["childDoB"], "2024-02-29");
    assert_eq!(variables["a"]["motherFirstNames"], "Ada");
    assert_eq!(variables["b"]["deceasedFamilyName"], "Okoro");
    assert_eq!(variables["count"], 5);
    drop(stage);
    // A date of death is a death's alone.
    let stage = graphql("1.4", json!({}), Vec::new(), Vec::new());
    let range = Test::Range(ValueRange {
        from: None,
        to: Some("2025-12-31".to_owned()),
    });
    search(query(vec![criterion("death-date", range)])).unwrap();
    let variables = stage.requests()[0].json()["variables"].clone();
    assert_eq!(variables["a"]["event"], "death");
    assert_eq!(variables["a"]["dateOfEventStart"], "0001-01-01");
    assert_eq!(variables["a"]["dateOfEventEnd"], "2025-12-31");
    assert_eq!(variables["b"], Value::Null);
}

#[test]
fn what_cannot_be_asked_is_named() {
    for version in ["1.8", "2"] {
        let stage = stage(version, json!({}));
        for (criteria, expected) in [
            (vec![], "rejected: criteria.empty (criteria)"),
            (
                vec![equals("contact.phone", "1")],
                "unsupported: criteria.field (contact.phone)",
            ),
            (
                vec![equals("related.spouse.name.family", "Bay")],
                "unsupported: criteria.field (related.spouse.name.family)",
            ),
            (
                vec![equals("related.mother.birth-date", "1995")],
                "unsupported: criteria.field (related.mother.birth-date)",
            ),
            (
                vec![criterion("name.family", Test::StartsWith("Ok".to_owned()))],
                "unsupported: criteria.test (name.family)",
            ),
            (
                vec![criterion("name.family", Test::AnyOf(vec!["A".to_owned()]))],
                "unsupported: criteria.test (name.family)",
            ),
            (
                vec![equals("name.text", "Mina Okoro")],
                "unsupported: criteria.",
            ),
            (
                vec![equals("name.family", " ")],
                "rejected: criteria.value (name.family)",
            ),
            (vec![equals("sex", "f")], "rejected: criteria.value (sex)"),
            (
                vec![criterion(
                    "birth-date",
                    Test::Range(ValueRange {
                        from: None,
                        to: None,
                    }),
                )],
                "rejected: criteria.value (birth-date)",
            ),
        ] {
            let failure = search(query(criteria)).unwrap_err();
            assert!(
                failure.summary().starts_with(expected),
                "{version} {}",
                failure.summary()
            );
        }
        let sorted = SearchQuery {
            sort: vec![SortKey {
                field: "birth-date".to_owned(),
                descending: false,
            }],
            ..query(vec![equals("name.family", "Okoro")])
        };
        let failure = search(sorted).unwrap_err();
        assert_eq!(failure.summary(), "unsupported: sort (birth-date)");
        assert_eq!(stage.requests().len(), 0);
    }
}

#[test]
fn a_page_is_never_longer_than_is_set() {
    let stage = stage("1.9", json!({ "max_page_size": 3 })).on_post(SEARCH, |_| found(json!([])));
    let long = SearchQuery {
        page_size: 1_000,
        ..query(vec![equals("name.family", "Okoro")])
    };
    search(long).unwrap();
    assert_eq!(stage.requests()[0].json()["limit"], 3);
    for token in [
        Opaque::pack(1, &(0, 4)).unwrap(),
        Opaque::pack(1, &(0, 0)).unwrap(),
        Opaque::pack(9, &(0, 3)).unwrap(),
        Opaque {
            schema: 1,
            data: b"{}".to_vec(),
        },
    ] {
        let forged = SearchQuery {
            page: Some(token),
            ..query(vec![equals("name.family", "Okoro")])
        };
        let failure = search(forged).unwrap_err();
        assert_eq!(failure.code(), Some("state.unreadable"));
    }
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn a_country_whose_names_are_fields_of_their_own() {
    let fields = json!({ "fields": {
        "birth.child.name": [], "birth.child.name.family": "child.surname",
        "birth.child.name.given": "child.forenames",
    } });
    let stage = stage("2", fields).on_post(SEARCH, |_| found(json!([])));
    search(query(vec![
        equals("name.family", "Okoro"),
        equals("name.given", "Mina"),
    ]))
    .unwrap();
    let clauses = stage.requests()[0].json()["query"]["clauses"].clone();
    assert_eq!(
        clauses[0]["data"],
        json!({
            "child.surname": { "type": "exact", "term": "Okoro" },
            "child.forenames": { "type": "exact", "term": "Mina" },
        })
    );
}
