//! `registry apply`: takes a file's registries into the store, all of them or none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::roster::{chain, check_needs, endpoints};
use crate::config::ConfigError;
use crate::config::registry::{PagesConfig, RegistryConfig, RegistryFile};
use crate::config::retry::RetryConfig;
use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::model::Person;
use crate::sandbox::{Module, Sandbox};
use crate::store::{NewModule, Registry, RegistryChange, Store, StoreError};

/// Names go into URLs, logs and metrics.
const MAX_NAME: usize = 64;

/// What applying a file changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The registry's name.
    pub registry: String,
    /// The module's digest.
    pub module: String,
    /// What becomes of it.
    pub what: What,
}

/// What becomes of a registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// It is new.
    Added,
    /// Its module or configuration differs.
    Changed,
    /// Nothing, but that its secrets are read again.
    Unchanged,
}

/// Why a file is not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is not what it should be.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A registry's module, endpoint, secret or policy is not right.
    #[error("registries.{registry}: {problem}")]
    Registry {
        /// Its name.
        registry: String,
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// The store does not take it.
    #[error("the database does not take the configuration")]
    Store(#[from] StoreError),
}

/// Checks every registry of the file as the gateway will load it, then stores modules and
/// configurations. A running gateway takes them over within a second, what is unchanged too: that
/// is how it learns of a secret that was changed where it is kept.
///
/// # Errors
/// [`ApplyError`] for the first registry that would not load.
pub async fn apply_file(
    file: &Path,
    store: &Store,
    sandbox: &Sandbox,
    secrets: &Secrets,
) -> Result<Vec<Change>, ApplyError> {
    let parsed: RegistryFile = crate::config::read::toml_file(file)?;
    let mut checks = Checks {
        here: file.parent().unwrap_or(Path::new(".")),
        sandbox,
        secrets,
        egress: Egress::new(),
        modules: BTreeMap::new(),
    };
    let mut checked = Vec::new();
    for (name, config) in parsed.registries {
        match checks.check(&name, config).await {
            Ok(one) => checked.push((name, one)),
            Err(problem) => {
                return Err(ApplyError::Registry {
                    registry: name,
                    problem,
                });
            }
        }
    }
    let before: HashMap<String, Option<Registry>> = store
        .registries()
        .list()
        .await?
        .into_iter()
        .map(|row| match row {
            Ok(row) => (row.name.clone(), Some(row)),
            Err(unreadable) => (unreadable.name, None),
        })
        .collect();
    let (changes, puts): (Vec<_>, Vec<_>) = checked
        .iter()
        .map(|(name, one)| (one.change(name, before.get(name)), one.put(name)))
        .unzip();
    store_modules(store, &checks.modules, &checked).await?;
    if !puts.is_empty() {
        store.registries().apply(puts).await?;
    }
    Ok(changes)
}

/// What a file's registries are checked with. A module that many of them name is loaded once.
struct Checks<'a> {
    here: &'a Path,
    sandbox: &'a Sandbox,
    secrets: &'a Secrets,
    egress: Egress,
    modules: BTreeMap<PathBuf, Module>,
}

/// A registry that would load.
struct Checked {
    digest: String,
    configuration: String,
    enabled: bool,
}

impl Checks<'_> {
    async fn check(&mut self, name: &str, config: RegistryConfig) -> Result<Checked, String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) {
            return Err(format!(
                "a registry's name has lower-case letters, digits and `-`, at most {MAX_NAME}"
            ));
        }
        for field in &config.policy.fields {
            if !Person::FIELDS.contains(&field.as_str()) {
                return Err(format!("policy.fields: a person has no field `{field}`"));
            }
        }
        check_limits(&config, self.sandbox)?;
        let module = self.module(&config.module).await?;
        check_needs(&config, &module)?;
        endpoints(&self.egress, name, &config, self.secrets)?;
        Ok(Checked {
            digest: module.digest().to_owned(),
            configuration: serde_json::to_string(&config)
                .map_err(|error| format!("its configuration cannot be stored: {error}"))?,
            enabled: config.enabled,
        })
    }

    async fn module(&mut self, file: &Path) -> Result<Module, String> {
        let path = self.here.join(file);
        if let Some(module) = self.modules.get(&path) {
            return Ok(module.clone());
        }
        let bytes = tokio::fs::read(&path)
            .await
            .map_err(|error| format!("module: {} cannot be read: {error}", path.display()))?;
        let module = self
            .sandbox
            .load(&bytes)
            .await
            .map_err(|error| format!("module: {}", chain(&error)))?;
        self.modules.insert(path, module.clone());
        Ok(module)
    }
}

impl Checked {
    /// `before` is the row of that name, if there is one, and what of it can be read.
    fn change(&self, name: &str, before: Option<&Option<Registry>>) -> Change {
        let what = match before {
            None => What::Added,
            Some(Some(row))
                if row.module_digest == self.digest
                    && row.configuration == self.configuration
                    && row.enabled == self.enabled =>
            {
                What::Unchanged
            }
            Some(_) => What::Changed,
        };
        Change {
            registry: name.to_owned(),
            module: self.digest.clone(),
            what,
        }
    }

    fn put(&self, name: &str) -> RegistryChange {
        RegistryChange::Put {
            name: name.to_owned(),
            module_digest: self.digest.clone(),
            configuration: self.configuration.clone(),
            enabled: self.enabled,
        }
    }
}

/// Stores each module once, and no registry before all of them. They are read again, since all of
/// them together may be more than memory has.
async fn store_modules(
    store: &Store,
    modules: &BTreeMap<PathBuf, Module>,
    checked: &[(String, Checked)],
) -> Result<(), ApplyError> {
    let mut stored = BTreeSet::new();
    for (path, module) in modules {
        if !stored.insert(module.digest()) {
            continue;
        }
        let wrong = |problem: &str| ApplyError::Registry {
            registry: checked
                .iter()
                .find(|(_, one)| one.digest == module.digest())
                .map(|(name, _)| name.clone())
                .unwrap_or_default(),
            problem: format!("module: {} {problem}", path.display()),
        };
        let bytes = tokio::fs::read(path)
            .await
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let description = module.description();
        let put = store.modules().put(NewModule {
            adapter: description.name.clone(),
            version: description.version.clone(),
            bytes: Bytes::from(bytes),
        });
        if put.await?.digest != module.digest() {
            return Err(wrong("has just been changed: apply again"));
        }
    }
    Ok(())
}

/// A limit that lets nothing through is a mistake, and one that the engine cannot give a surprise.
pub(super) fn check_limits(config: &RegistryConfig, sandbox: &Sandbox) -> Result<(), String> {
    let limits = &config.limits;
    let positive = [
        ("limits.memory_bytes", limits.memory_bytes),
        ("limits.table_elements", limits.table_elements),
        ("limits.instances", limits.instances.into()),
        ("limits.cpu_ms", limits.cpu_ms),
        ("limits.wall_ms", limits.wall_ms),
        ("limits.answer_bytes", limits.answer_bytes),
        ("limits.handles", limits.handles.into()),
        ("concurrency.max_calls", config.concurrency.max_calls.into()),
        ("retry.max_attempts", config.retry.max_attempts.into()),
        ("pages.lifetime_ms", config.pages.lifetime_ms),
    ];
    for (key, value) in positive {
        if value == 0 {
            return Err(format!(
                "{key}: 0 lets no call through; leave it out for the default"
            ));
        }
    }
    let bounded = [
        (
            "limits.memory_bytes",
            limits.memory_bytes,
            sandbox.max_memory_bytes(),
            "; raise sandbox.max_memory_bytes for more",
        ),
        (
            "limits.table_elements",
            limits.table_elements,
            sandbox.max_table_elements(),
            "",
        ),
        (
            "limits.instances",
            limits.instances.into(),
            sandbox.max_core_instances().into(),
            "",
        ),
        (
            "concurrency.max_calls",
            config.concurrency.max_calls.into(),
            sandbox.max_instances().into(),
            "; raise sandbox.max_instances for more",
        ),
        (
            "retry.max_attempts",
            config.retry.max_attempts.into(),
            RetryConfig::MOST_ATTEMPTS.into(),
            "",
        ),
        (
            "pages.lifetime_ms",
            config.pages.lifetime_ms,
            PagesConfig::MOST_LIFETIME_MS,
            "",
        ),
        (
            "retry.first_wait_ms",
            config.retry.first_wait_ms,
            config.retry.max_wait_ms,
            "; raise retry.max_wait_ms for more",
        ),
    ];
    for (key, value, most, remedy) in bounded {
        if value > most {
            return Err(format!("{key}: at most {most}{remedy}"));
        }
    }
    Ok(())
}
