mod push;
mod swap;

use std::path::PathBuf;

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, segment};
use super::{Failure, exit};

pub(super) const MODULES: &str = "/admin/v1/modules";

#[derive(Debug, Subcommand)]
pub(super) enum AdapterCommand {
    /// Bring a module to the gateway: it is admitted and stored, and serves nothing yet.
    Push {
        /// The `.wasm`.
        file: PathBuf,
    },
    /// List the modules.
    Modules,
    #[command(flatten)]
    Swap(swap::SwapCommand),
    /// Remove the bytes of a module that nothing uses.
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
}

pub(super) async fn run(command: AdapterCommand, client: &Client) -> Result<(), Failure> {
    match command {
        AdapterCommand::Swap(command) => swap::run(command, client).await,
        AdapterCommand::Push { file } => push::run(&file, client).await,
        AdapterCommand::Modules => client.get(MODULES).await?.print(|listed: Modules| {
            let lines = listed.modules.iter().map(Module::line);
            lines.collect()
        }),
        AdapterCommand::Retire { digest } => {
            let path = format!("{MODULES}/{}", segment(&digest));
            let done = client.delete(&path).await?;
            done.print_done(&format!("retired {digest}\n"))
        }
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
        let line = format!(
            "{name:<24} {:<9} {} {}",
            self.state,
            self.digest,
            self.serves.join(", ")
        );
        format!("{}\n", line.trim_end())
    }
}
