use clap::Subcommand;

use super::{Failure, print};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::model::Ability;
use crate::serve;
use crate::store::{RegistryGrant, StoreError};

#[derive(Debug, Subcommand)]
pub(super) enum CallerCommand {
    /// Add a caller and print its key, this once.
    Add {
        /// Its name in the audit.
        name: String,
        /// A registry it may ask; may be repeated. Without one: all.
        #[arg(long = "registry", value_name = "NAME")]
        registries: Vec<String>,
        /// What it may ask; may be repeated. Without one: everything.
        #[arg(long = "ability", value_name = "ABILITY", value_parser = ability)]
        abilities: Vec<Ability>,
    },
    /// List the callers.
    List,
    /// Take a caller's key out of use.
    Revoke {
        /// Its name.
        name: String,
    },
}

pub(super) async fn run(command: CallerCommand, config: &Config) -> Result<(), Failure> {
    let parts = serve::open(config).await?;
    let store = parts.store;
    match command {
        CallerCommand::Add {
            name,
            registries,
            abilities,
        } => {
            let grant = if registries.is_empty() {
                RegistryGrant::All
            } else {
                RegistryGrant::Named(registries)
            };
            let abilities = if abilities.is_empty() {
                Ability::ALL.to_vec()
            } else {
                abilities
            };
            let key = Gateway::add_caller(&store, &name, grant, abilities).await?;
            print(&format!("{key}\n"));
        }
        CallerCommand::List => {
            for row in store.callers().list().await? {
                let caller = match row {
                    Ok(caller) => caller,
                    Err(row) => {
                        print(&format!("{:<20} damaged\n", row.name));
                        continue;
                    }
                };
                let state = caller.revoked_at.map_or("active", |_| "revoked");
                let registries = match caller.registries {
                    RegistryGrant::All => "all registries".to_owned(),
                    RegistryGrant::Named(names) => names.join(", "),
                };
                print(&format!("{:<20} {state:<8} {registries}\n", caller.name));
            }
        }
        CallerCommand::Revoke { name } => {
            let revoked = store.callers().revoke(&name).await;
            revoked.map_err(|error| match error {
                StoreError::Unknown { .. } => Failure::from(format!(
                    "there is no caller {name}: `caller list` shows them"
                )),
                other => other.into(),
            })?;
            print(&format!("revoked {name}\n"));
        }
    }
    store.close().await;
    Ok(())
}

fn ability(name: &str) -> Result<Ability, String> {
    Ability::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Ability::ALL
            .iter()
            .map(|ability| ability.as_str())
            .collect();
        format!("one of {}", names.join(", "))
    })
}
