//! Callbacks that were not read, in the store.

use std::time::Duration;

use super::events::{callback, end, reading, row};
use super::*;

on_both!(
    what_could_not_be_read_goes_by_its_age_or_by_hand,
    what_is_put_off_is_not_given_up,
);

async fn what_could_not_be_read_goes_by_its_age_or_by_hand(home: Home) {
    let store = home.open().await;
    let events = || store.events();
    let mut ids = Vec::new();
    for state in [
        CallbackState::Unreadable,
        CallbackState::Failed,
        CallbackState::New,
        CallbackState::Received,
    ] {
        let new = NewCallback {
            max_unprocessed: 10,
            ..callback()
        };
        let id = new.id;
        assert!(events().keep(new, row(id)).await.unwrap());
        let read = Reading {
            state,
            ..reading(Vec::new())
        };
        assert!(events().end(id, 1, read, end(id)).await.unwrap());
        ids.push(id);
    }
    let [unreadable, failed, tried, received] = ids[..] else {
        unreachable!()
    };
    // By hand only what is given up.
    assert!(!events().discard(received).await.unwrap());
    assert!(!events().discard(tried).await.unwrap());
    assert!(events().discard(unreadable).await.unwrap());
    assert!(!events().discard(unreadable).await.unwrap());
    assert_eq!(events().callback(unreadable).await.unwrap(), None);
    // By their age, which is another one than that of those which were read.
    let old = |callbacks, unread| OldEvents {
        callbacks,
        unread,
        events: Timestamp::UNIX_EPOCH,
        answers: Timestamp::UNIX_EPOCH,
    };
    let later = now() + Duration::from_secs(60);
    let there = async |id| events().callback(id).await.unwrap().is_some();
    events()
        .sweep(old(later, Timestamp::UNIX_EPOCH))
        .await
        .unwrap();
    assert!(!there(received).await && there(failed).await && there(tried).await);
    events()
        .sweep(old(Timestamp::UNIX_EPOCH, later))
        .await
        .unwrap();
    assert!(!there(failed).await && !there(tried).await);
    store.close().await;
}

async fn what_is_put_off_is_not_given_up(home: Home) {
    let store = home.open().await;
    let new = NewCallback {
        lease: Duration::ZERO,
        ..callback()
    };
    let id = new.id;
    assert!(store.events().keep(new, row(id)).await.unwrap());
    let mut outside = home.connect().await;
    let mut due = async || {
        run(
            &mut outside,
            "UPDATE callbacks SET due_at = 0 WHERE state = 'new'",
        )
        .await
        .unwrap();
    };
    let take = async || store.events().take(Duration::ZERO, 10).await.unwrap();
    // Its registry does not serve, or its adapter cannot work: as often as it likes.
    for turn in 0..10 {
        due().await;
        let taken = take().await;
        let [left] = &taken[..] else {
            panic!("{turn}: {taken:?}")
        };
        assert!(!store.events().put_off(id, left.fence - 1).await.unwrap());
        if turn % 2 == 0 {
            assert!(store.events().put_off(id, left.fence).await.unwrap());
        } else {
            let read = Reading {
                state: CallbackState::New,
                ..reading(Vec::new())
            };
            let row_id = Uuid::now_v7();
            store.audit().begin(row(row_id)).await.unwrap();
            let done = store.events().end(id, left.fence, read, end(row_id));
            assert!(done.await.unwrap());
        }
        assert_eq!(take().await, [], "it waits");
    }
    // What nobody ended is an attempt of its own. One there was when it came.
    for _ in 0..4 {
        due().await;
        assert_eq!(take().await.len(), 1);
    }
    due().await;
    assert_eq!(take().await, []);
    let given_up = store.events().callback(id).await.unwrap().unwrap();
    assert_eq!(
        (given_up.state, given_up.reason.as_deref()),
        (CallbackState::Failed, Some("given-up"))
    );
    store.close().await;
}
