//! The other processes of the benchmark: this program, started with `--role`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use clap::{Parser, ValueEnum};
use registry_gateway::cli::Cli;

use crate::{machine, native, registry};

/// What a process is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Role {
    /// The gateway, with all that it has. Told its configuration file.
    Gateway,
    /// A native service with key check and durable audit. Told the registry's URL.
    Audited,
    /// A native service without either. Told the registry's URL.
    Plain,
    /// The registry. Told where its answers are.
    Registry,
}

/// A process; it ends with this value.
pub(crate) struct Playing {
    /// Where it listens.
    pub(crate) url: String,
    child: Child,
}

impl Role {
    /// Starts a process, and waits until it listens.
    pub(crate) fn start(self, told: &str) -> Playing {
        let name = self.to_possible_value().expect("no role is skipped");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--role", name.get_name(), "--told", told])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let url = match self {
            // Its log says so, on standard error.
            Self::Gateway => listening(child.stderr.take().expect("piped"), "\"address\":\""),
            _ => listening(child.stdout.take().expect("piped"), "listening on "),
        };
        Playing { url, child }
    }

    /// Is that process, until it is ended.
    pub(crate) fn play(self, told: &str) {
        machine::pin(match self {
            Self::Registry => machine::LOAD,
            _ => machine::SERVER,
        });
        if let Self::Gateway = self {
            let cli = Cli::parse_from(["registry-gateway", "--config", told, "serve"]);
            registry_gateway::cli::run(cli);
            return;
        }
        let _egress = registry_gateway::egress::Egress::new();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        match self {
            Self::Registry => runtime.block_on(registry::serve(told)),
            _ => runtime.block_on(native::serve(told, matches!(self, Self::Audited))),
        }
    }
}

/// The address that follows `mark` in what a process says.
fn listening(output: impl Read + Send + 'static, mark: &str) -> String {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let url = lines.find_map(|line| {
        let (_, address) = line.split_once(mark)?;
        let end = address.find('"').unwrap_or(address.len());
        Some(format!("http://{}", &address[..end]))
    });
    // Somebody must read on, or a full pipe stops the process.
    std::thread::spawn(move || lines.for_each(drop));
    url.expect("it listens")
}

impl Playing {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
