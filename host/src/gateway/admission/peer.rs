//! The registry of a recording: it answers what is recorded, each request once.

use bytes::Bytes;
use serde_json::Value;

use super::difference::{finding, lacks};
use crate::egress::{ProblemKind, Request, Response, SendError, Spent};
use crate::gateway::Finding;
use crate::package::{Exchange, Recording, Reply};

/// A part of the request in an answer.
const FROM_REQUEST: &str = "$request";
/// Of an answer in memory: it may repeat the request as often as it likes.
const MAX_ANSWER: usize = 4 << 20;
/// What a value takes beside its text.
const VALUE_BYTES: usize = 32;

pub(super) struct Peer {
    exchanges: Vec<Exchange>,
    used: Vec<bool>,
    wrong: Vec<Finding>,
}

impl Peer {
    pub(super) fn new(recording: &Recording) -> Self {
        Self {
            used: vec![false; recording.exchanges.len()],
            exchanges: recording.exchanges.clone(),
            wrong: Vec::new(),
        }
    }

    pub(super) fn answer(
        &mut self,
        endpoint: &str,
        request: &Request,
    ) -> Result<Response, SendError> {
        // Once for all that it is compared with.
        let body = json_of(request);
        // Of those that are left the one that fits, or else the one that fits best.
        let left = self.exchanges.iter().enumerate();
        let left = left.filter(|(index, _)| self.used.get(*index) == Some(&false));
        let judged = left.map(|(index, it)| (index, differs(it, endpoint, request, &body)));
        let best = judged.min_by_key(|(_, wrong)| wrong.len());
        let unanswered = |message: &str| {
            let kind = ProblemKind::Other("not-recorded".into());
            Err(SendError::not_sent(kind, message))
        };
        let Some((index, wrong)) = best else {
            let problem = "the adapter asks the registry more than is recorded";
            self.wrong.push(finding("exchanges", problem));
            return unanswered("nothing more is recorded");
        };
        if let Some(used) = self.used.get_mut(index) {
            *used = true;
        }
        if !wrong.is_empty() {
            self.wrong.extend(wrong.into_iter().map(|it| Finding {
                place: format!("exchanges.{index}.{}", it.place),
                ..it
            }));
            return unanswered("another request is recorded");
        }
        let Some(exchange) = self.exchanges.get(index) else {
            return unanswered("nothing more is recorded");
        };
        if let Some(response) = response(&exchange.answer, &body) {
            return Ok(response);
        }
        let most = MAX_ANSWER >> 10;
        let problem =
            format!("takes more than {most} KiB with the request's parts: repeat less of it");
        let place = format!("exchanges.{index}.answer.body");
        self.wrong.push(finding(place, problem));
        unanswered("the recorded answer is too large")
    }

    /// What was asked otherwise, and what was not asked.
    pub(super) fn findings(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.wrong);
        if findings.is_empty() {
            let unused = self.used.iter().enumerate().filter(|(_, used)| !**used);
            findings.extend(unused.map(|(index, _)| {
                let problem = "the adapter does not ask this";
                finding(format!("exchanges.{index}"), problem)
            }));
        }
        findings
    }
}

fn differs(exchange: &Exchange, endpoint: &str, request: &Request, body: &Value) -> Vec<Finding> {
    let sent = &exchange.request;
    let mut wrong = Vec::new();
    let mut check = |place: &str, same: bool| {
        if !same {
            wrong.push(finding(place, "the adapter sends another"));
        }
    };
    check("endpoint", exchange.endpoint == endpoint);
    check("request.method", sent.method == request.method.as_str());
    check("request.path", sent.path == request.path);
    for (name, value) in &sent.query {
        let is_sent = |(n, v): &(String, String)| n == name && v == value;
        check(
            &format!("request.query.{name}"),
            request.query.iter().any(is_sent),
        );
    }
    match &sent.body {
        None => {}
        Some(Value::String(text)) => {
            let body = request.body.as_deref().unwrap_or_default();
            check("request.body", body == text.as_bytes());
        }
        Some(expected) => wrong.extend(lacks("request.body", expected, body)),
    }
    wrong
}

fn json_of(request: &Request) -> Value {
    let body = request.body.as_deref().unwrap_or_default();
    serde_json::from_slice(body).unwrap_or_default()
}

/// None: it would be too large.
fn response(reply: &Reply, request: &Value) -> Option<Response> {
    let mut headers: Vec<(String, String)> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    let body = match &reply.body {
        Value::Null => Bytes::new(),
        Value::String(text) => Bytes::from(text.clone()),
        json => {
            if !headers.iter().any(|(name, _)| name == "content-type") {
                headers.push(("content-type".into(), "application/json".into()));
            }
            let mut left = MAX_ANSWER;
            Bytes::from(filled(json, request, &mut left)?.to_string())
        }
    };
    Some(Response {
        status: reply.status,
        headers,
        spent: Spent {
            body_bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
            ..Spent::default()
        },
        body,
    })
}

/// With the request's own parts where the answer repeats them: numbers that are new each time.
fn filled(answer: &Value, request: &Value, left: &mut usize) -> Option<Value> {
    match answer {
        Value::Object(fields) => {
            if let (Some(Value::String(at)), 1) = (fields.get(FROM_REQUEST), fields.len()) {
                let part = request.pointer(at).unwrap_or(&Value::Null);
                take(part, left)?;
                return Some(part.clone());
            }
            take_bytes(VALUE_BYTES, left)?;
            let filled = fields.iter().map(|(key, value)| {
                take_bytes(key.len(), left)?;
                Some((key.clone(), filled(value, request, left)?))
            });
            filled.collect::<Option<_>>().map(Value::Object)
        }
        Value::Array(items) => {
            take_bytes(VALUE_BYTES, left)?;
            let items = items.iter().map(|item| filled(item, request, left));
            items.collect::<Option<_>>().map(Value::Array)
        }
        other => {
            take(other, left)?;
            Some(other.clone())
        }
    }
}

/// What a copy takes. Looks no further than what is left.
fn take(value: &Value, left: &mut usize) -> Option<()> {
    take_bytes(VALUE_BYTES, left)?;
    match value {
        Value::String(text) => take_bytes(text.len(), left),
        Value::Array(items) => items.iter().try_for_each(|item| take(item, left)),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            take_bytes(key.len(), left)?;
            take(value, left)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(()),
    }
}

fn take_bytes(bytes: usize, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(bytes)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(body: Value) -> Reply {
        serde_json::from_value(json!({ "status": 200, "body": body })).unwrap()
    }

    #[test]
    fn an_answer_repeats_the_request_as_far_as_it_may() {
        let request = json!({ "id": "x".repeat(100_000) });
        let part = json!({ "$request": "/id" });
        let few = reply(json!({ "ids": vec![part.clone(); 10], "none": { "$request": "/a" } }));
        let answered = response(&few, &request).unwrap();
        let body: Value = serde_json::from_slice(&answered.body).unwrap();
        assert_eq!(
            body,
            json!({ "ids": vec![&request["id"]; 10], "none": null })
        );
        let whole = json!({ "$request": "" });
        for many in [part, whole] {
            assert!(response(&reply(json!(vec![many; 1_000])), &request).is_none());
        }
    }
}
