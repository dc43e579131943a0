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
                let (name, state, module) = match row {
                    Ok(row) if row.enabled => (row.name, "enabled", row.module_digest),
                    Ok(row) => (row.name, "disabled", row.module_digest),
                    Err(row) => (
                        row.name,
                        "damaged",
                        format!("{}: apply it again", row.error),
                    ),
                };
                print(&format!("{name:<20} {state:<9} {module}\n"));
            }
        }
    }
    parts.store.close().await;
    Ok(())
}
