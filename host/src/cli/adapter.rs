mod call;
mod package;
mod push;
mod swap;

use std::path::PathBuf;

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Connection, segment};
use super::progress::Progress;
use super::{Failure, exit};
use crate::config::Config;

pub(super) const MODULES: &str = "/admin/v1/modules";

#[derive(Debug, Subcommand)]
pub(super) enum AdapterCommand {
    /// Put a component, its manifest and its recordings into one file.
    #[command(after_help = "\
Examples:
  registry-gateway adapter package adapter_spdci.wasm --manifest adapter.toml --recordings recordings --out spdci.wasm")]
    Package {
        /// The `.wasm` that cargo built.
        component: PathBuf,
        /// What the adapter is.
        #[arg(long, value_name = "FILE", default_value = "adapter.toml")]
        manifest: PathBuf,
        /// A folder with one `.json` for each recorded call.
        #[arg(long, value_name = "FOLDER")]
        recordings: Option<PathBuf>,
        /// The package.
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign a package, as the last step.
    #[command(after_help = "\
Examples:
  registry-gateway adapter sign spdci.wasm --secret-key author.key
  registry-gateway adapter sign spdci.wasm --secret-key author.key --password-file password.txt --out signed.wasm")]
    Sign {
        /// The package.
        file: PathBuf,
        /// The secret key, of `adapter keygen` or minisign.
        #[arg(long, value_name = "FILE")]
        secret_key: PathBuf,
        /// A file with the key's password. Without it: the key has none.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Write there, and leave the package as it is.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a pair of keys to sign with, and print the public one.
    #[command(after_help = "\
Examples:
  registry-gateway adapter keygen author.key
  registry-gateway adapter keygen author.key --password-file password.txt")]
    Keygen {
        /// Where the secret key goes. It must not be there yet.
        secret_key: PathBuf,
        /// A file with a password for it. Without it: it has none.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Show what is in a package, without running it.
    #[command(after_help = "\
Examples:
  registry-gateway adapter inspect spdci.wasm")]
    Inspect {
        /// The package.
        file: PathBuf,
    },
    /// Call a module on this machine, against a recording or a registry, and show all of it.
    #[command(after_help = call::HELP)]
    Call(call::CallArgs),
    /// Have a gateway look at a module as if it were brought; nothing is stored.
    #[command(after_help = "\
Examples:
  registry-gateway adapter check spdci.wasm")]
    Check {
        /// The package, or a bare `.wasm`.
        file: PathBuf,
    },
    /// Bring a module to the gateway: it is admitted and stored, and serves nothing yet.
    #[command(after_help = "\
Examples:
  registry-gateway adapter push spdci.wasm
  registry-gateway --server https://gateway.example.org --key-file key.txt adapter push spdci.wasm")]
    Push {
        /// The package, or a bare `.wasm`.
        file: PathBuf,
    },
    /// Have the gateway fetch a module from an OCI registry, by digest.
    #[command(after_help = "\
Examples:
  registry-gateway adapter pull oci://registry.example.org/adapters/spdci@sha256:…")]
    Pull {
        /// `oci://host/repository@sha256:…`
        reference: String,
    },
    /// List the modules.
    #[command(after_help = "\
Examples:
  registry-gateway adapter modules")]
    Modules,
    #[command(flatten)]
    Swap(swap::SwapCommand),
    /// Remove the bytes of a module that nothing uses.
    #[command(after_help = "\
Examples:
  registry-gateway adapter retire sha256:…")]
    Retire {
        /// Its digest.
        digest: String,
    },
}

#[derive(Deserialize)]
struct Modules {
    modules: Vec<Module>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Module {
    digest: String,
    adapter: String,
    version: String,
    state: String,
    serves: Vec<String>,
    candidate_of: Vec<String>,
}

/// With a gateway where one is needed.
pub(super) async fn run(
    command: AdapterCommand,
    connection: &Connection,
    config: &Config,
) -> Result<(), Failure> {
    let command = match command {
        AdapterCommand::Package {
            component,
            manifest,
            recordings,
            out,
        } => return package::package(&component, &manifest, recordings.as_deref(), &out),
        AdapterCommand::Sign {
            file,
            secret_key,
            password_file,
            out,
        } => return package::sign(&file, &secret_key, password_file.as_deref(), out.as_deref()),
        AdapterCommand::Keygen {
            secret_key,
            password_file,
        } => return package::keygen(&secret_key, password_file.as_deref()),
        AdapterCommand::Inspect { file } => return package::inspect(&file),
        AdapterCommand::Call(args) => return call::run(args, config, connection.json()).await,
        of_the_gateway => of_the_gateway,
    };
    let client = Client::open(connection, config).await?;
    let done = ask(command, &client).await;
    client.close().await;
    done
}

async fn ask(command: AdapterCommand, client: &Client) -> Result<(), Failure> {
    match command {
        AdapterCommand::Check { file } => push::check(&file, client).await,
        AdapterCommand::Push { file } => push::push(&file, client).await,
        AdapterCommand::Pull { reference } => {
            let body = json!({ "reference": reference });
            let progress = Progress::waiting("the gateway pulls it", client.json());
            let pulled = client.post(&format!("{MODULES}/pull"), &body).await?;
            drop(progress);
            pulled.print(|module: Module| module.line())
        }
        AdapterCommand::Swap(command) => swap::run(command, client).await,
        AdapterCommand::Modules => client.get(MODULES).await?.print(|listed: Modules| {
            let lines = listed.modules.iter().map(Module::line);
            lines.collect()
        }),
        AdapterCommand::Retire { digest } => {
            let path = format!("{MODULES}/{}", segment(&digest));
            let done = client.delete(&path).await?;
            done.print_done(&format!("retired {digest}\n"))
        }
        // The others were done without a gateway.
        _ => client.get(MODULES).await?.print(|listed: Modules| {
            let lines = listed.modules.iter().map(Module::line);
            lines.collect()
        }),
    }
}

/// Whether the gateway has the module, and its bytes.
pub(super) async fn has(digest: &str, client: &Client) -> Result<bool, Failure> {
    match client.get(&format!("{MODULES}/{}", segment(digest))).await {
        Ok(known) => Ok(known.read::<Module>()?.state != "retired"),
        Err(error) if exit::code(&error) == exit::UNKNOWN => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the gateway fetch a module; gives its digest.
pub(super) async fn pull(reference: &str, client: &Client) -> Result<String, Failure> {
    let body = json!({ "reference": reference });
    let pulled = client.post(&format!("{MODULES}/pull"), &body).await?;
    Ok(pulled.read::<Module>()?.digest)
}

impl Module {
    fn line(&self) -> String {
        let name = format!("{} {}", self.adapter, self.version);
        let next = self.candidate_of.iter();
        let next = next.map(|registry| format!("{registry} (next)"));
        let registries: Vec<String> = self.serves.iter().cloned().chain(next).collect();
        let line = format!(
            "{name:<24} {:<9} {} {}",
            self.state,
            self.digest,
            registries.join(", ")
        );
        format!("{}\n", line.trim_end())
    }
}
