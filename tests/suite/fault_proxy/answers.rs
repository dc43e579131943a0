//! Answers that are too much, or no HTTP.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use gateway_tests::fault_proxy::{Mode, Step};

use super::{Behind, Case, answers, begins};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const TOO_LARGE: &str = "http.sent-no-answer.too-large";
const NOT_HTTP: &str = "http.sent-no-answer.unreadable";
const INTERRUPTED: &str = "http.sent-no-answer.interrupted";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_ends_at_the_limit() {
    let much = |name, mode| -> Case { (name, mode, 502, "registry-unreadable", TOO_LARGE) };
    let head = |more: &str| format!("{OK}{more}\r\n\r\n");
    let spaces = vec![b' '; 1 << 10];
    let zeros = gzip(&vec![0; 1 << 20]);
    let cases = vec![
        much("endless headers", begins(OK, repeat("x-a: 1\r\n"))),
        much(
            "a header without end",
            begins(format!("{OK}x-a: "), repeat("a")),
        ),
        much("a header's name without end", begins(OK, repeat("a"))),
        much(
            "one huge header",
            answers(head(&format!("x-a: {}", "a".repeat(1 << 20)))),
        ),
        much(
            "300 headers",
            answers(head(&"x-a: 1\r\n".repeat(300).replace("\r\n\r\n", ""))),
        ),
        much(
            "a body without end or length",
            begins(head("connection: close"), Step::Repeat(spaces.clone())),
        ),
        much(
            "a body as long as it says",
            begins(
                head("content-length: 1073741824"),
                Step::Repeat(spaces.clone()),
            ),
        ),
        much(
            "chunks without end",
            begins(
                head("transfer-encoding: chunked"),
                repeat(&format!("400\r\n{}\r\n", "a".repeat(1 << 10))),
            ),
        ),
        much(
            "one chunk as long as it says",
            begins(
                format!("{}3fffffff\r\n", head("transfer-encoding: chunked")),
                Step::Repeat(spaces),
            ),
        ),
        much(
            "a gzip bomb of many members",
            begins(
                head("content-encoding: gzip\r\nconnection: close"),
                Step::Repeat(zeros),
            ),
        ),
    ];
    Behind::start().await.run(cases, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_http_is_unreadable() {
    let not = |name, mode| -> Case { (name, mode, 502, "registry-unreadable", NOT_HTTP) };
    let head = |more: &str| format!("{OK}{more}\r\n\r\n");
    let chunked = |body: &str| format!("{}{body}", head("transfer-encoding: chunked"));
    let cases = vec![
        not("HTTP/0.9", begins("{\"header\":{}}", Step::Close)),
        not("another protocol", answers("SSH-2.0-OpenSSH_9.2\r\n")),
        not("a mail server", answers("220 mail.example ESMTP\r\n")),
        not("zeros", begins(vec![0; 100], Step::Close)),
        not("a TLS alert", begins([21, 3, 3, 0, 2, 2, 40], Step::Close)),
        not("HTTP/2 untold", answers("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        not("HTTP/3.0", answers("HTTP/3.0 200 OK\r\n\r\n")),
        not("a status of words", answers("HTTP/1.1 OK OK\r\n\r\n")),
        not("a header with a NUL", answers(head("x-a: \0"))),
        not(
            "a header's name with a space",
            answers(head("x a: 1\r\ncontent-length: 0")),
        ),
        not(
            "a folded header",
            answers(head("x-a: 1\r\n folded: 2\r\ncontent-length: 0")),
        ),
        not(
            "another protocol from here",
            answers(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
            ),
        ),
        not(
            "two lengths",
            answers(format!(
                "{}{{}}",
                head("content-length: 2\r\ncontent-length: 3")
            )),
        ),
        not(
            "a length below nothing",
            answers(head("content-length: -1")),
        ),
        not("a length of words", answers(head("content-length: two"))),
        not(
            "a length beyond numbers",
            answers(head("content-length: 99999999999999999999999")),
        ),
        not("chunks of words", answers(chunked("words\r\n"))),
        not(
            "a chunk beyond numbers",
            answers(chunked("fffffffffffffffff\r\n")),
        ),
        not(
            "a chunk longer than told",
            answers(chunked("1\r\n{}\r\n0\r\n\r\n")),
        ),
        not(
            "a chunk's extension without end",
            begins(chunked("1;"), repeat("a")),
        ),
        not(
            "gzip in gzip, as told",
            answers(body("gzip, gzip", &gzip(&gzip(b"{}")))),
        ),
        not("no gzip", answers(body("gzip", b"{\"header\":{}}"))),
        not(
            "another compression",
            answers(body("br", b"\x0b\x00\x80{}\x03")),
        ),
    ];
    Behind::start().await.run(cases, 1).await;
}

/// HTTP, and not what the adapter needs: it says so itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_http_and_no_answer_is_told_by_the_adapter() {
    let told = |name, mode, code| -> Case { (name, mode, 502, "registry-unreadable", code) };
    let length = |length: usize| format!("{OK}content-length: {length}\r\n\r\n{{\"header\":{{}}}}");
    let cases = vec![
        told(
            "a length that is too short",
            answers(length(5)),
            "json.cut-short",
        ),
        (
            "a length that is too long, and the end",
            begins(length(500), Step::Close),
            503,
            "registry-unavailable",
            INTERRUPTED,
        ),
        (
            "a length that is too long, and silence",
            answers(length(500)),
            503,
            "registry-unavailable",
            "http.sent-no-answer.timed-out",
        ),
        told(
            "gzip in gzip, untold",
            answers(body("gzip", &gzip(&gzip(b"{}")))),
            "json.syntax",
        ),
        told(
            "no content",
            answers("HTTP/1.1 204 No Content\r\n\r\n"),
            "json.cut-short",
        ),
        told("of another question", Mode::AnswerBefore, "answer.mismatch"),
    ];
    Behind::start().await.run(cases, 1).await;
}

/// Nothing of these ever becomes an answer: the endpoint's time ends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_becomes_an_answer_ends_with_the_time() {
    let slow = |name, mode| -> Case {
        let code = "http.sent-no-answer.timed-out";
        (name, mode, 503, "registry-unavailable", code)
    };
    let drip = |text: &str| Step::Drip(text.into(), Duration::from_millis(20));
    let cases = vec![
        slow(
            "only 100 Continue",
            Mode::Instead(vec![drip("HTTP/1.1 100 Continue\r\n\r\n")]),
        ),
        slow(
            "only 103 Early Hints",
            Mode::Instead(vec![drip("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")]),
        ),
        slow("a header every moment", begins(OK, drip("x-a: 1\r\n"))),
        slow(
            "a chunk every moment",
            begins(
                format!("{OK}transfer-encoding: chunked\r\n\r\n"),
                drip("1\r\n \r\n"),
            ),
        ),
    ];
    Behind::start().await.run(cases, 1).await;
}

/// The adapter's stack holds the deepest JSON that is read; what is deeper is refused, and breaks nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_json_is_no_fault() {
    let behind = Behind::start().await;
    for depth in [100, 126, 127, 128, 10_000] {
        for (open, close) in [("[", "]"), ("{\"message\":", "}")] {
            let inner = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let body = format!("{{\"message\":{inner}}}");
            let length = body.len();
            let answer = format!("{OK}content-length: {length}\r\n\r\n{body}");
            behind.proxy.set(answers(answer)).await;
            let (status, code, _) = behind.find().await;
            assert_eq!(
                (status, &*code),
                (502, "registry-unreadable"),
                "{depth} {open}"
            );
        }
    }
    behind.recovers().await;
}

fn repeat(text: &str) -> Step {
    Step::Repeat(text.into())
}

fn body(encoding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("{OK}content-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
