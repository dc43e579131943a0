//! What is kept of callbacks that the adapter takes, and how much of it.

use std::num::NonZeroU64;
use std::time::Duration;

use gateway_tests::leaks::Log;
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
async fn what_was_read_makes_room_and_answers_do_not() {
    let (gateway, _) = start(builder().config(|config| {
        config.events.max_kept_bytes = NonZeroU64::new(20_000).unwrap();
    }))
    .await;
    let mut outside = gateway.outside().await;
    // Many more than there is room for: each is taken, and the oldest bodies go.
    for number in 0..80 {
        let told = tell(&gateway, &format!("death d-{number} 1 2026-01-02")).await;
        assert_eq!(told.status, 202, "{number}: {}", told.text);
    }
    let received = callbacks(&gateway, "state=received&limit=200").await;
    assert_eq!(received.len(), 80, "that they came is known");
    let sizes = received.iter().map(|it| it["size"].as_u64().unwrap());
    assert!(sizes.sum::<u64>() > 20_000);
    let oldest = "DELETE FROM callbacks WHERE body IS NULL AND number < \
                  (SELECT MIN(number) FROM callbacks WHERE body IS NOT NULL)";
    let gone = outside.run(oldest).await;
    assert!((1..80).contains(&gone), "{gone}");
    let kept = outside
        .run("DELETE FROM callbacks WHERE body IS NOT NULL")
        .await;
    assert_eq!(gone + kept, 80, "the oldest and no others");
    // An answer takes of the room, and does not go for another callback.
    let large = |number: u32| format!("answer r-{number} {}", "x".repeat(8_000));
    assert_eq!(tell(&gateway, &large(1)).await.status, 202);
    let mut full = tell(&gateway, &large(2)).await;
    until("answers alone are too much", async || {
        full = tell(&gateway, &large(3)).await;
        full.status != 202
    })
    .await;
    assert_eq!((full.status, full.code()), (507, "callbacks-full"));
    assert!(outside.run("DELETE FROM pending_answers").await >= 1);
    until("room again", async || {
        tell(&gateway, &large(1)).await.status == 202
    })
    .await;
}

/// More than goes in one transaction; and what goes unread is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_old_goes_and_unread_ones_are_counted_in_the_log() {
    let log = Log::listen();
    let (gateway, _) = start(builder()).await;
    let mut outside = gateway.outside().await;
    for (state, count) in [("refused", 2_300), ("failed", 2_417)] {
        let insert = format!(
            "INSERT INTO callbacks (id, registry, method, size, received_at, changed_at, state, attempts, \
             put_off, fence, brought) WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 \
             FROM numbers WHERE n < {count}) SELECT '{state}-' || n, 'vital', 'POST', 1, 0, 0, '{state}', \
             1, 0, 1, 0 FROM numbers"
        );
        assert_eq!(outside.run(&insert).await, count);
    }
    let swept = gateway.serving.gateway.sweep_events().await;
    assert_eq!(swept.unwrap(), 4_717);
    assert_eq!(outside.run("DELETE FROM callbacks").await, 0);
    let log = String::from_utf8(log.bytes()).unwrap();
    let mut warned = log
        .lines()
        .filter(|line| line.contains("unread_retention_ms"));
    assert!(warned.any(|line| line.contains("WARN") && line.contains("count=2417")));
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
    // What does not serve is not taken up, and loses nothing by it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let untouched = "UPDATE callbacks SET due_at = 0 WHERE state = 'new' AND attempts = 4 \
                     AND put_off = 0 AND due_at = 0";
    assert_eq!(outside.run(untouched).await, 2);
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
