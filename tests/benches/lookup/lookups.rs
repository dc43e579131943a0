//! The same lookup through the gateway and through native services.

use std::time::Duration;

use crate::gateway::{QUICK, Stage};
use crate::load::{Question, closed};
use crate::role::{Playing, Role};
use crate::{Arguments, machine, native};

const WARM_UP: Duration = Duration::from_secs(1);

/// A server and what it is called in the table.
struct Server {
    name: &'static str,
    pid: u32,
    question: Question,
}

/// One measurement.
struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    /// Milliseconds of processor time per answer.
    cpu: f64,
}

pub(crate) async fn measure(arguments: &Arguments) {
    let stage = Stage::set().await;
    let audited = Role::Audited.start(&stage.registry.url);
    let plain = Role::Plain.start(&stage.registry.url);
    println!(
        "\n## One find, an answer of {} bytes from the registry\n",
        stage.known.answer.len()
    );
    let server = |name, process: &Playing, key: &str| Server {
        name,
        pid: process.pid(),
        question: Question {
            url: process.url.clone(),
            registry: QUICK,
            key: key.to_owned(),
            value: stage.known.uin.clone(),
            expected: &[200],
        },
    };
    let servers = [
        server("(a) gateway", &stage.gateway, &stage.key),
        server(
            "(b) native, key check, durable audit",
            &audited,
            native::KEY,
        ),
        server("(c) native, neither", &plain, native::KEY),
    ];
    for server in &servers {
        closed(&server.question, 16, WARM_UP, Duration::ZERO).await;
    }
    println!(
        "| connections | server | requests/s | p50 ms | p99 ms | CPU ms/request | × (b) | × (c) |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for &connections in &arguments.connections {
        let mut rounds: [Vec<Figures>; 3] = Default::default();
        for _ in 0..arguments.rounds {
            // One after the other within a round: what disturbs the machine disturbs all three.
            for (server, figures) in servers.iter().zip(&mut rounds) {
                figures.push(one(server, connections, arguments.seconds).await);
            }
        }
        print(&servers, connections, &rounds);
    }
    println!();
    for server in &servers {
        let (resident, anonymous) = machine::memory(server.pid);
        println!(
            "{}: {resident} MiB resident, of these {anonymous} MiB not backed by a file",
            server.name
        );
    }
}

async fn one(server: &Server, connections: usize, seconds: u64) -> Figures {
    let pid = server.pid;
    let before = machine::cpu(pid);
    let time = Duration::from_secs(seconds);
    let outcome = closed(&server.question, connections, time, Duration::ZERO).await;
    let used = machine::cpu(pid) - before;
    assert_eq!(outcome.bad, 0, "{}: every answer is a person", server.name);
    Figures {
        rate: outcome.rate(),
        p50: outcome.p50(),
        p99: outcome.p99(),
        cpu: machine::millis(used) / outcome.took.len() as f64,
    }
}

fn print(servers: &[Server], connections: usize, rounds: &[Vec<Figures>; 3]) {
    let median =
        |figures: &[Figures], of: fn(&Figures) -> f64| machine::median(figures.iter().map(of));
    // Ratios within a round, and then the median: rounds differ more than servers do.
    let ratio = |index: usize, to: usize| {
        let both = rounds[index].iter().zip(&rounds[to]);
        machine::median(both.map(|(one, other)| one.cpu / other.cpu))
    };
    for (index, server) in servers.iter().enumerate() {
        let figures = &rounds[index];
        println!(
            "| {connections} | {} | {:.0} | {:.2} | {:.2} | {:.3} | {:.2} | {:.2} |",
            server.name,
            median(figures, |f| f.rate),
            median(figures, |f| f.p50),
            median(figures, |f| f.p99),
            median(figures, |f| f.cpu),
            ratio(index, 1),
            ratio(index, 2),
        );
    }
}
