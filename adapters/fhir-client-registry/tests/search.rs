//! People by what is known of them: ITI-78 with its pages, ITI-119 with scores and grades.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::model::{Criterion, Grade, Page, SearchQuery, SortKey, Test, ValueRange};
use adapter_sdk::{Failure, Opaque, Search, testing};
use common::{SEARCH, bundle, done, form, patient, registry, stage, with};
use serde_json::json;

fn query(criteria: &[(&str, Test)]) -> SearchQuery {
    let criterion = |(field, test): &(&str, Test)| Criterion {
        field: (*field).to_owned(),
        test: test.clone(),
    };
    SearchQuery {
        criteria: criteria.iter().map(criterion).collect(),
        sort: Vec::new(),
        page_size: 10,
        page: None,
    }
}

fn search(query: SearchQuery) -> Result<Page, Failure> {
    done(FhirClientRegistry::search(query))
}

fn equals(value: &str) -> Test {
    Test::Equals(value.to_owned())
}

#[test]
fn criteria_become_parameters() {
    let any = |values: [&str; 2]| Test::AnyOf(values.map(str::to_owned).to_vec());
    let range = |from: Option<&str>, to: Option<&str>| {
        Test::Range(ValueRange {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        })
    };
    for (field, test, sent) in [
        ("name.family", equals("Rai"), "family:exact=Rai"),
        (
            "name.family",
            Test::StartsWith("Ra".to_owned()),
            "family=Ra",
        ),
        (
            "name.given",
            any(["Sita", "Gita,Maya"]),
            "given:exact=Sita,Gita\\,Maya",
        ),
        ("birth-date", equals("1985-05"), "birthdate=1985-05"),
        ("birth-date", range(Some("1985"), None), "birthdate=ge1985"),
        ("sex", equals("female"), "gender=female"),
        ("status", equals("deceased"), "deceased=true"),
        ("contact.phone", equals("+977 1"), "telecom=+977 1"),
        (
            "identifier.national-id",
            equals("7"),
            "identifier=https://example.org/nid|7",
        ),
        (
            "related.mother.name.maiden",
            equals("Lama"),
            "mothersMaidenName:exact=Lama",
        ),
        (
            "address.country",
            Test::StartsWith("NP".to_owned()),
            "address-country=NP",
        ),
    ] {
        let stage = registry(json!({ "search_method": "get" }), json!([]))
            .on_get("/Patient", |_| bundle(&json!([])));
        search(query(&[(field, test)])).unwrap();
        let sent_query: Vec<String> = stage.requests()[0]
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(sent_query, [sent, "_count=10"]);
    }
    let both = query(&[("birth-date", range(Some("1985-01-01"), Some("1985-12")))]);
    let stage = registry(json!({}), json!([]));
    search(both).unwrap();
    assert_eq!(
        form(&stage.requests()[0]),
        "birthdate=ge1985-01-01&birthdate=le1985-12&_count=10"
    );
}

#[test]
fn what_fhir_cannot_test_is_refused_before_anything_is_sent() {
    let stage = registry(json!({}), json!([]));
    for (field, test, summary) in [
        (
            "marital-status",
            equals("married"),
            "unsupported: search.field (marital-status)",
        ),
        (
            "name.family",
            Test::Fuzzy("Rai".to_owned()),
            "unsupported: search.test (name.family)",
        ),
        (
            "sex",
            Test::StartsWith("f".to_owned()),
            "unsupported: search.test (sex)",
        ),
        (
            "birth-date",
            equals("20 May"),
            "rejected: search.date (birth-date)",
        ),
        (
            "identifier.passport",
            equals("1"),
            "unsupported: identifier.scheme (identifier.passport)",
        ),
        (
            "status",
            equals("cancelled"),
            "unsupported: search.test (status)",
        ),
    ] {
        assert_eq!(
            search(query(&[(field, test)])).unwrap_err().summary(),
            summary
        );
    }
    let mut sorted = query(&[("sex", equals("female"))]);
    sorted.sort = vec![SortKey {
        field: "photo".to_owned(),
        descending: false,
    }];
    assert_eq!(
        search(sorted).unwrap_err().summary(),
        "unsupported: search.sort (sort)"
    );
    let none = search(query(&[])).unwrap_err();
    assert_eq!(none.summary(), "rejected: search.criteria (criteria)");
    assert_eq!(stage.requests().len(), 0);
}

#[test]
fn pages_go_on_below_the_granted_base_alone() {
    let linked = |next: &str| {
        let page = bundle(&json!([patient("p1", "1")]));
        let link = json!([
            { "relation": "self", "url": "https://cr.example.org/fhir/Patient?family:exact=Rai" },
            { "relation": "next", "url": next },
        ]);
        with(page, json!({ "link": link, "total": 21 }))
    };
    let first = linked("https://cr.example.org/fhir/Patient?family=Rai&_page=2");
    let stage_one = stage(json!({})).on_post(SEARCH, move |_| first.clone());
    let mut asked = query(&[("name.family", equals("Rai"))]);
    let page = search(asked.clone()).unwrap();
    assert_eq!((page.candidates.len(), page.total), (1, Some(21)));
    drop(stage_one);

    // What was the server's address is only a query by now.
    asked.page = page.next;
    let stage_two = registry(json!({}), json!([patient("p2", "2")]));
    let page = search(asked.clone()).unwrap();
    assert_eq!((page.candidates.len(), page.next), (1, None));
    assert_eq!(form(&stage_two.requests()[0]), "family=Rai&_page=2");
    drop(stage_two);

    let elsewhere = linked("https://evil.example.org/fhir/Patient?_page=2");
    let _stage = stage(json!({})).on_post(SEARCH, move |_| elsewhere.clone());
    let failure = search(query(&[("name.family", equals("Rai"))])).unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.next-page");

    asked.page = Some(Opaque {
        schema: 1,
        data: br#"{"path":"/Observation","query":[]}"#.to_vec(),
    });
    let forged = search(asked).unwrap_err();
    assert_eq!(forged.summary(), "rejected: state.unreadable (page)");
}

#[test]
fn match_answers_scores_and_grades() {
    let entry = |id: &str, score: f64, code: &str| {
        json!({ "resource": patient(id, id), "search": { "mode": "match", "score": score,
            "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/match-grade",
                            "valueCode": code }] } })
    };
    let answer = json!({ "resourceType": "Bundle", "type": "searchset", "total": 3, "entry": [
        entry("1", 0.9, "probable"), entry("2", 0.5, "possible"), entry("3", 0.1, "certainly-not"),
        { "search": { "mode": "outcome" }, "resource": { "resourceType": "OperationOutcome",
          "issue": [{ "severity": "warning", "code": "incomplete" }] } },
    ] });
    let stage = stage(json!({ "search": "match" }))
        .more(json!({ "only-certain-matches": true }))
        .on_post("/Patient/$match", move |_| answer.clone());
    let page = search(query(&[
        ("name.family", equals("Rai")),
        ("name.given", Test::Fuzzy("Sita".to_owned())),
        ("birth-date", equals("1985-05-20")),
        ("identifier.national-id", equals("7")),
    ]))
    .unwrap();
    let told: Vec<_> = page
        .candidates
        .iter()
        .map(|it| (it.score, it.grade))
        .collect();
    let expected = [
        (Some(0.9), Some(Grade::Probable)),
        (Some(0.5), Some(Grade::Possible)),
    ];
    assert_eq!(told, expected);
    assert_eq!(page.extra[0].key, "x-fhir-client-registry-warnings");
    assert_eq!(page.extra[0].value, "[\"incomplete\"]");
    assert_eq!(
        stage.requests()[0].json(),
        json!({ "resourceType": "Parameters", "parameter": [
            { "name": "resource", "resource": { "resourceType": "Patient",
                "name": [{ "family": "Rai", "given": ["Sita"] }], "birthDate": "1985-05-20",
                "identifier": [{ "system": "https://example.org/nid", "value": "7" }] } },
            { "name": "onlyCertainMatches", "valueBoolean": true },
            { "name": "count", "valueInteger": 10 },
        ] })
    );
}

#[test]
fn a_server_without_match_is_a_setting_to_mend() {
    let _stage = stage(json!({ "search": "match" }))
        .on_post("/Patient/$match", |_| testing::status(404, &[]));
    let failure = search(query(&[("name.family", equals("Rai"))])).unwrap_err();
    assert_eq!(
        failure.summary(),
        "misconfigured: http.404 (settings.search)"
    );
    let range = Test::StartsWith("Ra".to_owned());
    let failure = search(query(&[("name.family", range)])).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: search.test (name.family)");
}

/// The answer to a search that says which parameters were used.
fn that_used(parameters: &str) -> serde_json::Value {
    let mut answer = bundle(&json!([patient("p1", "1")]));
    let url = format!("https://cr.example.org/fhir/Patient{parameters}");
    answer["link"] = json!([{ "relation": "self", "url": url }]);
    answer
}

#[test]
fn a_search_is_strict_and_an_ignored_parameter_is_no_answer() {
    let asked = [
        ("name.family", equals("Rai")),
        ("related.mother.name.maiden", equals("Lama")),
    ];
    let with_both = "?family%3Aexact=Rai&mothersMaidenName:exact=Lama&_count=10";
    for (told, is_answer) in [
        ("", true),
        (with_both, true),
        ("?family:exact=Rai&_count=10", false),
        ("?family=Rai&mothersMaidenName:exact=Lama", false),
    ] {
        let answer = that_used(told);
        let stage = stage(json!({})).on_post(SEARCH, move |_| answer.clone());
        let page = search(query(&asked));
        let strict = stage.requests()[0].header("prefer").map(str::to_owned);
        assert_eq!(strict.as_deref(), Some("handling=strict"));
        match is_answer {
            true => assert_eq!(page.unwrap().candidates.len(), 1, "{told}"),
            false => assert_eq!(
                page.unwrap_err().summary(),
                "unsupported: search.ignored (criteria)"
            ),
        }
    }
}
