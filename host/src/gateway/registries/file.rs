//! A file's registries straight into a store that is open: for tests and benchmarks, which begin with
//! registries and look at something else. Its modules are loaded, and are not admitted: no signature is
//! asked for and no recording replayed. `tests/suite/house` sees to it that the gateway and its commands
//! do not use it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::What;
use super::checks::{Checks, finding};
use crate::config::ConfigError;
use crate::config::registry::{ModuleSource, RegistryConfig, RegistryFile};
use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::gateway::Finding;
use crate::gateway::roster::chain;
use crate::gateway::roster::modules;
use crate::sandbox::{Module, Sandbox};
use crate::store::{NewModule, Registry, RegistryChange, Store, StoreError};

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

/// Why a file is not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is not what it should be.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// Modules, endpoints, secrets or policies are not right.
    #[error("{}", lines(.0))]
    Registries(Vec<Finding>),
    /// The store does not take it.
    #[error("the database does not take the configuration")]
    Store(#[from] StoreError),
}

/// Checks every registry of the file as the gateway will load it, then stores modules and
/// configurations. A running gateway takes them over within a second, what is unchanged too: that
/// is how it learns of a secret that was changed where it is kept.
///
/// # Errors
/// [`ApplyError`] with every reason why a registry would not load.
pub async fn apply_file(
    file: &Path,
    store: &Store,
    sandbox: &Sandbox,
    secrets: &Secrets,
) -> Result<Vec<Change>, ApplyError> {
    let parsed: RegistryFile = crate::config::read::toml_file(file)?;
    let checks = Checks {
        sandbox,
        secrets,
        egress: Egress::new(),
    };
    let mut modules = Modules {
        here: file.parent().unwrap_or(Path::new(".")),
        sandbox,
        store,
        files: BTreeMap::new(),
    };
    let (mut checked, mut findings) = (Vec::new(), Vec::new());
    for (name, config) in parsed.registries {
        let module = match modules.get(config.module.as_ref()).await? {
            Ok(module) => Some(module),
            Err(problem) => {
                findings.push(finding(&name, ("module".into(), problem)));
                None
            }
        };
        findings.extend(checks.problems(&name, &config, module.as_ref()));
        if let Some(module) = module {
            match Checked::new(&config, &module) {
                Ok(one) => checked.push((name, one)),
                Err(problem) => findings.push(finding(&name, (String::new(), problem))),
            }
        }
    }
    if !findings.is_empty() {
        return Err(ApplyError::Registries(findings));
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
    modules.store(&checked).await?;
    if !puts.is_empty() {
        store.registries().apply(puts).await?;
    }
    Ok(changes)
}

/// The modules of a file. One that many registries name is loaded once.
struct Modules<'a> {
    here: &'a Path,
    sandbox: &'a Sandbox,
    store: &'a Store,
    files: BTreeMap<PathBuf, Module>,
}

/// A registry that would load.
struct Checked {
    digest: String,
    configuration: String,
    enabled: bool,
}

impl Modules<'_> {
    /// The module, or why there is none.
    async fn get(
        &mut self,
        source: Option<&ModuleSource>,
    ) -> Result<Result<Module, String>, StoreError> {
        match source {
            None => Ok(Err("name the adapter's module".into())),
            Some(ModuleSource::Pulled(_)) => Ok(Err(
                "a file that is applied in place names no oci:// module".into(),
            )),
            Some(ModuleSource::Digest(digest)) => {
                let one = BTreeSet::from([digest.clone()]);
                let mut loaded = modules::load(self.sandbox, self.store, one).await?;
                let missing = || Err("its module is not loaded".into());
                Ok(loaded.remove(digest).unwrap_or_else(missing))
            }
            Some(ModuleSource::File(file)) => Ok(self.read(file).await),
        }
    }

    async fn read(&mut self, file: &Path) -> Result<Module, String> {
        let path = self.here.join(file);
        if let Some(module) = self.files.get(&path) {
            return Ok(module.clone());
        }
        let bytes = tokio::fs::read(&path)
            .await
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let loaded = self.sandbox.load(&bytes).await;
        let module = loaded.map_err(|error| chain(&error))?;
        self.files.insert(path, module.clone());
        Ok(module)
    }

    /// Stores each module once, and no registry before all of them. They are read again, since all
    /// of them together may be more than memory has.
    async fn store(&self, checked: &[(String, Checked)]) -> Result<(), ApplyError> {
        let mut stored = BTreeSet::new();
        for (path, module) in &self.files {
            if !stored.insert(module.digest()) {
                continue;
            }
            let wrong = |problem: &str| {
                let mut users = checked.iter();
                let user = users.find(|(_, one)| one.digest == module.digest());
                let name = user.map(|(name, _)| name.as_str()).unwrap_or_default();
                let problem = format!("{} {problem}", path.display());
                ApplyError::Registries(vec![finding(name, ("module".into(), problem))])
            };
            let bytes = tokio::fs::read(path)
                .await
                .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
            let description = module.description();
            let put = self.store.modules().put(NewModule {
                adapter: description.name.clone(),
                version: description.version.clone(),
                bytes: Bytes::from(bytes),
                facts: None,
            });
            if put.await?.digest != module.digest() {
                return Err(wrong("has just been changed: apply again"));
            }
        }
        Ok(())
    }
}

impl Checked {
    fn new(config: &RegistryConfig, module: &Module) -> Result<Self, String> {
        Ok(Self {
            digest: module.digest().to_owned(),
            configuration: serde_json::to_string(config)
                .map_err(|error| format!("its configuration cannot be stored: {error}"))?,
            enabled: config.enabled,
        })
    }

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

fn lines(findings: &[Finding]) -> String {
    let problems = findings.iter().filter_map(|finding| {
        let problem = finding.problem.as_ref()?;
        Some(format!("{}: {problem}", finding.place))
    });
    problems.collect::<Vec<_>>().join("\n")
}
