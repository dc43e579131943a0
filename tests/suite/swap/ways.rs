//! Staged, active, wanted back, and what was active when.

use gateway_tests::crafted::Crafted;
use gateway_tests::gateway::TestGateway;
use gateway_tests::versions::{saying, version};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use registry_gateway::store::Phase;
use serde_json::{Value, json};

use super::Swapping;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_is_staged_activated_and_wanted_back() {
    let it = Swapping::start().await;
    let (said, one) = it.answers().await;
    assert_eq!(said, "one");
    let two = it.admitted(&saying("two")).await;

    let staged = it.post("stage", json!({ "module": two })).await.ok();
    let candidate = &staged.json["candidate"];
    assert_eq!(
        (&candidate["module"], &candidate["state"]),
        (&json!(two), &json!("staged"))
    );
    assert_eq!(candidate["caller"], "ada");
    assert_eq!(it.answers().await, ("one".into(), one.clone()));

    let active = it.activate(&two).await.ok();
    assert_eq!(active.json["active"]["digest"], *two);
    assert_eq!(active.json["candidate"], Value::Null);
    assert_eq!(active.json["ready"][0]["digest"], *one);
    // Whoever looked at what serves just then lets go of it at once.
    until("nothing goes on with the old one", async || {
        it.get("swap").await.ok().json["draining"] == json!([])
    })
    .await;
    assert_eq!(it.answers().await, ("two".into(), two.clone()));

    // It is named, also where it is the candidate: another may have been staged.
    let none = it.post("activate", json!({})).await;
    assert_eq!((none.status, none.code()), (400, "missing-field"));
    let future = it
        .post("rollback", json!({ "at": "2999-01-01T00:00:00Z" }))
        .await;
    assert_eq!((future.status, &future.json["field"]), (400, &json!("at")));
    let there = it.post("rollback", json!({ "module": two })).await;
    assert_eq!((there.status, there.code()), (409, "already-active"));

    let back = it.post("rollback", json!({})).await.ok();
    assert_eq!(back.json["active"]["digest"], *one);
    assert_eq!(it.answers().await.0, "one");
    // Once more undoes that.
    it.post("rollback", json!({})).await.ok();
    assert_eq!(it.answers().await.0, "two");
    it.post("rollback", json!({ "module": one })).await.ok();
    assert_eq!(it.answers().await.0, "one");

    let history = it.get("history").await.ok();
    let rows = history.json["activations"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| {
            (
                row["why"].as_str().unwrap(),
                row["caller"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("apply", "(local)"),
        ("activate", "ada"),
        ("rollback", "ada"),
        ("rollback", "ada"),
        ("rollback", "ada"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_served_at_a_time_is_known_and_comes_back() {
    let it = Swapping::start().await;
    let (_, one) = it.answers().await;
    let two = it.admitted(&saying("two")).await;
    let three = it.admitted(&saying("three")).await;
    it.activate(&two).await.ok();
    let noon = it.get("swap").await.ok().json["since"].clone();
    let noon = noon.as_str().unwrap().to_owned();
    it.activate(&three).await.ok();

    let held = it.get(&format!("history?at={noon}")).await.ok();
    let held = &held.json["activations"];
    assert_eq!(
        (held.as_array().unwrap().len(), &held[0]["module"]),
        (1, &json!(two))
    );
    assert_eq!(held[0]["previous"], *one);
    let never = it.get("history?at=2020-01-01T00:00:00Z").await.ok();
    assert_eq!(never.json["activations"], json!([]));

    it.post("rollback", json!({ "at": noon })).await.ok();
    assert_eq!(it.answers().await, ("two".into(), two));
    let refused = it.post("rollback", json!({ "at": "2020-01-01T00:00:00Z" }));
    let refused = refused.await;
    assert_eq!((refused.status, refused.code()), (409, "nothing-served"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let it = Swapping::start().await;
    let (_, one) = it.answers().await;
    let two = it.admitted(&saying("two")).await;
    let unknown = format!("sha256:{}", "0".repeat(64));
    let bytes = Crafted::adapter().build();
    let broken = it.admitted(&bytes[..bytes.len() / 2]).await;
    for (what, body, status, code) in [
        ("stage", json!({ "module": unknown }), 404, "unknown"),
        ("stage", json!({ "module": "two" }), 400, "invalid-request"),
        ("stage", json!({ "module": one }), 409, "already-active"),
        ("stage", json!({ "module": broken }), 422, "does-not-fit"),
        ("stage", json!({}), 400, "missing-field"),
        ("activate", json!({ "module": unknown }), 404, "unknown"),
        ("activate", json!({ "module": broken }), 422, "does-not-fit"),
        (
            "activate",
            json!({ "module": two, "expected": two }),
            409,
            "changed",
        ),
        ("activate", json!({ "forced": true }), 400, "unknown-field"),
        ("rollback", json!({}), 409, "nothing-served"),
        ("rollback", json!({ "module": two }), 400, "invalid-request"),
        (
            "rollback",
            json!({ "module": one, "at": "2026-01-01T00:00:00Z" }),
            400,
            "invalid-request",
        ),
        ("rollback", json!({ "at": "noon" }), 400, "invalid-request"),
    ] {
        let refused = it.post(what, body.clone()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (status, code),
            "{what} {body}: {}",
            refused.text
        );
    }
    for (what, status) in [
        ("history?at=noon", 400),
        ("history?limit=0", 400),
        ("history?x=1", 400),
    ] {
        assert_eq!(it.get(what).await.status, status, "{what}");
    }
    let gone = it.gateway.ask(
        reqwest::Method::DELETE,
        "/admin/v1/registries/changing/candidate",
    );
    assert_eq!(gone.key(&it.admin).send().await.status, 404);
    let other = it
        .gateway
        .get("/admin/v1/registries/none/swap")
        .key(&it.admin);
    assert_eq!(other.send().await.status, 404);
    assert_eq!(it.answers().await, ("one".into(), one));
    let rows = it.get("history").await.ok();
    assert_eq!(rows.json["activations"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_new_one_lacks_is_said_before() {
    let it = Swapping::start().await;
    // It finds and does no more, and is of another name.
    let poor = it.admitted(&Crafted::adapter().build()).await;
    let staged = it.post("stage", json!({ "module": poor })).await.ok();
    let findings = staged.json["findings"].as_array().unwrap();
    let places: Vec<_> = findings
        .iter()
        .map(|one| one["place"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["name", "abilities.search", "readable-states.1"]);

    // An endpoint that the registry does not have.
    let needy = "version=2.0.0 says=two form=1 reads=1 needs=other";
    let needy = it.admitted(&version(needy)).await;
    let refused = it.post("stage", json!({ "module": needy })).await;
    assert_eq!((refused.status, refused.code()), (422, "does-not-fit"));
    let finding = &refused.json["findings"][0];
    assert_eq!(finding["place"], "endpoints");
    assert!(
        finding["problem"]
            .as_str()
            .unwrap()
            .contains("add endpoints.other")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_what_is_its_own() {
    let it = Swapping::start().await;
    let two = it.admitted(&saying("two")).await;
    let implementer = it.gateway.staff("ida", &[Role::Implementer]).await;
    let auditor = it.gateway.staff("amy", &[Role::Auditor]).await;
    let asks = |key: String, what: &'static str, body: Value| {
        let path = format!("/admin/v1/registries/changing/{what}");
        it.gateway.post(&path, &body).key(&key).send()
    };
    let module = || json!({ "module": two });
    for (key, what, status) in [
        (&implementer, "stage", 200),
        (&implementer, "activate", 403),
        (&implementer, "rollback", 403),
        (&auditor, "stage", 403),
        (&auditor, "activate", 403),
        (&it.gateway.key, "stage", 403),
    ] {
        let body = if what == "rollback" {
            json!({})
        } else {
            module()
        };
        assert_eq!(asks(key.clone(), what, body).await.status, status, "{what}");
    }
    for what in ["swap", "history"] {
        let path = format!("/admin/v1/registries/changing/{what}");
        for (key, status) in [(&implementer, 200), (&auditor, 200), (&it.gateway.key, 403)] {
            assert_eq!(it.gateway.get(&path).key(key).send().await.status, status);
        }
    }
    let path = "/admin/v1/registries/changing/candidate";
    for (key, status) in [(&implementer, 403), (&it.admin, 204)] {
        let gone = it.gateway.ask(reqwest::Method::DELETE, path).key(key);
        assert_eq!(gone.send().await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_act_is_in_the_audit_with_its_registry_and_module() {
    let it = Swapping::start().await;
    let two = it.admitted(&saying("two")).await;
    it.post("stage", json!({ "module": two })).await.ok();
    it.post("activate", json!({ "module": two, "force": true }))
        .await
        .ok();
    it.post("rollback", json!({})).await.ok();
    let store = it.gateway.store().await;
    let acts = store.audit().recent_acts(10).await.unwrap();
    store.close().await;
    let ends = acts.iter().rev().filter_map(|row| match &row.phase {
        Phase::Begin => None,
        Phase::End { outcome } => Some((&*row.act, outcome.as_str())),
    });
    let expected = ["registry.stage", "registry.activate", "registry.rollback"];
    assert_eq!(ends.collect::<Vec<_>>(), expected.map(|act| (act, "done")));
    assert!(
        acts.iter()
            .all(|row| row.registry.as_deref() == Some("changing"))
    );
    let forced = acts
        .iter()
        .find(|row| row.act == "registry.activate")
        .unwrap();
    assert_eq!(forced.module_digest.as_ref(), Some(&two));
    assert!(forced.detail.as_ref().unwrap().contains("\"force\":true"));
}

/// A module is activated in another process: this gateway follows, and keeps its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_activates_is_taken_over() {
    let it = Swapping::start().await;
    let two = it.admitted(&saying("two")).await;
    let store = it.gateway.store().await;
    let change = registry_gateway::store::RegistryChange::Activate {
        name: "changing".into(),
        module_digest: two.clone(),
        expected: None,
        why: registry_gateway::store::Why::Activate,
    };
    store
        .registries()
        .by("bea")
        .apply(vec![change])
        .await
        .unwrap();
    store.close().await;
    until("it serves", async || it.answers().await.0 == "two").await;
    let rows = it.get("history").await.ok();
    assert_eq!(rows.json["activations"][0]["caller"], "bea");
}

/// The last versions stay loaded, and no more of them than was said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_versions_stay_ready_and_the_others_go() {
    for keep in [0, 1] {
        let gateway = TestGateway::builder()
            .config(move |config| config.sandbox.ready_versions = keep)
            .start()
            .await;
        let admin = gateway.staff("ada", &[Role::Administrator]).await;
        let uin = gateway.person(3).uin;
        let loaded = gateway.modules();
        let store = gateway.store().await;
        let mut digests = Vec::new();
        for number in 0..4 {
            let bytes = version(&format!("version=1.0.{number} says=it form=1 reads=1"));
            let module = registry_gateway::store::NewModule {
                adapter: "changing".into(),
                version: "1.0.0".into(),
                bytes: bytes.into(),
                facts: None,
            };
            digests.push(store.modules().put(module).await.unwrap().digest);
        }
        store.close().await;
        for digest in &digests {
            let body = json!({ "module": digest, "force": true });
            let done = gateway.post("/admin/v1/registries/civil/activate", &body);
            done.key(&admin).send().await.ok();
            gateway.find("civil", &uin).send().await.ok();
        }
        // `social` goes on with the first.
        let expected = loaded + 1 + usize::try_from(keep).unwrap();
        until("the others are gone", async || {
            gateway.modules() == expected
        })
        .await;
        let swap = gateway
            .get("/admin/v1/registries/civil/swap")
            .key(&admin)
            .send();
        let ready = swap.await.ok().json["ready"].as_array().unwrap().len();
        assert_eq!(ready, usize::try_from(keep).unwrap());
    }
}
