//! A beneficiary registry, as SPDCI has it: it is told who is in which programme, and says so.
//!
//! | request | what it does |
//! |---|---|
//! | `POST {prefix}/registry/sync/enrollment/updates` | keeps the enrolment of a Beneficiary |
//! | `POST {prefix}/registry/sync/enrolled` | whether a person is in a programme: `yes` or `no` |
//! | `POST {prefix}/registry/sync/search`, `reg_type` IBR | the Beneficiary with an identifier |
//!
//! It begins empty. What goes wrong with the next update is a [`Mishap`] of the records API.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use serde_json::{Value, json};

use crate::answer;
use crate::misbehave::HangUp;
use crate::records::Mishap;
use crate::server::{Shared, admit, lock, receive};

type Served = State<Arc<Shared>>;

/// Who is in which programme.
#[derive(Debug, Default)]
pub struct Beneficiaries {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By the person's number and the programme's.
    enrolments: BTreeMap<(String, String), Value>,
    /// The transactions that came, those that were lost too.
    arrivals: Vec<String>,
    mishaps: VecDeque<Mishap>,
    /// An update is answered with an acknowledgement, as the official mock does.
    acknowledges: bool,
}

impl Beneficiaries {
    /// The next update meets this.
    pub fn inject(&self, mishap: Mishap) {
        lock(&self.kept).mishaps.push_back(mishap);
    }

    /// Answers updates by an acknowledgement only.
    pub fn acknowledge(&self) {
        lock(&self.kept).acknowledges = true;
    }

    /// The transactions of all updates that came.
    pub fn arrivals(&self) -> Vec<String> {
        lock(&self.kept).arrivals.clone()
    }

    /// The Beneficiary of a person in a programme, as it was sent last.
    pub fn beneficiary(&self, person: &str, programme: &str) -> Option<Value> {
        let key = (person.to_owned(), programme.to_owned());
        lock(&self.kept).enrolments.get(&key).cloned()
    }

    fn of_person(&self, person: &str) -> Option<Value> {
        let kept = lock(&self.kept);
        let mut theirs = kept.enrolments.iter().filter(|(key, _)| key.0 == person);
        theirs.next().map(|(_, beneficiary)| beneficiary.clone())
    }
}

/// The routes below a prefix.
pub(crate) fn routes(prefix: &str) -> Router<Arc<Shared>> {
    let path = |end: &str| format!("{prefix}/registry/sync/{end}");
    Router::new()
        .route(&path("enrollment/updates"), post(update))
        .route(&path("enrolled"), post(enrolled))
}

/// The records of a search among beneficiaries; none where it is a search among others.
pub(crate) fn search(shared: &Shared, body: &[u8]) -> Option<Value> {
    let asked: Value = serde_json::from_slice(body).ok()?;
    let item = &asked["message"]["search_request"][0];
    let criteria = &item["search_criteria"];
    if !criteria["reg_type"].as_str()?.ends_with(":IBR") {
        return None;
    }
    let value = criteria["query"]["value"].as_str().unwrap_or_default();
    let records: Vec<Value> = shared.beneficiaries.of_person(value).into_iter().collect();
    Some(json!({
        "header": {
            "version": "1.0.0", "message_id": "stand-in", "action": "on-search", "status": "succ",
            "message_ts": "2026-01-02T03:04:05Z",
        },
        "message": {
            "transaction_id": asked["message"]["transaction_id"],
            "correlation_id": "stand-in-beneficiaries",
            "search_response": [{
                "reference_id": item["reference_id"],
                "timestamp": "2026-01-02T03:04:05Z",
                "status": "succ",
                "data": { "reg_record_type": "Member", "reg_records": records },
            }],
        },
    }))
}

async fn update(State(shared): Served, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    let envelope = match admit(&shared, &headers, &body, "notify") {
        Ok(envelope) => envelope,
        Err(refusal) => return answer::refuse(&shared, number, "notify", refusal),
    };
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let beneficiary = &asked["message"]["enrolled_updates"]["beneficiaries"][0];
    let member = &beneficiary["member"];
    let person = &member["member_identifier"][0]["identifier_value"];
    let programme = &member["programme_identifier"]["programme"]["programme_identifier"];
    let (Some(person), Some(programme)) = (person.as_str(), programme.as_str()) else {
        return answered(&asked, "rjct", Some("rjct.person_id.invalid"));
    };
    let (mishap, acknowledges) = {
        let mut kept = lock(&shared.beneficiaries.kept);
        kept.arrivals.push(envelope.transaction_id);
        (kept.mishaps.pop_front(), kept.acknowledges)
    };
    let apply = || {
        let key = (person.to_owned(), programme.to_owned());
        lock(&shared.beneficiaries.kept)
            .enrolments
            .insert(key, beneficiary.clone());
    };
    match mishap {
        None => apply(),
        Some(Mishap::Late(after)) => {
            apply();
            tokio::time::sleep(after).await;
        }
        Some(Mishap::LostBefore) => return hang_up(),
        Some(Mishap::LostAfter) => {
            apply();
            return hang_up();
        }
        Some(Mishap::Status {
            status,
            applied,
            retry_after,
        }) => {
            if applied {
                apply();
            }
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let wait = retry_after.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
            return match wait {
                Some(wait) => (status, wait).into_response(),
                None => status.into_response(),
            };
        }
        Some(Mishap::Later { after, .. }) => {
            let (shared, beneficiary) = (Arc::clone(&shared), beneficiary.clone());
            let key = (person.to_owned(), programme.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                lock(&shared.beneficiaries.kept)
                    .enrolments
                    .insert(key, beneficiary);
            });
            return answered(&asked, "pdng", None);
        }
    }
    if acknowledges {
        return Json(json!({ "message": {
            "ack_status": "ACK", "timestamp": "", "error": {}, "correlation_id": "9876543210",
        }}))
        .into_response();
    }
    answered(&asked, "succ", None)
}

async fn enrolled(State(shared): Served, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    // It has criteria of its own in place of a search's, and the action of one.
    match admit(&shared, &headers, &body, "search") {
        Err(refusal) if !matches!(refusal, answer::Refused::Message(_)) => {
            answer::refuse(&shared, number, "enrolled", refusal)
        }
        _ => say(&shared, &body),
    }
}

fn say(shared: &Shared, body: &[u8]) -> Response {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let query = &asked["message"]["enrolled_criteria"]["query"];
    let person = query["person_identifier"]["eq"]
        .as_str()
        .unwrap_or_default();
    let programme = "programme_identifier.program.programme_identifier";
    let programme = query[programme]["eq"].as_str().unwrap_or_default();
    let known = shared.beneficiaries.beneficiary(person, programme);
    Json(json!({
        "transaction_id": asked["message"]["transaction_id"],
        "correlation_id": "stand-in-enrolled",
        "enrolled_response": [{
            "reference_id": "stand-in",
            "timestamp": "2026-01-02T03:04:05Z",
            "status": "succ",
            "enrolled_status": if known.is_some() { "yes" } else { "no" },
        }],
    }))
    .into_response()
}

fn answered(asked: &Value, status: &str, reason: Option<&str>) -> Response {
    let mut item = json!({
        "reference_id": "stand-in",
        "timestamp": "2026-01-02T03:04:05Z",
        "status": status,
    });
    if let Some(reason) = reason {
        item["status_reason_code"] = json!(reason);
    }
    // As the specification has it: without an envelope.
    Json(json!({
        "transaction_id": asked["message"]["transaction_id"],
        "correlation_id": "stand-in-enrolment",
        "enrolled_response": [item],
    }))
    .into_response()
}

fn hang_up() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(HangUp);
    response
}
