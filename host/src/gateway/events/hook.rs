//! A registry calls back: the raw callback is durable before anything is answered.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tracing::Instrument as _;
use uuid::Uuid;

use super::REGISTRY;
use super::read::Taken;
use super::room::Admitted;
use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Ability, Callback, CallbackResponse};
use crate::store::{AuditBegin, NewCallback, StoreError};

/// What a call may take besides its own limit before another node takes the callback up.
const MARGIN: Duration = Duration::from_secs(30);

/// Why a callback is not answered by the adapter.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// There is no such registry, or none that serves, or the gateway cannot work.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// More come than are taken.
    #[error("more callbacks of this registry come than are taken")]
    TooMany {
        /// Then one is taken again, in milliseconds.
        retry_after_ms: u32,
    },
    /// As many are being read as may be.
    #[error("as many callbacks are being read as may be")]
    Crowded,
    /// Too much is kept, or could not be read.
    #[error("too many callbacks of this registry are kept")]
    Full,
    /// The adapter does not believe the sender.
    #[error("the sender did not prove who they are")]
    Denied,
    /// The adapter does not take what was sent.
    #[error("the adapter refuses what was sent")]
    Rejected,
    /// The adapter cannot work now.
    #[error("the callback cannot be read now")]
    Unavailable {
        /// As the adapter says.
        retry_after_ms: Option<u32>,
    },
    /// It is kept, and a person must look.
    #[error("the callback is kept, and could not be read")]
    Unread,
    /// The database does not take it.
    #[error("the callback could not be kept")]
    Store(#[source] StoreError),
}

impl Gateway {
    /// The largest callback that is taken.
    pub fn max_callback_bytes(&self) -> usize {
        let most = self.inner.events.config.max_callback_bytes.get();
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Whether a callback for that registry is taken at all, before any of it is read.
    ///
    /// # Errors
    /// [`HookError`].
    pub fn admit_callback(&self, registry: &str) -> Result<Admitted, HookError> {
        self.started()?;
        self.hears(registry)?;
        let events = &self.inner.events;
        let admitted = events.room.take(registry).ok_or(HookError::Crowded)?;
        let taken = events.rates.take(registry);
        taken.map_err(|retry_after_ms| HookError::TooMany { retry_after_ms })?;
        Ok(admitted)
    }

    /// Keeps a callback, has the adapter read it, stores what it brought, and gives the adapter's
    /// answer. It is a task of its own: who hangs up does not leave it half done.
    ///
    /// # Errors
    /// [`HookError`].
    pub async fn hook(
        &self,
        registry: &str,
        callback: Callback,
        request_id: String,
        admitted: Admitted,
    ) -> Result<CallbackResponse, HookError> {
        let entry = self.hears(registry)?;
        let gateway = self.clone();
        let (tell, told) = oneshot::channel();
        let line = async move {
            let answer = gateway.keep_and_read(entry, callback, request_id).await;
            drop(admitted);
            // Nobody there: the registry hung up.
            let _ = tell.send(answer);
        };
        self.inner.tasks.spawn(line.in_current_span());
        told.await
            .unwrap_or(Err(HookError::Gateway(GatewayError::Internal)))
    }

    fn hears(&self, registry: &str) -> Result<Arc<Entry>, GatewayError> {
        let entry = self.inner.roster.take(registry)?;
        if !entry.module.can(Ability::Events) {
            return Err(GatewayError::NoAbility(Ability::Events));
        }
        Ok(entry)
    }

    async fn keep_and_read(
        &self,
        entry: Arc<Entry>,
        callback: Callback,
        request_id: String,
    ) -> Result<CallbackResponse, HookError> {
        let _underway = entry.begin();
        let config = &self.inner.events.config;
        let id = Uuid::now_v7();
        let row = begin_row(id, &entry, &request_id);
        let body = self.seal_callback(id, &callback)?;
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let has_room = self.has_room(&entry.name, size).await;
        if !has_room.map_err(HookError::Store)? {
            return Err(HookError::Full);
        }
        let new = NewCallback {
            id,
            at: Timestamp::now(),
            registry: entry.name.clone(),
            method: callback.method.clone(),
            body,
            lease: lease(&entry),
            max_unprocessed: config.max_unread_callbacks.get(),
            max_unprocessed_bytes: config.max_unread_bytes.get(),
        };
        let kept = self.inner.store.events().keep(new, row).await;
        if !kept.map_err(HookError::Store)? {
            return Err(HookError::Full);
        }
        let taken = Taken {
            id,
            fence: FIRST_FENCE,
            row: id,
            request_id,
        };
        self.read_callback(&entry, taken, callback).await
    }
}

/// What the store gives a new one.
const FIRST_FENCE: i64 = 1;

/// For so long nobody else takes up what is being done for that registry.
pub(super) fn lease(entry: &Entry) -> Duration {
    entry.longest_call() + MARGIN
}

/// Nobody asks: a registry tells.
pub(super) fn begin_row(id: Uuid, entry: &Entry, request_id: &str) -> AuditBegin {
    AuditBegin {
        id,
        at: Timestamp::now(),
        request_id: request_id.to_owned(),
        caller: REGISTRY.into(),
        user: None,
        entity: None,
        purpose: None,
        legal_basis: None,
        registry: entry.name.clone(),
        ability: Ability::Events.as_str().into(),
        module_digest: entry.module.digest().into(),
        asked: Vec::new(),
    }
}
