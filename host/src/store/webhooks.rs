//! Callers' subscriptions to the feed of events: where each stands, and who sends its messages now.

mod read;
mod step;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::columns::check_text;
use super::error::StoreError;
use super::writer::{Change, Work};

pub(super) use step::step;

const NAME_MAX_BYTES: usize = 128;
const URL_MAX_BYTES: usize = 2_048;
/// Of one statement, list, or word.
const TEXT_MAX_BYTES: usize = 64 << 10;

/// A subscription.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// What its secrets are sealed for.
    pub id: Uuid,
    /// Who is told.
    pub caller: String,
    /// Where.
    pub url: String,
    /// What the caller states.
    pub purpose: Option<String>,
    /// The same.
    pub legal_basis: Option<String>,
    /// The same.
    pub user: Option<String>,
    /// The same.
    pub entity: Option<String>,
    /// Of which registries; empty: of all.
    pub registries: Vec<String>,
    /// Which kinds of events; empty: all.
    pub kinds: Vec<String>,
    /// Sealed.
    pub secret: Vec<u8>,
    /// The one before, sealed, and until when it is signed with.
    pub previous: Option<(Vec<u8>, Timestamp)>,
    /// Whether messages go.
    pub is_active: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What is up to here is over.
    pub position: i64,
    /// Who has it is told by this.
    pub fence: i64,
    /// How often an administrator changed it.
    pub edits: i64,
    /// Failures one after the other.
    pub attempts: u32,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// A word for the last of them.
    pub problem: Option<String>,
    /// When a message was last taken.
    pub delivered_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last paused, resumed or changed.
    pub changed_at: Timestamp,
}

/// A subscription to add.
#[derive(Clone, Debug, Default)]
pub struct NewWebhook {
    /// Its name.
    pub name: String,
    /// What its secret is sealed for.
    pub id: Uuid,
    /// Who is told.
    pub caller: String,
    /// Where.
    pub url: String,
    /// What the caller states.
    pub purpose: Option<String>,
    /// The same.
    pub legal_basis: Option<String>,
    /// The same.
    pub user: Option<String>,
    /// The same.
    pub entity: Option<String>,
    /// Of which registries; empty: of all.
    pub registries: Vec<String>,
    /// Which kinds of events; empty: all.
    pub kinds: Vec<String>,
    /// Sealed.
    pub secret: Vec<u8>,
    /// What is up to here is over.
    pub position: i64,
}

/// How sending went on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Went {
    /// All up to there is over.
    On {
        /// In the feed.
        position: i64,
        /// Whether a message was taken.
        delivered: bool,
        /// For so long it is kept from others. None: it is nobody's now.
        lease: Option<Duration>,
    },
    /// A message was not taken.
    Failed {
        /// A word for why.
        problem: String,
        /// Then it is sent again.
        again_in: Duration,
        /// After so long without success it is paused.
        pause_after: Duration,
    },
    /// Nothing could be sent, and that is not the receiver's fault.
    Later {
        /// Then it is tried again.
        again_in: Duration,
    },
    /// No more messages go, until somebody resumes it.
    Stopped {
        /// A word for why.
        reason: &'static str,
    },
}

/// What an administrator changes.
#[derive(Debug)]
pub enum WebhookChange {
    /// No more messages go.
    Pause,
    /// They go again, at once.
    Resume,
    /// From behind that position on.
    Replay(i64),
    /// Another secret, sealed. The one before goes on until then.
    Rotate(Vec<u8>, Timestamp),
    /// It is gone.
    Remove,
}

/// The subscriptions of a store.
#[derive(Clone, Copy, Debug)]
pub struct Webhooks<'a> {
    store: &'a Store,
}

/// What the writing task does.
#[derive(Debug)]
pub(super) enum WebhookStep {
    Add(Box<NewWebhook>),
    Take {
        name: String,
        lease: Duration,
        holder: Option<String>,
        taken: Arc<Mutex<Option<Webhook>>>,
    },
    /// By its id: another may bear the name by now.
    Went {
        id: Uuid,
        fence: i64,
        edits: i64,
        went: Went,
    },
    Release {
        id: Uuid,
        fence: i64,
    },
    Change {
        name: String,
        change: WebhookChange,
    },
}

impl<'a> Webhooks<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    async fn write(self, step: WebhookStep) -> Result<i64, StoreError> {
        let change = Change::Webhook(Box::new(step));
        self.store.writer.write(Work::Change(change)).await
    }

    /// Adds one.
    ///
    /// # Errors
    /// `Taken` or `Invalid` name the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn add(self, new: NewWebhook) -> Result<(), StoreError> {
        check_text("webhook.name", &new.name, NAME_MAX_BYTES)?;
        check_text("webhook.url", &new.url, URL_MAX_BYTES)?;
        let statements = [&new.purpose, &new.legal_basis, &new.user, &new.entity];
        for statement in statements.into_iter().flatten() {
            check_text("webhook.statement", statement, TEXT_MAX_BYTES)?;
        }
        self.write(WebhookStep::Add(Box::new(new))).await.map(drop)
    }

    /// Changes one.
    ///
    /// # Errors
    /// `Unknown`: there is none of that name; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn change(self, name: &str, change: WebhookChange) -> Result<(), StoreError> {
        let name = name.to_owned();
        let done = self
            .write(WebhookStep::Change {
                name: name.clone(),
                change,
            })
            .await?;
        match done {
            0 => Err(StoreError::Unknown {
                what: "webhook",
                name,
            }),
            _ => Ok(()),
        }
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn list(self) -> Result<Vec<Webhook>, StoreError> {
        read::list(&self.store.readers).await
    }

    /// One of them.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn one(self, name: &str) -> Result<Option<Webhook>, StoreError> {
        read::one(&self.store.readers, name).await
    }

    /// The names of those that nobody sends for, and that have something to send, up to so many.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn due(self, limit: usize) -> Result<Vec<String>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        read::due(&self.store.readers, limit).await
    }

    /// One that was sealed last: its id, and its secret.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn newest_sealed(self) -> Result<Option<(Uuid, Vec<u8>)>, StoreError> {
        read::newest_sealed(&self.store.readers).await
    }

    /// Takes one up, if it is due: one node at a time.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn take(self, name: &str, lease: Duration) -> Result<Option<Webhook>, StoreError> {
        let taken = Arc::default();
        let step = WebhookStep::Take {
            name: name.to_owned(),
            lease,
            holder: self.store.holder(),
            taken: Arc::clone(&taken),
        };
        self.write(step).await?;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(taken.take())
    }

    /// How sending went on is durable when this returns. False: another has taken it over, or an
    /// administrator has changed it, and it stands as they left it.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it stands where it stood.
    pub async fn went(self, taken: &Webhook, went: Went) -> Result<bool, StoreError> {
        let step = WebhookStep::Went {
            id: taken.id,
            fence: taken.fence,
            edits: taken.edits,
            went,
        };
        Ok(self.write(step).await? > 0)
    }

    /// Whoever took it up lets it go, whatever became of it meanwhile.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it is due again when its lease is over.
    pub async fn release(self, taken: &Webhook) -> Result<(), StoreError> {
        let step = WebhookStep::Release {
            id: taken.id,
            fence: taken.fence,
        };
        self.write(step).await.map(drop)
    }
}
