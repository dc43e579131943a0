//! Writes: `cargo bench -p gateway-tests --bench writes`, with `-- 64 10 20000` for the number of
//! connections, of seconds, and of writes that wait (the backlog).
//!
//! First acceptances alone, at a registry where nobody listens: each is durable, with its audit rows,
//! before it is answered. Then as many bulk writes as the backlog has, at a registry that works: how soon
//! the first is delivered, how long one write takes for which somebody waits, and what memory it all takes.
//! Clients, gateway and registry share this machine.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on stops, and prints what it measured"
)]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gateway_tests::components::component;
use gateway_tests::gateway::{RegistryText, TestGateway};
use registry_gateway::model::Ability;
use serde_json::{Value, json};

const CONNECTIONS: usize = 64;
const SECONDS: usize = 10;
const BACKLOG: usize = 20_000;
/// Durable acceptances per second.
const LEAST_PER_SECOND: f64 = 2_000.0;
/// With the backlog.
const MOST_RESIDENT_KB: u64 = 300 << 10;
/// Somebody waits for it.
const MOST_INTERACTIVE: Duration = Duration::from_secs(5);

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let of = |at: usize, or| numbers.get(at).copied().unwrap_or(or);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(of(0, CONNECTIONS), of(1, SECONDS), of(2, BACKLOG)));
}

async fn measure(connections: usize, seconds: usize, backlog: usize) {
    let registrar = || RegistryText::bare(component("registrar-guest"));
    let gateway = TestGateway::builder()
        .registry("records", move |_| registrar())
        .registry("away", move |_| {
            registrar().set("endpoints.registry.base_url", "http://127.0.0.1:1")
        })
        .start()
        .await;
    let gateway = Arc::new(gateway);
    let key = gateway
        .caller("imis", &["records", "away"], &Ability::WRITES)
        .await;
    println!("one sync of 4 KiB: {:?}", sync_time());

    let (stop, count) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let began = Instant::now();
    let writers = writers(&gateway, &key, "away", connections, &stop, &count, u64::MAX);
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    stop.store(true, Relaxed);
    let mut took = Vec::new();
    for writer in writers {
        took.extend(writer.await.expect("a writer"));
    }
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!(
        "{rate:.0} acceptances per second, p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );

    let (stop, count) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let began = Instant::now();
    let writers = self::writers(
        &gateway,
        &key,
        "records",
        connections,
        &stop,
        &count,
        backlog as u64,
    );
    let first = loop {
        if !gateway.stand_in.records().ledger().effects().is_empty() {
            break began.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    for writer in writers {
        writer.await.expect("a writer");
    }
    let done = gateway.stand_in.records().ledger().effects().len();
    let waited = Instant::now();
    let asked = gateway.post("/v1/registries/records/operations", &create("now", false));
    let asked = asked.key(&key).header("idempotency-key", "now");
    let answer = asked.header("prefer", "wait=30").send().await;
    let waited = waited.elapsed();
    let resident = resident_kb();
    println!(
        "{backlog} bulk writes taken in {:?}; the first was delivered after {first:?}, {done} were \
         delivered meanwhile",
        began.elapsed()
    );
    println!(
        "a write for which somebody waits: {waited:?}, {}",
        answer.json["state"]
    );
    println!("resident, with clients and registry: {resident} kB");
    assert_eq!(answer.json["state"], "applied");
    // Only optimised code answers as it does where it serves.
    if !cfg!(debug_assertions) {
        assert!(rate >= LEAST_PER_SECOND, "{rate}");
        assert!(waited <= MOST_INTERACTIVE, "{waited:?}");
        assert!(resident <= MOST_RESIDENT_KB, "{resident}");
    }
}

/// Writers about people of their own, until they are told to stop or have written so many together.
fn writers(
    gateway: &Arc<TestGateway>,
    key: &str,
    registry: &'static str,
    connections: usize,
    stop: &Arc<AtomicBool>,
    count: &Arc<AtomicU64>,
    most: u64,
) -> Vec<tokio::task::JoinHandle<Vec<Duration>>> {
    let one = |_| {
        let (gateway, key) = (gateway.clone(), key.to_owned());
        let (stop, count) = (stop.clone(), count.clone());
        tokio::spawn(async move {
            let mut took = Vec::new();
            loop {
                let number = count.fetch_add(1, Relaxed);
                if stop.load(Relaxed) || number >= most {
                    return took;
                }
                let subject = format!("{registry}-{number}");
                let path = format!("/v1/registries/{registry}/operations");
                let asked = gateway.post(&path, &create(&subject, true)).key(&key);
                let began = Instant::now();
                let answer = asked.header("idempotency-key", &subject).send().await;
                took.push(began.elapsed());
                assert_eq!(answer.status, 202, "{}", answer.text);
            }
        })
    };
    (0..connections).map(one).collect()
}

fn create(subject: &str, bulk: bool) -> Value {
    let person = json!({ "names": [{ "family": "Rai", "given": ["Maya"] }], "sex": "female" });
    json!({ "subject": subject, "bulk": bulk, "create": { "person": person } })
}

/// What one durable write costs here, at least.
fn sync_time() -> Duration {
    let mut file = tempfile::tempfile().expect("a file");
    let mut took: Vec<Duration> = (0..100)
        .map(|_| {
            file.write_all(&[1; 4096]).expect("room");
            let began = Instant::now();
            file.sync_data().expect("a sync");
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[took.len() / 2]
}

/// `VmRSS` of this process.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.expect("a resident size").trim();
    words
        .trim_end_matches("kB")
        .trim()
        .parse()
        .expect("a number")
}
