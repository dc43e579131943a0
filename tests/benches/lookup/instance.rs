//! A fresh instance and a find in it, without any network: the registry's answer is in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_tests::components;
use registry_gateway::config::limits::CallLimits;
use registry_gateway::config::sandbox::SandboxConfig;
use registry_gateway::egress::{Endpoints, Response, Spent};
use registry_gateway::model::{Call, FindQuery, Identifier};
use registry_gateway::sandbox::{Answer, Lent, Module, Sandbox, Work};
use serde_json::json;

use crate::registry::{self, Known};
use crate::{Arguments, machine};

/// One after the other, so many at a time.
const BATCH: u32 = 2_000;

struct Bench {
    module: Module,
    endpoints: Arc<Endpoints>,
    query: FindQuery,
}

pub(crate) async fn measure(arguments: &Arguments) {
    let known = registry::known().await;
    let bytes = known.answer.len();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let config = SandboxConfig {
        compiler_program: gateway_tests::program::program().to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::new(&config, folder.path()).expect("a sandbox");
    let wasm = components::bytes("adapter-spdci");
    let module = sandbox.load(&wasm).await.expect("the adapter");
    let bench = Bench::new(module, known);

    println!("\n## One find without a network, an answer of {bytes} bytes, one thread\n");
    println!("| what | µs | guest's own µs |\n|---|---|---|");
    let mut fresh = Vec::new();
    let mut only = Vec::new();
    let mut live = Vec::new();
    for _ in 0..arguments.rounds {
        fresh.push(bench.fresh().await);
        only.push((bench.only().await, f64::NAN));
        live.push((bench.live().await, f64::NAN));
    }
    for (name, rounds) in [
        ("fresh instance and find", &fresh),
        ("fresh instance alone", &only),
        ("find in a live instance", &live),
    ] {
        let whole = machine::median(rounds.iter().map(|(whole, _)| *whole));
        let guest = machine::median(rounds.iter().map(|(_, guest)| *guest));
        let guest = if guest.is_nan() {
            String::new()
        } else {
            format!("{guest:.1}")
        };
        println!("| {name} | {whole:.1} | {guest} |");
    }
}

impl Bench {
    fn new(module: Module, known: Known) -> Self {
        let answer = known.answer;
        let replay = move |_: &str, request: &registry_gateway::egress::Request| {
            let question = request.body.as_deref().unwrap_or_default();
            Ok(Response {
                status: 200,
                headers: vec![("content-type".into(), "application/json".into())],
                body: registry::fill(&answer, question).into(),
                spent: Spent::default(),
            })
        };
        Self {
            module,
            endpoints: Arc::new(Endpoints::replayed("quick", Arc::new(replay))),
            query: FindQuery {
                identifiers: vec![Identifier {
                    scheme: "national-id".into(),
                    value: known.uin,
                    normalisation: None,
                    extra: Vec::new(),
                }],
            },
        }
    }

    fn work(&self) -> Work {
        let settings = json!({
            "registry_type": "Social", "sender_id": "bench",
            "relationship_type_describes": "related-member",
            "record_types": { "find": "Member" },
        });
        let settings = settings.as_object().cloned().unwrap_or_default();
        let call = Call {
            registry: "quick".into(),
            request_id: "benchmark".into(),
            ..Call::default()
        };
        let limits = CallLimits {
            http_calls: u32::MAX,
            http_bytes_in: u64::MAX,
            http_bytes_out: u64::MAX,
            cpu_ms: 600_000,
            wall_ms: 600_000,
            ..CallLimits::default()
        };
        Work {
            lent: Lent::new(Arc::new(call), Arc::new(settings), self.endpoints.clone()),
            limits: Arc::new(limits),
            deadline: tokio::time::Instant::now() + Duration::from_secs(600),
        }
    }

    /// What the gateway does for each call: microseconds, and those on the guest's account.
    async fn fresh(&self) -> (f64, f64) {
        let mut guest = Duration::ZERO;
        let work = self.work();
        let began = Instant::now();
        for _ in 0..BATCH {
            let lent = Lent::new(
                work.lent.call.clone(),
                work.lent.settings.clone(),
                self.endpoints.clone(),
            );
            let work = Work {
                lent,
                ..work.clone()
            };
            let ran = self.module.find(work, &self.query).await;
            let answer = ran.result.expect("no fault").expect("no failure");
            assert!(matches!(answer, Answer::Done(_)));
            guest += ran.usage.cpu;
        }
        (each(began.elapsed()), each(guest))
    }

    async fn only(&self) -> f64 {
        let work = self.work();
        let began = Instant::now();
        for _ in 0..BATCH {
            self.module.start_only(work.clone()).await.expect("starts");
        }
        each(began.elapsed())
    }

    async fn live(&self) -> f64 {
        let mut live = self.module.keep(self.work()).await.expect("starts");
        let began = Instant::now();
        for _ in 0..BATCH {
            assert!(live.find(&self.query).await.expect("no fault"));
        }
        each(began.elapsed())
    }
}

fn each(all: Duration) -> f64 {
    all.as_secs_f64() * 1e6 / f64::from(BATCH)
}
