//! What a lookup costs through the gateway, beside two native services that do the same without a
//! sandbox. Figures are ratios of one run on one machine; `BENCHMARKS.md` has ours.
//!
//! ```text
//! cargo bench -p gateway-tests --bench lookup
//! cargo bench -p gateway-tests --bench lookup -- --only lookups --seconds 2
//! ```
//!
//! Every server is a process of its own on the first processor. The registry, a process too, and
//! the load are on the second one. This file is also those processes: it starts itself with `--role`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on stops, and prints"
)]

mod gateway;
mod instance;
mod load;
mod lookups;
mod machine;
mod native;
mod neighbours;
mod registry;
mod role;

use clap::{Parser, ValueEnum};

use role::Role;

/// What to measure, and for how long.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// One part alone.
    #[arg(long)]
    only: Option<Part>,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often each is repeated; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Connections of the load, where lookups are measured.
    #[arg(long, value_delimiter = ',', default_value = "1,16,256")]
    connections: Vec<usize>,
    /// What this process is; for the benchmark's own use.
    #[arg(long, hide = true)]
    role: Option<Role>,
    /// What the role is told.
    #[arg(long, hide = true, default_value = "")]
    told: String,
    /// Cargo says so to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Part {
    /// The gateway beside native services.
    Lookups,
    /// Good calls beside guests that spin, and beside a slow registry.
    Neighbours,
    /// A fresh instance, and a call into a live one, without any network.
    Instance,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(role) = arguments.role {
        role.play(&arguments.told);
        return;
    }
    // The first to come installs it for the process: it is the gateway's own choice.
    let _egress = registry_gateway::egress::Egress::new();
    machine::describe();
    let wanted = |part| arguments.only.is_none_or(|only| only == part);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    };
    if wanted(Part::Instance) {
        machine::pin(machine::SERVER);
        runtime().block_on(instance::measure(&arguments));
    }
    machine::pin(machine::LOAD);
    if wanted(Part::Lookups) {
        runtime().block_on(lookups::measure(&arguments));
    }
    if wanted(Part::Neighbours) {
        runtime().block_on(neighbours::measure(&arguments));
    }
}
