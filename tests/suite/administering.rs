//! Administration over the API: who may, and that nothing is done without a trace.

use gateway_tests::gateway::TestGateway;
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use registry_gateway::store::Phase;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_added_asks_and_is_revoked() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let uin = gateway.person(3).uin;

    let body = json!({ "name": "clinic", "grants": [{ "registries": ["civil"] }] });
    let added = gateway.post("/admin/v1/callers", &body).key(&admin);
    let added = added.send().await;
    assert_eq!(added.status, 201, "{}", added.json);
    let key = added.json["key"].as_str().unwrap();
    assert_eq!(
        gateway.find("civil", &uin).key(key).send().await.status,
        200
    );
    assert_eq!(
        gateway.find("social", &uin).key(key).send().await.status,
        404
    );

    let again = gateway.post("/admin/v1/callers", &body).key(&admin);
    let again = again.send().await;
    assert_eq!((again.status, again.code()), (409, "taken"));

    let revoked = gateway.ask(Method::DELETE, "/admin/v1/callers/clinic");
    assert_eq!(revoked.key(&admin).send().await.status, 204);
    assert_eq!(
        gateway.find("civil", &uin).key(key).send().await.status,
        401
    );

    let listed = gateway.get("/admin/v1/callers").key(&admin).send().await;
    let callers = listed.json["callers"].as_array().unwrap();
    let clinic = callers.iter().find(|caller| caller["name"] == "clinic");
    assert_eq!(clinic.unwrap()["state"], "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_has_a_row_before_and_after_it() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    for (caller, status) in [("clinic", 201), ("clinic", 409)] {
        let body = json!({ "name": caller });
        let added = gateway.post("/admin/v1/callers", &body).key(&admin);
        assert_eq!(added.send().await.status, status);
    }
    let store = gateway.store().await;
    let acts = store.audit().recent_acts(10).await.unwrap();
    store.close().await;
    let told: Vec<_> = acts
        .iter()
        .rev()
        .map(|row| {
            assert_eq!((&*row.caller, &*row.act), ("ada", "caller.add"));
            assert_eq!(row.subject.as_deref(), Some("clinic"));
            match &row.phase {
                Phase::Begin => "begin",
                Phase::End { outcome } => outcome,
            }
        })
        .collect();
    assert_eq!(told, ["begin", "done", "begin", "taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_administers_nothing_and_an_administrator_asks_nothing() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let refused = gateway.get("/admin/v1/callers").send().await;
    assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
    let uin = gateway.person(3).uin;
    let refused = gateway.find("civil", &uin).key(&admin).send().await;
    assert_eq!((refused.status, refused.code()), (404, "unknown-registry"));
}

/// What can be nobody's name is not found, and does not stand in the audit.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_is_not_written_down() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    for name in ["a%00b".to_owned(), "x".repeat(600)] {
        let path = format!("/admin/v1/registries/{name}/disable");
        let refused = gateway.post(&path, &json!({})).key(&admin).send().await;
        assert_eq!((refused.status, refused.code()), (404, "unknown"));
    }
    let store = gateway.store().await;
    assert_eq!(store.audit().recent_acts(10).await.unwrap(), []);
    store.close().await;
}

/// What is written is done, though this gateway cannot read it back: its watch takes it over later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_not_told_as_undone() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let uin = gateway.person(3).uin;
    let find = async |key: &str| gateway.find("civil", &uin).key(key).send().await.status;
    let send = async |method: Method, path: &str, body: &Value| {
        let ask = gateway.ask(method, &format!("/admin/v1{path}"));
        ask.json(body).key(&admin).send().await
    };
    let added = send(Method::POST, "/callers", &json!({ "name": "old" })).await;
    let old = added.json["key"].as_str().unwrap().to_owned();
    assert_eq!(find(&old).await, 200);

    // Columns that are read and not written by these acts.
    let mut outside = gateway.outside().await;
    let mut rename = async |from: &str, to: &str| {
        for (table, column) in [("caller_keys", "last_used_at"), ("candidates", "since")] {
            let (from, to) = (format!("{from}{column}"), format!("{to}{column}"));
            outside
                .run(&format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"))
                .await;
        }
    };
    rename("", "gone_").await;
    let listed = gateway.get("/admin/v1/callers").key(&admin).send().await;
    assert_eq!((listed.status, listed.code()), (503, "store-unavailable"));

    let added = send(Method::POST, "/callers", &json!({ "name": "new" })).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let new = added.json["key"].as_str().unwrap().to_owned();
    let more = send(Method::POST, "/callers/new/keys", &json!({})).await;
    assert_eq!(more.status, 201, "{}", more.text);
    let more_id = more.json["keyId"].as_str().unwrap();
    let path = format!("/callers/new/keys/{more_id}");
    assert_eq!(send(Method::DELETE, &path, &Value::Null).await.status, 204);
    assert_eq!(
        send(Method::DELETE, "/callers/old", &Value::Null)
            .await
            .status,
        204
    );
    let disabled = send(Method::POST, "/registries/social/disable", &json!({})).await;
    assert!((200..300).contains(&disabled.status), "{}", disabled.text);
    assert_eq!(
        (find(&new).await, find(&old).await),
        (401, 200),
        "not taken over yet"
    );

    rename("gone_", "").await;
    until("all is taken over", async || {
        let social = gateway.find("social", &uin).send().await;
        (find(&new).await, find(&old).await, social.code()) == (200, 401, "registry-disabled")
    })
    .await;
    assert_eq!(find(more.json["key"].as_str().unwrap()).await, 401);
    let store = gateway.store().await;
    let acts = store.audit().recent_acts(100).await.unwrap();
    store.close().await;
    let ends = acts.iter().filter_map(|act| match &act.phase {
        Phase::End { outcome } => Some((act.act.as_str(), outcome.as_str())),
        Phase::Begin => None,
    });
    let mut ends: Vec<_> = ends.filter(|(_, outcome)| *outcome == "done").collect();
    ends.sort_unstable();
    let words: Vec<_> = ends.iter().map(|(act, _)| *act).collect();
    assert_eq!(
        words,
        [
            "caller.add",
            "caller.add",
            "caller.key.add",
            "caller.key.revoke",
            "caller.revoke",
            "registry.disable"
        ],
        "{acts:?}"
    );
}
