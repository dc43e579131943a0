//! `registry apply`: modules first, then the difference, then the question, then the deed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{REGISTRIES, beside};
use crate::cli::client::Client;
use crate::cli::exit::{About, Found};
use crate::cli::{Failure, adapter, confirm, note, on_terminal, print};
use crate::config::registry::{ModuleSource, RegistryFile};
use crate::gateway::module_digest;

#[derive(Args, Debug)]
pub(in crate::cli) struct ApplyArgs {
    /// The file: TOML, or JSON where its name ends so.
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,
    /// Only show the difference. Ends with 8 where there is one, with 0 where there is none.
    #[arg(long)]
    dry_run: bool,
    /// Remove registries that the file does not have.
    #[arg(long)]
    prune: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

#[derive(Deserialize)]
struct Applied {
    revision: String,
    changed: bool,
    registries: Vec<Difference>,
}

#[derive(Deserialize)]
struct Difference {
    registry: String,
    what: String,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    field: String,
    from: Option<Value>,
    to: Option<Value>,
}

/// All of a file, where nobody is to be asked.
pub(in crate::cli) async fn at_once(file: &Path, client: &Client) -> Result<(), Failure> {
    let body = json!({ "registries": registries(file, client).await? });
    client.post(&format!("{REGISTRIES}/apply"), &body).await?;
    Ok(())
}

/// The registries of a file, each with its module's digest. The gateway has those modules then.
async fn registries(file: &Path, client: &Client) -> Result<Map<String, Value>, Failure> {
    let (parsed, mut written) = RegistryFile::read(file)?;
    let mut digests = Digests::default();
    for (name, config) in &parsed.registries {
        let Some(source) = &config.module else {
            return Err(format!("registries.{name}.module: name the adapter's module").into());
        };
        let digest = digests.get(source, file, client).await;
        let digest = digest.map_err(|error| About {
            place: format!("registries.{name}.module"),
            error,
        })?;
        let registry = written.pointer_mut(&format!("/registries/{}", escaped(name)));
        if let Some(Value::Object(registry)) = registry {
            registry.insert("module".into(), digest.into());
        }
    }
    Ok(match written.get_mut("registries").map(Value::take) {
        Some(Value::Object(registries)) => registries,
        _ => Map::new(),
    })
}

pub(super) async fn run(args: ApplyArgs, client: &Client) -> Result<(), Failure> {
    let registries = registries(&args.file, client).await?;
    let mut body = json!({ "registries": registries, "prune": args.prune, "dryRun": true });
    let path = format!("{REGISTRIES}/apply");
    let planned = client.post(&path, &body).await?;
    let plan: Applied = planned.read()?;
    if args.dry_run {
        planned.print(|plan: Applied| plan.text())?;
        return match plan.changed {
            true => Err(Found("this would be changed").into()),
            false => Ok(()),
        };
    }
    if !client.json() {
        print(&plan.text());
    }
    if plan.changed {
        confirm("Apply this?", args.yes)?;
    }
    if let Value::Object(body) = &mut body {
        body.remove("dryRun");
        // What was shown is what is done.
        body.insert("expectedRevision".into(), plan.revision.into());
    }
    let done = client.post(&path, &body).await?;
    done.print(|_: Value| String::new())
}

/// The modules of a file: each is brought once, however many registries name it.
#[derive(Default)]
struct Digests {
    known: BTreeMap<String, String>,
}

impl Digests {
    async fn get(
        &mut self,
        source: &ModuleSource,
        file: &Path,
        client: &Client,
    ) -> Result<String, Failure> {
        let key = String::from(source.clone());
        if let Some(digest) = self.known.get(&key) {
            return Ok(digest.clone());
        }
        let digest = match source {
            ModuleSource::Digest(digest) => digest.clone(),
            ModuleSource::Pulled(reference) => adapter::pull(reference, client).await?,
            ModuleSource::File(path) => bring(&beside(file, path), client).await?,
        };
        self.known.insert(key, digest.clone());
        Ok(digest)
    }
}

/// Uploads a module, unless the gateway has it.
async fn bring(file: &Path, client: &Client) -> Result<String, Failure> {
    let bytes = tokio::fs::read(file)
        .await
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let digest = module_digest(&bytes);
    if adapter::has(&digest, client).await? {
        return Ok(digest);
    }
    if on_terminal() {
        let kilobytes = bytes.len().div_ceil(1_000);
        note(&format!(
            "uploading {} ({kilobytes} kB) …\n",
            file.display()
        ));
    }
    let path = adapter::MODULES;
    client
        .send(Method::POST, path, "application/wasm", bytes)
        .await?;
    Ok(digest)
}

impl Applied {
    fn text(&self) -> String {
        let (same, other): (Vec<_>, Vec<_>) = self
            .registries
            .iter()
            .partition(|it| it.what == "unchanged");
        other
            .into_iter()
            .chain(same)
            .map(Difference::text)
            .collect()
    }
}

impl Difference {
    fn text(&self) -> String {
        let mut text = format!("{:<10} {}\n", self.what, self.registry);
        for Field { field, from, to } in &self.fields {
            let told = match (from, to) {
                (Some(from), Some(to)) => format!("{from} → {to}"),
                (Some(from), None) if self.what != "removed" => format!("{from} → nothing"),
                (from, to) => from
                    .as_ref()
                    .or(to.as_ref())
                    .map(Value::to_string)
                    .unwrap_or_default(),
            };
            text.push_str(&format!("             {field}: {told}\n"));
        }
        text
    }
}

/// As a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
