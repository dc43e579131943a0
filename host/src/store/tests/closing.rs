//! Closing ends, whoever else has stopped in the middle.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::FutureExt;

use super::*;

on_both![who_does_not_go_on_does_not_keep_it_open];

/// Calls that wait for a place in the queue, on the very task that closes the store: they are given
/// one and cannot take it.
async fn who_does_not_go_on_does_not_keep_it_open(mut home: Home) {
    home.config.queue_rows = NonZeroU32::new(4).unwrap();
    home.config.queue_wait_ms = 60_000;
    let store = home.open().await;
    let mut calls: Vec<_> = (0..500)
        .map(|_| Box::pin(store.audit().begin(begin_row("request"))))
        .collect();
    let done: Vec<_> = calls.iter_mut().map(FutureExt::now_or_never).collect();
    assert!(done.iter().all(Option::is_none), "they wait");
    // The first are written, and their places given to the next, who do not take them.
    while store.audit().commits() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let closed = tokio::time::timeout(Duration::from_secs(30), store.close());
    closed.await.expect("it closes");
    // Who was in the queue is told of a row that is there, who was not of a store that is closed.
    let mut written = 0;
    for call in calls {
        match call.await {
            Ok(()) => written += 1,
            Err(error) => assert!(matches!(error, StoreError::Closed), "{error}"),
        }
    }
    assert!(written >= 4, "{written}");
    let store = home.open().await;
    assert_eq!(store.audit().recent(1_000).await.unwrap().len(), written);
    store.close().await;
}
