//! Guests that compute or wait, and the calls beside them.

use std::time::Duration;

use futures_util::future::join_all;
use gateway_tests::wait::until;
use registry_gateway::config::sandbox::SandboxConfig;
use registry_gateway::sandbox::Fault;
use tokio::time::timeout;

use crate::bench::{Bench, config, done};

/// Long enough for a call to begin, of no importance to the outcome.
const MOMENT: Duration = Duration::from_millis(100);

async fn bench(instances: u32, threads: usize) -> Bench {
    Bench::with(&SandboxConfig {
        max_instances: instances,
        busy_threads: threads,
        ..config()
    })
    .await
}

/// One worker, more spinners than cores, and all of them outlive every good call.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn good_calls_go_on_beside_busy_guests() {
    let bench = bench(12, 12).await;
    let busy: Vec<_> = (0..6)
        .map(|_| tokio::spawn(bench.find("spin", &[])))
        .collect();
    tokio::time::sleep(MOMENT).await;
    for _ in 0..30 {
        bench.good().await;
    }
    join_all((0..6).map(|_| bench.good())).await;
    assert!(busy.iter().all(|spinner| !spinner.is_finished()));
    busy.iter().for_each(tokio::task::JoinHandle::abort);
    // Room for twelve again: none of the six holds its instance.
    join_all((0..12).map(|_| bench.good())).await;
}

/// README: busy guests run where no other thread wants to.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_busy_guest_has_the_lowest_priority() {
    let bench = bench(2, 2).await;
    let busy = tokio::spawn(bench.find("spin", &[]));
    let policies = || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        let threads = threads.map(|thread| thread.unwrap().path());
        let stats = threads.filter_map(|thread| std::fs::read_to_string(thread.join("stat")).ok());
        let stats = stats.filter(|stat| stat.contains("(busy-adapter)"));
        // Past the name, which may hold spaces: the policy is field 41 of proc_pid_stat(5).
        let policies = stats.map(|stat| {
            let (_, fields) = stat.rsplit_once(')').unwrap();
            fields.split_whitespace().nth(38).unwrap().to_owned()
        });
        policies.collect::<Vec<_>>()
    };
    until("a busy thread", async || !policies().is_empty()).await;
    // SCHED_IDLE; the thread says so before it computes.
    until("its policy", async || {
        policies().iter().all(|policy| policy == "5")
    })
    .await;
    busy.abort();
}

/// A call that leaves its first slice is not stuck behind those that did so before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_busy_guest_ends_beside_busy_guests() {
    let bench = bench(6, 6).await;
    let busy: Vec<_> = (0..4)
        .map(|_| tokio::spawn(bench.find("spin", &[])))
        .collect();
    tokio::time::sleep(MOMENT).await;
    let bench = bench.limits(|limits| limits.cpu_ms = 20);
    let ran = bench.find("spin", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfCpu);
    assert!(busy.iter().all(|spinner| !spinner.is_finished()));
    busy.iter().for_each(tokio::task::JoinHandle::abort);
}

/// One instance and one thread: whoever comes next needs both.
#[tokio::test]
async fn a_cancelled_guest_computes_no_more() {
    let bench = bench(1, 1).await;
    for _ in 0..3 {
        assert!(timeout(MOMENT, bench.find("spin", &[])).await.is_err());
        bench.good().await;
    }
    let bench = bench.limits(|limits| limits.cpu_ms = 20);
    let ran = bench.find("spin", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfCpu);
}

#[tokio::test]
async fn a_cancelled_guest_waits_no_more() {
    let bench = bench(1, 1).await;
    for behaviour in ["sleep", "compute_then_sleep"] {
        assert!(timeout(MOMENT, bench.find(behaviour, &[])).await.is_err());
        bench.good().await;
    }
}

/// Three guests compute and then wait: the one thread is free for the fourth.
#[tokio::test]
async fn a_guest_that_waits_holds_no_thread() {
    let bench = bench(8, 1).await;
    let waiting: Vec<_> = (0..3)
        .map(|_| tokio::spawn(bench.find("compute_then_sleep", &[])))
        .collect();
    tokio::time::sleep(MOMENT).await;
    let bench = bench.limits(|limits| limits.cpu_ms = 20);
    let ran = bench.find("spin", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfCpu);
    assert!(waiting.iter().all(|sleeper| !sleeper.is_finished()));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_cancelled_call_is_charged_what_it_used() {
    let bench = Bench::new().await.limits(|limits| limits.wall_ms = 1_000);
    let ran = bench.find("spin", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfTime);
    // More than the slice that ended with a poll.
    assert!(ran.usage.cpu > Duration::from_millis(3), "{:?}", ran.usage);
    assert!(
        ran.usage.cpu < Duration::from_millis(2_000),
        "{:?}",
        ran.usage
    );
}

/// The ticker sleeps when nothing runs, and wakes for the call that has to be stopped.
#[tokio::test]
async fn a_guest_is_stopped_after_a_quiet_time() {
    let bench = Bench::new().await.limits(|limits| limits.cpu_ms = 20);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let ran = bench.find("spin", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfCpu);
}

#[tokio::test]
async fn more_calls_than_room_wait_and_none_fails() {
    let bench = bench(2, 2).await;
    let calls = (0..40).map(|_| bench.find("good", &[]));
    for ran in join_all(calls).await {
        done(ran);
    }
}

/// Faults free the room as well as answers do.
#[tokio::test]
async fn room_comes_back_after_every_kind_of_end() {
    let bench = bench(2, 2).await.limits(|limits| {
        limits.cpu_ms = 20;
        limits.memory_bytes = 4 << 20;
    });
    let behaviours = ["spin", "panic", "grow_memory", "recurse", "good", "exit"];
    let calls = (0..5)
        .flat_map(|_| behaviours)
        .map(|name| bench.find(name, &[]));
    for ran in join_all(calls).await {
        assert_ne!(ran.result.err(), Some(Fault::NoInstance));
    }
    join_all([bench.good(), bench.good()]).await;
}

#[tokio::test]
async fn without_room_the_wait_ends_with_the_deadline() {
    let bench = bench(1, 1).await;
    let sleeper = tokio::spawn(bench.find("sleep", &[]));
    tokio::time::sleep(MOMENT).await;
    let bench = bench.limits(|limits| limits.wall_ms = 100);
    let ran = bench.find("good", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfTime);
    assert_eq!(ran.usage.cpu, Duration::ZERO);
    sleeper.abort();
    assert!(sleeper.await.unwrap_err().is_cancelled());
    bench.limits(|limits| limits.wall_ms = 600_000).good().await;
}

/// A module can be admitted while all instances are in use: it waits for room as a call does.
#[tokio::test]
async fn a_module_is_admitted_beside_a_full_house() {
    let bench = bench(1, 1).await;
    let bytes = gateway_tests::components::bytes("hostile-guest");
    let calls = join_all((0..20).map(|_| bench.find("good", &[])));
    let (ran, loaded) = tokio::join!(calls, bench.sandbox.load(&bytes));
    ran.into_iter().for_each(|ran| drop(done(ran)));
    assert!(loaded.is_ok());
}

/// Five hundred instances reserve terabytes of addresses, and none of the memory.
#[tokio::test]
async fn the_default_configuration_starts() {
    let bench = Bench::with(&SandboxConfig::default()).await;
    join_all((0..50).map(|_| bench.good())).await;
}

#[tokio::test]
async fn memory_is_told_at_its_highest() {
    let bench = Bench::new().await;
    let little = bench.find("good", &[]).await.usage.memory;
    let much = bench.find("leave_secret", &[]).await.usage.memory;
    assert!(little > 0 && little < 4 << 20, "{little}");
    assert!(much >= little + (8 << 20) - (1 << 20), "{much}");
}
