//! `serve`: until it is told to stop, or only looking at what a start would find.

use clap::Args;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, logging, print, telemetry};
use crate::config::Config;
use crate::serve::{self, Serving};

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Look at configuration, secrets, database, modules and endpoints, print every problem, and
    /// change nothing. Ends with 1 where there is a problem.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(args: &ServeArgs, config: &Config) -> Result<(), Failure> {
    if args.check {
        return check(config).await;
    }
    let mut signals = StopSignals::listen()?;
    logging::init(&config.log)?;
    let spans = telemetry::start(&config.telemetry, &config.secrets_dir)?;
    let serving = tokio::select! {
        serving = serve::start(config) => serving?,
        () = signals.next() => {
            tracing::info!("told to stop before it was ready");
            return Ok(());
        }
    };
    tell_manager(NotifyState::Ready);
    signals.next().await;
    tell_manager(NotifyState::Stopping);
    tracing::info!("stopping");
    let ended = stop(serving, &mut signals).await;
    if let Some(spans) = spans {
        spans.end().await;
    }
    if ended.is_ok() {
        tracing::info!("stopped");
    }
    ended
}

async fn stop(serving: Serving, signals: &mut StopSignals) -> Result<(), Failure> {
    let left = tokio::select! {
        left = serving.stop() => left,
        () = signals.next() => {
            tracing::warn!("told to stop again: calls under way are cut");
            return Err("ended by a second signal before all calls had ended".into());
        }
    };
    match left {
        0 => Ok(()),
        left => Err(format!(
            "{left} calls did not end within api.drain_timeout_ms: their audit rows stay without \
             an end"
        )
        .into()),
    }
}

async fn check(config: &Config) -> Result<(), Failure> {
    let mut report = serve::check(config).await;
    if let Err(error) = logging::filter(&config.log.filter) {
        report.problems.push(error.to_string());
    }
    for note in &report.notes {
        print(&format!("{note}\n"));
    }
    for problem in &report.problems {
        print(&format!("PROBLEM {problem}\n"));
    }
    match report.problems.len() {
        0 => Ok(()),
        1 => Err("1 problem".into()),
        more => Err(format!("{more} problems").into()),
    }
}

/// SIGINT and SIGTERM, as often as they come.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// systemd, where it started this and waits to hear (`Type=notify`). Without it nothing happens.
fn tell_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
