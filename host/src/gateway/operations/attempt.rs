//! One attempt: durable before the module is called, and what came of it durable before the next.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::ended::{Ended, Why};
use super::moving::to;
use super::sealed::Asked;
use crate::gateway::lookups::disclosed::Disclosed;
use crate::gateway::lookups::waiting::Spent;
use crate::gateway::metrics::RegistryLabels;
use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Ability, Call, Opaque, WriteRequest, Written};
use crate::sandbox::{Lent, PendingAnswer, Ran, Usage, Work};
use crate::store::{Answered, AuditBegin, AuditEnd, Moved, Operation, OperationState, StoreError};

/// Turns that an attempt waits for before it is put back.
const TURNS: u32 = 3;
/// What an attempt takes beside its call: two writes to the database, and what they may wait.
pub(in crate::gateway) const MARGIN: Duration = Duration::from_secs(60);
/// The most of an adapter's own state, in bytes: the store's limit, without what sealing adds.
const STATE_MAX_BYTES: usize = (1 << 20) - 64;
/// Waits before each further try to write what came of an attempt.
const RETRIES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(20),
];

/// What an attempt goes on from.
struct Step {
    state: Option<Opaque>,
    /// What a callback brought, and when.
    answer: Option<(Timestamp, PendingAnswer)>,
}

/// An attempt that is over.
pub(super) struct Over {
    pub(super) ability: Ability,
    /// Attempts that began.
    pub(super) attempts: u32,
    /// When the answer came that it was given.
    pub(super) given: Option<Timestamp>,
    /// Of the audit.
    pub(super) end: AuditEnd,
}

impl Gateway {
    /// Delivers an operation that this gateway has taken up.
    pub(super) async fn attempt(&self, entry: Arc<Entry>, operation: Operation) {
        let Ok(asked) = self.asked(&operation) else {
            return self.put_back(&operation, "sealed-by-another-key").await;
        };
        let answer = match self.answer_for(&operation).await {
            Ok(answer) => answer,
            Err(GatewayError::Audit(error)) => {
                // It is looked at again when its lease is over.
                tracing::warn!(operation = %operation.id, %error, "the answer to an operation is not read");
                return;
            }
            Err(_) => return self.put_back(&operation, "sealed-by-another-key").await,
        };
        let over = Timestamp::now() >= operation.give_up_at;
        match operation.state {
            OperationState::Delivering => {
                return self.settle(&entry, &operation, &asked, answer).await;
            }
            OperationState::Pending if answer.is_some() => {}
            OperationState::Pending if over => {
                return self.settle(&entry, &operation, &asked, None).await;
            }
            _ if over => {
                return self.give_up(&operation).await;
            }
            _ => {}
        }
        if !entry.module.can(asked.request.ability()) {
            return self.put_back(&operation, "no-ability").await;
        }
        let state = match (operation.state, self.state_of(&operation)) {
            (_, Err(_)) => return self.put_back(&operation, "sealed-by-another-key").await,
            (OperationState::Pending, Ok(Some(state))) if !reads(&entry, &state) => {
                return self.put_back(&operation, "state-unreadable").await;
            }
            (OperationState::Pending, Ok(state)) => state,
            _ => None,
        };
        self.send(&entry, &operation, &asked, Step { state, answer })
            .await;
    }

    /// Its deadline passed before the registry had it.
    pub(super) async fn give_up(&self, operation: &Operation) {
        let moved = to(
            OperationState::GivenUp,
            Timestamp::now(),
            Why::word("deadline"),
        );
        let ended = self.inner.store.operations().end(operation, moved, None);
        match ended.await {
            Ok(_) => drop(self.inner.delivery.ended.send(operation.id)),
            Err(error) => {
                tracing::warn!(operation = %operation.id, %error, "an operation is not given up yet");
            }
        }
    }

    /// What a callback brought for an operation that waits, or of which nobody knows.
    async fn answer_for(
        &self,
        operation: &Operation,
    ) -> Result<Option<(Timestamp, PendingAnswer)>, GatewayError> {
        let (OperationState::Pending | OperationState::Delivering, Some(reference)) =
            (operation.state, &operation.reference)
        else {
            return Ok(None);
        };
        let events = self.inner.store.events();
        let stored = events.answer(&operation.registry, reference).await;
        let Some(stored) = stored.map_err(GatewayError::Audit)? else {
            return Ok(None);
        };
        let answer = self.open_answer(reference, &stored.data)?;
        Ok(Some((stored.at, answer)))
    }

    async fn send(&self, entry: &Arc<Entry>, operation: &Operation, asked: &Asked, step: Step) {
        let _underway = entry.begin();
        let waited = Instant::now();
        let mut turns = 0;
        let _turn = loop {
            match entry.turn().await {
                Ok(turn) => break turn,
                Err(_) if turns < TURNS => turns += 1,
                Err(_) => return self.put_back(operation, "busy").await,
            }
        };
        let turn_wait = waited.elapsed();
        let attempt = operation.attempts.saturating_add(1);
        let call = asked.call(&operation.registry, Some(operation.id), attempt);
        let ability = asked.request.ability();
        let hashes = self.hashes_of(asked).unwrap_or_default();
        let row = begin_row(operation, entry, &call, ability, hashes);
        let id = row.id;
        let lease = entry.longest_call() + MARGIN;
        let operations = self.inner.store.operations();
        match operations.begin(operation, lease, row).await {
            Ok(true) => {}
            // Another has it, or it was cancelled.
            Ok(false) => return,
            Err(error) => {
                // Nothing was sent. Whether that stands in the database is looked at when the lease
                // is over.
                tracing::warn!(operation = %operation.id, %error, "an attempt was not begun");
                return;
            }
        }
        let began = Instant::now();
        let work = work(entry, call);
        let lent = work.lent.clone();
        let Step { state, answer } = step;
        let (given, answer) = answer.unzip();
        let ran = run(entry, work, &asked.request, state, answer).await;
        self.count(entry, &ran.usage, turn_wait);
        let mut ended = Ended::of_write(ran.result, lent.trail());
        if let Ended::Pending(pending) = &ended
            && pending.state.data.len() > STATE_MAX_BYTES
        {
            ended = Ended::Unclear(Why::word("answer-too-large"), None);
        }
        let end = self.end_row(id, &ended, &ran.usage, began);
        let over = Over {
            ability,
            attempts: attempt,
            given,
            end,
        };
        self.finish(entry, operation, ended, over).await;
    }

    /// Writes where the operation goes, with the end of the audit's row.
    pub(super) async fn finish(
        &self,
        entry: &Entry,
        operation: &Operation,
        ended: Ended,
        over: Over,
    ) {
        let Over {
            ability,
            attempts,
            given,
            end,
        } = over;
        self.metrics()
            .attempted(&labels(entry), ability, ended.word());
        let can_trace = entry.module.can(Ability::Trace);
        let links = match &ended {
            Ended::Applied(receipt) => self.links_of_receipt(entry, operation, receipt),
            _ => None,
        };
        // Else the next attempt is given it too.
        let used = matches!(
            ended,
            Ended::Applied(_) | Ended::Refused(..) | Ended::Pending(_)
        );
        let moved = match self.moved(operation, ended, can_trace, attempts) {
            Ok(moved) => Moved {
                links,
                answered: given.map(|at| Answered { at, used }),
                ..moved
            },
            Err(error) => {
                tracing::error!(operation = %operation.id, %error, "what came of an attempt is not sealed");
                return;
            }
        };
        let (state, reason) = (moved.state.as_str(), moved.reason.clone());
        let mut waits = RETRIES.into_iter();
        loop {
            let operations = self.inner.store.operations();
            match operations
                .end(operation, moved.clone(), Some(end.clone()))
                .await
            {
                Ok(true) => break,
                Ok(false) => {
                    // It is there already, or another took it over: then this row has no end yet.
                    let _ = self.inner.store.audit().end(end).await;
                    break;
                }
                Err(error @ (StoreError::Busy | StoreError::Unavailable(_))) => {
                    match waits.next() {
                        Some(wait) => tokio::time::sleep(wait).await,
                        None => {
                            tracing::error!(operation = %operation.id, %error, "what came of an attempt is not written: the registry will be asked for it");
                            return;
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(operation = %operation.id, %error, "what came of an attempt is not written: the registry will be asked for it");
                    return;
                }
            }
        }
        tracing::info!(
            operation = %operation.id,
            registry = %operation.registry,
            attempts,
            state,
            reason,
            "operation"
        );
        let _ = self.inner.delivery.ended.send(operation.id);
    }

    /// What it needs is not here. Where that is said of it already it waits for its lease to end.
    pub(super) async fn put_back(&self, operation: &Operation, reason: &str) {
        let said = operation.reason.as_deref() == Some(reason);
        if said || operation.state == OperationState::Delivering {
            return;
        }
        let moved = Self::stays(operation, reason, self.inner.delivery.first_wait());
        let operations = self.inner.store.operations();
        if let Err(error) = operations.end(operation, moved, None).await {
            tracing::warn!(operation = %operation.id, %error, "an operation is not put back");
        }
    }

    pub(super) fn count(&self, entry: &Entry, usage: &Usage, turn_wait: Duration) {
        let spent = Spent {
            usage: *usage,
            turn_wait,
            ..Spent::default()
        };
        self.metrics().used(&labels(entry), &spent);
    }

    pub(super) fn end_row(
        &self,
        id: Uuid,
        ended: &Ended,
        usage: &Usage,
        began: Instant,
    ) -> AuditEnd {
        let (mut told, mut code) = (Disclosed::default(), None);
        match ended {
            // The caller is told of them.
            Ended::Applied(receipt) => told.add(&receipt.identifiers),
            Ended::Refused(_, why)
            | Ended::Later(why, _)
            | Ended::Unclear(why, _)
            | Ended::Unknown(why) => code.clone_from(&why.code),
            Ended::Absent | Ended::Pending(_) => {}
        }
        AuditEnd {
            id,
            at: Timestamp::now(),
            outcome: ended.word().into(),
            code,
            disclosed: told.hashes(&self.inner.fingerprint).unwrap_or_default(),
            registry_calls: usage.http_calls,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

pub(super) fn reads(entry: &Entry, state: &Opaque) -> bool {
    let readable = &entry.module.description().readable_states;
    readable.contains(&state.schema)
}

pub(super) fn work(entry: &Entry, call: Call) -> Work {
    Work {
        lent: Lent::new(
            Arc::new(call),
            entry.settings.clone(),
            entry.endpoints.clone(),
        ),
        limits: entry.limits.clone(),
        deadline: Instant::now() + Duration::from_millis(entry.limits.wall_ms),
    }
}

pub(super) fn begin_row(
    operation: &Operation,
    entry: &Entry,
    call: &Call,
    ability: Ability,
    asked: Vec<crate::store::KeyedHash>,
) -> AuditBegin {
    AuditBegin {
        id: Uuid::now_v7(),
        at: Timestamp::now(),
        request_id: call.request_id.clone(),
        caller: operation.caller.clone(),
        user: call.asker.user.clone(),
        entity: call.asker.entity.clone(),
        purpose: call.asker.purpose.clone(),
        legal_basis: call.asker.legal_basis.clone(),
        registry: operation.registry.clone(),
        ability: ability.as_str().into(),
        module_digest: entry.module.digest().into(),
        asked,
    }
}

fn labels(entry: &Entry) -> RegistryLabels {
    RegistryLabels {
        registry: entry.name.clone(),
        adapter: entry.module.description().name.clone(),
    }
}

async fn run(
    entry: &Entry,
    work: Work,
    request: &WriteRequest,
    state: Option<Opaque>,
    answer: Option<PendingAnswer>,
) -> Ran<Written> {
    let module = &entry.module;
    match (request, state) {
        (WriteRequest::Create(request), None) => module.create(work, request).await,
        (WriteRequest::Update(request), None) => module.update(work, request).await,
        (WriteRequest::Link(request), None) => module.link(work, request).await,
        (WriteRequest::Enrolment(request), None) => module.enrol(work, request).await,
        (WriteRequest::Create(_), Some(state)) => module.resume_create(work, &state, answer).await,
        (WriteRequest::Update(_), Some(state)) => module.resume_update(work, &state, answer).await,
        (WriteRequest::Link(_), Some(state)) => module.resume_link(work, &state, answer).await,
        (WriteRequest::Enrolment(_), Some(state)) => {
            module.resume_enrol(work, &state, answer).await
        }
    }
}
