//! Search: criteria in the registry's words, pages, and verification after a find.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{
    Agreement, Criterion, HumanName, Identifier, Page, Person, SearchQuery, Sex, SortKey, Test,
    ValueRange, VerifyQuery,
};
use adapter_sdk::{Failure, Search, Verify, testing};
use adapter_spdci::Spdci;
use common::{answer, record, registry, stage};
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
        sort: vec![],
        page_size: 2,
        page: None,
    }
}

fn search(query: SearchQuery) -> Result<Page, Failure> {
    Spdci::search(query).map(|answer| answer.done().unwrap())
}

/// The `search_criteria` that a query becomes.
fn asked(settings: Value, query: SearchQuery) -> Result<Value, Failure> {
    let mut all = json!({ "registry_type": "Civil", "sender_id": "openimis" });
    all.as_object_mut()
        .unwrap()
        .extend(settings.as_object().unwrap().clone());
    let stage = testing::stage()
        .settings(all)
        .endpoint("registry")
        .on_post(common::PATH, |request| answer(request, "succ", json!([])));
    search(query)?;
    Ok(stage.requests()[0].json()["message"]["search_request"][0]["search_criteria"].clone())
}

fn two(from: &str, to: &str) -> Test {
    Test::Range(ValueRange {
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
    })
}

#[test]
fn criteria_become_predicates() {
    let criteria = vec![
        equals("name.family", "Rai"),
        criterion("birth-date", two("1990-01-01", "1999-12-31")),
        criterion(
            "sex",
            Test::AnyOf(vec!["female".to_owned(), "other".to_owned()]),
        ),
        criterion(
            "x-spdci-poverty_score",
            Test::Other(("lt".to_owned(), "5".to_owned())),
        ),
        equals("identifier.birth-registration-number", "77"),
    ];
    let asked = asked(json!({}), query(criteria)).unwrap();
    let expression = |name, operator, value| json!({ "attribute_name": name, "operator": operator, "attribute_value": value });
    assert_eq!(asked["query_type"], "predicate");
    assert_eq!(
        asked["query"],
        json!([
            { "seq_num": 1, "expression1": expression("surname", "eq", "Rai"), "condition": "and",
              "expression2": expression("birth_date", "ge", "1990-01-01") },
            { "seq_num": 2, "expression1": expression("birth_date", "le", "1999-12-31"),
              "condition": "and", "expression2": expression("poverty_score", "lt", "5") },
            { "seq_num": 3, "expression1": expression("BRN", "eq", "77") },
            { "seq_num": 4, "expression1": expression("sex", "eq", "female"), "condition": "or",
              "expression2": expression("sex", "eq", "other") },
        ])
    );
}

#[test]
fn criteria_become_an_expression() {
    let any = Test::AnyOf(vec!["S".to_owned(), "W".to_owned(), "D".to_owned()]);
    let from = ValueRange {
        from: Some("1990".to_owned()),
        to: None,
    };
    let criteria = vec![
        equals("name.family", "Rai"),
        criterion("marital-status", any),
        criterion("birth-date", Test::Range(from)),
        criterion(
            "x-spdci-poverty_score",
            Test::Other(("lt".to_owned(), "5".to_owned())),
        ),
    ];
    let settings = json!({ "search_query": "expression", "attributes": {
        "name.family": "name.surname", "marital-status": "marital_status", "birth-date": "birthdate",
    } });
    let asked = asked(settings, query(criteria)).unwrap();
    assert_eq!(asked["query_type"], "expression");
    assert_eq!(asked["query"]["type"], "ns:org:QueryType:NoSql");
    assert_eq!(
        asked["query"]["value"]["expression"]["query"]["$and"],
        json!([
            { "name.surname": { "$eq": "Rai" } },
            { "marital_status": { "$in": ["S", "W", "D"] } },
            { "birthdate": { "$gte": "1990" } },
            { "poverty_score": { "$lt": 5 } },
        ])
    );
}

#[test]
fn what_the_registry_cannot_test_is_named() {
    let text = |text: &str| text.to_owned();
    let many = Test::AnyOf(vec![text("a"), text("b"), text("c")]);
    let open = Test::Range(ValueRange {
        from: None,
        to: None,
    });
    for (criteria, expected) in [
        (vec![], "rejected: criteria.empty (criteria)"),
        (
            vec![equals("name.text", "Rai")],
            "unsupported: criteria.field (name.text)",
        ),
        (
            vec![equals("identifier.passport", "1")],
            "unsupported: criteria.field (identifier.passport)",
        ),
        (vec![equals("sex", " ")], "rejected: criteria.value (sex)"),
        (
            vec![criterion("sex", Test::Fuzzy(text("f")))],
            "unsupported: criteria.test (sex)",
        ),
        (
            vec![criterion("sex", Test::StartsWith(text("f")))],
            "unsupported: criteria.test (sex)",
        ),
        (
            vec![criterion("sex", many)],
            "unsupported: criteria.test (sex)",
        ),
        (
            vec![criterion("birth-date", open)],
            "rejected: criteria.value (birth-date)",
        ),
        (
            vec![criterion("sex", Test::Other((text("like"), text("1"))))],
            "unsupported: criteria.test (sex)",
        ),
        (
            vec![criterion("sex", Test::Other((text("eq"), text("[1]"))))],
            "rejected: criteria.value (sex)",
        ),
    ] {
        assert_eq!(
            asked(json!({}), query(criteria)).unwrap_err().summary(),
            expected
        );
    }
    let sort = vec![SortKey {
        field: text("height"),
        descending: true,
    }];
    let unsortable = SearchQuery {
        sort,
        ..query(vec![equals("sex", "female")])
    };
    let expected = "unsupported: criteria.field (height)";
    assert_eq!(
        asked(json!({}), unsortable).unwrap_err().summary(),
        expected
    );
}

#[test]
fn order_and_page_size_are_asked_for() {
    let sort = vec![SortKey {
        field: "birth-date".to_owned(),
        descending: true,
    }];
    let query = SearchQuery {
        sort,
        page_size: 1000,
        ..query(vec![equals("sex", "female")])
    };
    let asked = asked(json!({ "max_page_size": 20 }), query).unwrap();
    assert_eq!(
        asked["sort"],
        json!([{ "attribute_name": "birth_date", "sort_order": "desc" }])
    );
    assert_eq!(
        asked["pagination"],
        json!({ "page_size": 20, "page_number": 1 })
    );
}

/// A registry with this many people, which tells its total or not.
fn paged(people: u64, total: Value) -> adapter_sdk::testing::Stage {
    stage("Civil").on_post(common::PATH, move |request| {
        let asked = request.json();
        let page = &asked["message"]["search_request"][0]["search_criteria"]["pagination"];
        let size = page["page_size"].as_u64().unwrap();
        let before = (page["page_number"].as_u64().unwrap() - 1) * size;
        let here = (before..people.min(before + size)).map(|n| record(&n.to_string(), "A", "F"));
        let mut body = answer(request, "succ", here.collect());
        body["message"]["search_response"][0]["pagination"] = json!({ "total_count": total });
        body
    })
}

#[test]
fn pages_follow_until_the_last() {
    for total in [json!(5), json!("5"), json!("")] {
        let stage = paged(5, total.clone());
        let mut query = query(vec![equals("sex", "female")]);
        let mut people = Vec::new();
        loop {
            let page = search(query.clone()).unwrap();
            assert_eq!(page.total, (total != "").then_some(5));
            people.extend(page.candidates);
            let Some(next) = page.next else { break };
            assert_eq!(next.schema, 1);
            query.page = Some(next);
        }
        assert_eq!((people.len(), stage.requests().len()), (5, 3));
        assert_eq!(people[4].person.identifier("national-id"), Some("4"));
    }
}

#[test]
fn a_page_token_that_is_not_ours_is_refused() {
    let stage = paged(5, json!(5));
    for (schema, data) in [
        (2, "[2,2]"),
        (1, "[2"),
        (1, "[0,2]"),
        (1, "[2,99999]"),
        (1, "[-1,2]"),
    ] {
        let page = Some(adapter_sdk::Opaque {
            schema,
            data: data.into(),
        });
        let query = SearchQuery {
            page,
            ..query(vec![equals("sex", "female")])
        };
        let failure = search(query).unwrap_err();
        assert_eq!(
            (failure.kind(), failure.code()),
            ("rejected", Some("state.unreadable"))
        );
    }
    assert_eq!(stage.requests(), []);
}

#[test]
fn nobody_is_an_empty_page_and_a_group_is_no_candidate() {
    let _stage = registry("Social", json!([]));
    assert_eq!(
        search(query(vec![equals("sex", "female")]))
            .unwrap()
            .candidates,
        []
    );
    let _stage = registry(
        "Social",
        json!([{ "member_list": [record("1", "A", "F")] }]),
    );
    let failure = search(query(vec![equals("sex", "female")])).unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.record_type");
}

#[test]
fn claims_are_compared_with_the_record() {
    let _stage = registry("Civil", json!([record("1", "Mira", "female")]));
    let claimed = Person {
        names: vec![HumanName::of("RAI", ["Mirá"])],
        sex: Some(Sex::Male),
        ..Person::default()
    };
    let identifiers = vec![Identifier::new("national-id", "1")];
    let verification = Spdci::verify(VerifyQuery {
        identifiers,
        claimed,
    })
    .unwrap()
    .done()
    .unwrap();
    assert_eq!(verification.overall, Agreement::Mismatch);
    let agreements: Vec<Agreement> = verification
        .attributes
        .iter()
        .map(|attribute| attribute.agreement)
        .collect();
    assert_eq!(
        agreements,
        [Agreement::Match, Agreement::Close, Agreement::Mismatch]
    );
}
