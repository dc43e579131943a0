//! What is kept of callbacks that the adapter takes, and how much of it.

use std::num::NonZeroU64;
use std::time::Duration;

use gateway_tests::wait::until;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{admin, builder, callbacks, ids, read, start, tell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_brings_nothing_new_is_not_kept() {
    let (gateway, _) = start(builder()).await;
    let mut outside = gateway.outside().await;
    let gone = "DELETE FROM callbacks WHERE state = 'received' AND body IS NULL";
    let kept = "DELETE FROM callbacks WHERE state = 'received' AND body IS NOT NULL";
    assert_eq!(tell(&gateway, "challenge abc").await.status, 200);
    assert_eq!((outside.run(kept).await, outside.run(gone).await), (0, 1));
    for body in ["death d-1 1 2026-01-02", "answer r-1 data"] {
        assert_eq!(tell(&gateway, body).await.status, 202);
        assert_eq!((outside.run(gone).await, outside.run(kept).await), (0, 1));
    }
    // The same once more brings nothing.
    assert_eq!(tell(&gateway, "death d-1 1 2026-01-02").await.status, 202);
    assert_eq!((outside.run(kept).await, outside.run(gone).await), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_that_were_read_and_answers_count_too() {
    let (gateway, _) = start(builder().config(|config| {
        config.events.max_kept_bytes = NonZeroU64::new(20_000).unwrap();
    }))
    .await;
    let mut outside = gateway.outside().await;
    let mut last = tell(&gateway, "death d-0 1 2026-01-02").await;
    for number in 1..100 {
        if last.status != 202 {
            break;
        }
        last = tell(&gateway, &format!("death d-{number} 1 2026-01-02")).await;
    }
    assert_eq!((last.status, last.code()), (507, "callbacks-full"));
    let received = callbacks(&gateway, "state=received").await;
    let sizes = received.iter().map(|it| it["size"].as_u64().unwrap());
    let total: u64 = sizes.sum();
    assert!((15_000..=20_000).contains(&total), "{total}");
    // Once they are gone there is room; and an answer takes of it.
    outside.run("DELETE FROM callbacks").await;
    let large = format!("answer r-1 {}", "x".repeat(8_000));
    until("room", async || tell(&gateway, &large).await.status == 202).await;
    outside.run("DELETE FROM callbacks").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let full = tell(&gateway, &format!("answer r-2 {}", "x".repeat(8_000))).await;
    assert_eq!((full.status, full.code()), (507, "callbacks-full"));
    assert_eq!(outside.run("DELETE FROM pending_answers").await, 1);
    until("room again", async || {
        tell(&gateway, &large).await.status == 202
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_waits_for_its_registry_and_its_adapter() {
    let (gateway, key) = start(builder()).await;
    assert_eq!(tell(&gateway, "busy").await.code(), "callback-unavailable");
    tell(&gateway, "death d-1 4711 2026-01-02").await;
    let mut outside = gateway.outside().await;
    let switch = async |word: &str| {
        let ada = admin(&gateway).await;
        let path = format!("/admin/v1/registries/vital/{word}");
        gateway.post(&path, &json!({})).key(&ada).send().await.ok();
    };
    switch("disable").await;
    until("it is disabled", async || {
        tell(&gateway, "challenge a").await.status == 503
    })
    .await;
    for statement in ["DELETE FROM event_people", "DELETE FROM events"] {
        assert_eq!(outside.run(statement).await, 1, "{statement}");
    }
    // One more attempt that counts and they would be given up.
    let last = "UPDATE callbacks SET state = 'new', due_at = 0, put_off = 0, attempts = 4, brought = 0 WHERE body IS NOT NULL";
    assert_eq!(outside.run(last).await, 2);
    // Both at once, or neither: each of them waits for the other.
    let again = |turn: u32| {
        let waits = format!("due_at > 0 AND holder IS NULL AND put_off = {turn}");
        format!(
            "UPDATE callbacks SET due_at = 0 WHERE {waits} \
             AND (SELECT COUNT(*) FROM callbacks WHERE {waits}) = 2"
        )
    };
    for turn in 1..=3 {
        until("they are put off", async || {
            callbacks(&gateway, "state=new").await.len() == 2
                && outside.run(&again(turn)).await == 2
        })
        .await;
    }
    switch("enable").await;
    until("the one is read", async || {
        outside
            .run("UPDATE callbacks SET due_at = 0 WHERE holder IS NULL AND due_at > 0")
            .await;
        ids(&read(&gateway, &key, "").await) == ["d-1"]
    })
    .await;
    let waiting = callbacks(&gateway, "state=new").await;
    assert_eq!(waiting.len(), 1, "the other waits for its adapter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_callbacks_come_in_at_the_same_time() {
    let one = std::num::NonZeroU32::new(1).unwrap();
    let (gateway, _) = start(builder().config(move |config| {
        config.events.callbacks_at_once_per_registry = one;
    }))
    .await;
    // One whose body does not come has its place nevertheless.
    let mut slow = TcpStream::connect(gateway.serving.address).await.unwrap();
    let head =
        "POST /hooks/vital/x HTTP/1.1\r\nhost: x\r\nx-token: right\r\ncontent-length: 11\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut told = tell(&gateway, "challenge b").await;
    until("the place is taken", async || {
        told = tell(&gateway, "challenge b").await;
        told.status != 200
    })
    .await;
    assert_eq!((told.status, told.code()), (429, "callbacks-busy"));
    assert_eq!(told.header("retry-after"), "1");
    slow.write_all(b"challenge a").await.unwrap();
    until("the place is free", async || {
        tell(&gateway, "challenge b").await.status == 200
    })
    .await;
}

/// Of a body that does not arrive nothing is kept, whoever sends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_slow_or_not_whole_is_refused() {
    let (gateway, _) = start(builder().config(|config| {
        config.api.read_timeout_ms = 700;
    }))
    .await;
    for path in [
        "/hooks/vital/on-event",
        "/v1/registries/vital/operations",
        "/v1/links",
    ] {
        for (head, part, status, code) in [
            ("content-length: 30", "death", "408", "body-too-slow"),
            // Where the length of a chunk should be.
            (
                "transfer-encoding: chunked",
                "death\r\n",
                "400",
                "body-incomplete",
            ),
        ] {
            let mut stream = TcpStream::connect(gateway.serving.address).await.unwrap();
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nx-token: right\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\nregistry-purpose: suite\r\nidempotency-key: k\r\n\
                 connection: close\r\n{head}\r\n\r\n{part}",
                gateway.key
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            let answer = String::from_utf8(answer).unwrap();
            let told = answer.starts_with(&format!("HTTP/1.1 {status} "))
                && answer.contains(&format!("\"code\":\"{code}\""));
            assert!(told, "{path} {code}: {answer}");
        }
    }
    assert_eq!(callbacks(&gateway, "").await.len(), 0);
}
