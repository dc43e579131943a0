//! The registry of a recording: it answers what is recorded, each request once.

use bytes::Bytes;
use serde_json::Value;

use super::difference::{finding, lacks};
use crate::egress::{ProblemKind, Request, Response, SendError, Spent};
use crate::gateway::Finding;
use crate::package::{Exchange, Recording, Reply};

/// A part of the request in an answer.
const FROM_REQUEST: &str = "$request";

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
        // Of those that are left the one that fits, or else the one that fits best.
        let left = self.exchanges.iter().enumerate();
        let left = left.filter(|(index, _)| self.used.get(*index) == Some(&false));
        let judged = left.map(|(index, it)| (index, differs(it, endpoint, request)));
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
        match self.exchanges.get(index) {
            Some(exchange) => Ok(response(&exchange.answer, request)),
            None => unanswered("nothing more is recorded"),
        }
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

fn differs(exchange: &Exchange, endpoint: &str, request: &Request) -> Vec<Finding> {
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
        Some(expected) => wrong.extend(lacks("request.body", expected, &json_of(request))),
    }
    wrong
}

fn json_of(request: &Request) -> Value {
    let body = request.body.as_deref().unwrap_or_default();
    serde_json::from_slice(body).unwrap_or_default()
}

fn response(reply: &Reply, request: &Request) -> Response {
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
            Bytes::from(filled(json, &json_of(request)).to_string())
        }
    };
    Response {
        status: reply.status,
        headers,
        spent: Spent {
            body_bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
            ..Spent::default()
        },
        body,
    }
}

/// With the request's own parts where the answer repeats them: numbers that are new each time.
fn filled(answer: &Value, request: &Value) -> Value {
    match answer {
        Value::Object(fields) => {
            if let (Some(Value::String(at)), 1) = (fields.get(FROM_REQUEST), fields.len()) {
                return request.pointer(at).cloned().unwrap_or_default();
            }
            let fields = fields.iter();
            let fields = fields.map(|(key, value)| (key.clone(), filled(value, request)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.iter().map(|item| filled(item, request)).collect(),
        other => other.clone(),
    }
}
