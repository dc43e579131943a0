//! What `/metrics` says is what README says, and no more.

use std::collections::{BTreeMap, BTreeSet};

use gateway_tests::components::component;
use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::stand_in::Fault;
use registry_gateway::model::{Ability, Role};
use serde_json::json;

const README: &str = include_str!("../../README.md");

/// Type and labels, by name.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

/// Rows of README's table: ``| `name` | type | labels | …``.
fn told() -> Families {
    let table = README.split("| metric | type | labels |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let rows = rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let mut cell = || cells.next().unwrap().to_owned();
        let (name, kind, labels) = (cell(), cell(), cell());
        let labels = labels.split(", ").filter(|label| !label.is_empty());
        let labels = labels.map(str::to_owned).collect();
        (name.trim_matches('`').to_owned(), (kind, labels))
    });
    rows.collect()
}

/// The same of an exposition.
fn real(text: &str) -> Families {
    let mut families = Families::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        families.insert(name.into(), (kind.into(), BTreeSet::new()));
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let suffixes = ["", "_total", "_bucket", "_sum", "_count"];
        let family = suffixes.iter().find_map(|suffix| {
            let family = name.strip_suffix(suffix)?;
            families.contains_key(family).then(|| family.to_owned())
        });
        let family = family.unwrap_or_else(|| panic!("{line}: of no family"));
        let labels = &mut families.get_mut(&family).unwrap().1;
        // A route's pattern has braces of its own.
        for (before, _) in line.match_indices("=\"").map(|(at, _)| line.split_at(at)) {
            let label = before.rsplit(['{', ',']).next().unwrap();
            if label != "le" {
                labels.insert(label.to_owned());
            }
        }
    }
    families
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample));
    let line = line.unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    line.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_in_the_readme_are_those_of_the_gateway() {
    let gateway = TestGateway::builder()
        .registry("hostile", |text| text.module(component("hostile-guest")))
        .registry("off", |text| text.set("enabled", false))
        .registry("away", |text| {
            // Nobody listens there: lookups are made again.
            text.set("endpoints.registry.base_url", "http://127.0.0.1:1")
        })
        .start()
        .await;
    let uin = gateway.person(2).uin;
    for _ in 0..3 {
        gateway.find("civil", &uin).send().await.ok();
    }
    gateway
        .find("civil", &Fault::uin("hang-up").unwrap())
        .send()
        .await;
    let trap = json!({ "identifiers": [{ "scheme": "behaviour", "value": "panic" }] });
    let broken = gateway.lookup("hostile", "find", &trap).send().await;
    assert_eq!(broken.code(), "adapter-fault", "{}", broken.text);
    assert_eq!(gateway.find("off", &uin).send().await.status, 503);
    assert_eq!(gateway.find("away", &uin).send().await.status, 503);
    // What callers choose makes no series.
    for name in ["nobody-1", "nobody-2", "Sita-Devi"] {
        assert_eq!(gateway.find(name, &uin).send().await.status, 404);
        gateway.get(&format!("/{name}")).send().await;
    }
    let text = gateway.get("/metrics").send().await.ok().text;
    let mut families = real(&text);
    families.extend(real(&of_what_is_sent().await));
    assert_eq!(families, told());
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("nobody") && !text.contains("Sita"), "{text}");

    let ours = |name: &str, labels: &str| value(&text, &format!("registry_gateway_{name}{labels}"));
    let civil = "registry=\"civil\",adapter=\"spdci\"";
    let find = format!("{{{civil},ability=\"find\"}}");
    let done = format!("{{{civil},ability=\"find\",outcome=\"done\"}}");
    assert_eq!(ours("calls_total", &done), 3.0);
    assert_eq!(ours("call_duration_seconds_count", &find), 4.0);
    let hostile = "{registry=\"hostile\",adapter=\"hostile\",kind=\"trapped\"}";
    assert_eq!(ours("faults_total", hostile), 1.0);
    let ok = format!("{{{civil},outcome=\"2xx\"}}");
    assert_eq!(ours("egress_requests_total", &ok), 3.0);
    let cut = format!("{{{civil},outcome=\"interrupted\"}}");
    assert_eq!(ours("egress_requests_total", &cut), 1.0);
    let unknown = "{registry=\"\",adapter=\"\",ability=\"find\",outcome=\"unknown-registry\"}";
    assert_eq!(ours("calls_total", unknown), 3.0);
    let off = "{registry=\"off\",adapter=\"\",ability=\"find\",outcome=\"disabled\"}";
    assert_eq!(ours("calls_total", off), 1.0);
    let of = format!("{{{civil}}}");
    for more_than_nothing in [
        ("guest_cpu_seconds_total", &*of),
        ("guest_memory_peak_bytes", &of),
        ("egress_wait_seconds_total", &of),
        ("audit_commits_total", ""),
    ] {
        assert!(ours(more_than_nothing.0, more_than_nothing.1) > 0.0);
    }
    for phase in ["begin", "end"] {
        let phase = format!("{{phase=\"{phase}\"}}");
        assert_eq!(ours("audit_wait_seconds_count", &phase), 6.0);
    }
    assert_eq!(ours("instances", ""), 0.0, "no call is under way");
    for (state, count) in [("ready", 4.0), ("disabled", 1.0), ("not-ready", 0.0)] {
        assert_eq!(ours("registries", &format!("{{state=\"{state}\"}}")), count);
    }
    assert!(value(&text, "process_cpu_seconds_total") > 0.0);
    assert!(value(&text, "process_resident_memory_bytes") > 1e6);
}

/// The figures of a gateway that has a write and a message to deliver.
async fn of_what_is_sent() -> String {
    let gateway = TestGateway::builder()
        .registry("vital", |_| RegistryText::bare(component("telling-guest")))
        .registry("records", |_| {
            // Nobody listens there: the write waits.
            RegistryText::bare(component("registrar-guest"))
                .set("endpoints.registry.base_url", "http://127.0.0.1:1")
        })
        .registry("later", |_| {
            // It is never called back.
            RegistryText::spdci("Civil")
                .set("settings.mode", "async")
                .set("settings.sender_uri", "http://127.0.0.1:1/hooks/later")
                .set("settings.callback_token_sha256", crate::spdci_async::HASH)
        })
        .config(|config| {
            let here = "127.0.0.1".to_owned().try_into();
            config.webhooks.allow_hosts = vec![here.unwrap()];
            config.webhooks.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .start()
        .await;
    let write = json!({ "subject": "p-1", "update": {
        "identifiers": [{ "scheme": "record-id", "value": "1" }],
        "person": { "sex": "female" },
        "mask": ["sex"],
    }});
    let sent = gateway.post("/v1/registries/records/operations", &write);
    let writer = gateway.caller("writer", &["records"], &[Ability::Update]);
    let sent = sent.header("idempotency-key", "k-1").key(&writer.await);
    let sent = sent.send().await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let kept = gateway.find("later", &gateway.person(2).uin);
    let kept = kept.header("prefer", "respond-async").send().await;
    assert_eq!(kept.status, 202, "{}", kept.text);
    gateway.caller("imis", &["vital"], &[Ability::Events]).await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let webhook = json!({
        "name": "imis", "caller": "imis", "url": "http://127.0.0.1:1/", "purpose": "eligibility",
    });
    let added = gateway.post("/admin/v1/webhooks", &webhook).key(&admin);
    assert_eq!(added.send().await.status, 201);
    let hook = gateway.ask(reqwest::Method::POST, "/hooks/vital/x");
    let hook = hook
        .header("x-token", "right")
        .body("death d-1 4711 2026-01-02");
    assert_eq!(hook.send().await.status, 202);
    let mut text = String::new();
    gateway_tests::wait::until("all of it was counted", async || {
        text = gateway.get("/metrics").send().await.text;
        text.contains(
            "registry_gateway_webhook_messages_total{webhook=\"imis\",outcome=\"connect\"}",
        ) && text.contains("registry_gateway_webhook_lag{webhook=\"imis\"} 1")
            && text.contains("registry_gateway_operation_attempts_total{registry=\"records\"")
            && text
                .contains("registry_gateway_operations{registry=\"records\",state=\"waiting\"} 1")
            && text.contains("registry_gateway_lookups_kept{registry=\"later\"")
    })
    .await;
    text
}

/// While a call waits for its registry, its instance is seen, and what waits for a turn is timed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_is_seen() {
    let gateway = TestGateway::builder()
        .registry("civil", |text| text.set("concurrency.max_calls", 1))
        .start()
        .await;
    let slow = std::time::Duration::from_millis(500);
    gateway.stand_in.set_fault(Fault::Slow(slow));
    let uin = gateway.person(2).uin;
    let calls: Vec<_> = (0..2)
        .map(|_| tokio::spawn(gateway.find("civil", &uin).send()))
        .collect();
    gateway_tests::wait::until("an instance", async || {
        let text = gateway.get("/metrics").send().await.text;
        value(&text, "registry_gateway_instances ") == 1.0
    })
    .await;
    for call in calls {
        assert_eq!(call.await.unwrap().status, 200);
    }
    let text = gateway.get("/metrics").send().await.text;
    let waited = "registry_gateway_turn_wait_seconds_total{registry=\"civil\",adapter=\"spdci\"}";
    let waited = value(&text, waited);
    assert!(waited >= slow.as_secs_f64() / 2.0, "{waited}");
}
