//! `adapter call`: a module on this machine, asked once, and all of it shown.

mod shown;

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};

use super::package;
use crate::cli::exit::{About, Found};
use crate::cli::progress::Progress;
use crate::cli::registry::identifier;
use crate::cli::{Failure, confirm, print};
use crate::config::Config;
use crate::config::registry::RegistryFile;
use crate::gateway::{Called, Finding, LiveQuestion, LoadedAlone, Outcome};
use crate::model::Ability;
use crate::package::Recording;
use crate::serve::{self, CalledAlone};

pub(super) const HELP: &str = "\
No gateway is needed, and none is asked: the module runs in the sandbox of --config, within the
registry's limits. It is asked once; a gateway would try again what failed. Shown are each request
to the registry and its answer, what the adapter makes of it before a policy hides anything, the
time and memory that it took, and the registry's fields that make no difference to that: each is
changed, and left out, in an answer that the module is played again. Nothing is sent for it.

No audit knows of it: use a test registry. People are shown as they are, and nothing of it is logged
or kept. The gateway adds its secrets after what is shown; a registry that repeats them shows them.

A registry is told `adapter-call` for user, entity, purpose and legal basis. Its writes really write:
on a terminal it is asked before, elsewhere it is not.

Ends with 8 where a recording says otherwise; without one, where there is neither an answer nor a
registry that knows nobody, or where nobody knows whether a write was done.

Examples:
  registry-gateway adapter call spdci.wasm --recording recordings/find-by-national-id.json
  registry-gateway adapter call spdci.wasm -f registries.toml --registry social --identifier national-id=- < number.txt
  registry-gateway adapter call spdci.wasm -f registries.toml --registry social --ability search --question question.json --json";

#[derive(Args, Debug)]
pub(in crate::cli) struct CallArgs {
    /// The package, or a bare `.wasm`. It is what is called, whatever module the file names.
    component: PathBuf,
    /// A recorded call. Who answers is the recording.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "file",
        conflicts_with_all = ["file", "registry", "ability", "identifier", "question"]
    )]
    recording: Option<PathBuf>,
    /// A file of registries, as `registry apply` takes it.
    #[arg(long, short, value_name = "FILE", requires = "registry")]
    file: Option<PathBuf>,
    /// Which of them is asked.
    #[arg(long, value_name = "NAME", requires = "file")]
    registry: Option<String>,
    /// `find`, `household`, `search`, `verify`, `create`, `update`, `link` or `enrolment`.
    #[arg(long, value_parser = ability, default_value = "find")]
    ability: Ability,
    /// Who is asked for. With `-` for the value it is read from standard input, where nobody else on
    /// this machine sees it.
    #[arg(long, value_name = "SCHEME=VALUE", conflicts_with = "question")]
    identifier: Option<String>,
    /// What is asked: a file with JSON as a request to the gateway has it; of a write the part below
    /// its ability's name. `-` is standard input.
    #[arg(long, value_name = "FILE")]
    question: Option<PathBuf>,
    /// Do not ask before a write.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(args: CallArgs, config: &Config, json: bool) -> Result<(), Failure> {
    let bytes = Bytes::from(package::read(&args.component)?);
    let alone = serve::alone(config)?;
    let mut progress = Some(Progress::waiting("the module is loaded and called", json));
    let loaded = alone.load(bytes).await;
    let loaded = loaded.map_err(|found| wrong(&args.component, &found))?;
    let (ability, called) = match (&args.recording, &args.file, &args.registry) {
        (Some(recording), ..) => recorded(&alone, &loaded, recording).await?,
        (None, Some(file), Some(registry)) => {
            drop(progress.take());
            let called = live(&alone, &loaded, &args, (file, registry), json).await?;
            (args.ability, called)
        }
        // The arguments' own rules have seen to it.
        _ => return Err("say --recording, or -f and --registry".into()),
    };
    drop(progress);
    print(&match json {
        true => shown::json(&loaded, ability, &called),
        false => shown::plain(&shown::text(&loaded, ability, &called)),
    });
    if called.works() {
        return Ok(());
    }
    let found = match called.outcome {
        _ if !called.otherwise.is_empty() => "the module does otherwise than recorded",
        Outcome::Fault(_) => "the adapter broke",
        Outcome::Failure(_) => "the registry says no",
        Outcome::Answer(_) => "nobody knows whether it was written",
        _ => "there is no answer",
    };
    Err(Found(found).into())
}

async fn recorded(
    alone: &CalledAlone,
    loaded: &LoadedAlone,
    file: &Path,
) -> Result<(Ability, Called), Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let recording = Recording::read(&name, &package::read(file)?).map_err(|it| it.to_string())?;
    let called = alone.recorded(loaded, &recording).await;
    let called = called.map_err(|found| wrong(file, &found))?;
    Ok((recording.ability, called))
}

async fn live(
    alone: &CalledAlone,
    loaded: &LoadedAlone,
    args: &CallArgs,
    (file, registry): (&Path, &str),
    json: bool,
) -> Result<Called, Failure> {
    let (read, _) = RegistryFile::read(file)?;
    let Some(config) = read.registries.get(registry) else {
        let names: Vec<&str> = read.registries.keys().map(String::as_str).collect();
        let names = names.join(", ");
        let file = file.display();
        return Err(format!("--registry: {file} has {names}, and no {registry}").into());
    };
    let question = question(args)?;
    if Ability::WRITES.contains(&args.ability) {
        let doing = format!("This really writes to {registry}. Go on?");
        confirm(&doing, args.yes)?;
    }
    let _progress = Progress::waiting("the registry is asked", json);
    let asked = LiveQuestion {
        registry,
        config,
        ability: args.ability,
        question: &question,
    };
    let called = alone.live(loaded, &asked).await;
    called.map_err(|found| wrong(file, &found))
}

fn question(args: &CallArgs) -> Result<Value, Failure> {
    if let Some(text) = &args.identifier {
        let (scheme, value) = identifier(text)?;
        return Ok(json!({ "identifiers": [{ "scheme": scheme, "value": value }] }));
    }
    let Some(file) = &args.question else {
        return Err("say --identifier or --question: what is asked?".into());
    };
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        bytes
    } else {
        package::read(file)?
    };
    // serde's words would repeat what stands there.
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let file = file.display();
        format!("--question: {file} is not JSON at line {line}, column {column}").into()
    })
}

/// All that keeps it from being called, with the file that it is about.
fn wrong(file: &Path, findings: &[Finding]) -> Failure {
    let lines: Vec<String> = findings.iter().map(line).collect();
    Box::new(About {
        place: file.display().to_string(),
        error: shown::plain(&lines.join("\n  ")).into(),
    })
}

fn line(finding: &Finding) -> String {
    let problem = finding.problem.as_deref().unwrap_or_default();
    match &*finding.place {
        "" => problem.to_owned(),
        place => format!("{place}: {problem}"),
    }
}

fn ability(text: &str) -> Result<Ability, String> {
    let called = Ability::parse(text)
        .filter(|it| Ability::READS.contains(it) || Ability::WRITES.contains(it));
    called.ok_or_else(|| {
        let words = Ability::READS.iter().chain(&Ability::WRITES);
        let words: Vec<&str> = words.map(|it| it.as_str()).collect();
        format!("one of {}", words.join(", "))
    })
}
