//! Who reads what, and that it is known afterwards.

use std::time::Duration;

use gateway_tests::gateway::identifiers;
use gateway_tests::wait::until;
use registry_gateway::model::{Ability, Role, cursor_of};
use serde_json::json;

use super::{admin, builder, ids, read, start, tell, telling};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_read_what_they_are_granted_and_see_what_the_policy_shows() {
    let bare = builder().registry("other", |_| {
        telling().set("policy.fields", vec!["identifiers"])
    });
    let (gateway, key) = start(bare).await;
    tell(&gateway, "death d-1 4711 2026-01-02").await;
    let ask = gateway.ask(reqwest::Method::POST, "/hooks/other/x");
    let ask = ask.header("x-token", "right");
    let told = ask.body("death d-1 4711 2026-01-02").send().await;
    assert_eq!(told.status, 202);

    // Lookups of all registries are no grant of events.
    for key in [
        &gateway.key,
        &gateway.caller("finder", &["vital"], &[Ability::Find]).await,
    ] {
        let none = gateway.get("/v1/events").key(key).send().await;
        assert_eq!((none.status, none.code()), (403, "not-granted"));
    }
    until("its own", async || {
        ids(&read(&gateway, &key, "").await) == ["d-1"]
    })
    .await;
    let other = gateway
        .caller("masked", &["other"], &[Ability::Events])
        .await;
    let page = read(&gateway, &other, "wait=5").await;
    assert_eq!(
        (ids(&page).len(), &page["events"][0]["registry"]),
        (1, &json!("other"))
    );
    let text = page["events"][0]["event"].to_string();
    assert!(text.contains("4711"), "{text}");
    assert!(
        !text.contains("Adhikari") && !text.contains("2026-01-02"),
        "{text}"
    );
    assert!(!text.contains("of-death"), "{text}");
    let silent = gateway
        .get("/v1/events")
        .key(&key)
        .without("registry-purpose");
    assert_eq!(silent.send().await.code(), "missing-statement");
    for (query, field) in [
        ("after=7", "after"),
        ("wait=61", "wait"),
        ("limit=501", "limit"),
        ("since=1", "query"),
    ] {
        let bad = gateway
            .get(&format!("/v1/events?{query}"))
            .key(&key)
            .send()
            .await;
        assert_eq!(
            (bad.status, &bad.json["field"]),
            (400, &json!(field)),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_has_who_was_told_of_whom_and_nobody_is_in_the_clear() {
    let (gateway, key) = start(builder()).await;
    tell(
        &gateway,
        "death d-secret-1 47114711 2026-01-02\nanswer r-secret-1 of-47114711",
    )
    .await;
    until("it is read", async || {
        !ids(&read(&gateway, &key, "").await).is_empty()
    })
    .await;
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let body = json!({ "identifiers": identifiers("47114711") });
    let found = gateway.post("/admin/v1/audit/find", &body).key(&auditor);
    let found = found.send().await.ok();
    let calls = found.json["calls"].as_array().unwrap();
    let who: Vec<(&str, bool)> = calls
        .iter()
        .map(|it| {
            let caller = it["call"]["caller"].as_str().unwrap();
            (caller, it["wasDisclosed"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(
        who,
        [("(registry)", true), ("imis", true)],
        "{}",
        found.text
    );
    for call in calls {
        assert_eq!(
            (&call["call"]["ability"], &call["call"]["outcome"]),
            (&json!("events"), &json!("done"))
        );
    }
    // The answer waits for whoever waits for it.
    let answer = gateway
        .serving
        .gateway
        .answer_to("vital", "r-secret-1")
        .await;
    assert_eq!(answer.unwrap().as_deref(), Some(&b"of-47114711"[..]));
    assert_eq!(
        gateway
            .serving
            .gateway
            .answer_to("civil", "r-secret-1")
            .await
            .unwrap(),
        None
    );
    let kept = gateway.kept();
    for file in std::fs::read_dir(kept).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for word in ["47114711", "Adhikari", "d-secret-1", "r-secret-1"] {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found, "{word} is in {}", path.display());
        }
    }
}

/// As after a database was restored: what comes next would be skipped until the positions are reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_is_ahead_is_refused() {
    let (gateway, key) = start(builder()).await;
    tell(&gateway, "death d-1 1 2026-01-02").await;
    until("it is read", async || {
        ids(&read(&gateway, &key, "").await) == ["d-1"]
    })
    .await;
    let at = format!("after={}", cursor_of(1));
    assert_eq!(ids(&read(&gateway, &key, &at).await), [""; 0]);
    for query in ["", "&wait=30"] {
        let path = format!("/v1/events?after={}{query}", cursor_of(2));
        let ahead = gateway.get(&path).key(&key).send().await;
        assert_eq!((ahead.status, ahead.code()), (409, "cursor-ahead"));
        assert_eq!(ahead.json["field"], "after");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_by_what_is_granted_then() {
    let (gateway, key) = start(builder()).await;
    let ada = gateway.staff("ada", &[Role::Administrator]).await;
    let waiting = gateway.get("/v1/events?wait=20").key(&key).send();
    let changing = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let settings = json!({ "roles": ["client"], "grants": [
            { "registries": ["vital"], "abilities": ["find"] }
        ] });
        let path = "/admin/v1/callers/imis";
        let set = gateway.ask(reqwest::Method::PUT, path).key(&ada);
        assert_eq!(set.json(&settings).send().await.status, 204);
        tell(&gateway, "death d-1 4711 2026-01-02").await;
    };
    let (answer, ()) = tokio::join!(waiting, changing);
    assert_eq!((answer.status, answer.code()), (403, "not-granted"));
    // So is whose key is revoked.
    let other = gateway
        .caller("clinic", &["vital"], &[Ability::Events])
        .await;
    let page = read(&gateway, &other, "wait=5").await;
    let path = format!(
        "/v1/events?wait=20&after={}",
        page["next"].as_str().unwrap()
    );
    let waiting = gateway.get(&path).key(&other).send();
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let path = "/admin/v1/callers/clinic";
        let gone = gateway.ask(reqwest::Method::DELETE, path).key(&ada);
        assert_eq!(gone.send().await.status, 204);
        tell(&gateway, "death d-2 4711 2026-01-02").await;
    };
    let (answer, ()) = tokio::join!(waiting, revoking);
    assert_eq!((answer.status, answer.code()), (401, "unauthorized"));
}

/// What its policy hides stays hidden when a registry is out of use, and nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_registry_shows_no_more_of_its_events() {
    let bare = builder().registry("other", |_| {
        telling().set("policy.fields", vec!["identifiers"])
    });
    let (gateway, key) = start(bare).await;
    let masked = gateway
        .caller("masked", &["other"], &[Ability::Events])
        .await;
    tell(&gateway, "death d-1 4711 2026-01-02").await;
    let ask = gateway.ask(reqwest::Method::POST, "/hooks/other/x");
    let ask = ask.header("x-token", "right");
    let told = ask.body("death d-2 4711 2026-01-02").send().await;
    assert_eq!(told.status, 202);
    let (whole, hidden) = (
        read(&gateway, &key, "wait=5").await,
        read(&gateway, &masked, "wait=5").await,
    );
    let ada = admin(&gateway).await;
    for registry in ["vital", "other"] {
        let path = format!("/admin/v1/registries/{registry}/disable");
        let disabled = gateway.post(&path, &json!({})).key(&ada).send().await;
        assert!(disabled.status < 300, "{}", disabled.text);
    }
    let out_of_use = (
        read(&gateway, &key, "").await,
        read(&gateway, &masked, "").await,
    );
    for (page, shows) in [
        (&whole, true),
        (&out_of_use.0, true),
        (&hidden, false),
        (&out_of_use.1, false),
    ] {
        let text = page["events"][0]["event"].to_string();
        assert!(text.contains("4711"), "{text}");
        assert_eq!(text.contains("Adhikari"), shows, "{text}");
        assert_eq!(text.contains("2026-01-02"), shows, "{text}");
        assert!(!text.contains("of-death"), "{text}");
    }
}
