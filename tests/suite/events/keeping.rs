//! What is kept of callbacks that the adapter takes, and how much of it.

use std::num::NonZeroU64;
use std::time::Duration;

use gateway_tests::wait::until;

use super::{builder, callbacks, start, tell};

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
    until("room again", async || tell(&gateway, &large).await.status == 202).await;
}
