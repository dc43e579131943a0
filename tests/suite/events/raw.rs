//! A callback as it came is shown to who may, and never without a trace.

use registry_gateway::model::Role;
use serde_json::json;

use super::{admin, builder, callbacks, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_at_what_came_says_why() {
    let (gateway, _) = start(builder()).await;
    let ask = gateway.ask(reqwest::Method::POST, "/hooks/vital/on-event?a=b");
    let ask = ask.header("authorization", "Bearer Senderssecret-1");
    let ask = ask.header("x-token", "right").body("unreadable");
    assert_eq!(ask.send().await.code(), "callback-unread");
    let kept = callbacks(&gateway, "state=unreadable").await;
    let path = format!(
        "/admin/v1/callbacks/{}/raw",
        kept[0]["id"].as_str().unwrap()
    );
    let ada = admin(&gateway).await;
    let why = json!({ "purpose": "mend-the-adapter" });
    let shown = gateway.post(&path, &why).key(&ada).send().await.ok();
    let came = &shown.json;
    assert_eq!(
        (&came["method"], &came["text"]),
        (&json!("POST"), &json!("unreadable"))
    );
    assert_eq!(came["body"], "dW5yZWFkYWJsZQ==");
    assert_eq!(came["query"], json!([{ "name": "a", "value": "b" }]));
    assert!(
        shown.text.contains("x-token") && shown.text.contains("(masked)"),
        "{}",
        shown.text
    );
    assert!(!shown.text.contains("Senderssecret-1"));

    // Nobody else, and not without a reason.
    for role in [Role::Implementer, Role::Auditor] {
        let key = gateway.staff(role.as_str(), &[role]).await;
        let refused = gateway.post(&path, &why).key(&key).send().await;
        assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
    }
    for (body, field) in [
        (json!({}), "purpose"),
        (json!({ "purpose": " " }), "purpose"),
    ] {
        let refused = gateway.post(&path, &body).key(&ada).send().await;
        assert_eq!(
            (refused.status, &refused.json["field"]),
            (400, &json!(field))
        );
    }
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let acts = gateway
        .get("/admin/v1/audit/acts?act=callback.raw")
        .key(&auditor);
    let acts = acts.send().await.ok();
    let listed = acts.json["acts"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{}", acts.text);
    assert_eq!(listed[0]["outcome"], "done");
    assert!(acts.text.contains("mend-the-adapter"));

    // A refused sender's bytes are not there to be shown.
    let ask = gateway.ask(reqwest::Method::POST, "/hooks/vital/on-event");
    assert_eq!(
        ask.header("x-token", "wrong").body("x").send().await.status,
        401
    );
    let refused = callbacks(&gateway, "state=refused").await;
    let gone = format!(
        "/admin/v1/callbacks/{}/raw",
        refused[0]["id"].as_str().unwrap()
    );
    let gone = gateway.post(&gone, &why).key(&ada).send().await;
    assert_eq!((gone.status, gone.code()), (409, "callback-not-kept"));
    let none = "/admin/v1/callbacks/0199c9a2-6c1e-7000-8000-000000000000/raw";
    let none = gateway.post(none, &why).key(&ada).send().await;
    assert_eq!((none.status, none.code()), (404, "unknown"));
    // Where its row cannot be written, it is not shown.
    let mut outside = gateway.outside().await;
    outside
        .run("ALTER TABLE audit_act RENAME TO audit_act_away")
        .await;
    let unsaid = gateway.post(&path, &why).key(&ada).send().await;
    assert_eq!((unsaid.status, unsaid.code()), (503, "audit-unavailable"));
    assert!(!unsaid.text.contains("unreadable"));
}
