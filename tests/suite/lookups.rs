//! The four lookups, from HTTP to the stand-in and back.

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::stand_in::Fault;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// The first child of the first household: it has parents to tell.
const CHILD: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find() {
    let gateway = TestGateway::start().await;
    let child = gateway.person(CHILD);
    let civil = gateway.find("civil", &child.uin).send().await;
    assert_json_snapshot!(civil.shown(), @"");
    let body = json!({
        "identifiers": [{ "scheme": "birth-registration-number", "value": child.brn }],
        "fields": ["identifiers", "names", "birthDate", "maritalStatus"],
    });
    let social = gateway.lookup("social", "find", &body).send().await;
    assert_json_snapshot!(social.shown(), @"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn household() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "identifiers": identifiers(&gateway.person(CHILD).uin),
        "fields": ["birthDate"],
    });
    let civil = gateway.lookup("civil", "household", &body).send().await;
    assert_json_snapshot!(civil.shown(), @"");
    let social = gateway.lookup("social", "household", &body).send().await;
    assert_json_snapshot!(social.shown(), @"");
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
