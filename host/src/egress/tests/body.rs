use super::peer::Reply;
use super::*;

/// 64 KiB of zeros as one block of deflate, flushed, so that blocks can follow each other.
const ZEROS_BLOCK: &[u8] = &[
    0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6a, 0x00, 0x00,
    0x00, 0xff, 0xff,
];
const GZIP_HEAD: &[u8] = &[0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03];
/// 64 KiB of zeros.
const ZEROS_GZ: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x01, 0x01, 0x00, 0x00,
    0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6a, 0xeb, 0x8e, 0x97, 0xd7, 0x00, 0x00, 0x01, 0x00,
];
/// `{"name":"Amina"}`
const JSON_GZ: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0x4b, 0xcc, 0x4d,
    0x55, 0xb2, 0x52, 0x72, 0xcc, 0xcd, 0xcc, 0x4b, 0x54, 0xaa, 0x05, 0x00, 0x69, 0x33, 0x22, 0xd8,
    0x10, 0x00, 0x00, 0x00,
];

fn gzip(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn answer(bytes: Vec<u8>, max: u64) -> Result<Response, SendError> {
    let peer = Peer::start(move |_| Reply::AnswerAndClose(bytes.clone())).await;
    let mut config = config(&peer.url(""));
    config.max_response_bytes = max;
    send(&endpoints(config), get("/a")).await
}

#[tokio::test]
async fn compression_is_undone_and_its_headers_are_gone() {
    let response = answer(gzip(JSON_GZ), 1024).await.expect("an answer");
    assert_eq!(response.body, "{\"name\":\"Amina\"}");
    assert_eq!(response.headers, []);
}

#[tokio::test]
async fn a_gzip_bomb_ends_at_the_cap() {
    // 640 MiB in less than 1 MiB.
    let bomb = [GZIP_HEAD, &ZEROS_BLOCK.repeat(10_000)].concat();
    assert!(bomb.len() < 1024 * 1024);
    let result = answer(gzip(&bomb), 256 * 1024).await;
    assert_error(result, Sent::SentNoAnswer, ProblemKind::TooLarge);
    let whole = answer(gzip(ZEROS_GZ), 64 * 1024).await.expect("at the cap");
    assert_eq!(whole.body.len(), 64 * 1024);
}

#[tokio::test]
async fn a_body_over_the_cap_ends() {
    let told = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world".to_vec();
    let untold = b"HTTP/1.1 200 OK\r\n\r\nhello world".to_vec();
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"
            .to_vec();
    for bytes in [told, untold, chunked] {
        assert_eq!(
            answer(bytes.clone(), 11).await.expect("at the cap").body,
            "hello world"
        );
        let told = bytes.windows(14).any(|window| window == b"Content-Length");
        let result = answer(bytes, 10).await;
        let read = result.as_ref().expect_err("too large").spent.body_bytes;
        assert_eq!(
            read,
            if told { 0 } else { 11 },
            "counted as far as it was read"
        );
        assert_error(result, Sent::SentNoAnswer, ProblemKind::TooLarge);
    }
}

#[tokio::test]
async fn the_call_s_own_limit_is_told_apart() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let endpoints = endpoints(config(&peer.url("")));
    let bounds = Bounds {
        max_response_bytes: 4,
        ..bounds()
    };
    let result = endpoints.send("search", get("/a"), bounds).await;
    assert_error(result, Sent::SentNoAnswer, ProblemKind::LimitReached);
}

#[tokio::test]
async fn broken_compression_is_unreadable() {
    let mut flipped = JSON_GZ.to_vec();
    flipped[12] ^= 0xff;
    let mut checksum = JSON_GZ.to_vec();
    let at = checksum.len() - 6;
    checksum[at] ^= 0xff;
    for body in [
        b"not gzip at all".to_vec(),
        flipped,
        checksum,
        JSON_GZ[..20].to_vec(),
    ] {
        let result = answer(gzip(&body), 1024).await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::Unreadable);
    }
    for encoding in ["br", "gzip, gzip", "zstd", "deflate"] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\nok"
        );
        let result = answer(head.into(), 1024).await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::Unreadable);
    }
}

#[tokio::test]
async fn a_cut_answer_is_interrupted() {
    let mut cut_gzip = gzip(JSON_GZ);
    cut_gzip.truncate(cut_gzip.len() - 10);
    for bytes in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhel".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec(),
        cut_gzip,
        b"HTTP/1.1 200 OK\r\nConte".to_vec(),
        Vec::new(),
    ] {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let begun = if text.ends_with("hello") { 5 } else { 0 };
        let error = answer(bytes, 1024).await.expect_err(&text);
        assert_eq!(
            (error.sent, error.kind),
            (Sent::SentNoAnswer, ProblemKind::Interrupted),
            "{text}"
        );
        assert!(error.spent.body_bytes >= begun, "{text}: {:?}", error.spent);
    }
}

#[tokio::test]
async fn what_is_not_http_is_unreadable() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\0\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    ] {
        let error = answer(bytes.to_vec(), 1024).await.expect_err("no answer");
        assert_eq!(
            (error.sent, error.kind),
            (Sent::SentNoAnswer, ProblemKind::Unreadable),
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n".to_vec();
    let peer = Peer::start(move |_| Reply::Answer(head.clone())).await;
    let endpoints = endpoints(config(&peer.url("")));
    let response = send(&endpoints, Request::new(Method::HEAD, "/a"))
        .await
        .expect("an answer");
    assert_eq!(response.body, "");
    assert_eq!(
        answer(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), 10)
            .await
            .expect("204")
            .status,
        204
    );
}

#[tokio::test]
async fn a_request_body_over_the_cap_is_not_sent() {
    let peer = Peer::answering(peer::OK).await;
    let mut config = config(&peer.url(""));
    config.max_request_bytes = 4;
    let endpoints = endpoints(config);
    for (body, passes) in [("1234", true), ("12345", false)] {
        let mut request = Request::new(Method::POST, "/a");
        request.body = Some(body.into());
        let result = send(&endpoints, request).await;
        if passes {
            result.expect("at the cap");
        } else {
            assert_error(result, Sent::NotSent, ProblemKind::RequestRefused);
        }
    }
    assert_eq!(peer.seen().len(), 1);
}
