//! Registries that answer later: the `spdci` adapter's asynchronous search, its callbacks and its
//! subscriptions, through a whole gateway.

mod enrolling;
mod telling;

use std::time::{Duration, Instant};

use gateway_tests::ask::Answer;
use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::wait::until;
use serde_json::{Value, json};
use stand_in::records::Order;

/// What callbacks carry.
pub(crate) const TOKEN: &str = "stand-in-token";
/// SHA-256 of it, as `printf %s stand-in-token | sha256sum` says.
pub(crate) const HASH: &str = "6e9e572d51791ba2383e5cbbb66835a019319814c8b98a5c8857067e5b2f2443";

/// A civil registry that answers later, at the address of this gateway.
pub(crate) fn later(gateway: &TestGateway) -> RegistryText {
    let base = format!("http://{}/hooks/civil", gateway.serving.address);
    RegistryText::spdci("Civil")
        .set("settings.mode", "async")
        .set("settings.sender_uri", base)
        .set("settings.callback_token_sha256", HASH)
        .set("settings.status_after_ms", 60_000)
}

pub(crate) async fn put(gateway: &TestGateway, text: RegistryText) {
    gateway.apply(&[], &[("civil", text)]).await;
    gateway.serving.gateway.reload().await.expect("reloads");
}

/// A gateway whose registry `civil` answers later.
async fn start(change: impl FnOnce(RegistryText) -> RegistryText) -> TestGateway {
    let gateway = TestGateway::start().await;
    put(&gateway, change(later(&gateway))).await;
    gateway
}

fn given(answer: &Answer) -> &Value {
    &answer.json["person"]["identifiers"]
}

async fn answered(gateway: &TestGateway, so_many: usize) {
    until("the callbacks are answered", async || {
        gateway.stand_in.later().answered().len() >= so_many
    })
    .await;
    for (status, body) in gateway.stand_in.later().answered() {
        assert_eq!(
            (status, &body["message"]["ack_status"]),
            (200, &json!("ACK"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_waits_for_its_callback() {
    let gateway = start(|text| text).await;
    let person = gateway.person(3);
    let began = Instant::now();
    let found = gateway.find("civil", &person.uin).send().await.ok();
    assert!(
        given(&found).to_string().contains(&person.uin),
        "{}",
        found.text
    );
    // Long before it would ask for the status.
    assert!(began.elapsed() < Duration::from_secs(20));
    answered(&gateway, 1).await;
    let nobody = gateway.find("civil", "1000000009").send().await;
    assert_eq!((nobody.status, nobody.code()), (404, "not-found"));

    let body = json!({ "pageSize": 2, "criteria": [
        { "field": "name.family", "equals": person.name.surname },
    ]});
    let page = gateway.lookup("civil", "search", &body).send().await.ok();
    assert!(!page.json["candidates"].as_array().unwrap().is_empty());
    let child = (0..200)
        .map(|at| gateway.person(at))
        .find(|it| it.parents.len() == 2);
    let body = json!({ "identifiers": gateway_tests::gateway::identifiers(&child.unwrap().uin) });
    let family = gateway
        .lookup("civil", "household", &body)
        .send()
        .await
        .ok();
    assert_eq!(
        family.json["household"]["people"].as_array().unwrap().len(),
        3
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_is_lost_is_made_up_for_by_the_status() {
    let gateway = start(|text| text.set("settings.status_after_ms", 200)).await;
    let later = gateway.stand_in.later();
    later.lose(1);
    later.set_after(Duration::from_millis(700));
    let person = gateway.person(3);
    let found = gateway.find("civil", &person.uin).send().await.ok();
    assert!(given(&found).to_string().contains(&person.uin));
    assert_eq!(later.answered(), []);
    // At 200 ms it was pending, at 600 too, and then it was there.
    assert!(
        gateway.stand_in.requests() >= 4,
        "{}",
        gateway.stand_in.requests()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_come_in_any_order_and_more_than_once() {
    // One turn: whoever waits for a callback does not keep it from the others.
    let gateway = start(|text| text.set("concurrency.max_calls", 1)).await;
    gateway.stand_in.later().hold();
    let people: Vec<_> = (0..4).map(|at| gateway.person(at)).collect();
    let finds = people
        .iter()
        .map(|person| gateway.find("civil", &person.uin).send());
    let release = async {
        until("all are asked", async || {
            gateway.stand_in.later().held() == 4
        })
        .await;
        gateway.stand_in.release_callbacks(Order::Reversed, 3);
    };
    let (found, ()) = tokio::join!(futures_util::future::join_all(finds), release);
    for (person, found) in people.iter().zip(found) {
        assert!(given(&found.ok()).to_string().contains(&person.uin));
    }
    answered(&gateway, 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_too_late_is_taken_and_told_to_nobody() {
    let gateway = start(|text| text.set("limits.wall_ms", 700)).await;
    let later = gateway.stand_in.later();
    later.set_after(Duration::from_millis(1_500));
    let person = gateway.person(3);
    let late = gateway.find("civil", &person.uin).send().await;
    assert_eq!(
        (late.status, late.code()),
        (503, "registry-pending"),
        "{}",
        late.text
    );
    assert_eq!(late.header("retry-after"), "60");
    assert!(!late.text.contains(&person.uin));
    answered(&gateway, 1).await;
    // It is another question: nobody gets the answer of one that is over.
    later.set_after(Duration::ZERO);
    let other = gateway.person(4);
    let found = gateway.find("civil", &other.uin).send().await.ok();
    assert!(given(&found).to_string().contains(&other.uin));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_may_hear_the_callback() {
    let gateway = TestGateway::start().await;
    let key = gateway.data_dir().join("bodies.key");
    let second = gateway
        .beside(&[], |config| {
            config.node.name = Some("b".into());
            std::fs::copy(key, config.data_dir.join("bodies.key")).expect("the bodies' key");
        })
        .await;
    let there = format!("http://{}/hooks/civil", second.serving.address);
    put(&gateway, later(&gateway).set("settings.sender_uri", there)).await;
    second.serving.gateway.reload().await.expect("reloads");
    let person = gateway.person(3);
    let found = gateway.find("civil", &person.uin).send().await.ok();
    assert!(given(&found).to_string().contains(&person.uin));
    answered(&gateway, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_asked_for_changes_nothing() {
    let gateway = start(|text| text).await;
    gateway.stand_in.later().hold();
    let person = gateway.person(3);
    let forge = async {
        until("it is asked", async || gateway.stand_in.later().held() == 1).await;
        let asked = gateway.stand_in.later().transactions().remove(0);
        // Another's number, and the right one without the token.
        for (number, token, status) in [("guessed", TOKEN, 200), (asked.as_str(), "wrong", 401)] {
            let body = json!({
                "header": { "action": "on-search", "status": "succ" },
                "message": { "transaction_id": number, "search_response": [{
                    "reference_id": number, "status": "succ", "data": { "reg_records": [] },
                }] },
            });
            let ask = gateway.post("/hooks/civil/registry/on-search", &body);
            let ask = ask.without("authorization");
            let told = ask
                .header("authorization", &format!("Bearer {token}"))
                .send()
                .await;
            assert_eq!(told.status, status, "{}", told.text);
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        gateway.stand_in.release_callbacks(Order::AsIs, 1);
    };
    let (found, ()) = tokio::join!(gateway.find("civil", &person.uin).send(), forge);
    assert!(given(&found.ok()).to_string().contains(&person.uin));
}

/// A registry that can carry no token.
fn without_token(gateway: &TestGateway) -> RegistryText {
    let base = format!("http://{}/hooks/civil", gateway.serving.address);
    RegistryText::spdci("Civil")
        .set("settings.mode", "async")
        .set("settings.sender_uri", base)
}

/// By default a callback of nobody knows whom is refused: the answer is fetched over our own connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_the_answer_is_fetched() {
    let gateway = TestGateway::start().await;
    let text = without_token(&gateway).set("settings.status_after_ms", 1_000);
    put(&gateway, text).await;
    let person = gateway.person(3);
    let began = Instant::now();
    let found = gateway.find("civil", &person.uin).send().await.ok();
    assert!(given(&found).to_string().contains(&person.uin));
    assert!(began.elapsed() >= Duration::from_secs(1), "by no callback");
    let (status, body) = gateway.stand_in.later().answered().remove(0);
    assert_eq!(
        (status, &body["message"]["ack_status"]),
        (401, &json!("NACK"))
    );
}

/// Where that is set, who knows the number of a question may answer it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_an_answer_may_be_trusted_by_its_number() {
    let gateway = TestGateway::start().await;
    let text = without_token(&gateway)
        .set("settings.status_after_ms", 60_000)
        .set("settings.trust_transaction_ids", true);
    put(&gateway, text).await;
    let person = gateway.person(3);
    let began = Instant::now();
    let found = gateway.find("civil", &person.uin).send().await.ok();
    assert!(given(&found).to_string().contains(&person.uin));
    assert!(began.elapsed() < Duration::from_secs(20), "by its callback");
    answered(&gateway, 1).await;
}
