//! The adapter reads a callback; what it brought is stored in the transaction that says so.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::hook::{HookError, begin_row};
use super::people::people_of_all;
use super::rows::spread;
use crate::gateway::lookups::audited::Start;
use crate::gateway::lookups::waiting::{Outcome, ask};
use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Call, Callback, CallbackResponse, Failure, Reception};
use crate::sandbox::{Fault, Ran, Usage};
use crate::store::{AuditEnd, CallbackState, KeyedHash, Reading};

/// A callback that is ours to read.
pub(super) struct Taken {
    pub(super) id: Uuid,
    pub(super) fence: i64,
    /// Of its audit row, which has begun.
    pub(super) row: Uuid,
    pub(super) request_id: String,
}

/// What came of it, for the audit and the sender.
struct Read {
    reading: Reading,
    word: &'static str,
    people: Vec<KeyedHash>,
    answer: Result<CallbackResponse, HookError>,
}

impl Gateway {
    /// Has the adapter read it. What is answered is stored before.
    pub(super) async fn read_callback(
        &self,
        entry: &Arc<Entry>,
        taken: Taken,
        callback: Callback,
    ) -> Result<CallbackResponse, HookError> {
        let began = Instant::now();
        let call = Call {
            request_id: taken.request_id.clone(),
            registry: entry.name.clone(),
            attempt: 1,
            ..Call::default()
        };
        let callback = Arc::new(callback);
        let start: Start<Reception> = Box::new(move |entry, work| {
            let callback = callback.clone();
            Box::pin(async move { entry.module.receive(work, &callback).await })
        });
        let endpoints = entry.endpoints.clone();
        let call = Arc::new(call);
        let asked = ask(self, entry, endpoints, call, &start, |_, _, _, _| {
            Box::pin(async { never_pends() })
        });
        let Outcome { result, spent, .. } = asked.await;
        let read = self.judge(entry, result);
        let answers = read.reading.answers.iter();
        let answers: Vec<KeyedHash> = answers.map(|(reference, _)| *reference).collect();
        let end = AuditEnd {
            id: taken.row,
            at: Timestamp::now(),
            outcome: read.word.into(),
            code: read.reading.code.clone(),
            disclosed: Vec::new(),
            registry_calls: spent.usage.http_calls,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        let begin = begin_row(taken.row, entry, &taken.request_id);
        let rows = spread(&begin, end, read.people);
        let events = self.inner.store.events();
        let stored = events.end(taken.id, taken.fence, read.reading, rows).await;
        match stored {
            Ok(true) => {
                self.inner.events.stored.notify_one();
                if !answers.is_empty() {
                    self.inner.delivery.look();
                }
                for reference in answers {
                    // Nobody may wait here.
                    let _ = self.inner.events.answered.send(reference);
                }
                read.answer
            }
            // Another node has it, and answers for what it brought.
            Ok(false) => Err(HookError::Unavailable {
                retry_after_ms: None,
            }),
            Err(error) => Err(HookError::Store(error)),
        }
    }

    fn judge(&self, entry: &Entry, result: Result<Reception, GatewayError>) -> Read {
        let read = result.and_then(|reception| {
            let response = &reception.response;
            let refused = response.status >= 400;
            if refused {
                return Ok(refusal(entry, reception.response));
            }
            self.brought(entry, reception)
        });
        read.unwrap_or_else(|error| failed(entry, error))
    }

    fn brought(&self, entry: &Entry, reception: Reception) -> Result<Read, GatewayError> {
        let registry = &entry.name;
        let people = people_of_all(&reception.events).all_hashes(&self.inner.fingerprint);
        let events = reception.events.iter();
        let events = events.map(|event| self.seal_event(registry, event));
        let events = events.collect::<Result<_, _>>()?;
        let answers = reception.answers.into_iter();
        let answers = answers.map(|(reference, data)| self.seal_answer(registry, &reference, data));
        let answers = answers.collect::<Result<_, _>>()?;
        let status = reception.response.status;
        Ok(Read {
            reading: Reading {
                events,
                answers,
                status: Some(status),
                ..reading(entry, CallbackState::Received)
            },
            word: "done",
            people,
            answer: Ok(reception.response),
        })
    }
}

fn reading(entry: &Entry, state: CallbackState) -> Reading {
    Reading {
        state,
        at: Timestamp::now(),
        reason: None,
        code: None,
        module_digest: entry.module.digest().to_owned(),
        status: None,
        events: Vec::new(),
        answers: Vec::new(),
    }
}

/// The adapter refuses in the registry's own form: what it names beside is not believed.
fn refusal(entry: &Entry, response: CallbackResponse) -> Read {
    let (state, word) = match response.status {
        400..500 => (CallbackState::Refused, "refused"),
        _ => (CallbackState::Failed, "unavailable"),
    };
    Read {
        reading: Reading {
            reason: Some(word.into()),
            status: Some(response.status),
            ..reading(entry, state)
        },
        word,
        people: Vec::new(),
        answer: Ok(response),
    }
}

fn failed(entry: &Entry, error: GatewayError) -> Read {
    let word = error.word();
    let code = error.code().map(str::to_owned);
    let (state, status, answer) = match error {
        GatewayError::Failure(Failure::Denied(_)) => {
            (CallbackState::Refused, 403, HookError::Denied)
        }
        GatewayError::Failure(Failure::Rejected(_)) => {
            (CallbackState::Refused, 400, HookError::Rejected)
        }
        // It passes: it is tried again, a few times.
        GatewayError::Failure(Failure::Unavailable(why)) => {
            let retry_after_ms = why.retry_after_ms;
            let answer = HookError::Unavailable { retry_after_ms };
            (CallbackState::New, 503, answer)
        }
        GatewayError::Busy | GatewayError::Fault(Fault::NoInstance) => {
            let retry_after_ms = None;
            let answer = HookError::Unavailable { retry_after_ms };
            (CallbackState::New, 503, answer)
        }
        GatewayError::Failure(Failure::Unreadable(_)) => {
            (CallbackState::Unreadable, 503, HookError::Unread)
        }
        _ => (CallbackState::Failed, 503, HookError::Unread),
    };
    tracing::warn!(
        registry = entry.name,
        reason = word,
        "a callback was not taken"
    );
    Read {
        reading: Reading {
            reason: Some(word.into()),
            code,
            status: Some(status),
            ..reading(entry, state)
        },
        word,
        people: Vec::new(),
        answer: Err(answer),
    }
}

/// Neither `receive` nor `changes` can answer so: the contract has no word for it there.
pub(super) fn never_pends<T>() -> Ran<T> {
    Ran {
        result: Err(Fault::Garbage("pending".into())),
        usage: Usage::default(),
    }
}
