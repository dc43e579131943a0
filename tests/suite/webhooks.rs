//! Webhooks: what happened goes to whoever subscribed to it.

mod administering;
mod failing;
mod secured;
mod stopping;

use gateway_tests::ask::{Answer, identifiers};
use gateway_tests::components;
use gateway_tests::gateway::{Builder, RegistryText, TestGateway};
use gateway_tests::receiver::{Message, Receiver};
use gateway_tests::wait::until;
use registry_gateway::config::Config;
use registry_gateway::config::webhooks::HostPattern;
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};
use standardwebhooks::{Webhook, WebhookError};

fn telling() -> RegistryText {
    RegistryText::bare(components::component("telling-guest"))
}

/// Sends to this machine, and soon again.
fn allowing(config: &mut Config) {
    let webhooks = &mut config.webhooks;
    webhooks.allow_hosts = vec![HostPattern::try_from("127.0.0.1".to_owned()).unwrap()];
    webhooks.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    webhooks.timeout_ms = 1_000.try_into().unwrap();
    webhooks.first_wait_ms = 20.try_into().unwrap();
    webhooks.max_wait_ms = 100.try_into().unwrap();
}

fn builder() -> Builder {
    TestGateway::builder()
        .registry("vital", |_| telling())
        .config(allowing)
}

/// A gateway, a receiver, and the keys of an administrator and of who may read the events of `vital`.
struct Set {
    gateway: TestGateway,
    receiver: Receiver,
    admin: String,
    imis: String,
}

impl Set {
    async fn start(builder: Builder) -> Self {
        let gateway = builder.start().await;
        let admin = gateway.staff("ada", &[Role::Administrator]).await;
        let imis = gateway.caller("imis", &["vital"], &[Ability::Events]).await;
        Self {
            gateway,
            receiver: Receiver::start().await,
            admin,
            imis,
        }
    }

    async fn tell(&self, body: &str) {
        tell(&self.gateway, "vital", body).await;
    }

    async fn act(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Answer {
        let path = format!("/admin/v1/webhooks{path}");
        let ask = self.gateway.ask(method, &path).key(&self.admin);
        match body {
            Some(body) => ask.json(&body).send().await,
            None => ask.send().await,
        }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.act(reqwest::Method::POST, path, Some(body)).await
    }

    /// The webhook `imis`, changed. Gives its secret.
    async fn add(&self, change: Value) -> String {
        let added = self.post("", body(&self.receiver, change)).await;
        assert_eq!(added.status, 201, "{}", added.text);
        added.json["secret"].as_str().unwrap().to_owned()
    }

    async fn show(&self) -> Value {
        let shown = self.act(reqwest::Method::GET, "/imis", None).await;
        shown.ok().json
    }

    async fn taken(&self, ids: &[&str]) {
        let mut taken = Vec::new();
        until(&format!("{ids:?}"), async || {
            taken = self.receiver.taken();
            taken.len() >= ids.len()
        })
        .await;
        assert_eq!(taken, ids);
    }

    async fn paused(&self, reason: &str) -> Value {
        let mut shown = Value::Null;
        until(reason, async || {
            shown = self.show().await;
            shown["state"] == "paused"
        })
        .await;
        assert_eq!(shown["reason"], reason, "{shown}");
        shown
    }
}

fn body(receiver: &Receiver, change: Value) -> Value {
    let mut body = json!({
        "name": "imis", "caller": "imis", "url": receiver.url(), "purpose": "eligibility",
    });
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

async fn tell(gateway: &TestGateway, registry: &str, body: &str) {
    let path = format!("/hooks/{registry}/on-event");
    let ask = gateway.ask(reqwest::Method::POST, &path);
    let ask = ask.without("authorization").header("x-token", "right");
    assert_eq!(ask.body(body).send().await.status, 202);
}

/// By the specification's own library.
fn verify(secret: &str, message: &Message) -> Result<(), WebhookError> {
    let webhook = Webhook::new(secret).expect("a secret");
    webhook.verify(&message.body, &message.headers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_in_order_and_another_library_verifies_them() {
    let set = Set::start(builder()).await;
    // What was before is not told, unless it is asked for.
    set.tell("death d-0 4710 2026-01-01").await;
    let feed = set.gateway.get("/v1/events?wait=10").key(&set.imis);
    assert_eq!(
        feed.send().await.ok().json["events"][0]["event"]["id"],
        "d-0"
    );
    let secret = set.add(json!({})).await;
    for line in [
        "death d-1 4711 2026-01-02",
        "correction c-1 4711 d-1",
        "death d-2 4712 2026-01-03",
    ] {
        set.tell(line).await;
    }
    set.taken(&["d-1", "c-1", "d-2"]).await;

    let messages = set.receiver.messages();
    let feed = set.gateway.get("/v1/events").key(&set.imis).send().await;
    let read = feed.ok().json["events"].as_array().unwrap()[1..].to_vec();
    let types = ["event.death", "event.correction", "event.death"];
    for ((message, entry), kind) in messages.iter().zip(&read).zip(types) {
        let told = message.json();
        assert_eq!((&told["type"], &told["data"]), (&json!(kind), entry));
        assert_eq!(told["timestamp"], entry["storedAt"]);
        assert_eq!(message.header("content-type"), "application/json");
        assert!(verify(&secret, message).is_ok(), "{:?}", message.headers);
    }
    let ids: Vec<&str> = messages.iter().map(|it| it.header("webhook-id")).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    assert!(!ids.concat().contains('.') && !ids[0].contains("d-1"));

    // Who has another secret, another body, or an old message, is refused there.
    let decoded = secret.strip_prefix("whsec_").unwrap();
    assert_eq!(decoded.len(), 44, "32 bytes in Base64");
    let other = Webhook::from_bytes(vec![7; 32]).expect("a secret");
    let wrong = other.verify(&messages[0].body, &messages[0].headers);
    assert!(matches!(wrong, Err(WebhookError::InvalidSignature)));
    let mut changed = messages[0].clone();
    changed.body = String::from_utf8(changed.body)
        .unwrap()
        .replace("4711", "4712")
        .into();
    assert!(matches!(
        verify(&secret, &changed),
        Err(WebhookError::InvalidSignature)
    ));
    let mut old = messages[0].clone();
    let then = old.header("webhook-timestamp").parse::<i64>().unwrap() - 600;
    old.headers.insert("webhook-timestamp", then.into());
    assert!(matches!(
        verify(&secret, &old),
        Err(WebhookError::TimestampTooOldError)
    ));
    // Nor is the id of another message taken with this one's signature.
    let mut moved = messages[0].clone();
    moved.headers.insert("webhook-id", ids[1].parse().unwrap());
    assert!(matches!(
        verify(&secret, &moved),
        Err(WebhookError::InvalidSignature)
    ));

    let shown = set.show().await;
    assert_eq!(
        (&shown["lag"], &shown["cursor"]),
        (&json!(0), &feed_end(&set).await)
    );
    let metrics = set.gateway.get("/metrics").send().await.text;
    let delivered =
        "registry_gateway_webhook_messages_total{webhook=\"imis\",outcome=\"delivered\"} 3";
    assert!(metrics.contains(delivered), "{metrics}");
    // The secret is told once, and nowhere kept as it is.
    assert!(!shown.to_string().contains(&secret));
    let words = gateway_tests::leaks::Words::new([decoded, &secret]);
    let kept = set.gateway.kept();
    assert_eq!(words.found_below(kept), [""; 0]);
}

async fn feed_end(set: &Set) -> Value {
    let feed = set.gateway.get("/v1/events").key(&set.imis).send().await;
    feed.ok().json["next"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_message_tells_of_is_in_the_audit_before_it_arrives() {
    let set = Set::start(builder()).await;
    set.add(json!({ "user": "nightly" })).await;
    set.receiver.always(gateway_tests::receiver::Reply::Reset);
    set.tell("death d-1 47114711 2026-01-02").await;
    until("it came", async || !set.receiver.messages().is_empty()).await;
    let auditor = set.gateway.staff("olga", &[Role::Auditor]).await;
    let body = json!({ "identifiers": identifiers("47114711") });
    let find = set
        .gateway
        .post("/admin/v1/audit/find", &body)
        .key(&auditor);
    let found = find.send().await.ok();
    let calls = found.json["calls"].as_array().unwrap();
    let told = calls.iter().find(|it| it["call"]["caller"] == "imis");
    let told = told.unwrap_or_else(|| panic!("{}", found.text));
    assert_eq!(told["wasDisclosed"], true);
    let call = &told["call"];
    assert_eq!(
        (
            &call["purpose"],
            &call["user"],
            &call["ability"],
            &call["outcome"]
        ),
        (
            &json!("eligibility"),
            &json!("nightly"),
            &json!("events"),
            &json!("done")
        )
    );
    assert!(
        call["requestId"]
            .as_str()
            .unwrap()
            .starts_with("webhook:imis:")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_is_told_what_its_caller_sees_and_what_it_asked_for() {
    let bare = builder().registry("other", |_| {
        telling().set("policy.fields", vec!["identifiers"])
    });
    let set = Set::start(bare).await;
    let masked = ["other", "vital"];
    set.gateway
        .caller("masked", &masked, &[Ability::Events])
        .await;
    let second = Receiver::start().await;
    let change = json!({ "name": "masked", "caller": "masked", "registries": ["other"] });
    assert_eq!(set.post("", body(&second, change)).await.status, 201);
    set.add(json!({ "kinds": ["correction"] })).await;
    tell(&set.gateway, "other", "death o-1 4713 2026-01-02").await;
    for line in [
        "death d-1 4711 2026-01-02",
        "correction c-1 4711 d-1",
        "death d-2 4712 2026-01-03",
        "correction c-2 4712 d-2",
    ] {
        set.tell(line).await;
    }
    tell(&set.gateway, "other", "death o-2 4714 2026-01-02").await;
    set.taken(&["c-1", "c-2"]).await;
    until("its own", async || second.taken().len() == 2).await;
    assert_eq!(second.taken(), ["o-1", "o-2"]);
    for message in second.messages() {
        let text = message.json().to_string();
        assert!(
            text.contains("\"4713\"") || text.contains("\"4714\""),
            "{text}"
        );
        assert!(
            !text.contains("Adhikari") && !text.contains("2026-01-02\""),
            "{text}"
        );
    }
    // What was not sent was told to nobody.
    until("all is over", async || set.show().await["lag"] == 0).await;
    let auditor = set.gateway.staff("olga", &[Role::Auditor]).await;
    let listed = set
        .gateway
        .get("/admin/v1/audit/calls?caller=imis")
        .key(&auditor);
    let listed = listed.send().await.ok();
    assert_eq!(
        listed.json["calls"].as_array().unwrap().len(),
        2,
        "{}",
        listed.text
    );
}
