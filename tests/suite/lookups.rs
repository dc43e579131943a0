//! The four lookups, from HTTP to the stand-in and back.

use std::collections::BTreeSet;

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::stand_in::{Fault, Person};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// The first child of the first household: it has parents to tell.
const CHILD: u64 = 2;

/// What the social registry is asked to be found by.
fn family(person: &Person) -> Value {
    json!({ "criteria": [{ "field": "name.family", "equals": person.name.surname }] })
}

/// The UINs of a page.
fn uins(page: &Value) -> Vec<String> {
    let candidates = page["candidates"].as_array().expect("candidates");
    let numbers = candidates.iter().map(|candidate| {
        let identifiers = candidate["person"]["identifiers"].as_array().unwrap();
        let uin = identifiers.iter().find(|one| one["scheme"] == "national-id");
        uin.expect("a UIN")["value"].as_str().unwrap().to_owned()
    });
    numbers.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find() {
    let gateway = TestGateway::start().await;
    let child = gateway.person(CHILD);
    let civil = gateway.find("civil", &child.uin).send().await;
    assert_json_snapshot!(civil.shown(), @"");
    let social = gateway.find("social", &child.uin).send().await;
    assert_json_snapshot!(social.shown(), @"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn household() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "identifiers": identifiers(&gateway.person(CHILD).uin),
        "fields": ["identifiers", "names", "birthDate"],
    });
    let civil = gateway.lookup("civil", "household", &body).send().await;
    assert_json_snapshot!(civil.shown(), @"");
    let social = gateway.lookup("social", "household", &body).send().await;
    assert_json_snapshot!(social.shown(), @"");
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
    assert_json_snapshot!(none.shown(), @"");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify() {
    let gateway = TestGateway::start().await;
    let child = gateway.person(CHILD);
    let claim = |claimed: Value| {
        let body = json!({ "identifiers": identifiers(&child.uin), "claimed": claimed });
        gateway.lookup("civil", "verify", &body).send()
    };
    let name = json!([{ "family": child.name.surname, "given": [child.name.given] }]);
    let truth = json!({ "names": name, "birthDate": child.birth.to_string() });
    assert_json_snapshot!(claim(truth).await.shown(), @"");
    let lie = json!({ "names": name, "birthDate": "1900-01-01", "deathDate": "2020-02-02" });
    let lie = claim(lie).await;
    // It tells that the date is another, not which.
    assert!(!lie.text.contains(&child.birth.to_string()), "{}", lie.text);
    assert_json_snapshot!(lie.shown(), @"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_and_more_than_one() {
    let gateway = TestGateway::start().await;
    let nobody = gateway.find("civil", "1000000000").send().await;
    assert_json_snapshot!(nobody.shown(), @"");
    let twice = Fault::uin("two-answers").unwrap();
    assert_eq!(twice, "9900000020");
    let twice = gateway.find("civil", &twice).send().await;
    assert_json_snapshot!(twice.shown(), @"");
}

/// A caller who asks for less gets less; what the policy hides is not told to anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_fields_that_are_wanted_leave() {
    let gateway = TestGateway::start().await;
    let mut body = json!({ "identifiers": identifiers(&gateway.person(CHILD).uin) });
    let whole = gateway.lookup("social", "find", &body).send().await.ok();
    let person = whole.json["person"].as_object().unwrap();
    assert!(person.len() > 2, "{person:?}");
    assert!(!person.contains_key("extra"));
    body["fields"] = json!(["birthDate", "sex"]);
    let part = gateway.lookup("social", "find", &body).send().await.ok();
    let person = part.json["person"].as_object().unwrap();
    let names: Vec<&str> = person.keys().map(String::as_str).collect();
    assert_eq!(names, ["birthDate", "sex"]);
}
