//! How the real program starts, stops, and looks at its configuration.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use gateway_tests::stand_in::Fault;
use gateway_tests::wait::until;
use real::Place;
use registry_gateway::config::store::StoreConfig;
use registry_gateway::store::Store;

/// Longer than a lookup takes, shorter than a person waits.
const SLOW: Duration = Duration::from_millis(1_500);
/// Longer than any bound here.
const NEVER: Duration = Duration::from_secs(25);

/// How many audit rows have an end, and how many have none.
async fn ends(place: &Place) -> (usize, usize) {
    let config = StoreConfig {
        path: place.folder.path().join("data/gateway.sqlite"),
        ..StoreConfig::default()
    };
    let store = Store::open(&config, None).await.unwrap();
    let rows = store.audit().recent(100).await.unwrap();
    store.close().await;
    let (with, without): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.end.is_some());
    (with.len(), without.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_under_way_is_answered_before_the_end() {
    let place = Place::new("drain_delay_ms = 1000", "", "").await;
    let mut running = place.start(|_| {});
    assert_eq!(running.get("/readyz").send().await.status, 200);
    place.stand_in.set_fault(Fault::Slow(SLOW));
    let uin = place.stand_in.population().person(3).uin;
    let slow = tokio::spawn(running.find(&uin).send());
    until("it is asked", async || place.stand_in.requests() == 1).await;
    running.tell();
    running.line("\"message\":\"stopping\"");

    // Within the delay: not ready, alive, and new requests are taken.
    let ready = running.get("/readyz").send().await;
    assert_eq!((ready.status, ready.code()), (503, "not-ready"));
    assert!(ready.text.contains("stopping"), "{}", ready.text);
    assert_eq!(running.get("/healthz").send().await.status, 200);
    let late = tokio::spawn(running.find(&uin).send());

    assert_eq!(slow.await.unwrap().status, 200);
    assert_eq!(late.await.unwrap().status, 200);
    let base = running.base.clone();
    let (status, log, _) = running.ended();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("\"message\":\"stopped\""), "{log}");
    let address = base.strip_prefix("http://").unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
    assert_eq!(ends(&place).await, (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_longer_than_the_bound_is_cut_and_said_to_be() {
    let place = Place::new("drain_timeout_ms = 400", "", "timeout_ms = 60000").await;
    let running = place.start(|_| {});
    place.stand_in.set_fault(Fault::Slow(NEVER));
    let uin = place.stand_in.population().person(3).uin;
    let call = tokio::spawn(reqwest_error(running.find(&uin)));
    until("it is asked", async || place.stand_in.requests() == 1).await;
    running.tell();
    let (status, log, took) = running.ended();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(took < NEVER / 2, "{took:?}");
    for words in [
        "connections were cut off",
        "calls did not end in time",
        "\"calls\":1",
        "1 calls did not end within api.drain_timeout_ms",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
    assert!(call.await.unwrap(), "it got no answer");
    assert_eq!(ends(&place).await, (0, 1));
}

/// Whether no answer came.
async fn reqwest_error(ask: gateway_tests::ask::Ask) -> bool {
    tokio::spawn(ask.send()).await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let place = Place::new("", "", "timeout_ms = 60000").await;
    let mut running = place.start(|_| {});
    place.stand_in.set_fault(Fault::Slow(NEVER));
    let uin = place.stand_in.population().person(3).uin;
    let call = tokio::spawn(reqwest_error(running.find(&uin)));
    until("it is asked", async || place.stand_in.requests() == 1).await;
    running.tell();
    running.line("\"message\":\"stopping\"");
    running.tell();
    let (status, log, took) = running.ended();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(took < NEVER / 2, "{took:?}");
    assert!(log.contains("ended by a second signal"), "{log}");
    assert!(call.await.unwrap(), "it got no answer");
}

/// Listening comes before loading, loading before being ready.
#[tokio::test(flavor = "multi_thread")]
async fn it_listens_before_it_loads() {
    let place = Place::new("", "", "").await;
    let running = place.start(|_| {});
    running.tell();
    let (status, log, _) = running.ended();
    assert!(status.success(), "{log}");
    let at = |message: &str| {
        let words = format!("\"message\":\"{message}\"");
        log.find(&words)
            .unwrap_or_else(|| panic!("{message}: {log}"))
    };
    let order = [
        "listening",
        "registry ready",
        "ready",
        "stopping",
        "stopped",
    ]
    .map(at);
    assert!(order.is_sorted(), "{order:?}\n{log}");
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
            found.insert(format!("{}/", path.display()), Vec::new());
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    found
}

/// Exit code, and what was printed.
fn check(place: &Place) -> (Option<i32>, String) {
    let before = files(place.folder.path());
    let output = place.command(&["serve", "--check"]).output().unwrap();
    let after = files(place.folder.path());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after), "no file comes or goes");
    assert!(before == after, "no file changes");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_is_fine_and_changes_nothing() {
    let place = Place::new("", "", "").await;
    let (code, told) = check(&place);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("data_dir: ") && told.contains("a start makes it"),
        "{told}"
    );
    assert!(!place.folder.path().join("data").exists());

    place.run(&["registry", "apply", "-f", "registries.toml"]);
    let (code, told) = check(&place);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("store: ok") && told.contains("registries.civil: ok"),
        "{told}"
    );

    // Beside a gateway that serves: its port is taken, and that is no problem.
    let running = place.start(|_| {});
    let output = place.command(&["serve", "--check"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(running.get("/readyz").send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_every_problem() {
    let secret = "credential = { kind = 'bearer', token = 'env:REGISTRY_SECRET_GONE' }";
    let telemetry = "[telemetry]\notlp_endpoint = 'https://c.example'\nsample_ratio = 7.0";
    let place = Place::new("", telemetry, secret).await;
    let mut registries = place.registry("civil", secret);
    registries += &place.registry("fine", "");
    registries += &place.registry("social", secret);
    registries += "[registries.social.endpoints.other]\nbase_url = 'https://x.example'\n";
    registries += "credential = { kind = 'bearer', token = 'file:gone' }\n";
    place.write("registries.toml", &registries);
    std::fs::create_dir(place.folder.path().join("secrets")).unwrap();
    place.write("secrets/gone", "s3cret");
    let mut apply = place.command(&["registry", "apply", "-f", "registries.toml"]);
    let applied = apply
        .env("REGISTRY_SECRET_GONE", "s3cret")
        .output()
        .unwrap();
    assert!(applied.status.success(), "{applied:?}");
    std::fs::remove_file(place.folder.path().join("secrets/gone")).unwrap();

    let (code, told) = check(&place);
    assert_eq!(code, Some(1), "{told}");
    for problem in [
        "PROBLEM telemetry: telemetry.sample_ratio: ",
        "PROBLEM registries.civil.endpoints.registry.credential.token: set env:REGISTRY_SECRET_GONE",
        "PROBLEM registries.social.endpoints.registry.credential.token: set env:REGISTRY_SECRET_GONE",
        "PROBLEM registries.social.endpoints.other.credential.token: make file:gone readable",
        "registries.fine: ok",
        "4 problems",
    ] {
        assert!(told.contains(problem), "{problem} in\n{told}");
    }
}
