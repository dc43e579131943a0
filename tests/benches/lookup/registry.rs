//! The registry of the benchmark: it repeats one answer of the stand-in, with the numbers of the
//! question put in, so that it costs as little as a registry can.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use stand_in::{Options, StandIn};
use tokio::net::TcpListener;

/// Answers below this path come after [`DELAY`].
pub(crate) const SLOW: &str = "/slow";
/// What a slow registry takes.
pub(crate) const DELAY: Duration = Duration::from_secs(2);

/// The size of answer that is looked for.
const WANTED_BYTES: usize = 2_800;
/// Stand for the question's own numbers in a kept answer.
const TRANSACTION: &str = "%transaction%";
const REFERENCE: &str = "%reference%";

/// Somebody, and what the registry says of them.
pub(crate) struct Known {
    pub(crate) uin: String,
    pub(crate) answer: String,
}

/// Asks the stand-in for the member of a household whose answer is nearest to the wanted size.
pub(crate) async fn known() -> Known {
    let stand_in = StandIn::start(Options {
        people: 200,
        ..Options::default()
    })
    .await;
    let client = gateway_tests::gateway::client();
    let mut best: Option<Known> = None;
    for index in 0..100 {
        let uin = stand_in.population().person(index).uin;
        let question = serde_json::json!({
            "header": { "message_id": index.to_string(), "message_ts": "2026-01-01T00:00:00Z",
                "action": "search", "sender_id": "bench", "total_count": 1 },
            "message": { "transaction_id": TRANSACTION, "search_request": [{
                "reference_id": REFERENCE, "timestamp": "2026-01-01T00:00:00Z",
                "search_criteria": { "reg_type": "ns:org:RegistryType:Social",
                    "reg_record_type": "Member", "query_type": "idtype-value",
                    "query": { "type": "UIN", "value": uin } } }] } });
        let url = format!("{}/registry/sync/search", stand_in.url());
        let sent = client.post(url).json(&question).send().await;
        let answer = sent.expect("sent").text().await.expect("an answer");
        let off = |known: &Known| known.answer.len().abs_diff(WANTED_BYTES);
        let new = Known { uin, answer };
        if best.as_ref().is_none_or(|best| off(&new) < off(best)) {
            best = Some(new);
        }
    }
    best.expect("somebody")
}

/// Serves the answer in that file.
pub(crate) async fn serve(file: &str) {
    let answer = std::fs::read_to_string(Path::new(file)).expect("the answer");
    let answer: &'static str = answer.leak();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    println!(
        "listening on {}",
        listener.local_addr().expect("an address")
    );
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let serve = service_fn(move |request| reply(request, answer));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), serve);
            let _ = connection.await;
        });
    }
}

async fn reply(
    request: Request<Incoming>,
    answer: &'static str,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let slow = request.uri().path().starts_with(SLOW);
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    if slow {
        tokio::time::sleep(DELAY).await;
    }
    let text = fill(answer, &body);
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(text)));
    Ok(response.expect("a response"))
}

/// The answer with the numbers of the question.
pub(crate) fn fill(answer: &str, question: &[u8]) -> String {
    let question: Value = serde_json::from_slice(question).expect("JSON");
    let message = &question["message"];
    let transaction = message["transaction_id"].as_str().unwrap_or_default();
    let reference = message["search_request"][0]["reference_id"].as_str();
    answer
        .replace(TRANSACTION, transaction)
        .replace(REFERENCE, reference.unwrap_or_default())
}
