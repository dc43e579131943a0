//! Several real programs on one PostgreSQL, and what becomes of an agreement when one of them is killed.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::time::{Duration, Instant};

use gateway_tests::ask::{Answer, Ask};
use gateway_tests::components;
use gateway_tests::postgres::Server;
use gateway_tests::wait::until;
use real::{Place, Running};
use registry_gateway::config::Config;
use registry_gateway::store::{Beat, NewModule, Store};
use serde_json::json;
use uuid::Uuid;

/// From the decision on, all that are alive serve what it says.
const BOUND: Duration = Duration::from_secs(2);

/// Of its log.
const PREPARED: &str = "\"message\":\"prepared\"";

/// Places of three programs, and their store.
struct Three {
    store: Store,
    /// A client's, and an administrator's.
    key: String,
    admin: String,
    places: [Place; 3],
    module: String,
    next: String,
}

/// A node that is alive and answers nothing: while it is there nothing is decided.
struct Silent {
    id: Uuid,
    run: Uuid,
}

impl Three {
    /// None where there is no server.
    async fn new() -> Option<Self> {
        let server = Server::shared()?;
        let host = server.socket().display().to_string().replace('/', "%2F");
        let url = format!("postgres://gateway@{host}/{}", server.new_database());
        let place = async |name: &str| {
            let more = format!("[store]\nurl = '{url}'\n[node]\nname = '{name}'\n");
            Place::new("", &more, "").await
        };
        let places = [place("a").await, place("b").await, place("c").await];
        let run = |arguments: &[&str]| places[0].run(arguments).trim().to_owned();
        run(&["registry", "apply", "-f", "registries.toml"]);
        let key = run(&["caller", "add", "openimis", "--registry", "civil"]);
        let admin = run(&["caller", "add", "ada", "--role", "administrator"]);
        let folder = |place: &Place| place.folder.path().join("data");
        for other in &places[1..] {
            std::fs::create_dir_all(folder(other)).unwrap();
            for key in ["audit.key", "audit-signing.key", "bodies.key"] {
                let of = |place| folder(place).join(key);
                std::fs::copy(of(&places[0]), of(other)).unwrap();
            }
        }
        let config = Config::read(&places[0].folder.path().join("gateway.toml")).unwrap();
        let store = Store::open(&config.store, None).await.unwrap();
        let row = store.registries().get("civil").await.unwrap().unwrap();
        let mut bytes = components::bytes("adapter-spdci");
        // A custom section says nothing to anybody, and makes another digest.
        bytes.extend([0, 5, 4]);
        bytes.extend(b"next");
        let put = store.modules().put(NewModule {
            adapter: "spdci".into(),
            version: "9".into(),
            bytes: bytes.into(),
            facts: None,
        });
        Some(Self {
            next: put.await.unwrap().digest,
            module: row.module_digest,
            key,
            admin,
            store,
            places,
        })
    }

    fn serve(&self, at: usize) -> Running {
        self.places[at].serve(&self.key, |_| {})
    }

    fn activate(&self, at: &Running, module: &str) -> Ask {
        let url = format!("{}/admin/v1/registries/civil/activate", at.base);
        let body = json!({ "module": module });
        Ask::post(url).json(&body).key(&self.admin)
    }

    /// Activates it and waits until it is being prepared.
    async fn begin(&self, at: &Running, module: &str) -> tokio::task::JoinHandle<Option<Answer>> {
        let asked = tokio::spawn(self.activate(at, module).try_send());
        until("it is being prepared", async || self.is_under_way().await).await;
        asked
    }

    async fn is_under_way(&self) -> bool {
        let under_way = self.store.agreements().under_way().await;
        !under_way.unwrap().is_empty()
    }

    async fn silent(&self) -> Silent {
        let silent = Silent {
            id: Uuid::now_v7(),
            run: Uuid::now_v7(),
        };
        let beat = Beat {
            id: silent.id,
            run: silent.run,
            name: "silent".into(),
            version: "1".into(),
            listens: "127.0.0.1:1".into(),
            alive_for: Duration::from_secs(600),
            // It is not waited for.
            revision: i64::MAX,
            share: 0,
            behind: Vec::new(),
        };
        self.store.nodes().join(beat).await.unwrap();
        silent
    }

    async fn release(&self, silent: Silent) {
        let nodes = self.store.nodes();
        nodes.leave(silent.id, silent.run).await.unwrap();
    }

    async fn committed(&self) -> String {
        let row = self.store.registries().get("civil").await.unwrap();
        row.unwrap().module_digest
    }

    /// How long after the decision each of them served the module.
    async fn all_take_over(&self, live: &[&Running], module: &str) -> Vec<Duration> {
        let decided = async {
            while self.committed().await != module {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Instant::now()
        };
        let each = live.iter().map(async |running| {
            let one = async || serves(running).await == module;
            until("it serves the module", one).await;
            Instant::now()
        });
        let each = futures_util::future::join_all(each);
        let (decided, each) = futures_util::future::join(decided, each).await;
        let each = each.iter().map(|at| at.saturating_duration_since(decided));
        each.collect()
    }
}

async fn serves(running: &Running) -> String {
    let shown = running.get("/v1/registries/civil").key(&running.key);
    let shown = shown.send().await.ok();
    shown.json["adapter"]["module"].as_str().unwrap().to_owned()
}

fn is_soon(what: &str, took: &[Duration]) {
    println!("{what}: each serves {took:?} after the decision");
    assert!(took.iter().all(|took| *took < BOUND), "{what}: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_is_killed_half_way_and_the_others_go_on() {
    let Some(three) = Three::new().await else {
        return;
    };
    let (first, second, third) = (three.serve(0), three.serve(1), three.serve(2));
    let (asked, took) = futures_util::future::join(
        three.activate(&first, &three.next).send(),
        three.all_take_over(&[&first, &second, &third], &three.next),
    )
    .await;
    asked.ok();
    is_soon("none killed", &took);

    // One that has prepared, and is not told any more what was decided.
    assert_eq!(third.count(PREPARED), 1);
    let silent = three.silent().await;
    let asked = three.begin(&first, &three.module).await;
    until("all but one have prepared", async || {
        third.count(PREPARED) == 2
    })
    .await;
    third.kill();
    assert_eq!(three.committed().await, three.next);
    three.release(silent).await;
    let took = three.all_take_over(&[&first, &second], &three.module).await;
    asked.await.unwrap().unwrap().ok();
    is_soon("one killed that had prepared", &took);
    let third = three.serve(2);
    assert_eq!(serves(&third).await, three.module, "after its restart");

    // One that never says whether it can.
    third.freeze();
    let asked = three.begin(&first, &three.next).await;
    third.kill();
    let took = three.all_take_over(&[&first, &second], &three.next).await;
    asked.await.unwrap().unwrap().ok();
    is_soon("one killed that had not answered", &took);
    let third = three.serve(2);
    assert_eq!(serves(&third).await, three.next, "after its restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leads_is_killed_before_the_decision_and_nothing_is_changed() {
    let Some(three) = Three::new().await else {
        return;
    };
    let (first, second, third) = (three.serve(0), three.serve(1), three.serve(2));
    let silent = three.silent().await;
    let asked = three.begin(&first, &three.next).await;
    let began = Instant::now();
    first.kill();
    assert!(asked.await.unwrap().is_none(), "it is gone");
    until("those who are left call it off", async || {
        !three.is_under_way().await
    })
    .await;
    println!(
        "called off {:?} after its leader was killed",
        began.elapsed()
    );
    assert_eq!(three.committed().await, three.module);
    for one in [&second, &third] {
        assert_eq!(serves(one).await, three.module);
    }
    // It is in nobody's way.
    three.release(silent).await;
    let (asked, took) = futures_util::future::join(
        three.activate(&second, &three.next).send(),
        three.all_take_over(&[&second, &third], &three.next),
    )
    .await;
    asked.ok();
    is_soon("after that", &took);
    let first = three.serve(0);
    assert_eq!(serves(&first).await, three.next, "after its restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leads_is_killed_after_the_decision_and_all_have_it() {
    let Some(three) = Three::new().await else {
        return;
    };
    let (first, second, third) = (three.serve(0), three.serve(1), three.serve(2));
    let asked = tokio::spawn(three.activate(&first, &three.next).try_send());
    while three.committed().await != three.next {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    first.kill();
    let took = three.all_take_over(&[&second, &third], &three.next).await;
    is_soon("its leader killed after the decision", &took);
    // It had no time to answer, or just had.
    drop(asked.await.unwrap());
    assert!(!three.is_under_way().await);
    let first = three.serve(0);
    assert_eq!(serves(&first).await, three.next, "after its restart");
}
