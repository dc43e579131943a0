//! All that is configured, in the form in which it can be applied again.

use serde_json::{Map, Value, json};

use crate::gateway::roster::written;
use crate::gateway::{AdminError, CallerView, Finding, Gateway};
use crate::store::RegistryGrant;

/// All that is configured, apart from what is secret: keys of callers, and what places of secrets
/// hold.
#[derive(Clone, Debug)]
pub struct Exported {
    /// By name, each as a file has it, with the module's digest.
    pub registries: Map<String, Value>,
    /// To be read: a caller's key is known to nobody but itself.
    pub callers: Vec<Value>,
    /// What of the gateway's own configuration decides over registries.
    pub gateway: Map<String, Value>,
}

impl Gateway {
    /// All that is configured.
    ///
    /// # Errors
    /// [`AdminError::Refused`] names registries that cannot be read: an export that lacks some would
    /// remove them where it is applied.
    pub async fn export(&self) -> Result<Exported, AdminError> {
        let rows = self.inner.store.registries().list().await?;
        let (mut registries, mut findings) = (Map::new(), Vec::new());
        for row in rows {
            let (name, value) = match row {
                Ok(row) => (row.name.clone(), written(&row)),
                Err(unreadable) => (unreadable.name, None),
            };
            match value {
                Some(value) => {
                    registries.insert(name, value);
                }
                None => findings.push(Finding {
                    place: format!("registries.{name}"),
                    problem: Some("cannot be read: apply it again, or delete it".into()),
                }),
            }
        }
        if !findings.is_empty() {
            return Err(AdminError::Refused {
                code: "registries-damaged",
                detail: "not everything can be exported".into(),
                findings,
            });
        }
        let callers = self.callers().await?;
        let sandbox = self.inner.roster.sandbox();
        let gateway = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "sandbox": {
                "max_instances": sandbox.max_instances(),
                "max_memory_bytes": sandbox.max_memory_bytes(),
            },
        });
        Ok(Exported {
            registries,
            callers: callers.iter().filter_map(caller).collect(),
            gateway: match gateway {
                Value::Object(gateway) => gateway,
                _ => Map::new(),
            },
        })
    }
}

/// One whose row cannot be read opens no door: there is nothing to tell of it.
fn caller(view: &CallerView) -> Option<Value> {
    let known = view.known.as_ref()?;
    // Left out: all.
    let registries = match &known.registries {
        RegistryGrant::All => None,
        RegistryGrant::Named(names) => Some(names),
    };
    Some(json!({
        "name": view.name,
        "roles": known.roles,
        "abilities": known.abilities,
        "registries": registries,
        "revoked": known.revoked_at.is_some(),
    }))
}
