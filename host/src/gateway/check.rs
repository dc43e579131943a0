//! What would keep the gateway, or one of its registries, from working: every finding, not only the
//! first, and nothing is changed.

use std::path::Path;

use super::audit::Audit;
use super::audit::fingerprint::Fingerprint;
use super::bodies::Bodies;
use super::registries::{Checks, finding};
use super::roster::chain;
use super::{Finding, StartError};
use crate::config::audit::AuditConfig;
use crate::config::bodies::BodiesConfig;
use crate::config::registry::RegistryConfig;
use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::sandbox::Sandbox;
use crate::store::{Registry, Store, StoreError};

/// Looks at the audit's key, at the key of bodies and at every registry as a start would load it.
///
/// # Errors
/// The store does not answer.
pub async fn check(
    store: &Store,
    sandbox: &Sandbox,
    secrets: &Secrets,
    data_dir: &Path,
    audit: &AuditConfig,
    bodies: &BodiesConfig,
) -> Result<Vec<Finding>, StoreError> {
    let signing = Audit::check(audit, store, secrets, data_dir).await?;
    let sealing = Bodies::check(bodies, store, secrets, data_dir).await;
    let mut findings = vec![
        Finding {
            place: "audit.key".into(),
            problem: key(store, &data_dir.join("audit.key")).await?,
        },
        Finding {
            place: "audit.signing_key".into(),
            problem: signing.map(|error| chain(&error)),
        },
        Finding {
            place: "bodies.key".into(),
            problem: sealing.map(|error| chain(&error)),
        },
    ];
    for row in store.callers().active().await? {
        if let Err(row) = row {
            findings.push(Finding {
                place: format!("callers.{}", row.name),
                problem: Some(format!("its row: {}", chain(&row.error))),
            });
        }
    }
    for row in store.registries().list().await? {
        let (name, problems) = match row {
            // A start does not look at it either.
            Ok(row) if !row.enabled => (row.name, Vec::new()),
            Ok(row) => {
                let problems = registry(store, sandbox, secrets, &row).await?;
                (row.name, problems)
            }
            Err(row) => {
                let problem = format!("its row: {}", chain(&row.error));
                let problem = finding(&row.name, (String::new(), problem));
                (row.name, vec![problem])
            }
        };
        if problems.is_empty() {
            findings.push(Finding {
                place: format!("registries.{name}"),
                problem: None,
            });
        }
        findings.extend(problems);
    }
    Ok(findings)
}

async fn key(store: &Store, path: &Path) -> Result<Option<String>, StoreError> {
    let there = store.key_check().await?;
    let wrong = match Fingerprint::open(path) {
        Ok(Some(mine)) if there.is_some_and(|there| there != mine.check()) => StartError::OtherKey,
        Ok(Some(_)) => return Ok(None),
        Ok(None) if there.is_none() && store.audit().recent(1).await?.is_empty() => {
            return Ok(None);
        }
        Ok(None) => StartError::KeyLost,
        Err(error) => StartError::Key(error),
    };
    Ok(Some(chain(&wrong)))
}

async fn registry(
    store: &Store,
    sandbox: &Sandbox,
    secrets: &Secrets,
    row: &Registry,
) -> Result<Vec<Finding>, StoreError> {
    let one = |field: &str, problem: String| finding(&row.name, (field.to_owned(), problem));
    let config: RegistryConfig = match serde_json::from_str(&row.configuration) {
        Ok(config) => config,
        Err(error) => {
            let problem = format!("its stored configuration: {error}");
            return Ok(vec![one("", problem)]);
        }
    };
    let module = match store.modules().get(&row.module_digest).await {
        Ok(Some(stored)) => match sandbox.load(&stored.bytes).await {
            Ok(module) => Ok(module),
            Err(error) => Err(chain(&error)),
        },
        Ok(None) => Err("it is not in the store: apply it again".into()),
        Err(StoreError::Damaged { .. }) => Err("it is damaged in the store: apply it again".into()),
        Err(error) => return Err(error),
    };
    let checks = Checks {
        sandbox,
        secrets,
        egress: Egress::new(),
    };
    let mut findings = checks.problems(&row.name, &config, module.as_ref().ok());
    findings.extend(module.err().map(|problem| one("module", problem)));
    Ok(findings)
}
