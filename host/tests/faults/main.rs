//! Gateways that are killed while they work, on a registry that does not behave: nothing that was
//! accepted is lost or done twice, no event is lost, order is kept, and what is unclear is told as such.
//!
//! A seed decides what is asked, what goes wrong at the registry, whom a kill meets and when. The short
//! form runs with all tests. The long one:
//!
//! ```text
//! FAULT_SEED=7 FAULT_KILLS=300 cargo test --test faults -- --nocapture --test-threads=1
//! ```
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, and the seed comes from the environment"
)]

mod check;
mod disk;
mod load;
mod power;
#[path = "../real/mod.rs"]
mod real;
mod world;

use std::time::{Duration, Instant};

use gateway_tests::left_out::left_out;
use gateway_tests::postgres::Server;
use gateway_tests::wait::until;

use load::Load;
use world::{Plan, World};

/// Between two kills, in milliseconds: from the middle of a start to well after it.
const PAUSE_MS: std::ops::Range<u64> = 50..900;
/// Of a hundred kills so many meet all nodes.
const ALL_PERCENT: u8 = 20;

async fn run(plan: Plan, database: Option<String>) {
    println!("{plan:?}");
    let began = Instant::now();
    let mut world = World::start(&plan, database).await;
    if plan.power && world.power.is_none() {
        left_out("a power cut, since nothing may be mounted here (run it as root)");
        return;
    }
    let load = Load::start(&world, &plan);
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut starts = Vec::new();
    for _ in 0..plan.kills {
        tokio::time::sleep(Duration::from_millis(random.u64(PAUSE_MS))).await;
        let every = random.u8(0..100) < ALL_PERCENT;
        let one = random.usize(0..world.nodes());
        let killed: Vec<usize> = (0..world.nodes())
            .filter(|&node| every || node == one)
            .collect();
        for &node in &killed {
            world.kill(node);
        }
        if let Some(power) = &mut world.power {
            power.cut(&mut random);
        }
        for node in killed {
            let from = Instant::now();
            world.begin(node).await;
            starts.push(from.elapsed());
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut done = load.stop().await;
    starts.sort_unstable();
    let median = starts.get(starts.len() / 2).copied().unwrap_or_default();
    println!(
        "{} kills, {} accepted, requests sent again: {:?}; a start takes {median:?}",
        plan.kills,
        done.accepted.len(),
        done.refusals
    );
    check::all(&world, &plan, &mut done).await;
    world.end();
    println!("all well after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_on_sqlite() {
    run(Plan::read(1), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_postgres() {
    let Some(server) = Server::shared() else {
        return;
    };
    let host = server.socket().display().to_string().replace('/', "%2F");
    let url = format!("postgres://gateway@{host}/{}", server.new_database());
    run(Plan::read(2), Some(url)).await;
}

/// Each kill is a power cut: of what was not synced some is gone and some is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_power_fails() {
    let plan = Plan {
        power: true,
        ..Plan::read(1)
    };
    run(plan, None).await;
}

/// Nothing can be asked there of what became of a write: what a kill met is told as unknown, and what
/// comes after it of the same person waits for somebody to decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_forgets() {
    let plan = Plan {
        forgets: true,
        ..Plan::read(1)
    };
    run(plan, None).await;
}

/// Nothing is accepted that is not durable, and all goes on by itself once there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk() {
    let plan = Plan {
        kills: 0,
        megabytes: Some(32),
        ..Plan::read(1)
    };
    let world = World::start(&plan, None).await;
    let Some(disk) = &world.disk else {
        left_out("a full disk, since nothing may be mounted here (run it as root)");
        return;
    };
    let load = Load::start(&world, &plan);
    let took = async |more: usize| {
        let enough = load.tally().accepted() + more;
        until("writes are taken", async || {
            load.tally().accepted() >= enough
        })
        .await;
    };
    took(20).await;
    let ballast = disk.fill();
    let is_refused = async || load.tally().refusals().contains_key(&503);
    until("it says that it cannot", is_refused).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    std::fs::remove_file(ballast).unwrap();
    took(20).await;
    let mut done = load.stop().await;
    println!("{} accepted, {:?}", done.accepted.len(), done.refusals);
    let known = done
        .refusals
        .keys()
        .all(|status| [429, 503, 507].contains(status));
    assert!(known, "{:?}", done.refusals);
    check::all(&world, &plan, &mut done).await;
    world.end();
}
