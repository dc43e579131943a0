//! What callers hold of an adapter's own: it stands in the way of a module that cannot read it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedRwLockWriteGuard;

use super::{Prepared, conflict};
use crate::gateway::{AdminError, Gateway, GatewayError};
use crate::sandbox::Module;
use crate::store::{OpenState, StoreError};

/// The tokens of searches, as the store keeps them.
const PAGE: &str = "page";

/// What this process has told the store is open: a token is only told of where it outlives that.
#[derive(Default)]
pub(in crate::gateway) struct OpenPages {
    told: Mutex<HashMap<(String, u32), Timestamp>>,
}

impl OpenPages {
    fn until(&self, registry: &str, form: u32) -> Option<Timestamp> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(&(registry.to_owned(), form)).copied()
    }

    fn told(&self, registry: &str, form: u32, until: Timestamp) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert((registry.to_owned(), form), until);
    }
}

impl Gateway {
    /// Returns once the store knows that a token of that form is open until then. It is told of an
    /// eighth of the token's life more, so that a busy registry costs a write now and then.
    pub(in crate::gateway) async fn page_is_open(
        &self,
        registry: &str,
        form: u32,
        life: SignedDuration,
        until: Timestamp,
    ) -> Result<(), GatewayError> {
        let open = &self.inner.open_pages;
        if open.until(registry, form).is_some_and(|told| told >= until) {
            return Ok(());
        }
        let until = until.checked_add(life / 8).unwrap_or(Timestamp::MAX);
        let state = OpenState {
            registry: registry.to_owned(),
            kind: PAGE.to_owned(),
            form,
            until,
        };
        let written = self.inner.store.open_states().open(state).await;
        written.map_err(GatewayError::Audit)?;
        open.told(registry, form, until);
        Ok(())
    }

    /// Looks that nobody holds, or is about to get, what the prepared module cannot read. What it
    /// gives keeps searches of the registry from beginning until the module serves.
    pub(in crate::gateway) async fn nothing_unreadable(
        &self,
        prepared: &Prepared,
    ) -> Result<Option<OwnedRwLockWriteGuard<()>>, AdminError> {
        let slot = self.inner.roster.slot_of(&prepared.row.name);
        let entry = slot.as_ref().and_then(|slot| slot.state.entry());
        let closed = match (entry, prepared.dropped.is_empty()) {
            (Some(entry), false) => Some(entry.pages.clone().try_write_owned().map_err(|_| {
                conflict(
                    "states-open",
                    "searches are under way whose next pages the module could not read: \
                     try again when they have ended, or force it",
                )
            })?),
            _ => None,
        };
        let told = self
            .unreadable(&prepared.row.name, &prepared.module)
            .await?;
        let Some(told) = told else {
            return Ok(closed);
        };
        Err(conflict(
            "states-open",
            format!(
                "somebody holds states that the module does not read ({}): wait until then, bring \
                 a module that reads them, or force it, after which they are refused",
                told
            ),
        ))
    }

    /// What somebody holds of the registry's, and the module cannot read.
    pub(in crate::gateway) async fn unreadable(
        &self,
        registry: &str,
        module: &Module,
    ) -> Result<Option<String>, StoreError> {
        let open = self.inner.store.open_states().of(registry).await?;
        let readable = &module.description().readable_states;
        let unread = open.iter().filter(|state| !readable.contains(&state.form));
        let told: Vec<String> = unread
            .map(|state| format!("{} {} until {}", state.kind, state.form, shown(state.until)))
            .collect();
        let mut told = told;
        let open = self.inner.store.operations().open_forms(registry).await?;
        let unread = open.iter().filter(|form| !readable.contains(form));
        told.extend(unread.map(|form| format!("operation {form} until it has ended")));
        let open = self.inner.store.lookups().open_forms(registry).await?;
        let unread = open.iter().filter(|form| !readable.contains(form));
        told.extend(
            unread.map(|form| {
                format!("lookup {form} until its caller came back or its time is over")
            }),
        );
        Ok((!told.is_empty()).then(|| told.join(", ")))
    }
}

fn shown(until: Timestamp) -> Timestamp {
    Timestamp::from_second(until.as_second()).unwrap_or(until)
}
