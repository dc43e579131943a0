//! What cannot be read is given up by hand, by who may, with a trace.

use registry_gateway::model::Role;
use serde_json::json;

use super::{admin, builder, callbacks, start, tell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_cannot_be_read_makes_room_once_it_is_discarded() {
    let (gateway, _) = start(builder().config(|config| {
        config.events.max_unread_callbacks = std::num::NonZeroU32::new(2).unwrap();
    }))
    .await;
    for body in ["unreadable", "trap"] {
        assert_eq!(tell(&gateway, body).await.code(), "callback-unread");
    }
    assert_eq!(tell(&gateway, "challenge a").await.code(), "callbacks-full");
    let ada = admin(&gateway).await;
    let path =
        |id: &serde_json::Value| format!("/admin/v1/callbacks/{}/discard", id.as_str().unwrap());
    let kept = callbacks(&gateway, "").await;
    for role in [Role::Implementer, Role::Auditor] {
        let key = gateway.staff(role.as_str(), &[role]).await;
        let ask = gateway.post(&path(&kept[0]["id"]), &json!({})).key(&key);
        let refused = ask.send().await;
        assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
    }
    for callback in &kept {
        let ask = gateway.post(&path(&callback["id"]), &json!({})).key(&ada);
        assert_eq!(ask.send().await.status, 204);
        let ask = gateway.post(&path(&callback["id"]), &json!({})).key(&ada);
        let gone = ask.send().await;
        assert_eq!((gone.status, gone.code()), (404, "unknown"));
    }
    assert_eq!(tell(&gateway, "death d-1 1 2026-01-02").await.status, 202);
    // What was read stays as long as it is to stay.
    let received = callbacks(&gateway, "").await;
    assert_eq!(received.len(), 1);
    let ask = gateway
        .post(&path(&received[0]["id"]), &json!({}))
        .key(&ada);
    let refused = ask.send().await;
    assert_eq!((refused.status, refused.code()), (409, "not-discardable"));
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let acts = gateway
        .get("/admin/v1/audit/acts?act=callback.discard")
        .key(&auditor);
    let acts = acts.send().await.ok();
    let done = acts.json["acts"].as_array().unwrap().iter();
    let done = done.filter(|act| act["outcome"] == "done");
    let mut done: Vec<&str> = done.map(|act| act["subject"].as_str().unwrap()).collect();
    done.sort_unstable();
    let mut ids: Vec<&str> = kept.iter().map(|it| it["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(done, ids, "{}", acts.text);
}

/// Its adapter says each time that it cannot work: it is never given up by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_waits_makes_room_once_it_is_discarded() {
    let (gateway, _) = start(builder().config(|config| {
        config.events.max_unread_callbacks = std::num::NonZeroU32::new(1).unwrap();
    }))
    .await;
    assert_eq!(tell(&gateway, "busy").await.code(), "callback-unavailable");
    assert_eq!(tell(&gateway, "challenge a").await.code(), "callbacks-full");
    let waiting = callbacks(&gateway, "state=new").await;
    let path = format!(
        "/admin/v1/callbacks/{}/discard",
        waiting[0]["id"].as_str().unwrap()
    );
    let ada = admin(&gateway).await;
    let gone = gateway.post(&path, &json!({})).key(&ada).send().await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(tell(&gateway, "challenge a").await.status, 200);
}
