//! `registry apply`: what would become of the registries, and then that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::What;
use super::checks::{self, Checks, finding};
use super::differences::{self, RegistryDifference};
use crate::config::registry::{ModuleSource, RegistryConfig};
use crate::egress::Egress;
use crate::gateway::roster::{modules, written};
use crate::gateway::{Act, Acting, AdminError, Finding, Gateway};
use crate::store::RegistryChange;

/// Registries as they should be.
#[derive(Clone, Debug, Default)]
pub struct RegistriesToApply {
    /// By name, each as a file has it with the digest of its module.
    pub registries: Map<String, Value>,
    /// Only say what would be changed.
    pub dry_run: bool,
    /// Remove those that are not among them.
    pub prune: bool,
    /// Only if they still are what they were in that answer.
    pub expected: Option<String>,
}

/// What was, or would be, changed.
#[derive(Clone, Debug)]
pub struct AppliedRegistries {
    /// What the registries are now, for `expected` of what follows.
    pub revision: String,
    /// Whether it was done.
    pub applied: bool,
    /// By name: those that were asked for, and those that go.
    pub registries: Vec<RegistryDifference>,
}

/// What is to be done, on what.
struct Plan {
    state: String,
    differences: Vec<RegistryDifference>,
    changes: Vec<RegistryChange>,
}

/// How often it is looked again when somebody else changes registries at the same time.
const TRIES: u32 = 5;
/// Of an act's detail; the audit takes 64 KiB.
const MAX_DETAIL: usize = 48 << 10;

impl Gateway {
    /// Makes the registries what they should be, all of them or none, and takes them over. One that
    /// is not changed is taken over too: that is how it learns of a secret that was changed where it
    /// is kept.
    ///
    /// # Errors
    /// [`AdminError`]: `Refused` with everything that keeps a registry from being asked; `Conflict`
    /// where they are no longer what was expected.
    pub async fn apply_registries(
        &self,
        by: &Acting,
        asked: RegistriesToApply,
    ) -> Result<AppliedRegistries, AdminError> {
        for _ in 0..TRIES {
            let planned = self.plan(&asked).await;
            if asked.dry_run {
                let plan = planned?;
                return Ok(AppliedRegistries {
                    revision: plan.state,
                    applied: false,
                    registries: plan.differences,
                });
            }
            let mut act = Act {
                word: "registry.apply",
                ..Act::default()
            };
            let Plan {
                state,
                differences,
                changes,
            } = match planned {
                Ok(plan) => plan,
                // That it was tried is told too.
                Err(error) => return self.act(by, act, async { Err(error) }).await,
            };
            describe(&mut act, &differences);
            let (gateway, by_name) = (self.clone(), by.caller.name.clone());
            let doing = async move {
                let store = &gateway.inner.store;
                let registries = store.registries().by(&by_name);
                registries.apply_to(state, changes).await?;
                gateway.take_over_registries().await;
                Ok(store.registries().state().await?.0)
            };
            match self.act(by, act, doing).await {
                Err(AdminError::Conflict { code: "stale", .. }) if asked.expected.is_none() => {}
                done => {
                    return done.map(|revision| AppliedRegistries {
                        revision,
                        applied: true,
                        registries: differences,
                    });
                }
            }
        }
        Err(stale())
    }

    async fn plan(&self, asked: &RegistriesToApply) -> Result<Plan, AdminError> {
        let store = &self.inner.store;
        let (state, rows) = store.registries().state().await?;
        if asked.expected.as_ref().is_some_and(|it| *it != state) {
            return Err(stale());
        }
        let (configs, mut findings) = read(&asked.registries);
        let digests: BTreeSet<String> = configs.values().filter_map(digest).collect();
        let modules = modules::load(self.inner.roster.sandbox(), store, digests).await?;
        let checks = Checks {
            sandbox: self.inner.roster.sandbox(),
            secrets: self.inner.roster.secrets(),
            egress: Egress::new(),
        };
        let serves: BTreeMap<String, String> = rows
            .iter()
            .flatten()
            .map(|row| (row.name.clone(), row.module_digest.clone()))
            .collect();
        let before: BTreeMap<String, Value> = rows
            .into_iter()
            .map(|row| match row {
                Ok(row) => (row.name.clone(), written(&row).unwrap_or_default()),
                Err(unreadable) => (unreadable.name, Value::Null),
            })
            .collect();
        let mut differences = BTreeMap::new();
        let mut changes = Vec::new();
        for (name, config) in &configs {
            let module = match &config.module {
                Some(ModuleSource::Digest(digest)) => modules.get(digest),
                _ => None,
            };
            let loaded = module.and_then(|module| module.as_ref().ok());
            findings.extend(checks.problems(name, config, loaded));
            match (&config.module, module) {
                (Some(ModuleSource::Digest(digest)), Some(Ok(module))) => {
                    if serves.get(name).is_some_and(|other| other != digest)
                        && let Some(open) = self.unreadable(name, module).await?
                    {
                        let problem = format!(
                            "somebody holds states that it does not read ({open}): wait until \
                             then, or bring it by `adapter activate --force`"
                        );
                        findings.push(finding(name, ("module".into(), problem)));
                    }
                    let (after, put) = put(name, digest, config)?;
                    let difference = difference(name, before.get(name), Some(&after));
                    differences.insert(name.clone(), difference);
                    changes.push(put);
                }
                (source, module) => {
                    let why = module.and_then(|module| module.as_ref().err().cloned());
                    let problem = why.unwrap_or_else(|| no_digest(source.as_ref()).into());
                    findings.push(finding(name, ("module".into(), problem)));
                }
            }
            // A thousand of them are some time without a look at the network.
            tokio::task::yield_now().await;
        }
        if !findings.is_empty() {
            return Err(AdminError::Refused {
                code: "registries-refused",
                detail: "nothing is applied; mend what is named and apply again".into(),
                findings,
            });
        }
        let gone = before
            .iter()
            .filter(|(name, _)| asked.prune && !asked.registries.contains_key(name.as_str()));
        for (name, row) in gone {
            differences.insert(name.clone(), difference(name, Some(row), None));
            changes.push(RegistryChange::Delete { name: name.clone() });
        }
        Ok(Plan {
            state,
            differences: differences.into_values().collect(),
            changes,
        })
    }
}

/// What are configurations, and what is wrong with the rest.
fn read(registries: &Map<String, Value>) -> (BTreeMap<String, RegistryConfig>, Vec<Finding>) {
    let (mut configs, mut findings) = (BTreeMap::new(), Vec::new());
    for (name, value) in registries {
        match checks::parse(value) {
            Ok(config) => {
                configs.insert(name.clone(), config);
            }
            Err(problems) => {
                findings.extend(problems.into_iter().map(|problem| finding(name, problem)));
            }
        }
    }
    (configs, findings)
}

fn digest(config: &RegistryConfig) -> Option<String> {
    match &config.module {
        Some(ModuleSource::Digest(digest)) => Some(digest.clone()),
        _ => None,
    }
}

fn no_digest(source: Option<&ModuleSource>) -> &'static str {
    match source {
        None => "name the module by its digest: sha256:…",
        Some(_) => "upload or pull the module first, and name it by its digest: sha256:…",
    }
}

fn put(
    name: &str,
    digest: &str,
    config: &RegistryConfig,
) -> Result<(Value, RegistryChange), AdminError> {
    let mut after = serde_json::to_value(config).map_err(|_| AdminError::Internal)?;
    let configuration = serde_json::to_string(config).map_err(|_| AdminError::Internal)?;
    if let Value::Object(fields) = &mut after {
        fields.insert("module".into(), digest.into());
    }
    let put = RegistryChange::Put {
        name: name.to_owned(),
        module_digest: digest.to_owned(),
        configuration,
        enabled: config.enabled,
    };
    Ok((after, put))
}

fn difference(name: &str, before: Option<&Value>, after: Option<&Value>) -> RegistryDifference {
    let what = match (before, after) {
        (None, _) => What::Added,
        (_, None) => What::Removed,
        (Some(before), Some(after)) if before == after => What::Unchanged,
        _ => What::Changed,
    };
    RegistryDifference {
        registry: name.to_owned(),
        what,
        fields: differences::between(before, after),
    }
}

/// For the audit: which fields of which registries, and of modules from which to which. Other values
/// stay out: nobody can tell what somebody writes into settings.
fn describe(act: &mut Act, differences: &[RegistryDifference]) {
    if let [only] = differences {
        act.registry = Some(only.registry.clone());
        let module = only.fields.iter().find(|it| it.field == "module");
        let digest = module.and_then(|it| it.to.as_ref()?.as_str());
        act.module = digest.map(str::to_owned);
    }
    let changed = || differences.iter().filter(|it| it.is_any());
    let full: Vec<Value> = changed()
        .map(|it| {
            let fields: Vec<&str> = it.fields.iter().map(|field| &*field.field).collect();
            let module = it.fields.iter().find(|field| field.field == "module");
            let module = module.map(|module| json!({ "from": module.from, "to": module.to }));
            json!({
                "registry": it.registry,
                "what": it.what.as_str(),
                "fields": fields,
                "module": module,
            })
        })
        .collect();
    let brief = || -> Vec<Value> {
        let told = changed().map(|it| json!({ "registry": it.registry, "what": it.what.as_str() }));
        told.collect()
    };
    let fits = |detail: &Value| detail.to_string().len() <= MAX_DETAIL;
    let detail = Some(json!({ "changes": full })).filter(fits);
    let detail = detail.or_else(|| Some(json!({ "changes": brief() })).filter(fits));
    act.detail = detail.or_else(|| Some(json!({ "changed": changed().count() })));
}

fn stale() -> AdminError {
    crate::store::StoreError::Stale { what: "registries" }.into()
}
