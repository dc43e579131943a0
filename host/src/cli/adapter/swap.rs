//! Which module serves a registry: from staging to the way back.

use clap::Subcommand;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;
use serde_json::json;

use crate::cli::Failure;
use crate::cli::client::{Client, segment};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SwapCommand {
    /// Load an admitted module beside the one that serves, and look whether it fits.
    #[command(after_help = "\
Examples:
  registry-gateway adapter stage social sha256:…")]
    Stage {
        /// The registry's name.
        registry: String,
        /// The module's digest.
        #[arg(value_name = "DIGEST")]
        module: String,
    },
    /// Have no module stand ready any more.
    #[command(after_help = "\
Examples:
  registry-gateway adapter unstage social")]
    Unstage {
        /// The registry's name.
        registry: String,
    },
    /// Have the staged module answer a share of lookups too, unseen; or show where it differs.
    #[command(after_help = "\
Examples:
  registry-gateway adapter shadow social --percent 10
  registry-gateway adapter shadow social    # where it differs, by field")]
    Shadow {
        /// The registry's name.
        registry: String,
        /// Percent of the lookups, 1 to 100. Without it: what came of them so far.
        #[arg(long, value_name = "SHARE", value_parser = clap::value_parser!(u8).range(1..=100))]
        percent: Option<u8>,
    },
    /// Have a module serve; calls under way end with the one that they began with.
    #[command(after_help = "\
Examples:
  registry-gateway adapter activate social
  registry-gateway adapter activate social sha256:… --expected sha256:…")]
    Activate {
        /// The registry's name.
        registry: String,
        /// The module's digest. Without it: the one that is staged.
        #[arg(value_name = "DIGEST")]
        module: Option<String>,
        /// Only where this module serves now.
        #[arg(long, value_name = "DIGEST")]
        expected: Option<String>,
        /// Also where somebody holds states that it does not read.
        #[arg(long)]
        force: bool,
    },
    /// Go back to a module that served before.
    #[command(after_help = "\
Examples:
  registry-gateway adapter rollback social
  registry-gateway adapter rollback social --at 14:03")]
    Rollback {
        /// The registry's name.
        registry: String,
        /// The module's digest. Without it: what served before.
        #[arg(value_name = "DIGEST", conflicts_with = "at")]
        module: Option<String>,
        /// To what served at that time: `14:03` today by this machine's clock, or RFC 3339.
        #[arg(long, value_name = "TIME", value_parser = at)]
        at: Option<Timestamp>,
        /// Also where somebody holds states that it does not read.
        #[arg(long)]
        force: bool,
    },
    /// Show what serves, what may serve next, and which calls still end.
    #[command(after_help = "\
Examples:
  registry-gateway adapter status social")]
    Status {
        /// The registry's name.
        registry: String,
    },
    /// Show what served when.
    #[command(after_help = "\
Examples:
  registry-gateway adapter history social
  registry-gateway adapter history social --at 14:03")]
    History {
        /// The registry's name.
        registry: String,
        /// Only what served at that time: `14:03` today by this machine's clock, or RFC 3339.
        #[arg(long, value_name = "TIME", value_parser = at)]
        at: Option<Timestamp>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Swap {
    registry: String,
    active: Option<Module>,
    since: Option<Timestamp>,
    candidate: Option<Candidate>,
    ready: Vec<Module>,
    draining: Vec<Drain>,
    open: Vec<Open>,
    #[serde(default)]
    findings: Vec<Note>,
}

#[derive(Deserialize)]
struct Module {
    digest: String,
    adapter: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    module: String,
    state: String,
    share_percent: Option<u8>,
    since: Timestamp,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Drain {
    module: String,
    until: Timestamp,
    calls: usize,
}

#[derive(Deserialize)]
struct Open {
    kind: String,
    form: u32,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Note {
    place: String,
    problem: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shadow {
    compared: u64,
    same: u64,
    dropped: u64,
    asked_otherwise: u64,
    fields: Vec<Field>,
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Field {
    path: String,
    changed: u64,
    missing: u64,
    added: u64,
    examples: Vec<String>,
}

#[derive(Deserialize)]
struct Outcome {
    live: String,
    candidate: String,
    count: u64,
    examples: Vec<String>,
}

#[derive(Deserialize)]
struct History {
    activations: Vec<Activation>,
}

#[derive(Deserialize)]
struct Activation {
    at: Timestamp,
    module: Option<String>,
    caller: String,
    why: String,
}

pub(in crate::cli) async fn run(command: SwapCommand, client: &Client) -> Result<(), Failure> {
    match command {
        SwapCommand::Stage { registry, module } => {
            let body = json!({ "module": module });
            let done = client.post(&path(&registry, "stage"), &body).await?;
            done.print(|swap: Swap| swap.text())
        }
        SwapCommand::Unstage { registry } => {
            let done = client.delete(&path(&registry, "candidate")).await?;
            done.print_done(&format!("{registry} has no candidate\n"))
        }
        SwapCommand::Shadow {
            registry,
            percent: Some(share),
        } => {
            let body = json!({ "sharePercent": share });
            let done = client.post(&path(&registry, "shadow"), &body).await?;
            done.print(|swap: Swap| swap.text())
        }
        SwapCommand::Shadow { .. } if client.is_local() => {
            Err("what was compared is known to the gateway that serves: name it by --server".into())
        }
        SwapCommand::Shadow { registry, .. } => {
            let shown = client.get(&path(&registry, "shadow")).await?;
            shown.print(|shadow: Shadow| shadow.text())
        }
        SwapCommand::Activate {
            registry,
            module,
            expected,
            force,
        } => {
            // Looked at here and named: another may be staged meanwhile.
            let module = match module {
                Some(module) => module,
                None => candidate_of(&registry, client).await?,
            };
            let body = json!({ "module": module, "expected": expected, "force": force });
            let done = client.post(&path(&registry, "activate"), &body).await?;
            done.print(|swap: Swap| swap.text())
        }
        SwapCommand::Rollback {
            registry,
            module,
            at,
            force,
        } => {
            let body = json!({ "module": module, "at": at, "force": force });
            let done = client.post(&path(&registry, "rollback"), &body).await?;
            done.print(|swap: Swap| swap.text())
        }
        SwapCommand::Status { registry } => {
            let shown = client.get(&path(&registry, "swap")).await?;
            shown.print(|swap: Swap| swap.text())
        }
        SwapCommand::History { registry, at } => {
            let at = at.map(|at| format!("?at={at}")).unwrap_or_default();
            let shown = client.get(&(path(&registry, "history") + &at)).await?;
            shown.print(|history: History| {
                if history.activations.is_empty() {
                    return "nothing served at that time\n".to_owned();
                }
                history.activations.iter().map(Activation::line).collect()
            })
        }
    }
}

async fn candidate_of(registry: &str, client: &Client) -> Result<String, Failure> {
    let swap: Swap = client.get(&path(registry, "swap")).await?.read()?;
    let candidate = swap.candidate.map(|candidate| candidate.module);
    candidate.ok_or_else(|| {
        format!("no module is staged for {registry}: stage one, or name a module").into()
    })
}

fn path(registry: &str, what: &str) -> String {
    format!("/admin/v1/registries/{}/{what}", segment(registry))
}

/// `14:03`, today by this machine's clock; or a time with its zone.
fn at(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let time: Time = text
        .parse()
        .map_err(|_| "write it as 14:03, 14:03:30 or 2026-03-01T14:03:00Z".to_owned())?;
    let today = Zoned::now().date();
    let at = today.to_datetime(time).to_zoned(TimeZone::system());
    at.map(|at| at.timestamp())
        .map_err(|_| "there is no such time today".to_owned())
}

/// As this machine's clock has it.
fn local(at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

impl Swap {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, what: String| text += &format!("{name:<10} {what}\n");
        line("registry", self.registry.clone());
        match &self.active {
            Some(active) => line("active", active.text()),
            None => line("active", "nothing".into()),
        }
        if let Some(since) = self.since {
            line("since", local(since));
        }
        if let Some(candidate) = &self.candidate {
            let state = match candidate.share_percent {
                Some(share) => format!("{} of {share} %", candidate.state),
                None => candidate.state.clone(),
            };
            let since = local(candidate.since);
            line(
                "candidate",
                format!("{} {state} since {since}", candidate.module),
            );
            if let Some(problem) = &candidate.problem {
                line("", problem.clone());
            }
        }
        for module in &self.ready {
            line("ready", module.text());
        }
        for drain in &self.draining {
            let until = local(drain.until);
            let calls = drain.calls;
            line(
                "draining",
                format!("{} {calls} calls, by {until}", drain.module),
            );
        }
        for open in &self.open {
            let until = local(open.until);
            line("open", format!("{} {} until {until}", open.kind, open.form));
        }
        for note in &self.findings {
            line("note", format!("{}: {}", note.place, note.problem));
        }
        text
    }
}

impl Shadow {
    fn text(&self) -> String {
        let mut text = format!(
            "compared {}, same {}, asked otherwise {}, left out {}\n",
            self.compared, self.same, self.asked_otherwise, self.dropped
        );
        for one in &self.fields {
            let example = one.examples.last().map_or("", String::as_str);
            text += &format!(
                "{:<32} changed {}, missing {}, added {}; last {example}\n",
                one.path, one.changed, one.missing, one.added
            );
        }
        for one in &self.outcomes {
            let example = one.examples.last().map_or("", String::as_str);
            let words = format!("{} -> {}", one.live, one.candidate);
            text += &format!("{words:<32} {}; last {example}\n", one.count);
        }
        text
    }
}

impl Module {
    fn text(&self) -> String {
        format!("{} {} {}", self.digest, self.adapter, self.version)
    }
}

impl Activation {
    fn line(&self) -> String {
        let module = self.module.as_deref().unwrap_or("nothing");
        let at = local(self.at);
        format!("{at} {module:<71} {:<8} {}\n", self.why, self.caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_today_or_has_its_zone() {
        let zoned = at("2026-03-01T14:03:00+01:00").unwrap();
        assert_eq!(zoned.to_string(), "2026-03-01T13:03:00Z");
        for text in ["14:03", "14:03:30"] {
            let today = at(text).unwrap().to_zoned(TimeZone::system());
            assert_eq!((today.hour(), today.minute()), (14, 3), "{text}");
            assert_eq!(today.date(), Zoned::now().date());
        }
        for bad in ["", "25:00", "yesterday", "2026-03-01"] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }
}
