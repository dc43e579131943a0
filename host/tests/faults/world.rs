//! The registry, the gateways in front of it, and what kills them.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use gateway_tests::components::{component, target_directory};
use gateway_tests::stand_in::records::{Hook, RecordsOptions, Schedule};
use gateway_tests::stand_in::{Options, StandIn};

use crate::disk::Disk;
use crate::power::Power;
use crate::real::{Place, Running};

/// Of a hundred writes and callbacks so many meet something that goes wrong at the registry.
const MISHAPS_PERCENT: u64 = 25;
/// What a registry signs its callbacks with.
const SECRET: &str = "signed";

/// What one run does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) kills: u32,
    pub(crate) nodes: usize,
    /// Whether the registry keeps no keys.
    pub(crate) forgets: bool,
    /// The size of the first node's disk; none: it shares the machine's.
    pub(crate) megabytes: Option<u32>,
    /// Whether a kill takes with it what the first node has not synced.
    pub(crate) power: bool,
}

/// All of it.
pub(crate) struct World {
    pub(crate) stand_in: Arc<StandIn>,
    pub(crate) key: String,
    /// An administrator's.
    pub(crate) admin: String,
    pub(crate) bases: Vec<String>,
    /// Of the first node.
    pub(crate) disk: Option<Disk>,
    /// The same.
    pub(crate) power: Option<Power>,
    places: Vec<Place>,
    running: Vec<Option<Running>>,
}

impl Plan {
    /// The short form, unless the environment has another.
    pub(crate) fn read(nodes: usize) -> Self {
        let number = |name: &str, or: u64| match std::env::var(name) {
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{name} is a number")),
            Err(_) => or,
        };
        Self {
            seed: number("FAULT_SEED", 1),
            kills: u32::try_from(number("FAULT_KILLS", 6)).unwrap(),
            nodes,
            forgets: false,
            megabytes: None,
            power: false,
        }
    }
}

impl World {
    pub(crate) async fn start(plan: &Plan, database: Option<String>) -> Self {
        let records = RecordsOptions {
            forgets_keys: plan.forgets,
            schedule: Some(Schedule::of_everything(plan.seed, MISHAPS_PERCENT)),
            ..RecordsOptions::default()
        };
        let options = Options {
            records,
            ..Options::default()
        };
        let stand_in = Arc::new(StandIn::start(options).await);
        let (mut places, mut bases) = (Vec::new(), Vec::new());
        for node in 0..plan.nodes {
            // Callers and the registry know one address, whatever becomes of the process.
            let port = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = port.local_addr().unwrap();
            bases.push(format!("http://{address}"));
            let place = Place::new("", "", "").await;
            let store = database
                .as_ref()
                .map(|url| format!("[store]\nurl = '{url}'\n"));
            place.write(
                "gateway.toml",
                &format!(
                    "[api]\nlisten = '{address}'\n[node]\nname = 'node-{node}'\n\
                     [log]\njson = true\n[sandbox]\nmax_instances = 32\nmax_memory_bytes = 134217728\n\
                     cache_dir = '{}'\n[operations]\nfirst_wait_ms = 100\nmax_wait_ms = 2000\n{}",
                    target_directory().join("gateway-cache").display(),
                    store.unwrap_or_default()
                ),
            );
            places.push(place);
        }
        let data = places[0].folder.path().join("data");
        let disk = plan.megabytes.and_then(|size| Disk::mount(&data, size));
        let power = plan.power.then(|| Power::on(&data)).flatten();
        places[0].write("registries.toml", &registry(&stand_in));
        places[0].run(&["registry", "apply", "-f", "registries.toml"]);
        let grant = "records:create,update,link,enrolment,events=all";
        let added = ["caller", "add", "openimis", "--grant", grant];
        let key = places[0].run(&added).trim().to_owned();
        let added = ["caller", "add", "ada", "--role", "administrator"];
        let admin = places[0].run(&added).trim().to_owned();
        let folder = |place: &Place| place.folder.path().join("data");
        for other in places.iter().skip(1) {
            std::fs::create_dir_all(folder(other)).unwrap();
            for key in ["audit.key", "audit-signing.key", "bodies.key"] {
                let from = folder(&places[0]).join(key);
                std::fs::copy(from, folder(other).join(key)).unwrap();
            }
        }
        let mut world = Self {
            running: places.iter().map(|_| None).collect(),
            disk,
            power,
            stand_in,
            key,
            admin,
            bases,
            places,
        };
        for node in 0..plan.nodes {
            world.begin(node).await;
        }
        world
    }

    pub(crate) fn nodes(&self) -> usize {
        self.places.len()
    }

    /// SIGKILL: nothing is said, nothing is closed.
    pub(crate) fn kill(&mut self, node: usize) {
        if let Some(running) = self.running[node].take() {
            running.kill();
        }
    }

    /// Starts it, and has the registry call it from now on.
    pub(crate) async fn begin(&mut self, node: usize) {
        let (place, key) = (&self.places[node], &self.key);
        self.running[node] = Some(tokio::task::block_in_place(|| {
            place.serve(key, |command: &mut Command| {
                command.env("RUST_BACKTRACE", "1");
            })
        }));
        let url = format!("{}/hooks/records/told", self.bases[node]);
        self.stand_in.records().set_hook(Some(Hook {
            url: url.parse().unwrap(),
            secret: SECRET.into(),
        }));
    }

    /// Runs a command beside the gateways.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.places[0].run(arguments)
    }

    /// Lines of all logs since the last starts that say that something is broken.
    pub(crate) fn errors(&self) -> Vec<String> {
        let logs = self.running.iter().flatten();
        let lines = logs.flat_map(|running| running.log.lock().unwrap().clone());
        lines
            .filter(|line| line.contains("\"ERROR\"") || line.contains("panicked"))
            .collect()
    }

    pub(crate) fn end(mut self) {
        for node in 0..self.nodes() {
            self.kill(node);
        }
    }
}

fn registry(stand_in: &StandIn) -> String {
    format!(
        "[registries.records]\nmodule = '{}'\n\
         [registries.records.events]\npoll_ms = 500\n\
         [registries.records.limits]\nwall_ms = 3000\n\
         [registries.records.endpoints.registry]\n\
         base_url = '{}'\nallow_networks = ['127.0.0.0/8']\n",
        component("registrar-guest").display(),
        stand_in.url()
    )
}
