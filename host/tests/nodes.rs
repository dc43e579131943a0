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

use gateway_tests::components;
use gateway_tests::postgres::Server;
use gateway_tests::wait::until;
use real::{Place, Running};
use registry_gateway::config::Config;
use registry_gateway::serve::{self, Serving};
use registry_gateway::store::{Begun, NewAgreement, NewModule, Store};

/// The figure is 2 s; the machine of the tests has other work too.
const BOUND: Duration = Duration::from_secs(3);

/// The first gateway in this process, to be asked directly, and two real programs.
struct Three {
    first: Serving,
    store: Store,
    key: String,
    places: [Place; 3],
    module: String,
    next: String,
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
        places[0].run(&["registry", "apply", "-f", "registries.toml"]);
        let key = places[0].run(&["caller", "add", "openimis", "--registry", "civil"]);
        let folder = |place: &Place| place.folder.path().join("data");
        for other in &places[1..] {
            std::fs::create_dir_all(folder(other)).unwrap();
            let of = |place| folder(place).join("audit.key");
            std::fs::copy(of(&places[0]), of(other)).unwrap();
        }
        let config = Config::read(&places[0].folder.path().join("gateway.toml")).unwrap();
        let first = serve::start(&config).await.unwrap();
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
            key: key.trim().to_owned(),
            first,
            store,
            places,
        })
    }

    fn serve(&self, at: usize) -> Running {
        self.places[at].serve(&self.key, |_| {})
    }

    async fn agree(&self, module: &str) -> Vec<String> {
        let agreed = self.first.gateway.agree("civil", module, "ada").await;
        agreed.unwrap_or_else(|error| panic!("{error}"))
    }
}

async fn serves(running: &Running) -> String {
    let shown = running.get("/v1/registries/civil").key(&running.key);
    let shown = shown.send().await.ok();
    shown.json["module"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_is_killed_half_way_and_the_others_go_on() {
    let Some(three) = Three::new().await else {
        return;
    };
    let (second, third) = (three.serve(1), three.serve(2));
    // There and back, so that both modules are compiled: what is measured is the agreement.
    let late: &[String] = &[];
    assert_eq!(three.agree(&three.next).await, late);
    let began = Instant::now();
    assert_eq!(three.agree(&three.module).await, late);
    println!("three agreed and took over in {:?}", began.elapsed());
    assert_eq!(serves(&third).await, three.module);

    let began = Instant::now();
    let gateway = three.first.gateway.clone();
    let next = three.next.clone();
    let agreeing = tokio::spawn(async move { gateway.agree("civil", &next, "ada").await });
    third.kill();
    agreeing.await.unwrap().unwrap();
    assert_eq!(serves(&second).await, three.next);
    let took = began.elapsed();
    println!("with one killed half way: {took:?}");
    assert!(took < BOUND, "{took:?}");
    let again = three.serve(2);
    assert_eq!(serves(&again).await, three.next);
}

/// Whoever began is gone before it is decided: those who are left call it off.
#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_that_nobody_leads_is_called_off() {
    let Some(three) = Three::new().await else {
        return;
    };
    let second = three.serve(1);
    let begun = three.store.agreements().begin(NewAgreement {
        registry: "civil".into(),
        to: three.next.clone(),
        by_caller: "ada".into(),
        leader: "one that is gone".into(),
        led_for: Duration::from_millis(500),
        decide_within: Duration::from_secs(60),
    });
    assert!(matches!(begun.await.unwrap(), Begun::Asked(_)));
    until("it is called off", async || {
        three
            .store
            .agreements()
            .under_way()
            .await
            .unwrap()
            .is_empty()
    })
    .await;
    assert_eq!(serves(&second).await, three.module);
    // It is in nobody's way.
    assert_eq!(three.agree(&three.next).await, Vec::<String>::new());
    assert_eq!(serves(&second).await, three.next);
}
