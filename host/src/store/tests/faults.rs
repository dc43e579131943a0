use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::*;

/// Another process that took the lock and keeps it.
async fn foreign_lock(home: &Home) -> sqlite::Conn {
    let mut conn = sqlite::connect(&sqlite::options(&home.config))
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut conn)
        .await
        .unwrap();
    conn
}

#[tokio::test]
async fn a_foreign_lock_is_waited_for_then_reported_to_all_who_wait() {
    let home = Home::new();
    let store = home.open().await;
    store.ready().await.unwrap();
    let mut lock = foreign_lock(&home).await;

    let start = Instant::now();
    let calls = (0..600).map(|_| {
        let store = store.clone();
        async move { store.audit().begin(begin_row("r-1")).await }
    });
    let results = join_all(calls).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(StoreError::Busy)))
    );
    // One timeout for the first batch alone, one more at most: not one for each batch.
    assert!(
        start.elapsed() < Duration::from_millis(900),
        "{:?}",
        start.elapsed()
    );
    assert!(matches!(store.ready().await, Err(StoreError::Busy)));
    assert_eq!(store.revision().await.unwrap(), 0, "reading goes on");

    sqlx::query("ROLLBACK").execute(&mut lock).await.unwrap();
    store.ready().await.unwrap();
    store.audit().begin(begin_row("r-2")).await.unwrap();
    assert!(store.audit().by_request("r-1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_short_foreign_lock_is_only_waited_for() {
    let home = Home::new();
    let store = home.open().await;
    let mut lock = foreign_lock(&home).await;
    let (done, _) = tokio::join!(store.audit().begin(begin_row("r-1")), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sqlx::query("COMMIT").execute(&mut lock).await.unwrap();
    });
    done.unwrap();
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait_and_then_is_busy() {
    let mut home = Home::new();
    home.config.queue_rows = NonZeroU32::MIN;
    home.config.batch_rows = NonZeroU32::MIN;
    home.config.queue_wait_ms = 50;
    home.config.busy_timeout_ms = 2_000;
    let store = home.open().await;
    let mut lock = foreign_lock(&home).await;
    let under_way: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.audit().begin(begin_row("r-1")).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;

    let start = Instant::now();
    let error = store.audit().begin(begin_row("r-2")).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy));
    assert!(start.elapsed() < Duration::from_millis(1_000));

    sqlx::query("ROLLBACK").execute(&mut lock).await.unwrap();
    for done in join_all(under_way).await {
        done.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_is_reported_and_recovered_from() {
    let home = Home::new();
    let store = home.open().await;
    store.audit().begin(begin_row("r-0")).await.unwrap();
    // A limit in pages gives the same error as a full disk, and goes with the connection.
    store.fill_the_disk().await;

    let mut written = 1;
    let error = loop {
        let mut row = begin_row("r-0");
        row.asked = vec![[7; 32]; 1_000];
        match store.audit().begin(row).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the disk was not full");
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    store.ready().await.unwrap();
    store.audit().begin(begin_row("r-0")).await.unwrap();
    let rows = store.audit().by_request("r-0").await.unwrap();
    assert_eq!(
        rows.len(),
        written + 1,
        "what was acknowledged, and nothing else"
    );
}

#[tokio::test]
async fn closing_writes_what_waits_and_refuses_what_comes_later() {
    let home = Home::new();
    let store = home.open().await;
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.audit().begin(begin_row("r-1")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let error = store.audit().begin(begin_row("r-1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed));
    store.close().await;

    let mut acknowledged = 0;
    for done in join_all(calls).await {
        match done.unwrap() {
            Ok(()) => acknowledged += 1,
            Err(error) => assert!(matches!(error, StoreError::Closed), "{error:?}"),
        }
    }
    assert!(acknowledged > 0);
    let rows = home.open().await.audit().by_request("r-1").await.unwrap();
    assert_eq!(rows.len(), acknowledged);
}
