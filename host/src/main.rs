//! The registry gateway's command.

use clap::Parser;

fn main() -> std::process::ExitCode {
    registry_gateway::cli::run(registry_gateway::cli::Cli::parse())
}
