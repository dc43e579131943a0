//! What is not accepted, who may see what, and what is told of nobody.

use registry_gateway::model::Ability;
use serde_json::json;

use super::{Writing, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_one_write_for_ever() {
    let writing = Writing::start().await;
    let body = writing.body("p-1", "male");
    let first = writing.send("k-1", &body).await;
    let again = writing.send("k-1", &body).await;
    assert_eq!(id(&first.json), id(&again.json));
    for other in [writing.body("p-1", "female"), writing.body("p-2", "male")] {
        let refused = writing.send("k-1", &other).await;
        let told = (refused.status, refused.code());
        assert_eq!(told, (409, "idempotency-conflict"));
    }
    writing.reaches(&id(&first.json), &["applied"]).await;
    assert_eq!(writing.done(&id(&first.json)), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_writes_are_refused_by_their_field() {
    let writing = Writing::start().await;
    let good = writing.body("p-1", "male");
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body = good.clone();
        change(&mut body);
        body
    };
    for (body, code, field) in [
        (
            changed(&|it| it["subject"] = json!("")),
            "invalid-request",
            "subject",
        ),
        (
            changed(&|it| it["update"]["mask"] = json!([])),
            "invalid-request",
            "update.mask",
        ),
        (
            changed(&|it| it["update"]["mask"] = json!(["height"])),
            "invalid-request",
            "update.mask.0",
        ),
        (
            changed(&|it| it["update"]["mask"] = json!(["sex", "sex"])),
            "invalid-request",
            "update.mask.1",
        ),
        (
            changed(&|it| it["update"]["mask"] = json!(["names"])),
            "invalid-request",
            "update.person.sex",
        ),
        (
            changed(&|it| it["update"]["identifiers"] = json!([])),
            "invalid-request",
            "update.identifiers",
        ),
        (
            changed(&|it| it["update"]["identifiers"][0]["value"] = json!(" ")),
            "invalid-request",
            "update.identifiers.0.value",
        ),
        (
            changed(&|it| it["create"] = json!({ "person": { "sex": "male" } })),
            "invalid-request",
            "body",
        ),
        (
            changed(&|it| it["deadline"] = json!("2020-01-01T00:00:00Z")),
            "invalid-request",
            "deadline",
        ),
        (
            changed(&|it| it["bluk"] = json!(true)),
            "unknown-field",
            "bluk",
        ),
        (
            json!({ "update": good["update"] }),
            "missing-field",
            "subject",
        ),
        (
            json!({ "subject": "p-1", "create": {} }),
            "invalid-request",
            "create",
        ),
        (
            json!({ "subject": "p-1", "create": { "person": {} } }),
            "invalid-request",
            "create.person",
        ),
        (
            json!({ "subject": "p-1", "create": { "person": { "unmapped": [{ "field": "a", "value": "b" }] } } }),
            "invalid-request",
            "create.person.unmapped",
        ),
    ] {
        let refused = writing.send("k-1", &body).await;
        let told = (
            refused.status,
            refused.code(),
            refused.json["field"].as_str(),
        );
        assert_eq!(told, (400, code, Some(field)), "{}", refused.text);
    }
    let path = "/v1/registries/records/operations";
    let unnamed = writing.gateway.post(path, &good).send().await;
    assert_eq!((unnamed.status, unnamed.code()), (400, "missing-field"));
    assert_eq!(unnamed.json["field"], "Idempotency-Key");
    let long = writing.send(&"k".repeat(256), &good).await;
    assert_eq!((long.status, long.code()), (400, "invalid-request"));
    // The adapter cannot.
    let gateway = &writing.gateway;
    let key = gateway.caller("all", &["civil"], &Ability::WRITES).await;
    let asked = gateway.post("/v1/registries/civil/operations", &good);
    let asked = asked.key(&key).header("idempotency-key", "k-1");
    let cannot = asked.send().await;
    assert_eq!((cannot.status, cannot.code()), (501, "no-ability"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_writes_what_it_is_granted_and_sees_its_own() {
    let writing = Writing::start().await;
    let done = writing.write("k-1", "male", &["applied"]).await;
    let reader = writing
        .gateway
        .caller("reader", &["records"], &[Ability::Find]);
    let reader = reader.await;
    let path = "/v1/registries/records/operations";
    let asked = writing.gateway.post(path, &writing.body("p-1", "male"));
    let refused = asked
        .key(&reader)
        .header("idempotency-key", "k-1")
        .send()
        .await;
    assert_eq!((refused.status, refused.code()), (403, "not-granted"));

    let path = format!("/v1/operations/{}", id(&done));
    for asked in [
        writing.gateway.get(&path).key(&reader),
        writing
            .gateway
            .post(&format!("{path}/cancel"), &json!({}))
            .key(&reader),
        writing.gateway.get("/v1/operations/none"),
    ] {
        let unknown = asked.send().await;
        assert_eq!((unknown.status, unknown.code()), (404, "unknown-operation"));
    }
    // It is over.
    let late = writing.gateway.post(&format!("{path}/cancel"), &json!({}));
    let late = late.send().await;
    assert_eq!((late.status, late.code()), (409, "operation-state"));
}

/// Nobody listens at the registry's address: nothing was sent, and it can be taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_sent_can_be_cancelled() {
    let away = |text: gateway_tests::gateway::RegistryText| {
        text.set("endpoints.registry.base_url", "http://127.0.0.1:1/")
    };
    let writing = Writing::with(away).await;
    let waiting = writing.write("k-1", "male", &["waiting"]).await;
    assert_eq!(waiting["reason"], "unavailable");
    let path = format!("/v1/operations/{}/cancel", id(&waiting));
    // An attempt that is under way is not cancelled.
    let mut cancelled = writing.gateway.post(&path, &json!({})).send().await;
    for _ in 0..50 {
        if cancelled.status == 200 {
            break;
        }
        assert_eq!(
            (cancelled.status, cancelled.code()),
            (409, "operation-state")
        );
        cancelled = writing.gateway.post(&path, &json!({})).send().await;
    }
    assert_eq!(cancelled.json["state"], "cancelled", "{}", cancelled.text);

    let listed = writing
        .gateway
        .get("/admin/v1/operations?registry=records&state=cancelled");
    let listed = listed.key(&writing.admin).send().await.ok();
    assert_eq!(listed.json["operations"][0]["caller"], "writer");
    assert_eq!(listed.json["operations"].as_array().map(Vec::len), Some(1));
    for (ability, count) in [("update", 1), ("create", 0)] {
        let path = format!("/admin/v1/operations?caller=writer&ability={ability}");
        let listed = writing.gateway.get(&path).key(&writing.admin);
        let listed = listed.send().await.ok();
        let listed = listed.json["operations"].as_array().map(Vec::len);
        assert_eq!(listed, Some(count), "{ability}");
    }
    for (field, value) in [("state", "lost"), ("ability", "find")] {
        let path = format!("/admin/v1/operations?{field}={value}");
        let bad = writing.gateway.get(&path).key(&writing.admin).send().await;
        assert_eq!((bad.status, bad.json["field"].as_str()), (400, Some(field)));
    }
}

/// What is written about somebody is in the database, and cannot be read there; the audit says who
/// wrote, and when it was delivered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_sealed_and_audited() {
    let writing = Writing::start().await;
    let mut body = writing.body("openimis-person-4711", "male");
    body["update"]["person"]["names"] = json!([{ "family": "Qzuxvyn" }]);
    body["update"]["mask"] = json!(["sex", "names"]);
    let sent = writing.send("k-1", &body).await;
    writing.reaches(&id(&sent.json), &["applied"]).await;
    let rows = writing.gateway.store().await;
    let request = sent.header("x-request-id");
    let rows = rows.audit().by_request(request).await.unwrap();
    let outcomes: Vec<_> = rows
        .iter()
        .map(|row| row.end.as_ref().unwrap().outcome.clone())
        .collect();
    assert_eq!(outcomes, ["accepted", "applied"]);
    let kept = writing.gateway.kept();
    for entry in std::fs::read_dir(kept).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        for word in ["Qzuxvyn", "openimis-person-4711"] {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found, "{word} in {}", path.display());
        }
    }
}

/// Another key would leave all that was accepted unread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_the_key_does_not_start() {
    let writing = Writing::start().await;
    let done = writing.write("k-1", "male", &["applied"]).await;
    assert_eq!(done["state"], "applied");
    let file = writing.gateway.data_dir().join("bodies.key");
    let key = std::fs::read(&file).unwrap();
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let start = async || {
        let started = registry_gateway::serve::start(&writing.gateway.config).await;
        started.err().map(|error| format!("{error:?}"))
    };
    std::fs::write(&file, other).unwrap();
    let refused = start().await.unwrap();
    assert!(refused.contains("BodiesOtherKey"), "{refused}");
    std::fs::remove_file(&file).unwrap();
    let refused = start().await.unwrap();
    assert!(refused.contains("BodiesKeyLost"), "{refused}");
    assert!(!file.exists(), "none is made");
    std::fs::write(&file, key).unwrap();
    assert_eq!(start().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_counted_by_how_they_ended() {
    let writing = Writing::start().await;
    writing.write("k-1", "male", &["applied"]).await;
    let mut body = writing.body("p-1", "male");
    body["update"]["identifiers"][0]["scheme"] = json!("none-of-its");
    let refused = writing.send("k-2", &body).await;
    let refused = writing.reaches(&id(&refused.json), &["rejected"]).await;
    let told = (&refused["registryCode"], &refused["field"]);
    assert_eq!(told, (&json!("identifier.scheme"), &json!("identifiers")));
    let metrics = writing.gateway.get("/metrics").send().await.ok().text;
    for outcome in ["applied", "rejected"] {
        let line = metrics.lines().find(|line| {
            line.starts_with("registry_gateway_operation_attempts_total")
                && line.contains(&format!("outcome=\"{outcome}\""))
        });
        let line = line.unwrap_or_else(|| panic!("{outcome} in {metrics}"));
        assert!(
            line.contains("registry=\"records\"") && line.ends_with(" 1"),
            "{line}"
        );
    }
}
