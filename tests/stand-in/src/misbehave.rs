//! Faults carried out: what replaces an answer, what spoils it, and what spoils its bytes.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use flate2::{Compress, Compression, FlushCompress};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::answer::error;
use super::fault::Fault;
use super::people::Population;

/// Marks a response that must not be sent: the connection closes instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

/// The response of a fault that needs no answer to spoil.
pub(crate) async fn instead(fault: &Fault) -> Option<Response> {
    let retry = |seconds: &'static str| [(header::RETRY_AFTER, seconds)];
    Some(match fault {
        Fault::Unavailable => {
            let body = error("err.service.unavailable", "down for maintenance");
            (StatusCode::SERVICE_UNAVAILABLE, retry("7"), Json(body)).into_response()
        }
        Fault::RateLimited => {
            let body = error("err.request.too_many_requests", "slow down");
            (StatusCode::TOO_MANY_REQUESTS, retry("3"), Json(body)).into_response()
        }
        Fault::Unauthorized => unauthorized(),
        Fault::Html => {
            let page = "<!DOCTYPE html><html><title>Gateway Time-out</title><h1>504</h1></html>";
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Fault::Empty => StatusCode::OK.into_response(),
        Fault::Endless => {
            let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
            let start = stream::iter([Bytes::from_static(b"{\"header\":")]);
            stream(start.chain(stream::repeat(chunk)))
        }
        Fault::GzipBomb => gzip_bomb(),
        Fault::Redirect(to) => (
            StatusCode::TEMPORARY_REDIRECT,
            [(header::LOCATION, to.clone())],
        )
            .into_response(),
        Fault::HangUp => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(HangUp);
            response
        }
        Fault::Silent => std::future::pending().await,
        _ => return None,
    })
}

/// Spoils what an answer says.
pub(crate) fn twist(fault: &Fault, answer: &mut Value) {
    let Some(searches) = answer
        .pointer_mut("/message/search_response")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    for search in searches {
        match fault {
            Fault::OtherReference => search["reference_id"] = json!("nobody-asked-for-this"),
            Fault::Refuse(code) => {
                *search = json!({
                    "reference_id": search["reference_id"],
                    "timestamp": search["timestamp"],
                    "status": "rjct",
                    "status_reason_code": code,
                    // Registries do put names there.
                    "status_reason_message": format!(
                        "the stand-in was told to refuse {}",
                        Population::planted_words().first().unwrap_or(&"somebody")
                    ),
                });
            }
            Fault::WrongShape => {
                let records = search
                    .pointer_mut("/data/reg_records")
                    .and_then(Value::as_array_mut);
                for record in records.into_iter().flatten() {
                    record["identifier"] = json!("a string");
                    record["name"] = json!(["not", "an", "object"]);
                    record["birth_date"] = json!(19_850_520);
                    record["member_list"] = json!({ "0": true });
                }
                search["pagination"] = json!([]);
            }
            _ => {}
        }
    }
}

/// Sends an answer, with its bytes spoilt where the fault says so.
pub(crate) fn send(fault: &Fault, answer: Value) -> Response {
    let bytes = |answer: &Value| Bytes::from(answer.to_string());
    match fault {
        Fault::BrokenJson => {
            let whole = bytes(&answer);
            let mut broken = whole.slice(..whole.len() / 2).to_vec();
            broken.extend_from_slice(b"\xff}");
            (JSON, broken).into_response()
        }
        Fault::Truncated => {
            let whole = bytes(&answer);
            let half = whole.slice(..whole.len() / 2);
            let cut = async {
                // An error at once would take the head of the answer with it, unsent.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::other("cut"))
            };
            let end = stream::iter([Ok(half)]).chain(stream::once(cut));
            let length = [(header::CONTENT_LENGTH, whole.len().to_string())];
            (JSON, length, Body::from_stream(end)).into_response()
        }
        Fault::Drip => {
            let drops = stream::unfold(bytes(&answer), |mut rest| async move {
                if rest.is_empty() {
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
                Some((rest.split_to(1), rest))
            });
            stream(drops)
        }
        Fault::Huge => huge(answer),
        _ => Json(answer).into_response(),
    }
}

/// 401 as the specification has it.
pub(crate) fn unauthorized() -> Response {
    let body = error(
        "err.request.unauthorized",
        "the bearer token is missing or not good",
    );
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, Json(body)).into_response()
}

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
const HUGE: usize = 64 << 20;
const SLAB: usize = 1 << 20;
const SLABS: usize = 4 << 10;

fn stream(chunks: impl futures_util::Stream<Item = Bytes> + Send + 'static) -> Response {
    (JSON, Body::from_stream(chunks.map(Ok::<_, Infallible>))).into_response()
}

/// The answer's first record over and over, made while it is sent: as values in memory it would
/// cost the stand-in ten times its size.
fn huge(mut answer: Value) -> Response {
    const MARK: &str = "\"stand-in-records-go-here\"";
    let Some(records) = answer.pointer_mut("/message/search_response/0/data/reg_records") else {
        return Json(answer).into_response();
    };
    let record = records
        .get(0)
        .cloned()
        .unwrap_or_else(|| json!({}))
        .to_string();
    *records = json!(["stand-in-records-go-here"]);
    let text = answer.to_string();
    let (before, after) = text.split_once(MARK).unwrap_or((&text, ""));
    let times = HUGE / record.len() + 1;
    let head = stream::iter([Bytes::from(format!("{before}{record}"))]);
    let more = stream::iter(std::iter::repeat_n(
        Bytes::from(format!(",{record}")),
        times,
    ));
    stream(
        head.chain(more)
            .chain(stream::iter([Bytes::from(after.to_owned())])),
    )
}

/// One deflate stream out of one compressed slab repeated: a full flush ends at a byte and forgets
/// what came before, so that four gigabytes need not be compressed to be sent.
fn gzip_bomb() -> Response {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut slab = Vec::with_capacity(64 * 1024);
    let blanks = vec![b' '; SLAB];
    if deflate
        .compress_vec(&blanks, &mut slab, FlushCompress::Full)
        .is_err()
    {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    // Magic, deflate, no flags, no time, no hints. There is no trailer: nobody gets there.
    let head = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let slabs = stream::iter(std::iter::repeat_n(Bytes::from(slab), SLABS));
    let body = stream::iter([head]).chain(slabs).map(Ok::<_, Infallible>);
    let encoding = [(header::CONTENT_ENCODING, "gzip")];
    (JSON, encoding, Body::from_stream(body)).into_response()
}
