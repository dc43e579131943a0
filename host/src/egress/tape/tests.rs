use http::Method;
use serde_json::json;

use super::*;
use crate::egress::Sent;

fn request(path: &str, body: Value) -> Request {
    Request {
        method: Method::POST,
        path: path.into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Some(body.to_string().into()),
        timeout: None,
        only_reads: true,
        tells_elsewhere: false,
        trace: None,
    }
}

fn answer(text: &str) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        body: Bytes::from(text.to_owned()),
        spent: Spent::default(),
    }
}

fn take(tape: &Tape, request: Request, answer: Result<Response, SendError>) {
    let asked = tape.ask("r", request);
    tape.answer(asked, &answer);
}

const A: &str = "0b1f5bd0-65a5-4a38-8dcb-5cbb2aef1a53";
const B: &str = "6b06bb8f-6b39-44fb-9be2-7a1c1f0d5c10";

#[test]
fn the_same_question_is_answered_and_no_other() {
    let tape = Tape::default();
    let asked = json!({ "id": A, "at": "2026-03-01T14:03:00Z", "who": "1" });
    take(&tape, request("/a", asked), Ok(answer(&format!("to {A}"))));
    let ours = json!({ "id": B, "at": "2026-03-01T14:03:09Z", "who": "1" });
    let played = tape.play("r", &request("/a", ours.clone())).unwrap();
    assert_eq!(played.body, format!("to {B}"));
    // Asked once more it is the same.
    assert!(tape.play("r", &request("/a", ours.clone())).is_ok());
    assert_eq!(tape.otherwise(), 0);
    for (endpoint, path, key, value) in [
        ("other", "/a", "who", json!("1")),
        ("r", "/b", "who", json!("1")),
        ("r", "/a", "who", json!("2")),
        ("r", "/a", "who", json!(A)),
        ("r", "/a", "at", json!("2026-03-01T15:03:09Z")),
        ("r", "/a", "more", json!(1)),
    ] {
        let mut body = ours.clone();
        body[key] = value;
        let refused = tape.play(endpoint, &request(path, body.clone()));
        assert!(refused.is_err(), "{endpoint} {path} {body}");
    }
    assert_eq!(tape.otherwise(), 6);
}

#[test]
fn equal_questions_have_their_answers_in_order() {
    let tape = Tape::default();
    for text in ["one", "two"] {
        take(&tape, request("/a", json!({})), Ok(answer(text)));
    }
    let play = || tape.play("r", &request("/a", json!({}))).unwrap().body;
    assert_eq!([play(), play(), play()], ["one", "two", "two"]);
}

#[test]
fn another_header_is_another_question() {
    let with = |headers: &[(&str, &str)]| Request {
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..request("/a", json!({}))
    };
    let asked = [
        ("Accept", "text/xml"),
        ("Date", "Sun, 01 Mar 2026 14:03:00 GMT"),
        ("X-Request-Id", A),
        ("SOAPAction", "\"find\""),
    ];
    let tape = Tape::default();
    take(&tape, with(&asked), Ok(answer(&format!("to {A}"))));
    let ours = [
        ("soapaction", "\"find\""),
        ("x-request-id", B),
        ("accept", "text/xml"),
        ("date", "Sun, 01 Mar 2026 14:03:09 GMT"),
    ];
    let played = tape.play("r", &with(&ours)).unwrap();
    assert_eq!(played.body, format!("to {B}"));
    for (place, value) in [
        (0, "\"search\""),
        (1, "1"),
        (2, "application/xml"),
        (3, "Sun, 01 Mar 2026 15:03:09 GMT"),
    ] {
        let mut other = ours;
        other[place].1 = value;
        assert!(tape.play("r", &with(&other)).is_err(), "{value}");
    }
    let more = [&ours[..], &[("x-more", "1")]].concat();
    for other in [&ours[1..], &more[..], &[][..]] {
        assert!(tape.play("r", &with(other)).is_err(), "{other:?}");
    }
    assert_eq!(tape.otherwise(), 7);
}

#[test]
fn what_was_not_answered_is_played_as_it_was() {
    let tape = Tape::default();
    let error = SendError::not_sent(ProblemKind::Connect, "no connection");
    take(&tape, request("/a", json!({})), Err(error.clone()));
    tape.ask("r", request("/b", json!({})));
    let play = |path: &str| tape.play("r", &request(path, json!({}))).unwrap_err();
    assert_eq!(play("/a"), error);
    let cut = play("/b");
    assert_eq!(
        (cut.sent, cut.kind),
        (Sent::SentNoAnswer, ProblemKind::TimedOut)
    );
    assert_eq!(tape.otherwise(), 0);
}

/// A step that was made again is played as it ended.
#[test]
fn what_is_asked_again_is_forgotten() {
    let tape = Arc::new(Tape::default());
    let replay = Endpoints::replayed("r", Arc::new(|_: &str, _: &Request| unreachable!()));
    let endpoints = replay.taped(tape.clone());
    take(&tape, request("/a", json!({})), Ok(answer("first step")));
    let mark = endpoints.mark();
    let error = SendError::not_sent(ProblemKind::Connect, "no connection");
    take(&tape, request("/b", json!({})), Err(error));
    endpoints.rewind(mark);
    take(
        &tape,
        request("/b", json!({})),
        Ok(answer("second attempt")),
    );
    let play = |path: &str| tape.play("r", &request(path, json!({}))).unwrap().body;
    assert_eq!([play("/a"), play("/b")], ["first step", "second attempt"]);
}

/// Whoever looks at a call sees all of it, also where nothing is sent.
#[tokio::test]
async fn what_was_exchanged_is_told_and_played_with_another_body() {
    let tape = Arc::new(Tape::default());
    let replay = Endpoints::replayed("r", Arc::new(|_: &str, _: &Request| Ok(answer("one"))));
    let bounds = crate::egress::Bounds {
        max_response_bytes: 1_000,
        max_further_requests: 0,
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let taped = replay.taped(tape.clone());
    let sent = taped.send("r", request("/a", json!({})), bounds).await;
    assert_eq!(sent.unwrap().body, "one");
    let told = tape.exchanges();
    assert_eq!((told.len(), &*told[0].request.path), (1, "/a"));
    assert!(told[0].took.is_some());
    let body = |tape: &Tape| tape.play("r", &request("/a", json!({}))).unwrap().body;
    assert_eq!(body(&tape), "one");
    let other = tape.with_body(0, Bytes::from_static(b"two"));
    assert_eq!(
        (body(&other), body(&tape), body(&tape.copied())),
        ("two".into(), "one".into(), "one".into())
    );
    assert_eq!((other.plays(), tape.plays(), other.otherwise()), (1, 2, 0));
    // An answer that is not there has no body to change.
    assert_eq!(body(&tape.with_body(7, Bytes::new())), "one");
}
