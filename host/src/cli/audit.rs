use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::{Failure, print};

const VERIFY: &str = "/admin/v1/audit/verify";
const CHECKPOINTS: &str = "/admin/v1/audit/checkpoints";

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Go through the whole audit and name the first row that is not what was written.
    Verify {
        /// A checkpoint that was kept elsewhere; may be repeated.
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        /// The only key to believe, `ed25519:…`; may be repeated. Without one: those that the gateway
        /// knows.
        #[arg(long = "public-key", value_name = "KEY")]
        public_keys: Vec<String>,
    },
    /// Seal all there is by a signed checkpoint, and print it: keep it where nobody who can change
    /// the database can change it.
    Checkpoint {
        /// The file to write it to. Without one it is printed.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    whole: bool,
    rows: u64,
    uncovered_rows: u64,
    unchained_rows: u64,
    chains: u64,
    last_checkpoint: i64,
    bad: Vec<Bad>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bad {
    chain: Option<i64>,
    row: Option<i64>,
    until_row: Option<i64>,
    kind: Option<String>,
    id: Option<String>,
    checkpoint: Option<i64>,
    problem: String,
}

pub(super) async fn run(command: AuditCommand, client: &Client) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify {
            checkpoints,
            public_keys,
        } => {
            let checkpoints = checkpoints.iter().map(|file| read(file));
            let checkpoints: Vec<Value> = checkpoints.collect::<Result<_, _>>()?;
            let body = json!({ "checkpoints": checkpoints, "publicKeys": public_keys });
            let answer = client.post(VERIFY, &body).await?;
            answer.print(|verdict: Verdict| verdict.text())?;
            match answer.read::<Verdict>()?.whole {
                true => Ok(()),
                false => Err("the audit is not what was written".into()),
            }
        }
        AuditCommand::Checkpoint { output } => {
            let made = client.post(CHECKPOINTS, &json!({})).await?;
            let text = format!("{:#}\n", made.read::<Value>()?);
            match output {
                None => print(&text),
                Some(file) => std::fs::write(&file, text)
                    .map_err(|error| format!("{}: {error}", file.display()))?,
            }
            Ok(())
        }
    }
}

fn read(file: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("--checkpoint: {} cannot be read: {error}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|_| format!("--checkpoint: {} is no checkpoint", file.display()).into())
}

impl Verdict {
    fn text(self) -> String {
        let mut text = String::new();
        for bad in &self.bad {
            let _ = writeln!(text, "BAD {}", bad.text());
        }
        if self.whole {
            text.push_str("the audit is what was written\n");
        }
        let _ = writeln!(
            text,
            "{} rows in {} chains, {} written before there were chains; {} not covered by a \
             checkpoint yet (the last is {})",
            self.rows, self.chains, self.unchained_rows, self.uncovered_rows, self.last_checkpoint
        );
        text
    }
}

impl Bad {
    fn text(&self) -> String {
        let mut place = Vec::new();
        if let (Some(chain), Some(row)) = (self.chain, self.row) {
            let until = self.until_row.map(|until| format!(" to {until}"));
            place.push(format!(
                "chain {chain} row {row}{}",
                until.unwrap_or_default()
            ));
        }
        if let (Some(kind), Some(id)) = (&self.kind, &self.id) {
            place.push(format!("{kind} {id}"));
        }
        if let Some(checkpoint) = self.checkpoint {
            place.push(format!("checkpoint {checkpoint}"));
        }
        format!("{}: {}", place.join(", "), self.problem)
    }
}
