//! A registry is not flooded, and a lookup that did not reach it is made again: through the whole
//! gateway, with the `spdci` adapter.

use std::time::Duration;

use gateway_tests::gateway::{Answer, Builder, RegistryText, TestGateway};
use gateway_tests::stand_in::Fault;
use gateway_tests::wait::until;
use registry_gateway::store::AuditEntry;
use toml::Value;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1/";

/// Sets keys below the endpoint's `traffic`.
fn traffic(text: RegistryText, keys: &[(&str, Value)]) -> RegistryText {
    keys.iter().fold(text, |text, (key, value)| {
        text.set(&format!("endpoints.registry.traffic.{key}"), value.clone())
    })
}

fn civil(keys: &[(&str, Value)]) -> Builder {
    TestGateway::builder().registry("civil", |civil| traffic(civil, keys))
}

/// 503 with `Retry-After`, and nothing of the person asked for.
fn assert_resting(answer: &Answer, seconds: std::ops::RangeInclusive<u64>) {
    let told = (answer.status, answer.code(), &answer.json["registryCode"]);
    let expected = (503, "registry-unavailable", &"http.not-sent.resting".into());
    assert_eq!(told, expected, "{}", answer.text);
    let again: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!(seconds.contains(&again), "{again}");
}

async fn last_row(gateway: &TestGateway) -> AuditEntry {
    let store = gateway.store().await;
    let rows = store.audit().recent(1).await.unwrap();
    store.close().await;
    rows.into_iter().next().expect("a row")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_fails_is_left_alone_and_tried_again() {
    let gateway = civil(&[
        ("breaker.consecutive_failures", 3.into()),
        ("breaker.rest_ms", 4_000.into()),
    ])
    .start()
    .await;
    let uin = gateway.person(3).uin;
    gateway.stand_in.set_fault(Fault::HangUp);
    for _ in 0..3 {
        let answer = gateway.find("civil", &uin).send().await;
        let code = &answer.json["registryCode"];
        assert_eq!(code, "http.sent-no-answer.interrupted");
    }
    let asked = gateway.stand_in.requests();
    gateway.stand_in.set_fault(Fault::None);
    let answer = gateway.find("civil", &uin).send().await;
    assert_resting(&answer, 1..=4);
    assert_eq!(gateway.stand_in.requests(), asked, "nothing was sent");
    let row = last_row(&gateway).await.end.expect("an end");
    assert_eq!((&*row.outcome, row.disclosed.len()), ("unavailable", 0));
    // Another registry at the same address has limits of its own.
    gateway.find("social", &uin).send().await.ok();
    until("it is tried again", async || {
        gateway.find("civil", &uin).send().await.status == 200
    })
    .await;
    gateway.find("civil", &uin).send().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_asks_to_wait_is_left_alone() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(3).uin;
    for (registry, fault, seconds) in [
        ("civil", Fault::Unavailable, 7),
        ("social", Fault::RateLimited, 3),
    ] {
        gateway.stand_in.set_fault(fault);
        gateway.find(registry, &uin).send().await;
        gateway.stand_in.set_fault(Fault::None);
        let asked = gateway.stand_in.requests();
        let answer = gateway.find(registry, &uin).send().await;
        assert_resting(&answer, 1..=seconds);
        assert_eq!(gateway.stand_in.requests(), asked);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_its_hours_a_registry_is_not_asked() {
    // A day that is neither yesterday, today nor tomorrow, anywhere.
    let today = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs()
        / 86_400;
    // Day 0 was a Thursday.
    let day = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"][(today as usize + 3) % 7];
    let hours = |windows: &str| {
        let mut table = toml::Table::new();
        table.insert("zone".into(), "Asia/Kathmandu".into());
        table.insert("windows".into(), vec![windows].into());
        Value::from(table)
    };
    let gateway = TestGateway::builder()
        .registry("civil", |civil| {
            traffic(
                civil,
                &[("opening_hours", hours(&format!("{day} 09:00-17:00")))],
            )
        })
        .registry("social", |social| {
            traffic(social, &[("opening_hours", hours("daily 00:00-24:00"))])
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    let answer = gateway.find("civil", &uin).send().await;
    assert_resting(&answer, 86_400..=5 * 86_400);
    assert_eq!(gateway.stand_in.requests(), 0);
    gateway.find("social", &uin).send().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_requests_than_agreed() {
    let gateway = civil(&[
        ("requests_per_second", Value::from(0.01)),
        ("burst", 2.into()),
        ("max_wait_ms", 50.into()),
    ])
    .registry("social", |social| {
        traffic(
            social,
            &[("max_in_flight", 1.into()), ("max_wait_ms", 50.into())],
        )
    })
    .start()
    .await;
    let uin = gateway.person(3).uin;
    for _ in 0..2 {
        gateway.find("civil", &uin).send().await.ok();
    }
    assert_resting(&gateway.find("civil", &uin).send().await, 1..=100);
    assert_eq!(gateway.stand_in.requests(), 2);

    gateway
        .stand_in
        .set_fault(Fault::Slow(Duration::from_secs(3)));
    let both = [gateway.find("social", &uin), gateway.find("social", &uin)].map(|ask| ask.send());
    let mut both = futures_util::future::join_all(both).await;
    both.sort_by_key(|answer| answer.status);
    assert_eq!(both[0].status, 200);
    assert_resting(&both[1], 1..=1);
    assert_eq!(gateway.stand_in.requests(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_reach_the_registry_is_made_again() {
    let gateway = TestGateway::builder()
        .registry("civil", |civil| {
            civil
                .set("endpoints.registry.base_url", NOWHERE)
                .set("retry.max_attempts", 3)
                .set("retry.first_wait_ms", 10)
        })
        .registry("once", |once| {
            once.set("endpoints.registry.base_url", NOWHERE)
                .set("retry.max_attempts", 1)
        })
        .registry("touchy", |touchy| {
            let touchy = touchy.set("endpoints.registry.base_url", NOWHERE);
            traffic(touchy, &[("breaker.consecutive_failures", 1.into())])
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    for (registry, attempts) in [("civil", 3), ("once", 1), ("touchy", 1)] {
        let answer = gateway.find(registry, &uin).send().await;
        let code = &answer.json["registryCode"];
        assert_eq!(
            (answer.status, code),
            (503, &"http.not-sent.connect".into()),
            "{registry}"
        );
        let end = last_row(&gateway).await.end.expect("an end");
        assert_eq!(end.registry_calls, attempts, "{registry}");
    }
    let metrics = gateway.get("/metrics").send().await.text;
    let counted = r#"retries_total{registry="civil",adapter="spdci",ability="find"} 2"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert!(!metrics.contains(r#"retries_total{registry="once""#));
    assert!(!metrics.contains(r#"retries_total{registry="touchy""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_without_an_answer_is_made_again_where_that_is_wanted() {
    let gateway = TestGateway::builder()
        .registry("civil", |civil| {
            civil
                .set("retry.when", "unavailable")
                .set("retry.first_wait_ms", 1_500)
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    gateway.stand_in.set_fault(Fault::HangUp);
    let mend = async {
        until("the first attempt", async || {
            gateway.stand_in.requests() == 1
        })
        .await;
        gateway.stand_in.set_fault(Fault::None);
    };
    let ((), answer) = tokio::join!(mend, gateway.find("civil", &uin).send());
    answer.ok();
    assert_eq!(gateway.stand_in.requests(), 2);
    // By default it is not: the registry may have worked on it already.
    gateway.stand_in.set_fault(Fault::HangUp);
    let answer = gateway.find("social", &uin).send().await;
    assert_eq!(
        answer.json["registryCode"],
        "http.sent-no-answer.interrupted"
    );
    assert_eq!(gateway.stand_in.requests(), 3);
}

/// Taking over a file that leaves a registry as it is does not wake what rests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applying_again_forgets_no_rest() {
    let keys = [
        ("breaker.consecutive_failures", Value::from(1)),
        ("breaker.rest_ms", 600_000.into()),
    ];
    let gateway = civil(&keys).start().await;
    let uin = gateway.person(3).uin;
    gateway.stand_in.set_fault(Fault::HangUp);
    gateway.find("civil", &uin).send().await;
    gateway.stand_in.set_fault(Fault::None);

    let text = traffic(RegistryText::spdci("Civil"), &keys);
    let renamed = text.clone().set("summary", "renamed");
    gateway.apply(&[], &[("civil", renamed)]).await;
    until("it is taken over", async || {
        let shown = gateway.get("/v1/registries/civil").send().await;
        shown.json["summary"] == "renamed"
    })
    .await;
    assert_resting(&gateway.find("civil", &uin).send().await, 300..=600);

    let eased = traffic(text, &[("breaker.rest_ms", 1.into())]);
    gateway.apply(&[], &[("civil", eased)]).await;
    until("other rules begin anew", async || {
        gateway.find("civil", &uin).send().await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_without_sense_are_refused_by_name() {
    let gateway = TestGateway::start().await;
    for (key, value, told) in [
        (
            "retry.max_attempts",
            0,
            "retry.max_attempts: 0 lets no call through",
        ),
        ("retry.max_attempts", 11, "retry.max_attempts: at most 10"),
        (
            "retry.first_wait_ms",
            2_001,
            "retry.first_wait_ms: at most 2000; raise retry.max_wait_ms",
        ),
        (
            "endpoints.registry.traffic.max_in_flight",
            0,
            "traffic.max_in_flight: 0 lets no request through",
        ),
    ] {
        let text = RegistryText::spdci("Civil").set(key, value);
        let refusal = gateway.refusal("civil", &text).await;
        assert!(refusal.starts_with("registries.civil."), "{refusal}");
        assert!(refusal.contains(told), "{refusal}");
    }
}
