use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, print};
use crate::config::Config;
use crate::gateway::{What, apply_file};
use crate::serve;

#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    /// Take a file's registries into the gateway; a running one follows within a second.
    Apply {
        /// The file.
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// List the registries that are configured.
    List,
}

pub(super) async fn run(command: RegistryCommand, config: &Config) -> Result<(), Failure> {
    let parts = serve::open(config).await?;
    match command {
        RegistryCommand::Apply { file } => {
            let changes = apply_file(&file, &parts.store, &parts.sandbox, &parts.secrets).await?;
            for change in changes {
                let what = match change.what {
                    What::Added => "added",
                    What::Changed => "changed",
                    What::Unchanged => "unchanged",
                };
                print(&format!(
                    "{what:<10} {} ({})\n",
                    change.registry, change.module
                ));
            }
        }
        RegistryCommand::List => {
            for row in parts.store.registries().list().await? {
                let state = if row.enabled { "enabled" } else { "disabled" };
                print(&format!(
                    "{:<20} {state:<9} {}\n",
                    row.name, row.module_digest
                ));
            }
        }
    }
    parts.store.close().await;
    Ok(())
}
