//! The life of a module after its admission: staged, active, wanted back. Each is an act on one
//! registry; whoever asks it meanwhile notices nothing.
//!
//! A swap has two steps, so that several gateways can take them together: `prepare` loads the module
//! beside the one that serves and looks whether it fits, `flip` has it serve. A call takes its
//! registry's entry once and keeps it to its end, over all steps of a `pending` answer: it never sees
//! two modules.

mod history;
mod open;
mod prepare;
mod view;

pub use history::Back;
pub use view::{CandidateView, LoadedModule, SwapView};

pub(super) use open::OpenPages;

use super::{Act, Acting, AdminError, Finding, Gateway};
use crate::sandbox::Module;
use crate::store::{RegistryChange, Why};
pub(super) use prepare::Prepared;

/// No registry's name is longer.
const LONGEST_NAME: usize = 128;

/// Which module is to serve.
#[derive(Clone, Debug, Default)]
pub struct ToActivate {
    /// Its digest.
    pub module: String,
    /// What serves now, as whoever asks believes; another is refused.
    pub expected: Option<String>,
    /// Also where somebody holds what it cannot read.
    pub force: bool,
}

/// What came of an act, and what to look at.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// How the registry stands now.
    pub now: SwapView,
    /// What is right to know of the module, and did not stand in the way.
    pub findings: Vec<Finding>,
}

impl Gateway {
    /// Loads a module beside the one that serves, and makes it the candidate.
    ///
    /// # Errors
    /// [`AdminError::Refused`] where it would not serve; [`AdminError::Unknown`].
    pub async fn stage(
        &self,
        by: &Acting,
        registry: &str,
        digest: &str,
    ) -> Result<Swapped, AdminError> {
        let act = act_on("registry.stage", registry, digest)?;
        let (gateway, by_name) = (self.clone(), by.caller.name.clone());
        let (registry, digest) = (registry.to_owned(), digest.to_owned());
        let doing = async move {
            let prepared = gateway.prepare(&registry, &digest).await?;
            prepared.fits()?;
            if prepared.is_active() {
                return Err(conflict(
                    "already-active",
                    "the module serves the registry already: there is nothing to stage",
                ));
            }
            let change = RegistryChange::Stage {
                name: registry.clone(),
                module_digest: digest,
                share_percent: None,
            };
            gateway.change(&registry, change, &by_name, None).await?;
            gateway.swapped(&registry, prepared.findings).await
        };
        self.act(by, act, doing).await
    }

    /// Has the candidate answer so many of a hundred lookups too, unseen.
    ///
    /// # Errors
    /// [`AdminError::Invalid`]; [`AdminError::Conflict`] where there is none.
    pub async fn shadow(
        &self,
        by: &Acting,
        registry: &str,
        share_percent: u8,
    ) -> Result<Swapped, AdminError> {
        if !(1..=100).contains(&share_percent) {
            return Err(AdminError::Invalid {
                field: "sharePercent".into(),
                problem: "1 to 100; DELETE the candidate to end it".into(),
            });
        }
        let digest = self.candidate_of(registry).await?;
        let mut act = act_on("registry.shadow", registry, &digest)?;
        act.detail = Some(serde_json::json!({ "sharePercent": share_percent }));
        let (gateway, by_name) = (self.clone(), by.caller.name.clone());
        let registry = registry.to_owned();
        let doing = async move {
            let prepared = gateway.prepare(&registry, &digest).await?;
            prepared.fits()?;
            let change = RegistryChange::Stage {
                name: registry.clone(),
                module_digest: digest,
                share_percent: Some(share_percent),
            };
            gateway.change(&registry, change, &by_name, None).await?;
            gateway.swapped(&registry, prepared.findings).await
        };
        self.act(by, act, doing).await
    }

    /// Has no module stand ready to serve next.
    ///
    /// # Errors
    /// [`AdminError::Unknown`].
    pub async fn unstage(&self, by: &Acting, registry: &str) -> Result<(), AdminError> {
        let act = act_on("registry.unstage", registry, "")?;
        let (gateway, by_name) = (self.clone(), by.caller.name.clone());
        let registry = registry.to_owned();
        let doing = async move {
            let name = registry.clone();
            let change = RegistryChange::Unstage { name };
            gateway.change(&registry, change, &by_name, None).await
        };
        self.act(by, act, doing).await
    }

    /// Has a module serve the registry, from when this returns. Calls under way end with the one
    /// that they began with.
    ///
    /// # Errors
    /// [`AdminError::Refused`] where it would not serve; [`AdminError::Conflict`] where somebody
    /// holds what it cannot read, or another act came first.
    pub async fn activate(
        &self,
        by: &Acting,
        registry: &str,
        wanted: ToActivate,
    ) -> Result<Swapped, AdminError> {
        let digest = wanted.module.clone();
        self.turn(by, registry, digest, &wanted, Why::Activate)
            .await
    }

    /// Has a module serve that served before.
    ///
    /// # Errors
    /// As [`activate`](Self::activate); [`AdminError::Conflict`] where none served before.
    pub async fn roll_back(
        &self,
        by: &Acting,
        registry: &str,
        to: &Back,
        force: bool,
    ) -> Result<Swapped, AdminError> {
        let digest = self.served_before(registry, to).await?;
        let wanted = ToActivate {
            force,
            ..ToActivate::default()
        };
        self.turn(by, registry, digest, &wanted, Why::Rollback)
            .await
    }

    async fn turn(
        &self,
        by: &Acting,
        registry: &str,
        digest: String,
        wanted: &ToActivate,
        why: Why,
    ) -> Result<Swapped, AdminError> {
        let word = match why {
            Why::Activate => "registry.activate",
            Why::Rollback => "registry.rollback",
        };
        let mut act = act_on(word, registry, &digest)?;
        act.detail = Some(serde_json::json!({
            "from": self.inner.roster.slot_of(registry).and_then(|slot| slot.digest()),
            "force": wanted.force,
        }));
        let gateway = self.clone();
        let (registry, by_name) = (registry.to_owned(), by.caller.name.clone());
        let wanted = wanted.clone();
        let doing = async move {
            let prepared = gateway.prepare(&registry, &digest).await?;
            if why == Why::Activate {
                prepared.fits()?;
            } else if prepared.is_active() {
                return Err(conflict(
                    "already-active",
                    "the module serves the registry already: there is nothing to go back to",
                ));
            }
            let expected = wanted.expected.as_ref();
            if expected.is_some_and(|expected| *expected != prepared.row.module_digest) {
                return Err(moved(&prepared.row.module_digest));
            }
            let mut findings = prepared.findings.clone();
            findings.extend(gateway.flip(prepared, &by_name, why, wanted.force).await?);
            gateway.swapped(&registry, findings).await
        };
        self.act(by, act, doing).await
    }

    /// Has the prepared module serve, unless somebody else was first: here, and together with the
    /// nodes beside this one. Gives what is to be known of those.
    async fn flip(
        &self,
        prepared: Prepared,
        by: &str,
        why: Why,
        force: bool,
    ) -> Result<Vec<Finding>, AdminError> {
        let Prepared { row, module, .. } = &prepared;
        // Until it serves no search gets a token that it could not read.
        let _closed = if force {
            None
        } else {
            self.nothing_unreadable(&prepared).await?
        };
        if !prepared.is_active() && self.has_company().await? {
            return self.agree(&prepared, by, why, force).await;
        }
        let change = RegistryChange::Activate {
            name: row.name.clone(),
            module_digest: module.digest().to_owned(),
            expected: Some(row.module_digest.clone()),
            why,
        };
        self.change(&row.name, change, by, Some(module)).await?;
        Ok(Vec::new())
    }

    /// Writes the change and takes it over.
    async fn change(
        &self,
        registry: &str,
        change: RegistryChange,
        by: &str,
        module: Option<&Module>,
    ) -> Result<(), AdminError> {
        let store = &self.inner.store;
        store.registries().by(by).apply(vec![change]).await?;
        if let Err(error) = self.inner.roster.refresh(store, registry, module).await {
            // It is written: whoever watches the store takes it over within a second.
            tracing::warn!(registry, %error, "a change is not taken over yet");
        }
        Ok(())
    }

    async fn swapped(&self, registry: &str, findings: Vec<Finding>) -> Result<Swapped, AdminError> {
        let now = self.swap(registry).await?;
        Ok(Swapped { now, findings })
    }

    async fn candidate_of(&self, registry: &str) -> Result<String, AdminError> {
        self.known(registry).await?;
        let staged = self.inner.store.candidates().get(registry).await?;
        staged.map(|staged| staged.module_digest).ok_or_else(|| {
            conflict(
                "no-candidate",
                "no module is staged for the registry: stage one",
            )
        })
    }
}

/// What is no name or digest is nobody's: it does not go into the audit.
fn act_on(word: &'static str, registry: &str, module: &str) -> Result<Act, AdminError> {
    if registry.is_empty() || registry.len() > LONGEST_NAME {
        return Err(AdminError::Unknown {
            what: "registry",
            name: String::new(),
        });
    }
    let hex = module.strip_prefix("sha256:").unwrap_or_default();
    let is_digest = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    if !module.is_empty() && !is_digest {
        return Err(AdminError::Invalid {
            field: "module".into(),
            problem: "name it by its digest, `sha256:` and 64 hexadecimal digits".into(),
        });
    }
    Ok(Act {
        word,
        registry: Some(registry.to_owned()),
        module: (!module.is_empty()).then(|| module.to_owned()),
        ..Act::default()
    })
}

pub(in crate::gateway) fn conflict(code: &'static str, detail: impl Into<String>) -> AdminError {
    AdminError::Conflict {
        code,
        detail: detail.into(),
    }
}

/// Another act came first.
pub(in crate::gateway) fn moved(is: &str) -> AdminError {
    conflict(
        "changed",
        format!("{is} serves the registry by now: look again, then decide"),
    )
}
