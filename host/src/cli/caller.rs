use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::client::{Client, segment};
use crate::model::{Ability, Role};

const CALLERS: &str = "/admin/v1/callers";

#[derive(Debug, Subcommand)]
pub(super) enum CallerCommand {
    /// Add a caller and print its key, this once.
    Add {
        /// Its name in the audit.
        name: String,
        /// What it is there for; may be repeated. Without one: client.
        #[arg(long = "role", value_name = "ROLE", value_parser = role)]
        roles: Vec<Role>,
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

#[derive(Deserialize)]
struct Added {
    key: String,
}

#[derive(Deserialize)]
struct Callers {
    callers: Vec<Caller>,
}

#[derive(Deserialize)]
struct Caller {
    name: String,
    state: String,
    roles: Vec<String>,
    registries: Option<Vec<String>>,
}

pub(super) async fn run(command: CallerCommand, client: &Client) -> Result<(), Failure> {
    match command {
        CallerCommand::Add {
            name,
            roles,
            registries,
            abilities,
        } => {
            let mut body = json!({ "name": name });
            if !roles.is_empty() {
                body["roles"] = json!(roles);
            }
            if !registries.is_empty() {
                body["registries"] = json!(registries);
            }
            if !abilities.is_empty() {
                body["abilities"] = json!(abilities);
            }
            let added = client.post(CALLERS, &body).await?;
            added.print(|added: Added| format!("{}\n", added.key))
        }
        CallerCommand::List => client.get(CALLERS).await?.print(|listed: Callers| {
            let lines = listed.callers.iter().map(Caller::line);
            lines.collect()
        }),
        CallerCommand::Revoke { name } => {
            let path = format!("{CALLERS}/{}", segment(&name));
            let done = client.delete(&path).await?;
            done.print_done(&format!("revoked {name}\n"))
        }
    }
}

impl Caller {
    fn line(&self) -> String {
        let registries = match &self.registries {
            None => "all registries".to_owned(),
            Some(names) => names.join(", "),
        };
        format!(
            "{:<20} {:<8} {:<14} {registries}\n",
            self.name,
            self.state,
            self.roles.join(", ")
        )
    }
}

fn ability(name: &str) -> Result<Ability, String> {
    one_of(name, Ability::parse, &Ability::ALL)
}

fn role(name: &str) -> Result<Role, String> {
    one_of(name, Role::parse, &Role::ALL)
}

fn one_of<T: std::fmt::Display>(
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Result<T, String> {
    parse(name).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("one of {}", names.join(", "))
    })
}
