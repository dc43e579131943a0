//! Bad modules are brought while the gateway serves: none comes in, and nobody waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gateway_tests::crafted::{Crafted, DESCRIBE};
use gateway_tests::gateway::TestGateway;
use registry_gateway::model::Role;
use registry_gateway::package::{self, Signer, keygen};
use secrecy::ExposeSecret;

const CLIENTS: usize = 4;
/// What a bomb is given; everything else compiles in a fraction of it.
const COMPILE_MS: u64 = 8_000;
const MAX_MODULE: usize = 40 << 20;

/// A component with more code in it than can be compiled in that time.
fn bomb() -> Vec<u8> {
    let leb = |mut value: usize| {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    let section = |kind: u8, content: Vec<u8>| [vec![kind], leb(content.len()), content].concat();
    // One parameter, added up over and over: nothing of it can be left out.
    let mut body = vec![0, 0x20, 0];
    body.extend([0x20, 0, 0x6a, 0x41, 3, 0x6c, 0x22, 0].repeat(700_000));
    body.push(0x0b);
    let functions = 4;
    let mut core = b"\0asm\x01\0\0\0".to_vec();
    core.extend(section(1, vec![1, 0x60, 1, 0x7f, 1, 0x7f]));
    core.extend(section(3, [leb(functions), vec![0; functions]].concat()));
    let body = [leb(body.len()), body].concat();
    core.extend(section(
        10,
        [leb(functions), body.repeat(functions)].concat(),
    ));
    [Crafted::adapter().build(), section(1, core)].concat()
}

/// One of each kind, with what it is refused with.
struct Bad {
    kinds: Vec<(&'static str, u16, Vec<u8>)>,
    bomb: Vec<u8>,
}

impl Bad {
    fn new(ours: &Signer) -> Self {
        let (secret, _) = keygen(None).unwrap();
        let theirs = Signer::open(secret.expose_secret(), None).unwrap();
        let good = Crafted::adapter().build();
        let sign = |bytes: &[u8]| package::sign(bytes, ours).unwrap();
        let signed = sign(&good);
        let mut changed = signed.clone();
        changed[good.len() / 2] ^= 0x10;
        let later = Crafted::new("include ability-find;").edit("@1.0.0", "@2.0.0");
        let mute = Crafted::bare("include ability-find;").build();
        let spins =
            Crafted::new("include ability-find;").body(DESCRIBE, "(loop $l (br $l)) unreachable");
        let kinds = vec![
            ("broken", 422, b"\0asm\x0d\0\x01\0 and then noise".to_vec()),
            ("no module", 422, b"hello".to_vec()),
            ("truncated", 422, signed[..signed.len() / 2].to_vec()),
            ("oversized", 413, vec![0; MAX_MODULE + 1]),
            ("not signed", 422, good.clone()),
            (
                "signed by another",
                422,
                package::sign(&good, &theirs).unwrap(),
            ),
            ("changed after", 422, changed),
            ("of another version", 422, sign(&later.build())),
            ("without about", 422, sign(&mute)),
            ("spins in describe", 422, sign(&spins.build())),
        ];
        Self {
            kinds,
            bomb: sign(&bomb()),
        }
    }
}

struct Stage {
    gateway: Arc<TestGateway>,
    key: String,
    bad: Arc<Bad>,
}

impl Stage {
    async fn new() -> Self {
        let (secret, public) = keygen(None).unwrap();
        let ours = Signer::open(secret.expose_secret(), None).unwrap();
        let gateway = TestGateway::builder().config(|config| {
            config.admission.trusted_keys = vec![public];
            config.sandbox.compile_timeout_ms = COMPILE_MS;
            config.sandbox.max_module_bytes = MAX_MODULE as u64;
        });
        let gateway = gateway.start().await;
        let key = gateway.staff("ida", &[Role::Implementer]).await;
        Self {
            gateway: Arc::new(gateway),
            key,
            bad: Arc::new(Bad::new(&ours)),
        }
    }

    async fn upload(&self, bytes: &[u8]) -> (u16, String) {
        let upload = self.gateway.ask(reqwest::Method::POST, "/admin/v1/modules");
        let upload = upload
            .header("content-type", "application/wasm")
            .body(bytes);
        let answer = upload.key(&self.key).send().await;
        (answer.status, answer.text)
    }

    /// `bombs` and then others by turns, two at a time.
    async fn upload_all(&self, all: usize, bombs: usize) {
        let from = |first: usize| async move {
            for index in (first..all).step_by(2) {
                if index < bombs {
                    let (status, told) = self.upload(&self.bad.bomb).await;
                    assert_eq!(status, 422, "{told}");
                    // Whichever a machine reaches first.
                    let limits = ["compile_timeout_ms", "compile_memory_bytes"];
                    assert!(limits.iter().any(|limit| told.contains(limit)), "{told}");
                    continue;
                }
                let kinds = &self.bad.kinds;
                let (kind, expected, bytes) = &kinds[index % kinds.len()];
                let (status, told) = self.upload(bytes).await;
                assert_eq!(status, *expected, "{kind}: {told}");
            }
        };
        tokio::join!(from(0), from(1));
    }

    /// Lookups until told to stop: how long each took.
    fn look_up(&self, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<Vec<Duration>> {
        let gateway = self.gateway.clone();
        tokio::spawn(async move {
            let one = async || {
                let mut took = Vec::new();
                while !stop.load(Relaxed) {
                    let uin = gateway.person(took.len() as u64 % 100).uin;
                    let began = Instant::now();
                    let answer = gateway.find("civil", &uin).send().await;
                    took.push(began.elapsed());
                    assert_eq!(answer.status, 200, "{}", answer.text);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                took
            };
            let clients = (0..CLIENTS).map(|_| one());
            futures_util::future::join_all(clients).await.concat()
        })
    }

    async fn nothing_came_in(&self) {
        let listed = self.gateway.get("/admin/v1/modules").key(&self.key);
        let listed = listed.send().await.ok();
        let modules = listed.json["modules"].as_array().unwrap();
        assert_eq!(modules.len(), 1, "{}", listed.text);
        assert_eq!(modules[0]["adapter"], "spdci");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_modules_do_not_come_in_and_lookups_go_on() {
    let stage = Stage::new().await;
    let stop = Arc::new(AtomicBool::new(false));
    let lookups = stage.look_up(stop.clone());
    stage.upload_all(stage.bad.kinds.len() + 1, 1).await;
    stop.store(true, Relaxed);
    let took = lookups.await.unwrap();
    assert!(took.len() > 10, "{}", took.len());
    stage.nothing_came_in().await;
}

/// The figure: `cargo test --release --test suite -- --ignored two_hundred --nocapture`. Ratios of one
/// run; a machine that others use at the same time shows them, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of a minute, on a machine of its own"]
async fn two_hundred_bad_modules_cost_others_little() {
    let stage = Stage::new().await;
    let mut p99 = Vec::new();
    for uploads in [0, 200, 0] {
        let stop = Arc::new(AtomicBool::new(false));
        let lookups = stage.look_up(stop.clone());
        let began = Instant::now();
        match uploads {
            0 => tokio::time::sleep(Duration::from_secs(20)).await,
            all => stage.upload_all(all, 10).await,
        }
        stop.store(true, Relaxed);
        let mut took = lookups.await.unwrap();
        took.sort_unstable();
        let at = |part: usize| took[took.len() * part / 100];
        let (half, most) = (at(50), at(99));
        println!(
            "{uploads} uploads in {:.1} s: {} lookups, all well; p50 {half:.1?}, p99 {most:.1?}",
            began.elapsed().as_secs_f64(),
            took.len()
        );
        p99.push(most.as_secs_f64());
    }
    stage.nothing_came_in().await;
    // Of the two without, the slower: what the machine does by itself.
    let ratio = p99[1] / p99[0].max(p99[2]);
    println!("p99 with : without = {ratio:.2}");
    assert!(ratio <= 1.5, "{ratio:.2}");
}
