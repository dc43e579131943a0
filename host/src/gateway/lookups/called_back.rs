//! A call whose registry answers by calling back: it waits for the answer of its reference, by which
//! the callback names it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::sandbox::PendingAnswer;
use crate::store::KeyedHash;

/// How often the database is asked for what another node heard. What this one hears wakes at once.
const LOOK: Duration = Duration::from_millis(500);

/// What a call hears of its registry while it waits, and its turn, which others have meanwhile.
pub(super) struct Hearing<'a> {
    gateway: &'a Gateway,
    entry: &'a Arc<Entry>,
    turn: Option<SemaphorePermit<'a>>,
    /// Something was waited for: the call rests on more than it was answered itself.
    pub(super) waited: bool,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(
        gateway: &'a Gateway,
        entry: &'a Arc<Entry>,
        turn: SemaphorePermit<'a>,
    ) -> Self {
        Self {
            gateway,
            entry,
            turn: Some(turn),
            waited: false,
        }
    }

    /// The answer of a reference, or none until then. It may be there already: a callback may come
    /// before the request that it answers is answered.
    pub(super) async fn hear(
        &mut self,
        reference: &str,
        until: Instant,
    ) -> Result<Option<PendingAnswer>, GatewayError> {
        self.waited = true;
        let turn = &mut self.turn;
        // A registry takes seconds or minutes: its other callers do not wait for this one.
        let waits = || *turn = None;
        hear(self.gateway, &self.entry.name, reference, until, waits).await
    }

    /// Takes a turn again, where it was let go, for the step that goes on. It waits for it until then:
    /// what the registry answered would be lost.
    pub(super) async fn take_turn(&mut self, until: Instant) -> Result<(), GatewayError> {
        if self.turn.is_none() {
            self.turn = Some(self.entry.turn_until(until).await?);
        }
        Ok(())
    }
}

/// The answer of a reference, or none until then. `waits` is told before it waits.
pub(super) async fn hear(
    gateway: &Gateway,
    registry: &str,
    reference: &str,
    until: Instant,
    mut waits: impl FnMut(),
) -> Result<Option<PendingAnswer>, GatewayError> {
    // Before the first look, so that nothing passes between the two.
    let mut told = gateway.inner.events.answered.subscribe();
    let awaited = gateway.reference_of(registry, reference);
    loop {
        if let Some(data) = gateway.answer_to(registry, reference).await? {
            return Ok(Some(PendingAnswer {
                reference: reference.to_owned(),
                data,
            }));
        }
        let now = Instant::now();
        if now >= until {
            return Ok(None);
        }
        waits();
        let look = until.min(now + LOOK);
        let _ = tokio::time::timeout_at(look, named(&mut told, &awaited)).await;
    }
}

/// Until this reference is told, or what was told is not known any more.
async fn named(told: &mut Receiver<KeyedHash>, awaited: &KeyedHash) {
    loop {
        match told.recv().await {
            Ok(reference) if reference == *awaited => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // The gateway ends: the database is asked all the same.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
