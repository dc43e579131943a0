//! Callbacks that were not read, in the store.

use std::time::Duration;

use super::events::{callback, end, event, reading, row};
use super::*;

on_both!(
    the_oldest_that_were_read_make_room,
    those_of_other_registries_are_not_taken,
    what_could_not_be_read_goes_by_its_age_or_by_hand,
    what_is_put_off_is_not_given_up,
);

async fn what_could_not_be_read_goes_by_its_age_or_by_hand(home: Home) {
    let store = home.open().await;
    store.hold_as("node-1", Duration::ZERO).await.unwrap();
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
    let new = NewCallback {
        max_unprocessed: 10,
        ..callback()
    };
    let held = new.id;
    assert!(events().keep(new, row(held)).await.unwrap());
    // By hand what was not read, and is not being read at the moment.
    assert!(!events().discard(received).await.unwrap());
    assert!(!events().discard(held).await.unwrap());
    for waits in [unreadable, tried] {
        assert!(events().discard(waits).await.unwrap());
        assert!(!events().discard(waits).await.unwrap());
        assert_eq!(events().callback(waits).await.unwrap(), None);
    }
    // By their age, which is another one than that of those which were read.
    let later = now() + Duration::from_secs(5);
    let there = async |id| events().callback(id).await.unwrap().is_some();
    assert_eq!(events().sweep(Aged::Over, later).await.unwrap(), 1);
    assert!(!there(received).await && there(failed).await && there(held).await);
    assert_eq!(events().sweep(Aged::Unread, later).await.unwrap(), 1);
    assert!(!there(failed).await && there(held).await);
    // Whoever held it longer than the lease is gone, and does not come back for it.
    let long_after = now() + Duration::from_secs(60 * 60);
    assert_eq!(events().sweep(Aged::Unread, long_after).await.unwrap(), 1);
    assert!(!there(held).await);
    let left = NewCallback {
        lease: Duration::ZERO,
        ..callback()
    };
    let id = left.id;
    assert!(events().keep(left, row(id)).await.unwrap());
    assert!(events().discard(id).await.unwrap());
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
    let of = [("civil".to_owned(), 10)];
    let take = async || {
        let taken = store.events().take(&of, Duration::ZERO, 10);
        taken.await.unwrap()
    };
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

/// Kept, and left by whoever kept them.
async fn left(store: &Store, registry: &str, count: u32) {
    for _ in 0..count {
        let new = NewCallback {
            registry: registry.into(),
            lease: Duration::ZERO,
            max_unprocessed: 100,
            ..callback()
        };
        let id = new.id;
        assert!(store.events().keep(new, row(id)).await.unwrap());
    }
}

async fn those_of_other_registries_are_not_taken(home: Home) {
    let store = home.open().await;
    left(&store, "broken", 20).await;
    left(&store, "civil", 3).await;
    let take = async |of: &[(&str, u32)], limit| {
        let of: Vec<_> = of.iter().map(|(of, most)| ((*of).into(), *most)).collect();
        let taken = store.events().take(&of, Duration::from_secs(60), limit);
        let taken = taken.await.unwrap().into_iter();
        taken.map(|it| it.registry).collect::<Vec<String>>()
    };
    assert!(take(&[], 16).await.is_empty());
    // Those of `broken` came first, and have their places only; what does not serve is left alone.
    let both = take(&[("broken", 4), ("civil", 2)], 16).await;
    assert_eq!(
        both,
        ["broken", "broken", "broken", "broken", "civil", "civil"]
    );
    assert_eq!(take(&[("social", 4), ("civil", 4)], 16).await, ["civil"]);
    // Who is named first has the places where there are few.
    let few = take(&[("civil", 4), ("broken", 4)], 3).await;
    assert_eq!(few, ["broken", "broken", "broken"]);
    let mut outside = home.connect().await;
    let untouched = "DELETE FROM callbacks WHERE registry = 'broken' AND attempts = 1";
    assert_eq!(run(&mut outside, untouched).await.unwrap(), 13);
    store.close().await;
}

async fn the_oldest_that_were_read_make_room(home: Home) {
    let store = home.open().await;
    let events = || store.events();
    let mut ids = Vec::new();
    for (registry, state) in [
        ("civil", CallbackState::Failed),
        ("civil", CallbackState::Received),
        ("social", CallbackState::Received),
        ("civil", CallbackState::Received),
        ("civil", CallbackState::Received),
    ] {
        let new = NewCallback {
            registry: registry.into(),
            body: vec![1; 100],
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
    let kept = async || {
        let mut kept = Vec::new();
        for id in &ids {
            let callback = events().callback(*id).await.unwrap().unwrap();
            kept.push(callback.body.is_some());
        }
        kept
    };
    assert_eq!(events().drop_read("civil", 0).await.unwrap(), 0);
    assert_eq!(kept().await, [true; 5]);
    // As many as it takes, and no more.
    assert_eq!(events().drop_read("civil", 101).await.unwrap(), 200);
    assert_eq!(kept().await, [true, false, true, false, true]);
    // What was not read is not dropped, nor what is another registry's.
    assert_eq!(events().drop_read("civil", 1_000).await.unwrap(), 100);
    assert_eq!(events().drop_read("civil", 1_000).await.unwrap(), 0);
    assert_eq!(kept().await, [true, false, true, false, false]);
    // More than one transaction drops.
    let mut outside = home.connect().await;
    let many = format!(
        "INSERT INTO callbacks (id, registry, method, size, received_at, changed_at, state, attempts, \
         put_off, fence, brought, body) {NUMBERS} SELECT 'many-' || n, 'many', 'POST', 2, 0, 0, \
         'received', 1, 0, 1, 1, body FROM numbers, callbacks WHERE registry = 'social'"
    );
    assert_eq!(run(&mut outside, many).await.unwrap(), 2_500);
    assert_eq!(events().drop_read("many", 4_001).await.unwrap(), 4_002);
    store.close().await;
}

const NUMBERS: &str =
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)";

/// Over a network a crowd's people one by one would hold the only writer up for seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_crowd_are_stored_by_few_statements() {
    let Some(home) = Home::postgres() else {
        return;
    };
    let store = home.open().await;
    let mut outside = home.connect().await;
    for statement in [
        "CREATE TABLE statements (one BIGINT)",
        "CREATE FUNCTION count_one() RETURNS TRIGGER LANGUAGE plpgsql AS \
         'BEGIN INSERT INTO statements VALUES (1); RETURN NULL; END'",
        "CREATE TRIGGER counted AFTER INSERT ON event_people FOR EACH STATEMENT \
         EXECUTE FUNCTION count_one()",
    ] {
        run(&mut outside, statement).await.unwrap();
    }
    let new = callback();
    let id = new.id;
    assert!(store.events().keep(new, row(id)).await.unwrap());
    let crowd = NewEvent {
        people: (0..200).map(|number| [number; 32]).collect(),
        ..event(1)
    };
    let brought = reading(vec![crowd]);
    assert!(store.events().end(id, 1, brought, end(id)).await.unwrap());
    // 3 times 64, and 2 times 4.
    let counted = run(&mut outside, "DELETE FROM statements").await;
    assert_eq!(counted.unwrap(), 5);
    let stored = run(&mut outside, "DELETE FROM event_people").await;
    assert_eq!(stored.unwrap(), 200);
    store.close().await;
}
