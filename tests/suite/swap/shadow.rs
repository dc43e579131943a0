//! The candidate answers a share of lookups, and nobody but its counts tells of it.

use gateway_tests::components;
use gateway_tests::crafted::with_section;
use gateway_tests::gateway::TestGateway;
use gateway_tests::versions::{saying, version};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use registry_gateway::store::NewModule;
use serde_json::{Value, json};

use super::Swapping;

async fn compared(it: &Swapping, number: u64) -> Value {
    until("they are compared", async || {
        it.get("shadow").await.ok().json["compared"] == number
    })
    .await;
    it.get("shadow").await.json
}

async fn on_trial(it: &Swapping, bytes: &[u8]) -> String {
    let digest = it.admitted(bytes).await;
    it.post("stage", json!({ "module": digest })).await.ok();
    it.post("shadow", json!({ "sharePercent": 100 })).await.ok();
    digest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_are_counted_by_field_and_told_to_nobody() {
    let it = Swapping::start().await;
    let (_, one) = it.answers().await;
    let none = it.get("shadow").await;
    assert_eq!((none.status, none.code()), (409, "no-shadow"));
    let none = it.post("shadow", json!({ "sharePercent": 5 })).await;
    assert_eq!((none.status, none.code()), (409, "no-candidate"));
    let mark = "version=2.0.0 says=two form=1 reads=1 asks=/changing born=1990";
    let two = on_trial(&it, &version(mark)).await;
    for share in [0, 101] {
        let refused = it.post("shadow", json!({ "sharePercent": share })).await;
        assert_eq!(refused.json["field"], "sharePercent");
    }

    let sent = it.gateway.stand_in.requests();
    let answer = it.find("1").await.ok();
    assert_eq!(super::given(&answer.json["person"]), "one");
    assert_eq!(super::module(&answer.json), one);
    assert_eq!(it.find("fail").await.status, 422);
    let report = compared(&it, 2).await;
    assert_eq!(
        it.gateway.stand_in.requests(),
        sent + 1,
        "the candidate sends nothing"
    );
    assert_eq!(
        (&report["same"], &report["askedOtherwise"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(report["outcomes"], json!([]));
    let request = answer.header("x-request-id");
    let fields = report["fields"].as_array().unwrap();
    let told: Vec<_> = fields
        .iter()
        .map(|field| {
            assert_eq!(field["examples"], json!([request]));
            let counts = ["changed", "missing", "added"].map(|it| field[it].as_u64().unwrap());
            (field["path"].as_str().unwrap(), counts)
        })
        .collect();
    let expected = [
        ("birthDate", [0, 0, 1]),
        ("extra", [1, 0, 0]),
        ("names[].given[]", [1, 0, 0]),
    ];
    assert_eq!(told, expected);
    assert!(
        !report.to_string().contains("two"),
        "no value is told: {report}"
    );

    // Its code saw whom it was about: the audit has that, and nobody was told anything.
    let store = it.gateway.store().await;
    until("its row is ended", async || {
        let rows = store.audit().by_request(request).await.unwrap();
        rows.len() == 2 && rows.iter().all(|row| row.end.is_some())
    })
    .await;
    let rows = store.audit().by_request(request).await.unwrap();
    store.close().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let end = row.end.as_ref().unwrap();
            (
                row.begin.module_digest.clone(),
                end.outcome.clone(),
                end.registry_calls,
            )
        })
        .collect();
    assert_eq!(
        told,
        [(one, "done".into(), 1), (two.clone(), "shadow".into(), 0)]
    );
    assert_eq!(rows[0].begin.asked, rows[1].begin.asked);
    assert!(rows[1].end.as_ref().unwrap().disclosed.is_empty());

    // Once it serves it is on trial no more.
    it.activate(&two).await.ok();
    assert_eq!(it.get("shadow").await.status, 409);
    assert_eq!(it.answers().await, ("two".into(), two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_asks_otherwise_is_not_sent_and_what_only_one_answers_is_told() {
    let it = Swapping::start().await;
    it.answers().await;
    let mark = "version=2.0.0 says=one form=1 reads=1 asks=/other";
    on_trial(&it, &version(mark)).await;
    let sent = it.gateway.stand_in.requests();
    it.find("1").await.ok();
    let report = compared(&it, 1).await;
    assert_eq!(it.gateway.stand_in.requests(), sent + 1);
    assert_eq!(
        (&report["askedOtherwise"], &report["same"]),
        (&json!(1), &json!(1))
    );

    // A page token of a form that it does not read: it is not asked.
    let body = json!({ "criteria": [{ "field": "sex", "equals": "male" }] });
    let first = it
        .gateway
        .lookup("changing", "search", &body)
        .send()
        .await
        .ok();
    compared(&it, 2).await;
    let other = version("version=3.0.0 says=three form=2 reads=2");
    on_trial(&it, &other).await;
    let mut second = body.clone();
    second["page"] = first.json["next"].clone();
    it.gateway
        .lookup("changing", "search", &second)
        .send()
        .await
        .ok();
    // One that breaks where the other answers.
    let waiting = it.find("pend").await.ok();
    assert_eq!(super::given(&waiting.json["person"]), "one one");
    compared(&it, 1).await;
    let gone = "/admin/v1/registries/changing/candidate";
    let gone = it.gateway.ask(reqwest::Method::DELETE, gone).key(&it.admin);
    assert_eq!(gone.send().await.status, 204);
    assert_eq!(it.get("shadow").await.status, 409);
}

/// Each question of this adapter has numbers and times of its own, and its answer names them: another
/// version that asks the same is played the same all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_adapter_is_played_what_the_live_one_was_answered() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let store = gateway.store().await;
    let bytes = with_section(&components::bytes("adapter-spdci"), b"another build");
    let module = NewModule {
        adapter: "spdci".into(),
        version: "0.1.0".into(),
        bytes: bytes.into(),
        facts: None,
    };
    let digest = store.modules().put(module).await.unwrap().digest;
    store.close().await;
    let path = |what: &str| format!("/admin/v1/registries/civil/{what}");
    for (what, body) in [
        ("stage", json!({ "module": digest })),
        ("shadow", json!({ "sharePercent": 100 })),
    ] {
        let done = gateway.post(&path(what), &body).key(&admin);
        done.send().await.ok();
    }
    for index in 0..5 {
        let uin = gateway.person(index).uin;
        let body = json!({ "identifiers": gateway_tests::gateway::identifiers(&uin) });
        gateway.lookup("civil", "find", &body).send().await.ok();
        gateway
            .lookup("civil", "household", &body)
            .send()
            .await
            .ok();
    }
    let sent = gateway.stand_in.requests();
    let report = async || {
        gateway
            .get(&path("shadow"))
            .key(&admin)
            .send()
            .await
            .ok()
            .json
    };
    until("all are looked at", async || {
        let report = report().await;
        report["compared"].as_u64().unwrap() + report["dropped"].as_u64().unwrap() == 10
    })
    .await;
    let report = report().await;
    assert_eq!(gateway.stand_in.requests(), sent);
    assert!(report["compared"].as_u64().unwrap() > 0);
    assert_eq!(report["same"], report["compared"], "{report}");
    assert_eq!(report["askedOtherwise"], 0, "{report}");
}

/// Where there is no room it is left out, and counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_it_is_left_out() {
    let gateway = TestGateway::builder()
        .config(|config| config.sandbox.shadow_calls = 0)
        .start()
        .await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let store = gateway.store().await;
    let module = NewModule {
        adapter: "changing".into(),
        version: "1.0.0".into(),
        bytes: saying("two").into(),
        facts: None,
    };
    let digest = store.modules().put(module).await.unwrap().digest;
    store.close().await;
    for (what, body) in [
        ("stage", json!({ "module": digest })),
        ("shadow", json!({ "sharePercent": 100 })),
    ] {
        let path = format!("/admin/v1/registries/civil/{what}");
        gateway.post(&path, &body).key(&admin).send().await.ok();
    }
    gateway
        .find("civil", &gateway.person(3).uin)
        .send()
        .await
        .ok();
    let path = "/admin/v1/registries/civil/shadow";
    let report = gateway.get(path).key(&admin).send().await.ok().json;
    assert_eq!(
        (&report["dropped"], &report["compared"]),
        (&json!(1), &json!(0))
    );
}

/// Two modules that ask the same path with another header ask something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_header_is_another_question() {
    let mark = |version: u32, accepts: &str| {
        let words = format!("version={version}.0.0 says=one form=1 reads=1 asks=/changing");
        gateway_tests::versions::version(&format!("{words} accepts={accepts}"))
    };
    let it = Swapping::with(|text| text, &mark(1, "text/xml")).await;
    it.answers().await;
    for (version, accepts, otherwise) in [(2, "text/xml", 0), (3, "text/plain", 1)] {
        on_trial(&it, &mark(version, accepts)).await;
        it.find("1").await.ok();
        let report = compared(&it, 1).await;
        assert_eq!(report["askedOtherwise"], otherwise, "{accepts}: {report}");
    }
}

/// What the live call was not answered, the candidate is not answered either: a registry that is away
/// is no difference of the modules.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_answered_is_played_too() {
    let gateway = TestGateway::builder()
        .registry("civil", |text| {
            text.set("endpoints.registry.timeout_ms", 1_000)
        })
        .start()
        .await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let store = gateway.store().await;
    let bytes = with_section(&components::bytes("adapter-spdci"), b"a build for failures");
    let module = NewModule {
        adapter: "spdci".into(),
        version: "0.1.0".into(),
        bytes: bytes.into(),
        facts: None,
    };
    let digest = store.modules().put(module).await.unwrap().digest;
    store.close().await;
    let path = |what: &str| format!("/admin/v1/registries/civil/{what}");
    for (what, body) in [
        ("stage", json!({ "module": digest })),
        ("shadow", json!({ "sharePercent": 100 })),
    ] {
        let done = gateway.post(&path(what), &body).key(&admin);
        done.send().await.ok();
    }
    // It hangs up, it says nothing, it breaks off: none is an answer.
    for (compared, uin) in [(1, "9900000014"), (2, "9900000018"), (3, "9900000008")] {
        let answer = gateway.find("civil", uin).send().await;
        assert_eq!(answer.status, 503, "{uin}: {}", answer.text);
        let sent = gateway.stand_in.requests();
        until("it is compared", async || {
            let report = gateway.get(&path("shadow")).key(&admin).send().await.ok();
            report.json["compared"] == compared
        })
        .await;
        let report = gateway.get(&path("shadow")).key(&admin).send().await;
        let report = report.ok().json;
        assert_eq!(gateway.stand_in.requests(), sent);
        assert_eq!(report["same"], compared, "{uin}: {report}");
        assert_eq!(report["askedOtherwise"], 0, "{uin}: {report}");
    }
}
