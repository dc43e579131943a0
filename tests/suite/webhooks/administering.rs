//! Who may add what, and that it is known afterwards.

use gateway_tests::receiver::{Receiver, Reply};
use registry_gateway::config::webhooks::HostPattern;
use registry_gateway::model::{Ability, Role};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Set, body, builder, verify};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_not_be_sent_is_not_added() {
    let set = Set::start(builder()).await;
    let gateway = &set.gateway;
    gateway.caller("finder", &["vital"], &[Ability::Find]).await;
    let port = set.receiver.address.port();
    let url = |rest: &str| format!("http://{rest}:{port}/events");
    for (change, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "a b" }), "name"),
        (json!({ "url": "events" }), "url"),
        (json!({ "url": url("127.0.0.2") }), "url"),
        (json!({ "url": url("localhost") }), "url"),
        (json!({ "url": url("sita:pw@127.0.0.1") }), "url"),
        (
            json!({ "url": format!("{}#part", url("127.0.0.1")) }),
            "url",
        ),
        (json!({ "url": "ftp://127.0.0.1/" }), "url"),
        (json!({ "caller": "nobody" }), "caller"),
        (json!({ "caller": "finder" }), "caller"),
        (json!({ "caller": "ada" }), "caller"),
        (json!({ "purpose": null }), "purpose"),
        (json!({ "purpose": "two\nlines" }), "purpose"),
        (json!({ "kinds": ["death", "party"] }), "kinds.1"),
        (json!({ "kinds": ["death", "death"] }), "kinds.1"),
        (json!({ "registries": ["nobody"] }), "registries.0"),
        (json!({ "registries": ["civil"] }), "caller"),
        (json!({ "after": "e1-1" }), "after"),
        (json!({ "after": "first" }), "after"),
        (json!({ "secret": "whsec_AAAA" }), "secret"),
    ] {
        let refused = set.post("", body(&set.receiver, change.clone())).await;
        let told = (refused.status, &refused.json["field"]);
        assert_eq!(told, (400, &json!(field)), "{change} {}", refused.text);
        assert!(!refused.text.contains("sita"), "{}", refused.text);
    }
    set.add(json!({})).await;
    let again = set.post("", body(&set.receiver, json!({}))).await;
    assert_eq!((again.status, again.code()), (409, "taken"));
    for act in ["pause", "resume", "ping", "secret"] {
        let none = set.post(&format!("/nobody/{act}"), json!({})).await;
        assert_eq!((none.status, none.code()), (404, "unknown"), "{act}");
    }
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let listed = gateway.get("/admin/v1/webhooks").key(&auditor);
    let listed = listed.send().await.ok();
    assert_eq!(listed.json["webhooks"][0]["name"], "imis");
    let no = gateway.post("/admin/v1/webhooks/imis/pause", &json!({}));
    let no = no.key(&auditor).send().await;
    assert_eq!((no.status, no.code()), (403, "not-allowed"));
    let removed = set.act(Method::DELETE, "/imis", None).await;
    assert_eq!(removed.status, 204);
    assert_eq!(set.act(Method::GET, "/imis", None).await.status, 404);
    set.tell("death d-1 4711 2026-01-02").await;
    let feed = gateway.get("/v1/events?wait=10").key(&set.imis);
    assert_eq!(
        feed.send().await.ok().json["events"][0]["event"]["id"],
        "d-1"
    );
    assert_eq!(set.receiver.messages().len(), 0);
}

/// Without networks that are named: no plain `http`, and nothing that is not public.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_nothing_goes_anywhere_and_nothing_to_private_networks() {
    let closed = Set::start(builder().config(|_| {})).await;
    let refused = closed.post("", body(&closed.receiver, json!({}))).await;
    assert_eq!(
        (refused.status, &refused.json["field"]),
        (400, &json!("url"))
    );
    assert!(refused.text.contains("allow_hosts"), "{}", refused.text);

    let hosts = |config: &mut registry_gateway::config::Config| {
        let hosts = ["127.0.0.1", "localhost"].map(|it| HostPattern::try_from(it.to_owned()));
        config.webhooks.allow_hosts = hosts.map(Result::unwrap).into();
    };
    let set = Set::start(builder().config(hosts)).await;
    for url in [
        set.receiver.url(),
        set.receiver.url().replace("http:", "https:"),
    ] {
        let refused = set
            .post("", body(&set.receiver, json!({ "url": url })))
            .await;
        assert_eq!(
            (refused.status, &refused.json["field"]),
            (400, &json!("url")),
            "{url}"
        );
        assert!(refused.text.contains("allow_networks"), "{}", refused.text);
    }
    // A name is looked at where it is connected to: it may be another's tomorrow.
    let port = set.receiver.address.port();
    let url = format!("https://localhost:{port}/events");
    set.add(json!({ "url": url })).await;
    let pinged = set.post("/imis/ping", json!({})).await.ok();
    assert_eq!(
        (&pinged.json["taken"], &pinged.json["problem"]),
        (&json!(false), &json!("address-refused"))
    );
    assert_eq!(set.receiver.messages().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_tells_of_nobody_and_acts_are_in_the_audit() {
    let set = Set::start(builder()).await;
    let receiver = Receiver::start().await;
    let url = receiver
        .url()
        .replace("/events", "/a-path-that-is-a-password");
    let secret = set.add(json!({ "url": url })).await;
    receiver.plan([Reply::status(200), Reply::status(503)]);
    let pinged = set.post("/imis/ping", json!({})).await.ok().json;
    assert_eq!(
        (&pinged["taken"], &pinged["status"]),
        (&json!(true), &json!(200))
    );
    let pinged = set.post("/imis/ping", json!({})).await.ok().json;
    assert_eq!(
        (&pinged["taken"], &pinged["status"]),
        (&json!(false), &json!(503))
    );
    let messages = receiver.messages();
    assert_eq!(messages[0].json()["type"], "webhook.ping");
    assert_eq!(messages[0].json()["data"], json!({ "webhook": "imis" }));
    assert!(verify(&secret, &messages[0]).is_ok());
    for (act, body) in [
        ("pause", json!({})),
        ("resume", json!({})),
        ("secret", json!({})),
        ("replay", json!({ "after": "e1-0" })),
    ] {
        let done = set.post(&format!("/imis/{act}"), body).await;
        assert!(matches!(done.status, 200 | 204), "{act}: {}", done.text);
    }
    set.act(Method::DELETE, "/imis", None).await;
    let store = set.gateway.store().await;
    let acts = store.audit().recent_acts(100).await.unwrap();
    store.close().await;
    let mut words: Vec<&str> = acts.iter().map(|act| act.act.as_str()).collect();
    words.retain(|word| word.starts_with("webhook."));
    words.sort_unstable();
    words.dedup();
    let expected = [
        "add", "pause", "ping", "remove", "replay", "resume", "rotate",
    ];
    assert_eq!(words, expected.map(|word| format!("webhook.{word}")));
    let told: Vec<Value> = acts
        .iter()
        .filter_map(|act| serde_json::from_str(act.detail.as_deref()?).ok())
        .collect();
    let told = json!(told).to_string();
    assert!(told.contains("\"host\":\"127.0.0.1\""), "{told}");
    assert!(
        !told.contains("password") && !told.contains("whsec"),
        "{told}"
    );
}
