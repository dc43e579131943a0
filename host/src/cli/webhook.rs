use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Failure;
use super::client::{Client, segment};

const WEBHOOKS: &str = "/admin/v1/webhooks";

#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// List webhooks, and how far each is.
    #[command(after_help = "\
Examples:
  registry-gateway webhook list
  registry-gateway webhook list --json")]
    List,
    /// Tell a caller of events at an address of its own. Prints the secret, this once.
    #[command(after_help = "\
Examples:
  registry-gateway webhook add imis --caller imis --url https://imis.example.org/events --purpose eligibility
  registry-gateway webhook add deaths --caller imis --url https://imis.example.org/deaths --kind death --registry civil --after e1-0")]
    Add(Box<Added>),
    /// Show a webhook.
    #[command(after_help = "\
Examples:
  registry-gateway webhook show imis")]
    Show(Name),
    /// Send no more messages until it is resumed.
    #[command(after_help = "\
Examples:
  registry-gateway webhook pause imis")]
    Pause(Name),
    /// Go on from where it stopped, at once.
    #[command(after_help = "\
Examples:
  registry-gateway webhook resume imis")]
    Resume(Name),
    /// Print another secret, this once. Messages are signed with the one before too, for a while.
    #[command(after_help = "\
Examples:
  registry-gateway webhook rotate-secret imis
  registry-gateway webhook rotate-secret imis --overlap-seconds 0    # the one before is known to others")]
    RotateSecret {
        #[command(flatten)]
        webhook: Name,
        /// The one before goes on for so long.
        #[arg(long, value_name = "SECONDS")]
        overlap_seconds: Option<u32>,
    },
    /// Send the events behind a cursor again, under their old ids.
    #[command(after_help = "\
Examples:
  registry-gateway webhook replay imis --after e1-1f4
  registry-gateway webhook replay imis --after e1-0    # from the first that is kept")]
    Replay {
        #[command(flatten)]
        webhook: Name,
        /// A cursor of the feed, of a message, or of `webhook show`.
        #[arg(long, value_name = "CURSOR")]
        after: String,
    },
    /// Send a message that tells of nobody, now.
    #[command(after_help = "\
Examples:
  registry-gateway webhook ping imis")]
    Ping(Name),
    /// Remove a webhook.
    #[command(after_help = "\
Examples:
  registry-gateway webhook delete imis")]
    Delete(Name),
}

#[derive(Args, Debug)]
pub(super) struct Name {
    /// The webhook's name.
    name: String,
}

#[derive(Args, Debug)]
pub(super) struct Added {
    /// Its name.
    name: String,
    /// Who is told: of what it may read in the feed.
    #[arg(long)]
    caller: String,
    /// Where messages go. Its host is in `[webhooks] allow_hosts` of the gateway's configuration.
    #[arg(long)]
    url: String,
    /// Only events of this registry. May be repeated.
    #[arg(long = "registry", value_name = "REGISTRY")]
    registries: Vec<String>,
    /// Only events of this kind, such as `death`. May be repeated.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// What the caller states, as the registries' policies require it.
    #[arg(long)]
    purpose: Option<String>,
    /// The same.
    #[arg(long)]
    legal_basis: Option<String>,
    /// The same.
    #[arg(long)]
    user: Option<String>,
    /// The same.
    #[arg(long)]
    entity: Option<String>,
    /// From behind this cursor on. Without it: what is new from now on.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    name: String,
    caller: String,
    url: String,
    registries: Vec<String>,
    kinds: Vec<String>,
    state: String,
    reason: Option<String>,
    cursor: String,
    lag: u64,
    attempts: u32,
    failing_since: Option<String>,
    problem: Option<String>,
    delivered_at: Option<String>,
    previous_until: Option<String>,
}

#[derive(Deserialize)]
struct Secret {
    secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pinged {
    taken: bool,
    status: Option<u16>,
    problem: Option<String>,
    took_ms: u64,
}

pub(super) async fn run(command: WebhookCommand, client: &Client) -> Result<(), Failure> {
    match command {
        WebhookCommand::List => client.get(WEBHOOKS).await?.print(|listed: Listed| {
            let lines = listed.webhooks.iter().map(Webhook::line);
            lines.collect()
        }),
        WebhookCommand::Add(added) => {
            let done = client.post(WEBHOOKS, &added.body()).await?;
            done.print(|added: Secret| format!("{}\n", added.secret))
        }
        WebhookCommand::Show(Name { name }) => {
            let webhook = client.get(&path(&name, "")).await?;
            webhook.print(|webhook: Webhook| webhook.whole())
        }
        WebhookCommand::Pause(Name { name }) => {
            let done = client.post(&path(&name, "/pause"), &Value::Null).await?;
            done.print_done(&format!("paused {name}\n"))
        }
        WebhookCommand::Resume(Name { name }) => {
            let done = client.post(&path(&name, "/resume"), &Value::Null).await?;
            done.print_done(&format!("resumed {name}\n"))
        }
        WebhookCommand::RotateSecret {
            webhook: Name { name },
            overlap_seconds,
        } => {
            let body = json!({ "overlapSeconds": overlap_seconds });
            let done = client.post(&path(&name, "/secret"), &body).await?;
            done.print(|rotated: Secret| format!("{}\n", rotated.secret))
        }
        WebhookCommand::Replay {
            webhook: Name { name },
            after,
        } => {
            let body = json!({ "after": after });
            let done = client.post(&path(&name, "/replay"), &body).await?;
            done.print_done(&format!("{name} goes on behind {after}\n"))
        }
        WebhookCommand::Ping(Name { name }) => {
            let done = client.post(&path(&name, "/ping"), &Value::Null).await?;
            done.print(|pinged: Pinged| pinged.line())
        }
        WebhookCommand::Delete(Name { name }) => {
            let done = client.delete(&path(&name, "")).await?;
            done.print_done(&format!("deleted {name}\n"))
        }
    }
}

impl Added {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("name".into(), json!(self.name));
        body.insert("caller".into(), json!(self.caller));
        body.insert("url".into(), json!(self.url));
        body.insert("registries".into(), json!(self.registries));
        body.insert("kinds".into(), json!(self.kinds));
        for (field, value) in [
            ("purpose", &self.purpose),
            ("legalBasis", &self.legal_basis),
            ("user", &self.user),
            ("entity", &self.entity),
            ("after", &self.after),
        ] {
            if let Some(value) = value {
                body.insert(field.into(), json!(value));
            }
        }
        body.into()
    }
}

impl Webhook {
    fn line(&self) -> String {
        let why = self.reason.as_ref().or(self.problem.as_ref());
        format!(
            "{:<20} {:<7} {:<20} {} behind, at {}  {}\n",
            self.name,
            self.state,
            why.map_or("-", String::as_str),
            self.lag,
            self.cursor,
            self.url,
        )
    }

    fn whole(&self) -> String {
        let all = |words: &[String]| match words.is_empty() {
            true => "all".to_owned(),
            false => words.join(", "),
        };
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let rows = [
            ("caller", self.caller.clone()),
            ("registries", all(&self.registries)),
            ("kinds", all(&self.kinds)),
            ("taken last", or_none(&self.delivered_at)),
            ("failures", self.attempts.to_string()),
            ("failing since", or_none(&self.failing_since)),
            ("last failure", or_none(&self.problem)),
            ("old secret until", or_none(&self.previous_until)),
        ];
        let rows = rows.map(|(what, value)| format!("    {what:<17} {value}\n"));
        self.line() + &rows.concat()
    }
}

impl Pinged {
    fn line(&self) -> String {
        let status = self.status.map(|status| format!("status {status}"));
        let came = status.or_else(|| self.problem.clone());
        format!(
            "{}: {}, {} ms\n",
            if self.taken { "taken" } else { "not taken" },
            came.as_deref().unwrap_or("-"),
            self.took_ms
        )
    }
}

fn path(name: &str, act: &str) -> String {
    format!("{WEBHOOKS}/{}{act}", segment(name))
}
