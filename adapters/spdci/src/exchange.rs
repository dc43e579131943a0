//! One question and its answer: the envelope around a query, and what came back.

pub(crate) mod later;

use serde::Serialize;

use adapter_sdk::{Failure, call, dates, http, ids};

use crate::ENDPOINT;
use crate::reasons::Asked;
use crate::settings::Settings;
use crate::wire::answer::{self, Found, Sent};
use crate::wire::request::{
    Agreement, Criteria, Envelope, Header, Message, Pagination, Purpose, Query, SearchRequest, Sort,
};

/// What is asked, apart from what every question carries.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) query: Query,
    pub(crate) record_type: String,
    pub(crate) response_entity: Option<&'static str>,
    pub(crate) sort: Vec<Sort>,
    pub(crate) pagination: Pagination,
    pub(crate) asked: Asked,
}

impl Question {
    /// For one record: two are asked for, to see that it is the only one.
    pub(crate) fn one(query: Query, record_type: String) -> Self {
        let pagination = Pagination {
            page_size: 2,
            page_number: 1,
        };
        Self {
            query,
            record_type,
            response_entity: None,
            sort: Vec::new(),
            pagination,
            asked: Asked::Identifiers,
        }
    }
}

/// Asks, and waits for the answer.
pub(crate) fn ask(question: Question, settings: &Settings) -> Result<Found, Failure> {
    let (request, sent) = synchronous(question, settings)?;
    answer::read_response(request.send()?, &sent)
}

/// Asks all at the same time. Answers in the order of the questions.
pub(crate) fn ask_all(
    questions: Vec<Question>,
    settings: &Settings,
) -> Result<Vec<Result<Found, Failure>>, Failure> {
    let requests = questions
        .into_iter()
        .map(|question| synchronous(question, settings));
    let (requests, sent): (Vec<_>, Vec<_>) =
        requests.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let answers = http::send_all(requests).into_iter().zip(sent);
    Ok(answers
        .map(|(answer, sent)| answer::read_response(answer?, &sent))
        .collect())
}

/// A request with the common header.
pub(crate) fn post<M: Serialize>(
    path: &str,
    action: &'static str,
    message: M,
    settings: &Settings,
) -> Result<http::Builder, Failure> {
    let header = header(action, settings);
    http::endpoint(ENDPOINT)
        .post(path)
        .json(&Envelope { header, message })
}

/// Who sends, and what.
pub(crate) fn header(action: &'static str, settings: &Settings) -> Header {
    Header {
        version: settings.version.clone(),
        message_id: ids::uuid(),
        message_ts: dates::now(),
        action,
        status: None,
        sender_id: settings.sender_id.clone(),
        sender_uri: settings.sender_uri.clone(),
        receiver_id: settings.receiver_id.clone(),
        total_count: 1,
        is_msg_encrypted: false,
    }
}

fn synchronous(question: Question, settings: &Settings) -> Result<(http::Builder, Sent), Failure> {
    let sent = Sent {
        transaction_id: ids::uuid(),
        reference_id: ids::uuid(),
        asked: question.asked,
    };
    let request = request(question, &settings.path, &sent, settings)?;
    Ok((request, sent))
}

fn request(
    question: Question,
    path: &str,
    sent: &Sent,
    settings: &Settings,
) -> Result<http::Builder, Failure> {
    let now = dates::now();
    let message = Message {
        transaction_id: sent.transaction_id.clone(),
        search_request: [SearchRequest {
            reference_id: sent.reference_id.clone(),
            timestamp: now.clone(),
            search_criteria: Criteria {
                version: settings.version.clone(),
                reg_type: settings.reg_type(),
                reg_event_type: settings.reg_event_type.clone(),
                reg_record_type: question.record_type,
                response_entity: question.response_entity,
                query: question.query,
                sort: question.sort,
                pagination: question.pagination,
                consent: consent(),
                authorize: authorize(&now, settings),
            },
            locale: settings.locale.clone(),
        }],
    };
    post(path, "search", message, settings)
}

/// The person's agreement, where the call carries one. When it was given is not ours to say: the
/// specification does not require `ts`.
fn consent() -> Option<Agreement> {
    let consent = call::consent()?;
    Some(Agreement {
        kind: "Consent",
        ts: filled(consent.given_at),
        purpose: Purpose {
            text: filled(call::purpose()),
            code: filled(Some(consent.reference)),
        },
    })
}

/// Why we ask, and on what legal basis.
fn authorize(now: &str, settings: &Settings) -> Option<Agreement> {
    let purpose = Purpose {
        text: filled(call::purpose()),
        code: filled(call::legal_basis()),
    };
    let said = purpose.text.is_some() || purpose.code.is_some();
    (said && settings.send_authorize).then(|| Agreement {
        kind: "Authorize",
        ts: Some(now.to_owned()),
        purpose,
    })
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
