//! Events and callbacks as administrators see them: where each stands, and nobody in it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::gateway::{Act, Acting, AdminError, Gateway};
use crate::model::Callback;
use crate::store::{CallbackState, StoredCallback, StoredEvent};

/// Headers by which senders prove who they are: nobody needs them to see what came.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];
const MASKED: &str = "(masked)";

/// A callback, without what came.
#[derive(Clone, Debug)]
pub struct CallbackView {
    /// In the order of arrival.
    pub number: i64,
    /// Its name, which the audit's row of its first reading has too.
    pub id: Uuid,
    /// Whose it says it is.
    pub registry: String,
    /// Of HTTP.
    pub method: String,
    /// In bytes, sealed.
    pub size: u64,
    /// When it came.
    pub received_at: Timestamp,
    /// Since when it stands where it stands.
    pub changed_at: Timestamp,
    /// Where it stands.
    pub state: &'static str,
    /// How often it was taken up.
    pub attempts: u32,
    /// Why it stands there.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The module that read it last.
    pub module: Option<String>,
    /// What the registry was answered.
    pub status: Option<u16>,
    /// How many events it brought that were not known.
    pub events: u32,
}

/// An event, without what happened to whom.
#[derive(Clone, Debug)]
pub struct EventView {
    /// In the order of the feed.
    pub position: i64,
    /// Which registry told it.
    pub registry: String,
    /// What happened, as far as the model has a word.
    pub kind: String,
    /// When the registry recorded it.
    pub recorded_at: Option<Timestamp>,
    /// When it was stored here.
    pub stored_at: Timestamp,
    /// The module that read it.
    pub module: String,
    /// The callback that brought it.
    pub callback: Option<Uuid>,
    /// Whether it can still be read.
    pub is_kept: bool,
}

impl Gateway {
    /// Callbacks, the newest first. `state` is a word of theirs.
    ///
    /// # Errors
    /// [`AdminError::Invalid`], [`AdminError::Store`].
    pub async fn callbacks(
        &self,
        registry: Option<&str>,
        state: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<CallbackView>, AdminError> {
        let known = state.map(|word| {
            CallbackState::parse(word).ok_or_else(|| AdminError::Invalid {
                field: "state".into(),
                problem: "one of new, received, refused, unreadable and failed".into(),
            })
        });
        let events = self.inner.store.events();
        let listed = events.callbacks(registry, known.transpose()?, before, limit);
        Ok(listed.await?.into_iter().map(CallbackView::of).collect())
    }

    /// Events, the newest first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn events(
        &self,
        registry: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventView>, AdminError> {
        let events = self.inner.store.events();
        let listed = events.recent(registry, before, limit).await?;
        Ok(listed.into_iter().map(EventView::of).collect())
    }

    /// A callback as it came: to see why it could not be read. It may tell of anybody, so that it is in the
    /// audit for which purpose before it leaves.
    ///
    /// # Errors
    /// As for any act; a conflict where it is not kept.
    pub async fn raw_callback(
        &self,
        by: &Acting,
        purpose: &str,
        id: Uuid,
    ) -> Result<Callback, AdminError> {
        let unknown = move || AdminError::Unknown {
            what: "callback",
            name: id.to_string(),
        };
        let found = self.inner.store.events().callback(id).await?;
        let found = found.ok_or_else(unknown)?;
        let act = Act {
            word: "callback.raw",
            registry: Some(found.registry),
            subject: Some(id.to_string()),
            detail: Some(serde_json::json!({ "purpose": purpose })),
            ..Act::default()
        };
        let gateway = self.clone();
        self.act(by, act, async move {
            let found = gateway.inner.store.events().callback(id).await?;
            let body = found.ok_or_else(unknown)?.body;
            let body = body.ok_or_else(|| AdminError::Conflict {
                code: "callback-not-kept",
                detail: "it is known that it came; what came is kept no more".into(),
            })?;
            let mut callback = gateway.open_callback(id, &body)?;
            for (name, value) in &mut callback.headers {
                if SECRETS
                    .iter()
                    .any(|secret| name.eq_ignore_ascii_case(secret))
                {
                    *value = MASKED.into();
                }
            }
            Ok(callback)
        })
        .await
    }

    /// Has a callback read again that could not be read: after its adapter was mended.
    ///
    /// # Errors
    /// As for any act; a conflict where it stands otherwise.
    pub async fn replay_callback(&self, by: &Acting, id: Uuid) -> Result<(), AdminError> {
        let act = Act {
            word: "callback.replay",
            subject: Some(id.to_string()),
            ..Act::default()
        };
        let store = self.inner.store.clone();
        self.act(by, act, async move {
            let events = store.events();
            if events.replay(id).await? {
                return Ok(());
            }
            match events.callback(id).await? {
                None => Err(AdminError::Unknown {
                    what: "callback",
                    name: id.to_string(),
                }),
                Some(_) => Err(AdminError::Conflict {
                    code: "not-replayable",
                    detail: "only what is unreadable or failed is read again: look where it stands"
                        .into(),
                }),
            }
        })
        .await
    }
}

impl Gateway {
    /// Gives up a callback that was not read, and that nobody is reading: what came is gone.
    ///
    /// # Errors
    /// As for any act; a conflict where it stands otherwise.
    pub async fn discard_callback(&self, by: &Acting, id: Uuid) -> Result<(), AdminError> {
        let unknown = move || AdminError::Unknown {
            what: "callback",
            name: id.to_string(),
        };
        let found = self.inner.store.events().callback(id).await?;
        let act = Act {
            word: "callback.discard",
            registry: Some(found.ok_or_else(unknown)?.registry),
            subject: Some(id.to_string()),
            ..Act::default()
        };
        let store = self.inner.store.clone();
        self.act(by, act, async move {
            let events = store.events();
            if events.discard(id).await? {
                return Ok(());
            }
            let found = events.callback(id).await?;
            found.ok_or_else(unknown)?;
            Err(AdminError::Conflict {
                code: "not-discardable",
                detail: "only what was not read, and is not being read now, is discarded: look where it stands"
                    .into(),
            })
        })
        .await
    }
}

impl CallbackView {
    fn of(stored: StoredCallback) -> Self {
        Self {
            number: stored.number,
            id: stored.id,
            registry: stored.registry,
            method: stored.method,
            size: stored.size,
            received_at: stored.received_at,
            changed_at: stored.changed_at,
            state: stored.state.as_str(),
            attempts: stored.attempts,
            reason: stored.reason,
            code: stored.code,
            module: stored.module_digest,
            status: stored.status,
            events: stored.brought,
        }
    }
}

impl EventView {
    fn of(stored: StoredEvent) -> Self {
        Self {
            position: stored.position,
            registry: stored.registry,
            kind: stored.kind,
            recorded_at: stored.recorded_at,
            stored_at: stored.stored_at,
            module: stored.module_digest,
            callback: stored.callback,
            is_kept: stored.body.is_some(),
        }
    }
}
