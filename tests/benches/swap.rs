//! Swaps under load: `cargo bench -p gateway-tests --bench swap`, with `-- 500 64` for the number of
//! swaps and of connections.
//!
//! Two versions of an adapter take turns while all connections ask; each lookup goes to the registry,
//! here a stand-in on this machine. Fails where a call failed or was mixed, where the p99 during swaps is
//! over 1.5 times that without, or where the old module's memory stays.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on stops, and prints what it measured"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::versions::saying;
use registry_gateway::model::Role;
use registry_gateway::store::NewModule;
use serde_json::json;

const SWAPS: usize = 500;
const CONNECTIONS: usize = 64;
/// The p99 during swaps, beside that without.
const MOST_RATIO: f64 = 1.5;
/// One swap, without the wait for the disk, which is told beside it.
const MOST_ACTIVATION: Duration = Duration::from_millis(50);

/// From half of the swaps to all of them.
const MOST_GROWN_KB: u64 = 16 << 10;

#[derive(Default)]
struct Asked {
    took: Vec<Duration>,
    failed: usize,
    mixed: usize,
}

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let swaps = numbers.first().copied().unwrap_or(SWAPS);
    let connections = numbers.get(1).copied().unwrap_or(CONNECTIONS);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(swaps, connections));
}

async fn measure(swaps: usize, connections: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.wasm");
    std::fs::write(&file, saying("one")).expect("a module");
    let registry = move |_| {
        RegistryText::bare(file)
            .set("concurrency.max_calls", 64)
            .set("concurrency.max_wait_ms", 30_000)
    };
    let gateway = TestGateway::builder()
        .config(|config| {
            config.sandbox.max_instances = 128;
            // Only what serves is in memory: what is left over would be seen.
            config.sandbox.ready_versions = 0;
        })
        .registry("changing", registry)
        .start()
        .await;
    let gateway = Arc::new(gateway);
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let first = gateway.find("changing", "1").send().await.ok();
    let one = first.json["source"]["module"].as_str().expect("a digest");
    let two = admitted(&gateway, &saying("two")).await;
    let digests = [one.to_owned(), two];
    let named = BTreeMap::from([(digests[0].clone(), "one"), (digests[1].clone(), "two")]);
    let modules = gateway.modules();

    // Once, so that both are compiled and in the cache.
    for digest in [&digests[1], &digests[0]] {
        activate(&gateway, &admin, digest).await;
    }
    let idle = resident_kb();
    let (mut quiet, _) = load(&gateway, &named, connections, async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Vec::<Duration>::new()
    })
    .await;
    // Only now: what the first load of all connections takes is no swap's.
    let before = resident_kb();
    let mut residents = Vec::new();
    let turning = async {
        let mut took = Vec::with_capacity(swaps);
        for number in 0..swaps {
            let began = Instant::now();
            activate(&gateway, &admin, &digests[(number + 1) % 2]).await;
            took.push(began.elapsed());
            if (number + 1) % (swaps / 10).max(1) == 0 {
                residents.push(resident_kb());
            }
        }
        took
    };
    let (mut during, mut activations) = load(&gateway, &named, connections, turning).await;
    let mut waited = 0;
    while gateway.modules() > modules && waited < 100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        waited += 1;
    }
    let after = resident_kb();
    let (quiet99, during99) = (
        percentile(&mut quiet.took, 99),
        percentile(&mut during.took, 99),
    );
    let ratio = during99.as_secs_f64() / quiet99.as_secs_f64();
    let middle = percentile(&mut activations, 50);
    let slow = percentile(&mut activations, 99);
    println!("connections {connections}, swaps {swaps}");
    println!(
        "calls without swaps {}, with {}",
        quiet.took.len(),
        during.took.len()
    );
    println!("failed {}, mixed {}", during.failed, during.mixed);
    println!("p99 without {quiet99:?}, with {during99:?}: {ratio:.2}");
    println!("activation, request to answer: p50 {middle:?}, p99 {slow:?}");
    println!(
        "modules in memory before {modules}, after {}",
        gateway.modules()
    );
    println!("resident idle {idle} kB, before {before} kB, after {after} kB");
    println!("resident at each tenth of the swaps, kB: {residents:?}");
    println!("of that, kB: {}", rollup());
    assert_eq!((during.failed, during.mixed), (0, 0));
    assert_eq!((quiet.failed, quiet.mixed), (0, 0));
    assert_eq!(
        gateway.modules(),
        modules,
        "the old module's memory is given back"
    );
    // It rises with the first swaps and then stays: a module that was kept would cost its code again
    // each time.
    if let (Some(&middle), Some(&last)) = (residents.get(4), residents.last()) {
        let grown = last.saturating_sub(middle);
        assert!(swaps < 100 || grown <= MOST_GROWN_KB, "{residents:?} kB");
    }
    // Only optimised code answers as it does where it serves.
    if !cfg!(debug_assertions) {
        assert!(ratio <= MOST_RATIO, "{ratio}");
        assert!(middle <= MOST_ACTIVATION, "{middle:?}");
    }
}

/// All connections ask for as long as the work takes.
async fn load<T>(
    gateway: &Arc<TestGateway>,
    named: &BTreeMap<String, &'static str>,
    connections: usize,
    work: impl Future<Output = Vec<T>>,
) -> (Asked, Vec<T>) {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..connections)
        .map(|_| {
            let (gateway, named) = (gateway.clone(), named.clone());
            let (stop, started) = (stop.clone(), started.clone());
            tokio::spawn(async move {
                let mut asked = Asked::default();
                while !stop.load(Relaxed) {
                    let began = Instant::now();
                    let answer = gateway.find("changing", "1").send().await;
                    asked.took.push(began.elapsed());
                    started.fetch_add(1, Relaxed);
                    if answer.status != 200 {
                        asked.failed += 1;
                        continue;
                    }
                    let module = answer.json["source"]["module"].as_str();
                    let says = answer.json["person"]["names"][0]["given"][0].as_str();
                    if module.and_then(|module| named.get(module).copied()) != says {
                        asked.mixed += 1;
                    }
                }
                asked
            })
        })
        .collect();
    while started.load(Relaxed) < connections {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let done = work.await;
    stop.store(true, Relaxed);
    let mut all = Asked::default();
    for caller in callers {
        let one = caller.await.expect("a caller");
        all.took.extend(one.took);
        all.failed += one.failed;
        all.mixed += one.mixed;
    }
    (all, done)
}

async fn activate(gateway: &TestGateway, admin: &str, digest: &str) {
    let path = "/admin/v1/registries/changing/activate";
    let done = gateway.post(path, &json!({ "module": digest })).key(admin);
    done.send().await.ok();
}

async fn admitted(gateway: &TestGateway, bytes: &[u8]) -> String {
    let store = gateway.store().await;
    let module = NewModule {
        adapter: "changing".into(),
        version: "1.0.0".into(),
        bytes: bytes.to_vec().into(),
        facts: None,
    };
    let digest = store.modules().put(module).await.expect("stored").digest;
    store.close().await;
    digest
}

fn percentile(took: &mut [Duration], percent: usize) -> Duration {
    took.sort_unstable();
    let at = (took.len() * percent / 100).min(took.len().saturating_sub(1));
    took.get(at).copied().unwrap_or_default()
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.expect("VmRSS").parse().expect("a number")
}

/// What the process's memory is made of.
fn rollup() -> String {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("this process");
    let wanted = [
        "Rss:",
        "Anonymous:",
        "Private_Clean:",
        "Private_Dirty:",
        "Shared_Clean:",
    ];
    let lines = text
        .lines()
        .filter(|line| wanted.iter().any(|it| line.starts_with(it)));
    let words = lines.map(|line| {
        line.trim_end_matches(" kB")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    });
    words.collect::<Vec<_>>().join(", ")
}
