//! Good calls beside bad neighbours: guests that spin, and a registry that takes two seconds.

use std::time::Duration;

use crate::gateway::{LATE, QUICK, SPINNING, Stage};
use crate::load::{Outcome, Question, closed, open};
use crate::{Arguments, machine, registry};

/// Good calls a second.
const GOOD: u32 = 300;
const SPINNERS: usize = 16;
const WAITING: usize = 500;
const WARM_UP: Duration = Duration::from_secs(1);
/// After which the neighbours are all there.
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) async fn measure(arguments: &Arguments) {
    let stage = Stage::set().await;
    let ask = |registry, value: &str, expected: &'static [u16]| Question {
        url: stage.gateway.url.clone(),
        registry,
        key: stage.key.clone(),
        value: value.to_owned(),
        expected,
    };
    let good = ask(QUICK, &stage.known.uin, &[200]);
    // Stopped at its budget of processor time, or out of its time.
    let spin = ask(SPINNING, "spin", &[502, 504]);
    let late = ask(LATE, &stage.known.uin, &[200]);
    let time = Duration::from_secs(arguments.seconds);

    closed(&good, 16, WARM_UP, Duration::ZERO).await;
    println!("\n## {GOOD} good calls a second beside bad neighbours, one processor\n");
    println!(
        "| neighbours | answered | p50 ms | p95 ms | p99 ms | p99 × alone | neighbours' calls | resident MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let pid = stage.gateway.pid();
    let mut alone = Vec::new();
    let mut more = Vec::new();
    let mut spinning = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..arguments.rounds {
        alone.push((open(&good, GOOD, time).await, 0, machine::memory(pid).0));
        // As many calls in all as beside the slow registry: what is left is due to the waiting.
        let all = GOOD + u32::try_from(WAITING).unwrap_or(0) / registry::DELAY.as_secs() as u32;
        more.push((open(&good, all, time).await, 0, machine::memory(pid).0));
        spinning.push(beside(&good, &spin, SPINNERS, time, pid).await);
        waiting.push(beside(&good, &late, WAITING, time, pid).await);
    }
    let before = machine::median(alone.iter().map(|(outcome, ..)| outcome.p99()));
    for (name, rounds) in [
        ("none", &alone),
        ("none, and 550 good calls a second", &more),
        ("16 guests that spin", &spinning),
        ("500 calls that wait for a registry of 2 s", &waiting),
    ] {
        let median = |of: fn(&Outcome) -> f64| machine::median(rounds.iter().map(|(o, ..)| of(o)));
        let answered: usize = rounds.iter().map(|(outcome, ..)| outcome.took.len()).sum();
        let bad: u64 = rounds.iter().map(|(outcome, ..)| outcome.bad).sum();
        assert_eq!(bad, 0, "{name}: good calls are answered");
        println!(
            "| {name} | {answered} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {} |",
            median(Outcome::p50),
            median(Outcome::p95),
            median(Outcome::p99),
            median(Outcome::p99) / before,
            rounds.iter().map(|(_, others, _)| others).sum::<usize>(),
            rounds.iter().map(|(.., memory)| memory).max().unwrap_or(&0),
        );
    }
}

/// Good calls while so many others are under way.
async fn beside(
    good: &Question,
    others: &Question,
    how_many: usize,
    time: Duration,
    pid: u32,
) -> (Outcome, usize, u64) {
    let (others, outcome, memory) = tokio::join!(
        closed(others, how_many, SETTLE + time, registry::DELAY),
        async {
            tokio::time::sleep(SETTLE).await;
            open(good, GOOD, time).await
        },
        async {
            tokio::time::sleep(SETTLE + time / 2).await;
            machine::memory(pid).0
        },
    );
    assert_eq!(others.bad, 0, "the neighbours end as expected");
    (outcome, others.took.len(), memory)
}
