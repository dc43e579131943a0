//! What is looked at, in this order: whatever can be told without compiling is told at once, and what
//! was refused so far is neither compiled nor run.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::difference::finding;
use super::replay::replay;
use crate::gateway::Finding;
use crate::gateway::registries::settings::check_schema;
use crate::gateway::roster::chain;
use crate::package::{self, Manifest, Package, TrustedKey};
use crate::sandbox::{Description, LoadError, Module, Sandbox};

/// Whom modules must come from, and how long they are looked at.
pub(super) struct Rules {
    pub(super) trusted: Vec<TrustedKey>,
    pub(super) signed: bool,
    pub(super) replay: Duration,
}

/// A module that may be stored.
pub(super) struct Examined {
    pub(super) module: Module,
    pub(super) signed_by: Option<String>,
    /// How many recordings it was checked with.
    pub(super) recordings: usize,
}

/// Looks at all of it. Stores nothing.
pub(super) async fn examine(
    sandbox: &Sandbox,
    rules: Arc<Rules>,
    bytes: Bytes,
) -> Result<Examined, Vec<Finding>> {
    let seen = {
        let (sandbox, rules, bytes) = (sandbox.clone(), rules.clone(), bytes.clone());
        // Off the event loop: to hash megabytes takes milliseconds.
        tokio::task::spawn_blocking(move || look(&sandbox, &rules, &bytes))
    };
    let ended = |_| vec![finding("module", "the gateway ends: bring it again")];
    let Seen { package, signed_by } = seen.await.map_err(ended)??;
    let module = loaded(sandbox, bytes).await?;
    let mut findings = Vec::new();
    let description = module.description();
    if let Some(schema) = &description.settings_schema {
        let schema = schema.clone();
        // Off the event loop: a guest wrote it.
        let checked = tokio::task::spawn_blocking(move || check_schema(&schema));
        let problem = checked.await.map_err(ended)?;
        findings.extend(problem.map(|problem| finding("description.settings-schema", problem)));
    }
    findings.extend(states(description));
    if let Some(manifest) = &package.manifest {
        findings.extend(disagreements(manifest, description));
    }
    // Against settings that cannot be checked there is nothing to replay.
    if findings.is_empty() {
        findings = replay(&module, &package.recordings, rules.replay).await;
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(Examined {
        module,
        signed_by,
        recordings: package.recordings.len(),
    })
}

/// Loads it, or says all that keeps it from being loaded. Nothing of it is kept.
pub(in crate::gateway) async fn loaded(
    sandbox: &Sandbox,
    bytes: Bytes,
) -> Result<Module, Vec<Finding>> {
    sandbox.try_load(bytes).await.map_err(|it| told(&it))
}

/// What a file says without being run.
struct Seen {
    package: Package,
    signed_by: Option<String>,
}

fn look(sandbox: &Sandbox, rules: &Rules, bytes: &[u8]) -> Result<Seen, Vec<Finding>> {
    // First: what anybody may have made is not read further than its list of imports.
    let signed = signer(rules, bytes);
    let mut findings = Vec::new();
    if let Err(error) = sandbox.look(bytes) {
        findings.extend(told(&error));
        // Of what is no module, or not for here, nothing else is said.
        if matches!(
            error,
            LoadError::TooLarge { .. } | LoadError::Precompiled | LoadError::NotAComponent(_)
        ) {
            return Err(findings);
        }
    }
    let signed_by = match signed {
        Ok(signed_by) => signed_by,
        Err(problem) => {
            findings.push(finding("signature", problem));
            return Err(findings);
        }
    };
    match Package::read(bytes) {
        Ok(package) if findings.is_empty() => return Ok(Seen { package, signed_by }),
        Ok(_) => {}
        Err(wrong) => findings.extend(wrong.into_iter().map(|it| finding(it.place, it.problem))),
    }
    Err(findings)
}

fn signer(rules: &Rules, bytes: &[u8]) -> Result<Option<String>, String> {
    match package::verify(bytes, &rules.trusted) {
        Ok(number) => Ok(Some(number.to_owned())),
        Err(_) if !rules.signed => Ok(None),
        Err(why) => Err(why.to_string()),
    }
}

/// Each number once: two forms of one number could not be told apart.
fn states(description: &Description) -> Option<Finding> {
    let mut numbers = description.readable_states.clone();
    numbers.sort_unstable();
    let twice = numbers.windows(2).any(|pair| pair.first() == pair.last());
    twice.then(|| {
        let problem = "a number stands there twice: each form of state has its own";
        finding("description.readable-states", problem)
    })
}

/// Whoever reads the manifest must not be told another thing than who runs the module.
fn disagreements(manifest: &Manifest, description: &Description) -> Vec<Finding> {
    let endpoints = manifest.endpoints.iter();
    let endpoints = endpoints.map(|it| (&*it.name, &*it.summary, it.required));
    let described = description.endpoints.iter();
    let described = described.map(|it| (&*it.name, &*it.summary, it.required));
    let mut abilities = manifest.abilities.clone();
    abilities.sort_unstable();
    let checks = [
        ("name", manifest.name == description.name),
        ("version", manifest.version == description.version),
        ("summary", manifest.summary == description.summary),
        ("licence", manifest.licence == description.licence),
        ("source", manifest.source == description.source),
        ("abilities", abilities == description.abilities),
        ("endpoints", endpoints.eq(described)),
        (
            "settingsSchema",
            manifest.settings_schema == description.settings_schema,
        ),
        (
            "readableStates",
            manifest.readable_states == description.readable_states,
        ),
    ];
    let wrong = checks.into_iter().filter(|(_, same)| !same);
    let problem = "the component says another thing of itself: make them the same, package again";
    wrong
        .map(|(field, _)| finding(format!("manifest.{field}"), problem))
        .collect()
}

/// A refusal by its places.
fn told(error: &LoadError) -> Vec<Finding> {
    match error {
        LoadError::Refused(refusals) => refusals
            .iter()
            .map(|refusal| finding(refusal.place(), refusal.to_string()))
            .collect(),
        LoadError::Description(rule) => {
            let (field, rule) = rule.split_once(": ").unwrap_or((rule, "is not valid"));
            vec![finding(format!("description.{field}"), rule)]
        }
        LoadError::Broken(fault) => vec![finding("describe", fault.to_string())],
        LoadError::Newer(_) | LoadError::Link(_) => vec![finding("interface", chain(error))],
        LoadError::TooDemanding(_)
        | LoadError::CompilesTooLong
        | LoadError::CompilesTooLarge
        | LoadError::CompilerBroke => vec![finding("compile", error.to_string())],
        LoadError::TooLarge { .. } | LoadError::Precompiled | LoadError::NotAComponent(_) => {
            vec![finding("module", chain(error))]
        }
        LoadError::NoCompiler(_) => vec![finding("sandbox.compiler_program", chain(error))],
    }
}
