use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::*;

/// Another process that took the lock and keeps it. Reading goes on.
async fn foreign_lock(home: &Home) -> Conn {
    let mut conn = home.connect().await;
    conn.begin().await.unwrap();
    if home.is_postgres() {
        let statement = "LOCK TABLE audit_begin, configuration IN EXCLUSIVE MODE";
        run(&mut conn, statement).await.unwrap();
    }
    conn
}

async fn a_foreign_lock_is_waited_for_then_reported_to_all_who_wait(mut home: Home) {
    home.config.busy_timeout_ms = 1_000;
    let store = home.open().await;
    store.ready().await.unwrap();
    // The reader is there before anybody is in a hurry.
    store.revision().await.unwrap();
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
        start.elapsed() < Duration::from_millis(3_000),
        "{:?}",
        start.elapsed()
    );
    assert!(matches!(store.ready().await, Err(StoreError::Busy)));
    assert_eq!(store.revision().await.unwrap(), 0, "reading goes on");

    run(&mut lock, "ROLLBACK").await.unwrap();
    store.ready().await.unwrap();
    store.audit().begin(begin_row("r-2")).await.unwrap();
    assert!(store.audit().by_request("r-1").await.unwrap().is_empty());
}

async fn a_short_foreign_lock_is_only_waited_for(home: Home) {
    let store = home.open().await;
    let mut lock = foreign_lock(&home).await;
    let (done, _) = tokio::join!(store.audit().begin(begin_row("r-1")), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        run(&mut lock, "COMMIT").await.unwrap();
    });
    done.unwrap();
}

async fn a_full_queue_makes_callers_wait_and_then_is_busy(mut home: Home) {
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

    run(&mut lock, "ROLLBACK").await.unwrap();
    for done in join_all(under_way).await {
        done.unwrap().unwrap();
    }
}

async fn closing_writes_what_waits_and_refuses_what_comes_later(home: Home) {
    let store = home.open().await;
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.audit().begin(begin_row("r-1")).await })
        })
        .collect();
    while store.audit().commits() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
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

on_both!(
    a_foreign_lock_is_waited_for_then_reported_to_all_who_wait,
    a_short_foreign_lock_is_only_waited_for,
    a_full_queue_makes_callers_wait_and_then_is_busy,
    closing_writes_what_waits_and_refuses_what_comes_later,
);
