use clap::{Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::client::{Client, segment};
use super::{Failure, confirm};

const OPERATIONS: &str = "/admin/v1/operations";

#[derive(Debug, Subcommand)]
pub(super) enum OperationCommand {
    /// List writes, the newest first.
    #[command(after_help = "\
Examples:
  registry-gateway operation list
  registry-gateway operation list --registry civil --state given-up
  registry-gateway operation list --state outcome-unknown --json")]
    List {
        /// Only of this registry.
        #[arg(long, value_name = "NAME")]
        registry: Option<String>,
        /// Only in this state.
        #[arg(long)]
        state: Option<String>,
        /// Only this: create, update, link or enrolment.
        #[arg(long)]
        ability: Option<String>,
        /// Only of this caller.
        #[arg(long, value_name = "NAME")]
        caller: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show where a write stands, and how it came there.
    #[command(after_help = "\
Examples:
  registry-gateway operation show 0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a")]
    Show {
        /// Its id.
        id: Uuid,
    },
    /// Send a write once more from the beginning: one that was given up, or of which somebody found out
    /// that the registry does not have it.
    #[command(after_help = "\
Examples:
  registry-gateway operation replay 0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a")]
    Replay {
        /// Its id.
        id: Uuid,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Cancel a write that was not sent, or was given up. Those of its subject behind it go on.
    #[command(after_help = "\
Examples:
  registry-gateway operation cancel 0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a")]
    Cancel {
        /// Its id.
        id: Uuid,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Settle a write of which nobody knows what became of it. Those of its subject behind it go on.
    #[command(after_help = "\
Examples:
  registry-gateway operation resolve 0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a --as applied --reason asked-the-registry")]
    Resolve {
        /// Its id.
        id: Uuid,
        /// What a person found out at the registry.
        #[arg(long = "as", value_name = "WHAT")]
        outcome: Outcome,
        /// A word for how they know: lower-case letters, digits and hyphens. It is in the audit.
        #[arg(long, value_name = "WORD")]
        reason: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Outcome {
    /// The registry has it.
    Applied,
    /// The registry does not have it, and never will.
    Rejected,
}

#[derive(Deserialize)]
struct Operations {
    operations: Vec<Operation>,
    next: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    id: String,
    caller: String,
    registry: String,
    ability: String,
    state: String,
    reason: Option<String>,
    registry_code: Option<String>,
    accepted_at: String,
    attempts: u32,
    next_attempt_at: Option<String>,
    deadline: String,
    #[serde(default)]
    history: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    at: String,
    state: String,
    attempt: u32,
    reason: Option<String>,
    registry_code: Option<String>,
    by: Option<String>,
}

pub(super) async fn run(command: OperationCommand, client: &Client) -> Result<(), Failure> {
    match command {
        OperationCommand::List {
            registry,
            state,
            ability,
            caller,
            limit,
        } => {
            let mut path = format!("{OPERATIONS}?limit={limit}");
            for (name, value) in [
                ("registry", registry),
                ("state", state),
                ("ability", ability),
                ("caller", caller),
            ] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", segment(&value)));
                }
            }
            client.get(&path).await?.print(|listed: Operations| {
                let mut text: String = listed.operations.iter().map(Operation::line).collect();
                if listed.next.is_some() {
                    text.push_str("there are more: say --limit, or narrow it down\n");
                }
                text
            })
        }
        OperationCommand::Show { id } => {
            let shown = client.get(&format!("{OPERATIONS}/{id}")).await?;
            shown.print(|operation: Operation| operation.whole())
        }
        OperationCommand::Replay { id, yes } => {
            confirm(&format!("Send {id} once more?"), yes)?;
            let path = format!("{OPERATIONS}/{id}/replay");
            let done = client.post(&path, &json!({})).await?;
            done.print_done(&format!("{id} is accepted anew\n"))
        }
        OperationCommand::Cancel { id, yes } => {
            confirm(&format!("Cancel {id}?"), yes)?;
            let path = format!("{OPERATIONS}/{id}/cancel");
            let done = client.post(&path, &json!({})).await?;
            done.print_done(&format!("cancelled {id}\n"))
        }
        OperationCommand::Resolve {
            id,
            outcome,
            reason,
            yes,
        } => {
            let outcome = match outcome {
                Outcome::Applied => "applied",
                Outcome::Rejected => "rejected",
            };
            confirm(&format!("Settle {id} as {outcome}?"), yes)?;
            let path = format!("{OPERATIONS}/{id}/resolve");
            let done = client
                .post(&path, &json!({ "as": outcome, "reason": reason }))
                .await?;
            done.print_done(&format!("{id} is settled as {outcome}\n"))
        }
    }
}

impl Operation {
    fn line(&self) -> String {
        let why = why(&self.reason, &self.registry_code);
        let next = self.next_attempt_at.as_ref();
        let next = next.map_or(String::new(), |at| format!(", next at {at}"));
        format!(
            "{}  {:<15} {:<16} {:<9} {:<16} {} attempts{why}{next}\n",
            self.id, self.state, self.registry, self.ability, self.caller, self.attempts
        )
    }

    fn whole(&self) -> String {
        let mut text = self.line();
        text.push_str(&format!(
            "  accepted {}, tried until {}\n",
            self.accepted_at, self.deadline
        ));
        for step in &self.history {
            let why = why(&step.reason, &step.registry_code);
            let by = step
                .by
                .as_ref()
                .map_or(String::new(), |by| format!(", by {by}"));
            let Step {
                at, state, attempt, ..
            } = step;
            text.push_str(&format!("  {at}  {state:<15} attempt {attempt}{why}{by}\n"));
        }
        text
    }
}

fn why(reason: &Option<String>, code: &Option<String>) -> String {
    let words = [reason, code].into_iter().flatten();
    words.map(|word| format!(", {word}")).collect()
}
