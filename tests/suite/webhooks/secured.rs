//! Receivers behind TLS: they are sent to where the configured authorities vouch for them, and else not.

use std::time::Duration;

use gateway_tests::fault_proxy::{AUTHORITY, FaultProxy, Mode};
use gateway_tests::gateway::Builder;
use gateway_tests::wait::until;
use registry_gateway::config::secret::SecretSource;
use serde_json::{Value, json};

use super::{Set, allowing, builder, verify};

/// Longer than the gateway takes to see that a kept connection ended.
const NOTICED: Duration = Duration::from_millis(300);

fn file(name: &str) -> Option<SecretSource> {
    Some(SecretSource::parse(&format!("file:{name}")).unwrap())
}

fn trusting() -> Builder {
    builder()
        .secret_file("receivers.pem", AUTHORITY)
        .secret_file("words.pem", "no certificate")
        .config(|config| {
            allowing(config);
            config.webhooks.ca_file = file("receivers.pem");
        })
}

/// The receiver, with a certificate of [`AUTHORITY`], and its URL.
async fn secured(set: &Set) -> (FaultProxy, String) {
    let proxy = FaultProxy::start().await;
    proxy.forward_to(set.receiver.address);
    proxy.set(Mode::Tls).await;
    let url = format!("{}/events", proxy.url("https"));
    (proxy, url)
}

/// The webhook, once the last problem was that one.
async fn with_problem(set: &Set, problem: &str) -> Value {
    let mut shown = Value::Null;
    until(problem, async || {
        shown = set.show().await;
        shown["problem"] == problem
    })
    .await;
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_vouched_for_is_sent_to_and_what_others_do_not_get_is_kept() {
    let set = Set::start(trusting()).await;
    let (proxy, url) = secured(&set).await;
    let secret = set.add(json!({ "url": url })).await;
    set.tell("death d-1 4711 2026-01-02").await;
    set.taken(&["d-1"]).await;
    assert!(verify(&secret, &set.receiver.messages()[0]).is_ok());

    // Somebody else is at its address.
    proxy.set(Mode::SelfSigned).await;
    tokio::time::sleep(NOTICED).await;
    set.tell("death d-2 4712 2026-01-03").await;
    with_problem(&set, "tls").await;
    until("it is tried again", async || {
        set.show().await["attempts"].as_u64() > Some(1)
    })
    .await;
    let shown = set.show().await;
    let told = (&shown["state"], &shown["lag"], &shown["problem"]);
    assert_eq!(told, (&json!("active"), &json!(1), &json!("tls")));
    assert!(shown["failingSince"].is_string(), "{shown}");
    let pinged = set.post("/imis/ping", json!({})).await.ok().json;
    let told = (&pinged["taken"], &pinged["problem"]);
    assert_eq!(told, (&json!(false), &json!("tls")));
    let metrics = set.gateway.get("/metrics").send().await.text;
    let refused = "registry_gateway_webhook_messages_total{webhook=\"imis\",outcome=\"tls\"}";
    assert!(metrics.contains(refused), "{metrics}");
    assert_eq!(set.receiver.messages().len(), 1);

    // Nothing is lost of what waited.
    proxy.set(Mode::Tls).await;
    set.taken(&["d-1", "d-2"]).await;
    until("it is well again", async || {
        set.show().await["problem"].is_null()
    })
    .await;
    assert_eq!(proxy.requests(), 0, "none came through without TLS");

    // What vouches for nobody is found out before anything is served.
    for (name, problem) in [
        ("nobody.pem", "webhooks.ca_file: "),
        (
            "words.pem",
            "webhooks.ca_file: it holds no -----BEGIN CERTIFICATE-----",
        ),
    ] {
        let refusal = set
            .gateway
            .not_beside(|config| config.webhooks.ca_file = file(name));
        let refusal = refusal.await;
        assert!(refusal.contains(problem), "{refusal}");
    }
}

/// The system's authorities know nothing of the receiver's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_authority_a_receiver_gets_nothing() {
    let set = Set::start(builder()).await;
    let (proxy, url) = secured(&set).await;
    set.add(json!({ "url": url })).await;
    set.tell("death d-1 4711 2026-01-02").await;
    let shown = with_problem(&set, "tls").await;
    assert_eq!(
        (&shown["state"], &shown["lag"]),
        (&json!("active"), &json!(1))
    );
    until("it is tried again", async || proxy.connections() > 2).await;
    assert_eq!(set.receiver.messages().len(), 0);
}
