//! The events API (1.9 and 2.x): the body of a search, and what it answers.

use adapter_sdk::Failure;
use adapter_sdk::http::Response;
use serde_json::{Value, json};

use crate::mapping::shape::{Object, bounded, put};

/// What a search found.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// `EventIndex` each.
    pub results: Vec<Object>,
    /// How many there are in all.
    pub total: Option<u64>,
}

/// The body of `POST /events/search`: any of the clauses.
pub fn search(clauses: Vec<Value>, limit: u32, offset: u32, sort: Vec<Value>) -> Value {
    let mut body = json!({
        "query": { "type": "or", "clauses": clauses },
        "limit": limit,
        "offset": offset,
    });
    if !sort.is_empty() {
        put(&mut body, "sort", Value::Array(sort));
    }
    body
}

/// What a search answered, of which so many were asked for.
///
/// # Errors
/// By status; `misconfigured` with the path where there is no such address; `unreadable` with code
/// `answer.results`, also where there are more than asked for.
pub fn found(response: Response, limit: u32) -> Result<Found, Failure> {
    let body: Value = read(response)?;
    let unreadable = || Failure::unreadable("answer.results");
    let results = body.get("results").and_then(Value::as_array);
    let results = results.ok_or_else(unreadable)?;
    if u32::try_from(results.len()).map_or(true, |it| it > limit) {
        return Err(unreadable());
    }
    let each = results.iter().map(|it| it.as_object().cloned());
    Ok(Found {
        results: each.collect::<Option<_>>().ok_or_else(unreadable)?,
        total: body.get("total").and_then(Value::as_u64),
    })
}

/// A body, where the path is the same whatever is asked: 404 says nothing of a person.
///
/// # Errors
/// As [`Response::ok`], but `misconfigured` for 404, 405 and 410.
pub fn read(response: Response) -> Result<Value, Failure> {
    if matches!(response.status, 404 | 405 | 410) {
        let code = format!("http.{}", response.status);
        return Err(Failure::misconfigured(code).field("settings.events_path"));
    }
    let body: Value = response.ok()?.json()?;
    bounded(&body)?;
    Ok(body)
}

/// An `EventDocument`.
///
/// # Errors
/// By status: 404 is `not-found`. `unreadable` where it is none.
pub fn document(response: Response) -> Result<Object, Failure> {
    let body: Value = response.ok()?.json()?;
    bounded(&body)?;
    match body {
        Value::Object(document) => Ok(document),
        _ => Err(Failure::unreadable("answer.document")),
    }
}
