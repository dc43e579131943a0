//! The commands. Their output is for people; errors name the remedy.

mod adapter;
mod audit;
mod caller;
mod client;
mod completions;
mod demo;
mod event;
mod exit;
mod link;
pub mod logging;
mod node;
mod operation;
mod progress;
mod refused;
mod registry;
mod serve;
mod telemetry;
mod webhook;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::api;
use crate::config::Config;
use client::{Client, Connection};

/// Lets openIMIS talk to any national registry.
#[derive(Debug, Parser)]
#[command(name = "registry-gateway", version, about, after_help = exit::HELP)]
pub struct Cli {
    /// The configuration file. Without one: all defaults, in the working directory.
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    #[command(after_help = "\
Examples:
  registry-gateway serve
  registry-gateway --config gateway.toml serve
  registry-gateway --config gateway.toml serve --check    # looks at everything, changes nothing")]
    Serve(serve::ServeArgs),
    /// Show the gateway on this machine: builds the adapters, starts a stand-in registry, makes
    /// real calls and stays up.
    #[command(after_help = "\
Examples:
  registry-gateway demo
  registry-gateway demo --port 0 --once")]
    Demo(demo::DemoArgs),
    /// Configure registries.
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    /// Bring modules, and decide which serves a registry.
    #[command(subcommand)]
    Adapter(adapter::AdapterCommand),
    /// Configure who may call.
    #[command(subcommand)]
    Caller(caller::CallerCommand),
    /// Read the audit, verify it, and seal it.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Look at the gateways that share the database.
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Look at writes, and decide what nobody else can.
    #[command(subcommand)]
    Operation(operation::OperationCommand),
    /// Look at who is linked where, and end what is wrong.
    #[command(subcommand)]
    Link(link::LinkCommand),
    /// Look at life events and at what registries called back with.
    #[command(subcommand)]
    Event(event::EventCommand),
    /// Tell callers of life events at addresses of theirs.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Print the OpenAPI document.
    #[command(after_help = "\
Examples:
  registry-gateway openapi > openapi.json")]
    Openapi,
    /// Print what makes a shell complete these commands.
    Completions(completions::CompletionsArgs),
    /// Compile one module from standard input: the gateway runs this for itself.
    #[command(hide = true, name = crate::serve::COMPILE_COMMAND)]
    Compile {
        /// The most memory, in bytes of address space.
        memory_bytes: u64,
        /// The most time.
        seconds: u64,
    },
}

/// What a command ends with when it fails.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A compilation that was cut short, for one, holds a thread until it is done.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Runs the command that the arguments name.
pub fn run(cli: Cli) -> ExitCode {
    if let Command::Compile {
        memory_bytes,
        seconds,
    } = cli.command
    {
        // Before there is anything else in this process.
        return match crate::serve::compile(memory_bytes, seconds) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(command(cli));
    // What still runs was given its time.
    runtime.shutdown_timeout(LAST_WAIT);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = fail(&*error);
            exit::code(&error).into()
        }
    }
}

async fn command(mut cli: Cli) -> Result<(), Failure> {
    let config = match &cli.config {
        Some(file) => Config::read(file)?,
        None => Config::here(),
    };
    cli.connection.configured = cli.config.is_some();
    match cli.command {
        Command::Serve(args) => serve::run(&args, &config).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Registry(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = registry::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Caller(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = caller::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Node(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = node::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Operation(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = operation::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Link(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = link::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Event(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = event::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Webhook(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = webhook::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Audit(command) if command.is_offline() => audit::run_offline(&command),
        Command::Audit(command) => {
            let client = Client::open(&cli.connection, &config).await?;
            let done = audit::run(command, &client).await;
            client.close().await;
            done
        }
        Command::Completions(args) => completions::run(&args),
        Command::Adapter(command) => adapter::run(command, &cli.connection, &config).await,
        // It was run before.
        Command::Compile { .. } => Ok(()),
        Command::Openapi => {
            print(&api::document());
            Ok(())
        }
    }
}

/// The one place that prints: everything else logs.
#[allow(clippy::print_stdout, reason = "a command's output")]
fn print(text: &str) {
    print!("{text}");
}

/// Whether a person is there to ask.
fn on_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on a terminal. Where nobody is there to answer it is yes: scripts mean what they say.
fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes || !on_terminal() {
        return Ok(());
    }
    note(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("nothing was changed".into()),
    }
}

/// What is said beside a command's output: a question, progress.
#[allow(clippy::print_stderr, reason = "beside a command's output")]
fn note(text: &str) {
    eprint!("{text}");
}

#[allow(clippy::print_stderr, reason = "a command's error")]
fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("registry-gateway: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;
