use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, segment};
use super::{Failure, confirm};

const EVENTS: &str = "/admin/v1/events";
const CALLBACKS: &str = "/admin/v1/callbacks";

#[derive(Debug, Subcommand)]
pub(super) enum EventCommand {
    /// List life events, the newest first: what came when, and nobody in it.
    #[command(after_help = "\
Examples:
  registry-gateway event list
  registry-gateway event list --registry civil --limit 20")]
    List(Listed),
    /// List what registries called back with, the newest first.
    #[command(after_help = "\
Examples:
  registry-gateway event callbacks
  registry-gateway event callbacks --state unreadable")]
    Callbacks {
        #[command(flatten)]
        listed: Listed,
        /// Only those that stand there: new, received, refused, unreadable or failed.
        #[arg(long)]
        state: Option<String>,
    },
    /// Print a callback as it came: to see why it is unreadable. It may tell of anybody; that you looked, and
    /// why, is in the audit.
    #[command(after_help = "\
Examples:
  registry-gateway event raw 0199c9a2-6c1e-7000-8000-000000000000 --purpose mend-the-adapter")]
    Raw {
        /// As `event callbacks` shows it.
        id: String,
        /// Why you look. Nothing of a person belongs here.
        #[arg(long, value_name = "TEXT")]
        purpose: String,
    },
    /// Have a callback read again that is unreadable or failed, once its adapter is mended.
    #[command(after_help = "\
Examples:
  registry-gateway event replay 0199c9a2-6c1e-7000-8000-000000000000")]
    Replay {
        /// As `event callbacks` shows it.
        id: String,
    },
    /// Give up a callback that is unreadable or failed, or new and waits: what came is gone, and that you did it is in the audit.
    #[command(after_help = "\
Examples:
  registry-gateway event discard 0199c9a2-6c1e-7000-8000-000000000000")]
    Discard {
        /// As `event callbacks` shows it.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args, Debug)]
pub(super) struct Listed {
    /// Only of this registry.
    #[arg(long)]
    registry: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Only those before this number, which the end of a page shows.
    #[arg(long)]
    before: Option<i64>,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
    next: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    position: i64,
    registry: String,
    kind: String,
    stored_at: String,
    callback: Option<String>,
}

#[derive(Deserialize)]
struct Callbacks {
    callbacks: Vec<Callback>,
    next: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Callback {
    id: String,
    registry: String,
    method: String,
    received_at: String,
    state: String,
    attempts: u32,
    reason: Option<String>,
    status: Option<u16>,
    events: u32,
}

#[derive(Deserialize)]
struct Raw {
    method: String,
    path: String,
    query: Vec<Pair>,
    headers: Vec<Pair>,
    body: String,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

pub(super) async fn run(command: EventCommand, client: &Client) -> Result<(), Failure> {
    match command {
        EventCommand::List(listed) => {
            let path = format!("{EVENTS}?{}", listed.query(None));
            client.get(&path).await?.print(|page: Events| {
                let lines: String = page.events.iter().map(Event::line).collect();
                lines + &more(page.next)
            })
        }
        EventCommand::Callbacks { listed, state } => {
            let path = format!("{CALLBACKS}?{}", listed.query(state.as_deref()));
            client.get(&path).await?.print(|page: Callbacks| {
                let lines: String = page.callbacks.iter().map(Callback::line).collect();
                lines + &more(page.next)
            })
        }
        EventCommand::Raw { id, purpose } => {
            let path = format!("{CALLBACKS}/{}/raw", segment(&id));
            let asked = serde_json::json!({ "purpose": purpose });
            let told = client.post(&path, &asked).await?;
            told.print(|raw: Raw| raw.whole())
        }
        EventCommand::Replay { id } => {
            let path = format!("{CALLBACKS}/{}/replay", segment(&id));
            let done = client.post(&path, &Value::Null).await?;
            done.print_done(&format!("{id} will be read again\n"))
        }
        EventCommand::Discard { id, yes } => {
            confirm(&format!("Give up {id}, unread?"), yes)?;
            let path = format!("{CALLBACKS}/{}/discard", segment(&id));
            let done = client.post(&path, &Value::Null).await?;
            done.print_done(&format!("{id} is gone\n"))
        }
    }
}

impl Listed {
    fn query(&self, state: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if let Some(registry) = &self.registry {
            query.append_pair("registry", registry);
        }
        if let Some(before) = self.before {
            query.append_pair("before", &before.to_string());
        }
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        query.finish()
    }
}

impl Event {
    fn line(&self) -> String {
        format!(
            "{}  {}  {}  {}  {}\n",
            self.position,
            self.stored_at,
            self.registry,
            self.kind,
            self.callback.as_deref().unwrap_or("asked for"),
        )
    }
}

impl Callback {
    fn line(&self) -> String {
        let status = self.status.map(|status| status.to_string());
        format!(
            "{}  {}  {} {}  {}  {}  answered {}  {} events, {} attempts\n",
            self.id,
            self.received_at,
            self.registry,
            self.method,
            self.state,
            self.reason.as_deref().unwrap_or("-"),
            status.as_deref().unwrap_or("nothing"),
            self.events,
            self.attempts,
        )
    }
}

impl Raw {
    /// What is no text is printed as it is kept: a terminal obeys some bytes.
    fn whole(&self) -> String {
        let mut text = format!("{} {}\n", self.method, self.path);
        for (mark, pairs) in [("?", &self.query), ("", &self.headers)] {
            for Pair { name, value } in pairs {
                text.push_str(&format!("{mark}{name}: {value}\n"));
            }
        }
        let is_plain = |text: &&String| {
            let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
            text.chars().all(harmless)
        };
        match self.text.as_ref().filter(is_plain) {
            Some(body) => text.push_str(&format!("\n{body}\n")),
            None => text.push_str(&format!("\n(Base64) {}\n", self.body)),
        }
        text
    }
}

fn more(next: Option<i64>) -> String {
    next.map(|next| format!("more: --before {next}\n"))
        .unwrap_or_default()
}
