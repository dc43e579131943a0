//! What registries tell by themselves: callbacks are kept as they came and then read by the adapter,
//! what changed is asked for, and callers read the life events in one order.

mod acts;
mod again;
mod feed;
mod hook;
mod keep;
mod kept;
mod people;
mod poll;
mod rate;
mod read;
mod room;
mod rows;
mod sealed;
mod shown;

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore, broadcast, watch};

pub use acts::{CallbackView, EventView};
pub(super) use feed::Only;
pub use feed::{FeedEvent, FeedPage, FeedQuery, MAX_FEED_LIMIT, MAX_FEED_WAIT, Proof};
pub use hook::HookError;
pub use room::Admitted;
pub(super) use sealed::{place_of_event, word_of};

use crate::config::events::EventsConfig;
use crate::store::KeyedHash;
use again::Again;
use kept::Kept;
use rate::Rates;
use room::Room;

/// Who calls, in the audit, where it is a registry. No caller may be called so.
const REGISTRY: &str = "(registry)";

/// The room's own state.
pub(super) struct Events {
    config: EventsConfig,
    rates: Rates,
    kept: Kept,
    room: Room,
    /// Room for callbacks that are taken up again.
    again: Again,
    /// The newest position that is known here.
    newest: watch::Sender<i64>,
    /// Something was stored that has no position yet.
    stored: Arc<Notify>,
    /// References that callbacks brought answers to, here: who waits for one is woken.
    pub(super) answered: broadcast::Sender<KeyedHash>,
    /// Room for readings that wait.
    waiting: Arc<Semaphore>,
}

/// References that one who waits may be behind. Behind more it looks into the database.
const ANSWERED: usize = 256;

impl Events {
    pub(super) fn new(config: &EventsConfig) -> Self {
        let waiting = usize::try_from(config.max_waiting_reads).unwrap_or(usize::MAX);
        Self {
            rates: Rates::new(config),
            kept: Kept::default(),
            room: Room::new(
                config.callbacks_at_once.get(),
                config.callbacks_at_once_per_registry.get(),
            ),
            again: Again::new(),
            newest: watch::Sender::new(0),
            stored: Arc::default(),
            answered: broadcast::Sender::new(ANSWERED),
            waiting: Arc::new(Semaphore::new(waiting.min(Semaphore::MAX_PERMITS))),
            config: config.clone(),
        }
    }

    /// Tells when there is a newer position.
    pub(super) fn newer(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }
}
