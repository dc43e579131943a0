//! An attempt whose end is not known: the registry is asked what became of it, before anything is sent
//! again. Where it cannot be asked, a person settles it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::attempt::{Over, begin_row, reads, work};
use super::ended::{Ended, Why};
use super::moving::to;
use super::sealed::Asked;
use crate::gateway::Gateway;
use crate::gateway::roster::Entry;
use crate::model::{Ability, TraceQuery};
use crate::sandbox::PendingAnswer;
use crate::store::{Answered, Moved, Operation, OperationState};

impl Gateway {
    /// With what a callback brought for it since, if one did.
    pub(super) async fn settle(
        &self,
        entry: &Arc<Entry>,
        operation: &Operation,
        asked: &Asked,
        answer: Option<(Timestamp, PendingAnswer)>,
    ) {
        let (given, answer) = answer.unzip();
        let is_late = Timestamp::now() >= operation.give_up_at;
        if !entry.module.can(Ability::Trace) {
            return self.nobody_knows(operation, given).await;
        }
        let _underway = entry.begin();
        let waited = Instant::now();
        // Put back it would be sent again: it waits for its lease to end.
        let Ok(_turn) = entry.turn().await else {
            return;
        };
        let turn_wait = waited.elapsed();
        // It reads: a request may be repeated with another token.
        let call = asked.call(&operation.registry, None, operation.attempts);
        let row = begin_row(
            operation,
            entry,
            &call,
            Ability::Trace,
            self.hashes_of(asked).unwrap_or_default(),
        );
        let id = row.id;
        if let Err(error) = self.inner.store.audit().begin(row).await {
            tracing::warn!(operation = %operation.id, %error, "a registry is not asked for an operation");
            return;
        }
        let state = self.state_of(operation).ok().flatten();
        let attempted_at = operation.attempted_at.unwrap_or(operation.accepted_at);
        let query = TraceQuery {
            operation_key: operation.id.to_string(),
            request: asked.request.clone(),
            attempted_at: attempted_at.to_string(),
            state: state.filter(|state| reads(entry, state)),
        };
        let began = Instant::now();
        let ran = entry.module.trace(work(entry, call), &query, answer).await;
        self.count(entry, &ran.usage, turn_wait);
        let ended = Ended::of_trace(ran.result);
        let end = self.end_row(id, &ended, &ran.usage, began);
        let over = Over {
            ability: Ability::Trace,
            attempts: operation.attempts,
            // The write's own `resume` is given it, too; after the deadline there is none, and the same
            // answer would be looked at for ever.
            given: given.filter(|_| is_late || !matches!(ended, Ended::Pending(_))),
            end,
        };
        self.finish(entry, operation, ended, over).await;
    }

    async fn nobody_knows(&self, operation: &Operation, given: Option<Timestamp>) {
        let at = Timestamp::now();
        // What was left in an attempt had said nothing; else why it is unclear is known.
        let reason = operation.reason.as_deref().unwrap_or("interrupted");
        let moved = Moved {
            answered: given.map(|at| Answered { at, used: false }),
            ..to(OperationState::OutcomeUnknown, at, Why::word(reason))
        };
        let operations = self.inner.store.operations();
        match operations.end(operation, moved, None).await {
            Ok(_) => drop(self.inner.delivery.ended.send(operation.id)),
            Err(error) => {
                tracing::warn!(operation = %operation.id, %error, "an operation is not settled yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
