//! Lookups whose registry answers later: 202, and their callers come back for the answer.

mod ends;
mod reading;
mod swapping;
mod turns;

use gateway_tests::gateway::{Answer, Builder, RegistryText, TestGateway, identifiers};
use gateway_tests::wait::until;
use registry_gateway::store::AuditEntry;
use serde_json::{Value, json};
use stand_in::records::Order;

use crate::spdci_async::{later, put};

/// A gateway whose registry `civil` calls back when the test lets it.
pub(crate) async fn holding(
    of: impl FnOnce(Builder) -> Builder,
    change: impl FnOnce(RegistryText) -> RegistryText,
) -> TestGateway {
    let gateway = of(TestGateway::builder()).start().await;
    put(&gateway, change(later(&gateway))).await;
    gateway.stand_in.later().hold();
    gateway
}

async fn plain() -> TestGateway {
    holding(|builder| builder, |text| text).await
}

/// Asks, and gives where to come back.
pub(crate) async fn kept(gateway: &TestGateway, ability: &str, body: &Value) -> String {
    let asked = gateway.lookup("civil", ability, body);
    let asked = asked.header("prefer", "respond-async").send().await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    asked.header("location").to_owned()
}

pub(crate) async fn kept_find(gateway: &TestGateway, uin: &str) -> String {
    kept(gateway, "find", &json!({ "identifiers": identifiers(uin) })).await
}

/// Has the registry call back, and waits until it is heard.
pub(crate) async fn called_back(gateway: &TestGateway, so_many: usize) {
    gateway.stand_in.release_callbacks(Order::AsIs, 1);
    until("the callbacks are answered", async || {
        gateway.stand_in.later().answered().len() >= so_many
    })
    .await;
}

pub(crate) async fn rows(gateway: &TestGateway, answer: &Answer) -> Vec<AuditEntry> {
    let store = gateway.store().await;
    let rows = store
        .audit()
        .by_request(answer.header("x-request-id"))
        .await;
    store.close().await;
    rows.expect("rows")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_comes_back_for_what_a_callback_brings() {
    let gateway = plain().await;
    let person = gateway.person(3);
    let body = json!({ "identifiers": identifiers(&person.uin), "fields": ["names", "sex"] });
    let asked = gateway.lookup("civil", "find", &body);
    let asked = asked.header("prefer", "respond-async, wait=0").send().await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert_eq!(asked.header("preference-applied"), "respond-async, wait=0");
    assert_eq!(asked.header("retry-after"), "5");
    let place = asked.header("location").to_owned();
    let id = asked.json["id"].as_str().unwrap();
    assert_eq!(place, format!("/v1/lookups/{id}"));
    assert_eq!(
        (
            &asked.json["state"],
            &asked.json["ability"],
            &asked.json["registry"]
        ),
        (&json!("pending"), &json!("find"), &json!("civil"))
    );
    assert!(asked.json["expiresAt"].as_str() > asked.json["acceptedAt"].as_str());
    assert!(!asked.text.contains(&person.uin));
    let [AuditEntry { begin, end }] = &rows(&gateway, &asked).await[..] else {
        panic!("one row");
    };
    let end = end.as_ref().unwrap();
    assert_eq!((end.outcome.as_str(), end.disclosed.len()), ("pending", 0));
    let asked_about = begin.asked.clone();

    // Nothing came: nobody is asked, and nothing is told or written.
    let requests = gateway.stand_in.requests();
    let early = gateway.get(&place).send().await;
    assert_eq!((early.status, &early.json), (202, &asked.json));
    assert_eq!(early.header("location"), place);
    assert!(rows(&gateway, &early).await.is_empty());

    let waits = gateway.get(&place).header("prefer", "wait=20").send();
    let (told, ()) = tokio::join!(waits, async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        called_back(&gateway, 1).await;
    });
    let told = told.ok();
    let shown = told.json["person"].as_object().unwrap();
    let fields: Vec<&String> = shown.keys().collect();
    assert_eq!(fields, ["names", "sex"], "what was wanted, and no more");
    assert!(told.text.contains(&person.name.surname), "{}", told.text);
    // As it was stated when it was asked, under the number of the request that was told it.
    let [AuditEntry { begin, end }] = &rows(&gateway, &told).await[..] else {
        panic!("one row");
    };
    assert_eq!(begin.purpose.as_deref(), Some("suite"));
    assert_eq!(
        (&begin.asked, begin.ability.as_str()),
        (&asked_about, "find")
    );
    let end = end.as_ref().unwrap();
    assert_eq!((end.outcome.as_str(), end.registry_calls), ("done", 0));
    assert!(end.disclosed.contains(&asked_about[0]));

    // A connection may break: it is told again, and written into the audit again.
    let again = gateway.get(&place).send().await.ok();
    assert_eq!(again.json, told.json);
    assert_eq!(rows(&gateway, &again).await.len(), 1);
    assert_eq!(gateway.stand_in.requests(), requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ability_is_answered_as_it_would_have_been_at_once() {
    let gateway = plain().await;
    let child = (0..200).map(|at| gateway.person(at));
    let child = child.into_iter().find(|it| it.parents.len() == 2).unwrap();
    let by_name = json!({ "pageSize": 1, "criteria": [
        { "field": "sex", "equals": "female" },
    ]});
    let claim = json!({
        "identifiers": identifiers(&child.uin), "claimed": { "sex": "female" },
    });
    let somebody = json!({ "identifiers": identifiers(&child.uin) });
    let mut answers = Vec::new();
    let questions = [
        ("find", &somebody),
        ("household", &somebody),
        ("search", &by_name),
        ("verify", &claim),
    ];
    for (ability, body) in questions {
        gateway.stand_in.later().hold();
        let place = kept(&gateway, ability, body).await;
        until("it is answered", async || {
            // A household takes several steps.
            if gateway.stand_in.later().held() > 0 {
                gateway.stand_in.release_callbacks(Order::AsIs, 1);
                gateway.stand_in.later().hold();
            }
            gateway.get(&place).send().await.status == 200
        })
        .await;
        answers.push(gateway.get(&place).send().await.ok().json);
    }
    gateway.stand_in.release_callbacks(Order::AsIs, 1);
    for ((ability, body), mut told) in questions.into_iter().zip(answers) {
        let mut direct = gateway
            .lookup("civil", ability, body)
            .send()
            .await
            .ok()
            .json;
        // A token's time is its own.
        let (next, other) = (told["next"].take(), direct["next"].take());
        assert_eq!(next.is_string(), other.is_string(), "{ability}");
        assert_eq!(told, direct, "{ability}");
        if next.is_string() {
            let mut further = body.clone();
            further["page"] = next;
            let further = gateway.lookup("civil", ability, &further).send().await.ok();
            assert!(!further.json["candidates"].as_array().unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_in_time_is_not_kept() {
    // At once, by a registry that does.
    let gateway = TestGateway::start().await;
    let person = gateway.person(3);
    let prefers = "respond-async, wait=10";
    let find = gateway.find("civil", &person.uin).header("prefer", prefers);
    let found = find.send().await.ok();
    assert_eq!(found.header("location"), "");
    let nobody = gateway
        .find("civil", "1000000009")
        .header("prefer", prefers);
    assert_eq!(nobody.send().await.code(), "not-found");
    // And within the caller's wait, by one that calls back.
    put(&gateway, later(&gateway)).await;
    gateway
        .stand_in
        .later()
        .set_after(std::time::Duration::from_millis(300));
    let find = gateway.find("civil", &person.uin).header("prefer", prefers);
    assert_eq!(find.send().await.ok().json["person"], found.json["person"]);
    let store = gateway.store().await;
    assert_eq!(store.lookups().counts().await.unwrap(), []);
    store.close().await;
}

/// The registry calls back to another gateway than the one that was asked, and a third is asked for
/// the answer: one that was begun later, as after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_gateway_of_the_database_goes_on() {
    let gateway = TestGateway::start().await;
    let second = gateway
        .beside(&[], |config| config.node.name = Some("b".into()))
        .await;
    let there = format!("http://{}/hooks/civil", second.serving.address);
    put(&gateway, later(&gateway).set("settings.sender_uri", there)).await;
    second.serving.gateway.reload().await.expect("reloads");
    gateway.stand_in.later().hold();
    let person = gateway.person(3);
    let place = kept_find(&gateway, &person.uin).await;
    called_back(&gateway, 1).await;
    let third = gateway
        .beside(&[], |config| config.node.name = Some("c".into()))
        .await;
    let told = third.get(&place).send().await.ok();
    assert!(told.text.contains(&person.uin), "{}", told.text);
    assert_eq!(second.get(&place).send().await.ok().json, told.json);
    assert_eq!(gateway.get(&place).send().await.ok().json, told.json);
}
