//! A question that is answered later: sent, acknowledged, and answered by the callback `on-search`,
//! or by `txn/status` where none comes.

use adapter_sdk::model::Pending;
use adapter_sdk::{Answer, Failure, Opaque, PendingAnswer, ids, log};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Question, post};
use crate::WAITING;
use crate::reasons::Asked;
use crate::settings::{Mode, Settings};
use crate::wire::acknowledgement::{self, Taken};
use crate::wire::answer::{self, Found, Sent};
use crate::wire::message::{TxnStatus, TxnStatusRequest};

/// The longest wait between two questions for the status.
const LONGEST_MS: u32 = 60_000;

/// An answer with what it was asked for, or that it comes later.
#[derive(Debug)]
pub(crate) enum Heard<T> {
    /// The registry answered.
    Now(Found, T),
    /// It has not yet.
    Later(Pending),
}

/// All that the next step sees.
#[derive(Debug, Deserialize, Serialize)]
struct Waiting<T> {
    transaction_id: String,
    asked: Asked,
    /// When to ask for the status. None: the registry does not tell it, so that only its callback
    /// brings the answer.
    again_ms: Option<u32>,
    then: T,
}

/// What `txn/status` tells.
enum Status {
    Answered(Found),
    Underway,
    NotTold,
}

impl<T> Heard<T> {
    /// Goes on with the answer.
    pub(crate) fn then<V>(
        self,
        read: impl FnOnce(Found, T) -> Result<V, Failure>,
    ) -> Result<Answer<V>, Failure> {
        match self {
            Self::Now(found, then) => read(found, then).map(Answer::Done),
            Self::Later(pending) => Ok(Answer::Pending(pending)),
        }
    }
}

/// Asks. `then` is kept for when the answer is there.
pub(crate) fn begin<T: Serialize>(
    question: Question,
    then: T,
    settings: &Settings,
) -> Result<Heard<T>, Failure> {
    if settings.mode == Mode::Sync {
        return Ok(Heard::Now(super::ask(question, settings)?, then));
    }
    if settings.sender_uri.is_none() {
        return Err(Failure::misconfigured("spdci.no-callback").field("settings.sender_uri"));
    }
    let waiting = Waiting {
        transaction_id: ids::uuid(),
        asked: question.asked,
        again_ms: Some(settings.status_after_ms),
        then,
    };
    let sent = waiting.sent();
    let request = super::request(question, settings.paths.search(), &sent, settings)?;
    match acknowledgement::of_search(request.send()?, &sent, "settings.paths.search")? {
        Taken::Now(found) => Ok(Heard::Now(found, waiting.then)),
        Taken::Later => waiting.later(),
    }
}

/// Goes on: with what a callback brought, or else by asking for the status.
pub(crate) fn go_on<T: DeserializeOwned + Serialize>(
    state: &Opaque,
    answer: Option<PendingAnswer>,
    settings: &Settings,
) -> Result<Heard<T>, Failure> {
    let mut waiting: Waiting<T> = state.unpack(WAITING)?;
    if let Some(answer) = answer {
        let body: Value = serde_json::from_slice(&answer.data)?;
        let found = answer::read(&body, Some(&waiting.sent()))?;
        return Ok(Heard::Now(found, waiting.then));
    }
    match status(&waiting.sent(), settings)? {
        Status::Answered(found) => return Ok(Heard::Now(found, waiting.then)),
        Status::Underway => {
            let doubled = |again: u32| again.saturating_mul(2).min(LONGEST_MS);
            waiting.again_ms = waiting.again_ms.map(doubled);
        }
        Status::NotTold => {
            log::info!("the registry does not tell the status: its callback is waited for");
            waiting.again_ms = None;
        }
    }
    waiting.later()
}

impl<T: Serialize> Waiting<T> {
    /// One number for both: a registry that leaves one of them out is understood all the same.
    fn sent(&self) -> Sent {
        Sent {
            transaction_id: self.transaction_id.clone(),
            reference_id: self.transaction_id.clone(),
            asked: self.asked,
        }
    }

    fn later(self) -> Result<Heard<T>, Failure> {
        Ok(Heard::Later(Pending {
            reference: Some(self.transaction_id.clone()),
            retry_after_ms: self.again_ms,
            state: Opaque::pack(WAITING, &self)?,
        }))
    }
}

/// Asks what became of a search. What the registry says of the search itself is its answer; what it
/// says of the question for the status is not.
fn status(sent: &Sent, settings: &Settings) -> Result<Status, Failure> {
    let Some(txn_status) = ask_status("search", &sent.transaction_id, settings) else {
        return Ok(Status::NotTold);
    };
    let body = json!({ "header": {}, "message": txn_status });
    match answer::read(&body, Some(sent)) {
        Ok(found) => Ok(Status::Answered(found)),
        Err(failure) if acknowledgement::is_pending(&failure) => Ok(Status::Underway),
        Err(failure) => Err(failure),
    }
}

/// `txnstatus_response.txn_status` of a transaction; none where the registry does not tell it.
pub(crate) fn ask_status(
    txn_type: &'static str,
    transaction_id: &str,
    settings: &Settings,
) -> Option<Value> {
    let message = TxnStatus {
        transaction_id: ids::uuid(),
        txnstatus_request: TxnStatusRequest {
            reference_id: ids::uuid(),
            txn_type,
            attribute_type: "transaction_id",
            attribute_value: transaction_id.to_owned(),
        },
    };
    let request = post(settings.paths.status(), "txn-status", message, settings);
    let response = request.and_then(adapter_sdk::http::Builder::send).ok()?;
    let body: Value = response.ok().ok()?.json().ok()?;
    let told = answer::message(&body)?.get("txnstatus_response")?;
    told.get("txn_status")
        .filter(|status| status.is_object())
        .cloned()
}
