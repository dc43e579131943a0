mod asked;
mod shown;

use clap::Subcommand;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Failure;
use super::client::{Client, segment};
use asked::Settings;
use shown::{Caller, Callers};

const CALLERS: &str = "/admin/v1/callers";

#[derive(Debug, Subcommand)]
pub(super) enum CallerCommand {
    /// Add a caller and print its key, this once.
    #[command(after_help = "\
Examples:
  registry-gateway caller add ada --role administrator
  registry-gateway caller add clinic --grant civil:find,verify:names,birthDate --grant social:find --expires-in 90d")]
    Add {
        /// Its name in the audit.
        name: String,
        #[command(flatten)]
        settings: Box<Settings>,
        /// Its key is not taken after so long: `90d`, `12h`. Without it: for ever.
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_in: Option<SignedDuration>,
    },
    /// Show a caller and its keys.
    #[command(after_help = "\
Examples:
  registry-gateway caller show clinic")]
    Show {
        /// Its name.
        name: String,
    },
    /// List the callers.
    #[command(after_help = "\
Examples:
  registry-gateway caller list")]
    List,
    /// Change what a caller may. What is not named stays.
    #[command(after_help = "\
Examples:
  registry-gateway caller set clinic --requests-per-second 5 --requests-per-day 2000
  registry-gateway caller set clinic --default-limits")]
    Set {
        /// Its name.
        name: String,
        #[command(flatten)]
        settings: Box<Settings>,
        /// Limits as the gateway is configured.
        #[arg(long)]
        default_limits: bool,
    },
    /// Add, change and revoke a caller's keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Take all of a caller's keys out of use, for good. Its name stays taken. Also the last
    /// administrator can be revoked: without --server, the machine itself administers.
    #[command(after_help = "\
Examples:
  registry-gateway caller revoke clinic")]
    Revoke {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Print another key, this once. The others go on.
    #[command(after_help = "\
Examples:
  registry-gateway caller key add clinic
  registry-gateway caller key add clinic --expires-in 90d")]
    Add {
        /// The caller's name.
        name: String,
        /// It is not taken after so long: `90d`, `12h`. Without it: for ever.
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_in: Option<SignedDuration>,
    },
    /// Print another key, this once. The others end after a while.
    #[command(after_help = "\
Examples:
  registry-gateway caller key rotate clinic --overlap 7d")]
    Rotate {
        /// The caller's name.
        name: String,
        /// The others go on for so long.
        #[arg(long, value_name = "TIME", value_parser = time, default_value = "24h")]
        overlap: SignedDuration,
        /// The new one is not taken after so long. Without it: for ever.
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_in: Option<SignedDuration>,
    },
    /// Take one key out of use.
    #[command(after_help = "\
Examples:
  registry-gateway caller key revoke clinic 7f3a")]
    Revoke {
        /// The caller's name.
        name: String,
        /// The key's id, which `caller show` tells.
        key: String,
    },
}

#[derive(Deserialize)]
struct Added {
    key: String,
}

pub(super) async fn run(command: CallerCommand, client: &Client) -> Result<(), Failure> {
    match command {
        CallerCommand::Add {
            name,
            settings,
            expires_in,
        } => {
            let mut body = Map::new();
            body.insert("name".into(), json!(name));
            settings.change(&mut body)?;
            if let Some(end) = end(expires_in, "--expires-in")? {
                body.insert("keyExpiresAt".into(), json!(end));
            }
            let added = client.post(CALLERS, &body.into()).await?;
            added.print(|added: Added| format!("{}\n", added.key))
        }
        CallerCommand::Show { name } => {
            let caller = client.get(&path(&name)).await?;
            caller.print(|caller: Caller| caller.whole())
        }
        CallerCommand::List => client.get(CALLERS).await?.print(|listed: Callers| {
            let lines = listed.callers.iter().map(Caller::line);
            lines.collect()
        }),
        CallerCommand::Set {
            name,
            settings,
            default_limits,
        } => {
            let now: Map<String, Value> = client.get(&path(&name)).await?.read()?;
            let stays = |(key, _): &(String, Value)| match key.as_str() {
                "limits" => !default_limits,
                key => matches!(key, "roles" | "grants"),
            };
            let mut body = now.into_iter().filter(stays).collect();
            settings.change(&mut body)?;
            let body = body.into();
            let done = client.put(&path(&name), &body).await?;
            done.print_done(&format!("changed {name}\n"))
        }
        CallerCommand::Key(command) => key(command, client).await,
        CallerCommand::Revoke { name } => {
            let done = client.delete(&path(&name)).await?;
            done.print_done(&format!("revoked {name}\n"))
        }
    }
}

async fn key(command: KeyCommand, client: &Client) -> Result<(), Failure> {
    let (name, body) = match command {
        KeyCommand::Add { name, expires_in } => {
            let end = end(expires_in, "--expires-in")?;
            (name, json!({ "expiresAt": end }))
        }
        KeyCommand::Rotate {
            name,
            overlap,
            expires_in,
        } => {
            let end = end(expires_in, "--expires-in")?;
            let seconds = overlap.as_secs();
            (name, json!({ "expiresAt": end, "overlapSeconds": seconds }))
        }
        KeyCommand::Revoke { name, key } => {
            let path = format!("{}/keys/{}", path(&name), segment(&key));
            let done = client.delete(&path).await?;
            return done.print_done(&format!("revoked a key of {name}\n"));
        }
    };
    let added = client.post(&format!("{}/keys", path(&name)), &body).await?;
    added.print(|added: Added| format!("{}\n", added.key))
}

fn path(name: &str) -> String {
    format!("{CALLERS}/{}", segment(name))
}

fn end(after: Option<SignedDuration>, option: &str) -> Result<Option<Timestamp>, Failure> {
    let Some(after) = after else { return Ok(None) };
    let end = Timestamp::now().checked_add(after);
    Ok(Some(end.map_err(|error| format!("{option}: {error}"))?))
}

/// `90d`, `12h 30m`; a day has 24 hours.
fn time(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|_| "write it like 90d or 12h")?;
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "write it in days and hours, like 90d or 12h".into())
}
