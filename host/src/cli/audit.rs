mod read;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::progress::Progress;
use super::{Failure, note, print};
use crate::gateway::{self, Kept, PublicKey, verify_export};

const VERIFY: &str = "/admin/v1/audit/verify";
const FIND: &str = "/admin/v1/audit/find";
const EXPORT: &str = "/admin/v1/audit/export";
const PRUNE: &str = "/admin/v1/audit/prune";
const CHECKPOINTS: &str = "/admin/v1/audit/checkpoints";

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Go through the whole audit and name the first row that is not what was written.
    #[command(after_help = "\
Examples:
  registry-gateway audit verify
  registry-gateway audit verify --checkpoint checkpoint.json
  registry-gateway audit verify --export audit.ndjson --public-key ed25519:… --checkpoint checkpoint.json")]
    Verify {
        /// A checkpoint that was kept elsewhere; may be repeated.
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        /// The only key to believe, `ed25519:…`; may be repeated. Without one: those that the gateway
        /// knows.
        #[arg(long = "public-key", value_name = "KEY")]
        public_keys: Vec<String>,
        /// Verify this export instead, without any gateway. A public key is needed then: the export
        /// cannot vouch for itself.
        #[arg(long, value_name = "FILE", requires = "public_keys")]
        export: Option<PathBuf>,
    },
    /// Find everybody who asked about a person, or was told of one. The identifier's value is read
    /// from standard input: what stands in a command is seen by everybody on the machine.
    #[command(after_help = "\
Examples:
  registry-gateway audit find --person national-id < number.txt
  registry-gateway audit find --person national-id --whole --json < number.txt > found.json")]
    Find {
        /// The identifier's scheme, such as national-id.
        #[arg(long = "person", value_name = "SCHEME")]
        scheme: String,
        /// Go through every row and do not believe the index.
        #[arg(long)]
        whole: bool,
    },
    /// List calls, the newest first.
    #[command(after_help = "\
Examples:
  registry-gateway audit calls --registry social --since 2026-01-01T00:00:00Z
  registry-gateway audit calls --caller clinic --purpose enrolment --limit 20")]
    Calls {
        #[command(flatten)]
        search: Search,
        /// For that purpose.
        #[arg(long)]
        purpose: Option<String>,
    },
    /// List acts of administration, the newest first.
    #[command(after_help = "\
Examples:
  registry-gateway audit acts
  registry-gateway audit acts --act caller.add")]
    Acts {
        #[command(flatten)]
        search: Search,
        /// Of that kind: `caller.add`.
        #[arg(long)]
        act: Option<String>,
    },
    /// Write the whole audit as lines of JSON, with what is needed to verify it elsewhere.
    #[command(after_help = "\
Examples:
  registry-gateway audit export -o audit.ndjson
  registry-gateway audit export | gzip > audit.ndjson.gz")]
    Export {
        /// The file to write it to. Without one it is printed.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Remove now what was kept for `audit.retention_days`.
    #[command(after_help = "\
Examples:
  registry-gateway audit prune")]
    Prune,
    /// Seal all there is by a signed checkpoint, and print it: keep it where nobody who can change
    /// the database can change it.
    #[command(after_help = "\
Examples:
  registry-gateway audit checkpoint -o checkpoint.json")]
    Checkpoint {
        /// The file to write it to. Without one it is printed.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which calls or acts.
#[derive(Debug, Args)]
pub(super) struct Search {
    /// Begun at that time (RFC 3339) or later.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Begun before that time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of that caller.
    #[arg(long)]
    caller: Option<String>,
    /// About that registry.
    #[arg(long)]
    registry: Option<String>,
    /// Of the request of that id.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Behind the page that ended with that id.
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// At most so many.
    #[arg(long)]
    limit: Option<u32>,
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
            export: _,
        } => {
            let checkpoints = checkpoints.iter().map(|file| read(file));
            let checkpoints: Vec<Value> = checkpoints.collect::<Result<_, _>>()?;
            let body = json!({ "checkpoints": checkpoints, "publicKeys": public_keys });
            let progress = Progress::waiting("the gateway goes through the audit", client.json());
            let answer = client.post(VERIFY, &body).await?;
            drop(progress);
            answer.print(|verdict: Verdict| verdict.text())?;
            match answer.read::<Verdict>()?.whole {
                true => Ok(()),
                false => Err("the audit is not what was written".into()),
            }
        }
        AuditCommand::Checkpoint { output } => {
            let made = client.post(CHECKPOINTS, &json!({})).await?;
            let made = made.read::<Value>()?;
            let text = format!("{made:#}\n");
            let Some(file) = output else {
                print(&text);
                return Ok(());
            };
            std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
            // Who verifies needs it, and not from the same place as the checkpoint.
            let key = made.get("publicKey").and_then(Value::as_str);
            let key = key.unwrap_or_default();
            print(&format!("signed with {key}\n"));
            Ok(())
        }
        AuditCommand::Find { scheme, whole } => find(client, &scheme, whole).await,
        AuditCommand::Calls { search, purpose } => {
            let path = search.path("calls", ("purpose", purpose));
            client.get(&path).await?.print(read::Calls::text)
        }
        AuditCommand::Acts { search, act } => {
            let path = search.path("acts", ("act", act));
            client.get(&path).await?.print(read::Acts::text)
        }
        AuditCommand::Export { output } => {
            let mut to: Box<dyn Write + Send> = match &output {
                None => Box::new(std::io::stdout()),
                Some(file) => Box::new(BufWriter::new(new_file(file)?)),
            };
            client.download(EXPORT, &mut to).await
        }
        AuditCommand::Prune => client
            .post(PRUNE, &json!({}))
            .await?
            .print(|pruned: Pruned| format!("removed {} rows\n", pruned.rows)),
    }
}

impl AuditCommand {
    /// Whether it needs no gateway.
    pub(super) fn is_offline(&self) -> bool {
        matches!(
            self,
            Self::Verify {
                export: Some(_),
                ..
            }
        )
    }
}

/// Verifies an export.
pub(super) fn run_offline(command: &AuditCommand) -> Result<(), Failure> {
    let AuditCommand::Verify {
        checkpoints,
        public_keys,
        export: Some(file),
    } = command
    else {
        return Err("there is no export".into());
    };
    let checkpoints = checkpoints
        .iter()
        .map(|file| Ok(serde_json::from_value(read(file)?)?));
    let keys = public_keys.iter().map(|key| PublicKey::parse(key));
    let kept = Kept {
        checkpoints: checkpoints.collect::<Result<_, Failure>>()?,
        keys: keys.collect::<Result<_, _>>()?,
    };
    let opened = File::open(file)
        .map_err(|error| format!("--export: {} cannot be read: {error}", file.display()))?;
    let progress = Progress::waiting("going through the export", false);
    let verdict = verify_export(BufReader::new(opened), &kept);
    drop(progress);
    let verdict: Verdict = verdict?.into();
    let whole = verdict.whole;
    print(&verdict.text());
    match whole {
        true => Ok(()),
        false => Err("the audit is not what was written".into()),
    }
}

async fn find(client: &Client, scheme: &str, whole: bool) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        note(&format!("{scheme}: "));
    }
    let mut value = String::new();
    std::io::stdin().read_line(&mut value)?;
    let identifiers = json!([{ "scheme": scheme, "value": value.trim() }]);
    let mut after = Value::Null;
    let mut pages = Vec::new();
    loop {
        let body = json!({ "identifiers": identifiers, "whole": whole, "after": after });
        let page = client.post(FIND, &body).await?;
        match client.json() {
            true => pages.push(page.read()?),
            false => page.print(read::Found::text)?,
        }
        after = json!(page.read::<read::Found>()?.next);
        if after.is_null() {
            break;
        }
    }
    if client.json() {
        print(&format!("{:#}\n", read::whole(pages)));
    }
    Ok(())
}

/// For its owner alone, and never over another.
fn new_file(file: &Path) -> Result<File, Failure> {
    let made = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    made.map_err(|error| format!("--output: {}: {error}", file.display()).into())
}

fn read(file: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("--checkpoint: {} cannot be read: {error}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|_| format!("--checkpoint: {} is no checkpoint", file.display()).into())
}

#[derive(Deserialize)]
struct Pruned {
    rows: u64,
}

impl Search {
    fn path(self, what: &str, other: (&str, Option<String>)) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("since", self.since),
            ("until", self.until),
            ("caller", self.caller),
            ("registry", self.registry),
            ("requestId", self.request_id),
            ("before", self.before),
            ("limit", limit),
            other,
        ] {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        format!("/admin/v1/audit/{what}?{}", query.finish())
    }
}

impl From<gateway::Verdict> for Verdict {
    fn from(verdict: gateway::Verdict) -> Self {
        let bad = verdict.bad.into_iter().map(|bad| Bad {
            chain: bad.chain,
            row: bad.seq,
            until_row: bad.until,
            kind: bad.table.map(|table| table.as_str().to_owned()),
            id: bad.id,
            checkpoint: bad.checkpoint,
            problem: bad.problem,
        });
        let bad: Vec<Bad> = bad.collect();
        Self {
            whole: bad.is_empty(),
            rows: verdict.rows,
            uncovered_rows: verdict.uncovered,
            unchained_rows: verdict.unchained,
            chains: verdict.chains,
            last_checkpoint: verdict.last_checkpoint,
            bad,
        }
    }
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
