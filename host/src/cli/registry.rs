mod apply;
mod show;
mod test;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::Failure;
use super::client::{Client, segment};
use show::{Registries, Registry};

pub(super) use apply::at_once;
pub(super) use test::identifier;

const REGISTRIES: &str = "/admin/v1/registries";

#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    /// Make registries what a file says; a running gateway follows within a second.
    #[command(after_help = "\
The difference is shown first. On a terminal it is asked before anything is changed; elsewhere it is
not, as scripts expect. All of the file is applied, or nothing. A module that is named by a file is
uploaded first where the gateway has it not yet, for --dry-run too: it serves nothing by that.

Examples:
  registry-gateway registry apply -f registries.toml
  registry-gateway registry apply -f registries.toml --dry-run    # ends with 8 where there is a change
  registry-gateway registry apply -f registries.toml --prune --yes")]
    Apply(apply::ApplyArgs),
    /// List the registries that are configured.
    #[command(after_help = "\
Examples:
  registry-gateway registry list
  registry-gateway registry list --json")]
    List,
    /// Show a registry with its whole configuration.
    #[command(after_help = "\
Examples:
  registry-gateway registry show social")]
    Show {
        /// Its name.
        name: String,
    },
    /// Go the way to a registry, and say in plain words what does not work.
    #[command(after_help = "\
The way is the configuration with its secrets; of each endpoint the name, the address, the
connection, TLS, the credential and an answer, for which the base URL is asked twice; and with an
identifier one lookup, of whose answer only the names of fields are shown. Ends with 8 where
something fails.

Examples:
  registry-gateway registry test social
  registry-gateway registry test social --identifier national-id=- < number.txt")]
    Test(test::TestArgs),
    /// Make a registry take calls.
    #[command(after_help = "\
Examples:
  registry-gateway registry enable social")]
    Enable {
        /// Its name.
        name: String,
    },
    /// Make a registry take no more calls.
    #[command(after_help = "\
Examples:
  registry-gateway registry disable social")]
    Disable {
        /// Its name.
        name: String,
    },
    /// Remove a registry. Its audit rows stay.
    #[command(after_help = "\
Examples:
  registry-gateway registry delete social
  registry-gateway registry delete social --yes")]
    Delete {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Print all that is configured, as TOML or with --json as JSON. `apply` takes either back.
    #[command(after_help = "\
Callers are in it to be read, without keys: those are known to nobody but their callers. Modules are
named by digest: another gateway must be given them first.

Examples:
  registry-gateway registry export > backup.toml
  registry-gateway registry export --json > backup.json")]
    Export,
}

pub(super) async fn run(command: RegistryCommand, client: &Client) -> Result<(), Failure> {
    match command {
        RegistryCommand::Apply(args) => apply::run(args, client).await,
        RegistryCommand::List => {
            let listed = client.get(REGISTRIES).await?;
            listed.print(|listed: Registries| listed.lines())
        }
        RegistryCommand::Show { name } => {
            let shown = client.get(&path(&name, "")).await?;
            if client.json() {
                return shown.print(|_: Value| String::new());
            }
            super::print(&shown.read::<Registry>()?.whole()?);
            Ok(())
        }
        RegistryCommand::Test(args) => test::run(args, client).await,
        RegistryCommand::Enable { name } => switch(client, &name, "/enable").await,
        RegistryCommand::Disable { name } => switch(client, &name, "/disable").await,
        RegistryCommand::Delete { name, yes } => {
            super::confirm(&format!("Remove {name}?"), yes)?;
            let done = client.delete(&path(&name, "")).await?;
            done.print_done(&format!("deleted {name}\n"))
        }
        RegistryCommand::Export => {
            let exported = client.get(&format!("{REGISTRIES}/export")).await?;
            if client.json() {
                return exported.print(|_: Value| String::new());
            }
            super::print(&show::toml(exported.read()?)?);
            Ok(())
        }
    }
}

async fn switch(client: &Client, name: &str, what: &str) -> Result<(), Failure> {
    let done = client.post(&path(name, what), &Value::Null).await?;
    done.print(|registry: Registry| registry.line())
}

fn path(name: &str, more: &str) -> String {
    format!("{REGISTRIES}/{}{more}", segment(name))
}

/// A file beside another.
fn beside(file: &std::path::Path, other: &std::path::Path) -> PathBuf {
    file.parent()
        .map_or(other.to_owned(), |here| here.join(other))
}
