//! The audit read, and searched by person.

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use serde_json::{Value, json};

const FIND: &str = "/admin/v1/audit/find";

pub(crate) async fn start() -> (TestGateway, String) {
    let gateway = TestGateway::builder()
        .config(|config| config.audit.checkpoint_interval_ms = std::num::NonZeroU64::MAX)
        .start()
        .await;
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    (gateway, auditor)
}

pub(crate) async fn ask(gateway: &TestGateway, person: u64, purpose: &str) {
    let uin = gateway.person(person).uin;
    let ask = gateway.find("civil", &uin);
    ask.header("registry-purpose", purpose).send().await.ok();
}

pub(crate) async fn found(gateway: &TestGateway, key: &str, body: &Value) -> Value {
    gateway.post(FIND, body).key(key).send().await.ok().json
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_who_looked_a_person_up_is_found() {
    let (gateway, auditor) = start().await;
    for purpose in ["one", "two", "three"] {
        ask(&gateway, 3, purpose).await;
        ask(&gateway, 4, purpose).await;
    }
    let body = |person: u64| json!({ "identifiers": identifiers(&gateway.person(person).uin) });
    let purposes = |answer: &Value| {
        let calls = answer["calls"].as_array().unwrap().iter();
        let told = calls.map(|found| {
            assert_eq!(found["wasAsked"], true, "{found}");
            found["call"]["purpose"].as_str().unwrap().to_owned()
        });
        told.collect::<Vec<_>>()
    };
    let answer = found(&gateway, &auditor, &body(3)).await;
    assert_eq!(purposes(&answer), ["one", "two", "three"], "{answer}");
    let first = &answer["calls"][0];
    assert_eq!(first["wasDisclosed"], true);
    let call = &first["call"];
    assert_eq!(
        (&call["caller"], &call["registry"], &call["outcome"]),
        (&json!("suite"), &json!("civil"), &json!("done"))
    );
    assert!(call["module"].as_str().unwrap().starts_with("sha256:"));

    // What the index has reached is not gone through again, and nothing is missing.
    until("the index", async || {
        let answer = found(&gateway, &auditor, &body(3)).await;
        assert_eq!(purposes(&answer).len(), 3);
        // The acts of this search alone are behind it.
        answer["scannedRows"].as_u64().unwrap() < 12
    })
    .await;
    ask(&gateway, 3, "four").await;
    let answer = found(&gateway, &auditor, &body(3)).await;
    assert_eq!(purposes(&answer), ["one", "two", "three", "four"]);

    // Page by page, and past the index.
    let mut after = Value::Null;
    let mut all = Vec::new();
    loop {
        let mut page = body(3);
        page["limit"] = json!(3);
        page["whole"] = json!(true);
        page["after"] = after;
        let answer = found(&gateway, &auditor, &page).await;
        all.extend(purposes(&answer));
        after = answer["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(all, ["one", "two", "three", "four"]);
    let nobody = found(&gateway, &auditor, &body(150)).await;
    assert_eq!(nobody["calls"], json!([]));
    let bad = gateway
        .post(FIND, &json!({ "identifiers": [] }))
        .key(&auditor);
    let bad = bad.send().await;
    assert_eq!(
        (bad.status, bad.json["field"].as_str()),
        (400, Some("identifiers"))
    );
}

/// The person whom an auditor looked for is nowhere in what the gateway keeps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_looked_for_is_in_the_audit_as_a_hash_alone() {
    let (gateway, auditor) = start().await;
    let uin = gateway.person(3).uin;
    let body = json!({ "identifiers": identifiers(&uin) });
    found(&gateway, &auditor, &body).await;
    let acts = gateway
        .get("/admin/v1/audit/acts")
        .key(&auditor)
        .send()
        .await
        .ok();
    assert!(
        acts.text.contains("audit.find") && !acts.text.contains(&uin),
        "{}",
        acts.text
    );
    let hash = acts.json["acts"][1]["detail"]["people"][0]
        .as_str()
        .unwrap();
    assert_eq!(hash.len(), 64);
    let kept = gateway.kept();
    for file in std::fs::read_dir(kept).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        let found = bytes
            .windows(uin.len())
            .any(|window| window == uin.as_bytes());
        assert!(!found, "the identifier is on disk");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_and_acts_are_listed_in_pages_and_by_what_they_are() {
    let (gateway, auditor) = start().await;
    for purpose in ["one", "two", "one", "two", "one"] {
        ask(&gateway, 3, purpose).await;
    }
    let list = async |path: &str| {
        let path = format!("/admin/v1/audit/{path}");
        gateway.get(&path).key(&auditor).send().await.ok().json
    };
    let all = list("calls").await;
    assert_eq!(all["calls"].as_array().unwrap().len(), 5);
    assert_eq!(all["next"], Value::Null);
    let since = all["calls"][1]["beganAt"].as_str().unwrap();
    for (query, count) in [
        ("purpose=one".to_owned(), 3),
        ("purpose=none".to_owned(), 0),
        ("caller=suite&registry=civil".to_owned(), 5),
        ("registry=social".to_owned(), 0),
        (format!("since={since}"), 2),
        (format!("until={since}"), 3),
        (
            format!(
                "requestId={}",
                all["calls"][2]["requestId"].as_str().unwrap()
            ),
            1,
        ),
    ] {
        let calls = list(&format!("calls?{query}")).await;
        assert_eq!(calls["calls"].as_array().unwrap().len(), count, "{query}");
    }
    let mut pages = Vec::new();
    let mut query = "calls?limit=2".to_owned();
    loop {
        let page = list(&query).await;
        pages.extend(page["calls"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("calls?limit=2&before={next}");
    }
    assert_eq!(&Value::from(pages), &all["calls"]);

    // Reading is an act; by what was searched is told, and not for what.
    let acts = list("acts?act=audit.calls").await;
    let acts = acts["acts"].as_array().unwrap();
    assert_eq!(acts.len(), 11);
    assert!(
        acts.iter()
            .all(|act| act["caller"] == "olga" && act["outcome"] == "done")
    );
    let details: Vec<&Value> = acts.iter().map(|act| &act["detail"]["by"]).collect();
    assert!(
        details.contains(&&json!(["caller", "registry"])),
        "{details:?}"
    );
    for (query, field) in [
        ("calls?caler=x", "query"),
        ("calls?limit=0", "limit"),
        ("calls?limit=1001", "limit"),
        ("calls?since=yesterday", "since"),
        ("calls?before=x", "before"),
        ("acts?act=%0A", "act"),
        ("calls?caller=a&caller=b", "caller"),
    ] {
        let path = format!("/admin/v1/audit/{query}");
        let answer = gateway.get(&path).key(&auditor).send().await;
        assert_eq!(
            (answer.status, answer.json["field"].as_str()),
            (400, Some(field)),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auditors_alone_read_it() {
    let (gateway, auditor) = start().await;
    let others = [Role::Administrator, Role::Implementer, Role::Client];
    let other = gateway.staff("ada", &others).await;
    for (method, path) in [
        ("GET", "calls"),
        ("GET", "acts"),
        ("GET", "export"),
        ("GET", "checkpoints"),
        ("POST", "checkpoints"),
        ("POST", "verify"),
        ("POST", "find"),
        ("POST", "prune"),
    ] {
        let path = format!("/admin/v1/audit/{path}");
        let ask = || gateway.ask(method.parse().unwrap(), &path).json(&json!({}));
        let refused = ask().key(&other).send().await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "not-allowed"),
            "{path}"
        );
        assert_ne!(ask().key(&auditor).send().await.status, 403, "{path}");
    }
}
