//! Callbacks and life events in the store.

use std::time::Duration;

use jiff::Timestamp;

use super::*;

on_both!(
    an_event_is_stored_once_with_its_callback,
    what_another_has_taken_over_is_not_stored,
    too_much_is_not_kept,
    a_cursor_is_one_nodes_at_a_time,
    what_is_old_goes_and_is_known_nevertheless,
    only_events_of_linked_people_are_read,
);

pub(super) fn callback() -> NewCallback {
    NewCallback {
        id: Uuid::now_v7(),
        at: now(),
        registry: "civil".into(),
        method: "POST".into(),
        body: b"sealed".to_vec(),
        lease: Duration::from_secs(60),
        max_unprocessed: 2,
        max_unprocessed_bytes: 1_000,
    }
}

pub(super) fn event(id: u8) -> NewEvent {
    NewEvent {
        id: [id; 32],
        kind: "death".into(),
        recorded_at: Some(now()),
        amends: None,
        caused_by: None,
        people: vec![[9; 32], [id; 32]],
        body: vec![id],
    }
}

pub(super) fn reading(events: Vec<NewEvent>) -> Reading {
    Reading {
        state: CallbackState::Received,
        at: now(),
        reason: None,
        code: None,
        module_digest: "sha256:m".into(),
        status: Some(202),
        events,
        answers: vec![([7; 32], b"data".to_vec())],
    }
}

pub(super) fn row(id: Uuid) -> AuditBegin {
    AuditBegin {
        id,
        ..begin_row("events")
    }
}

pub(super) fn end(id: Uuid) -> AuditEnd {
    AuditEnd {
        id,
        at: now(),
        outcome: "done".into(),
        code: None,
        disclosed: vec![[9; 32]],
        registry_calls: 0,
        duration_us: 1,
    }
}

async fn positions(store: &Store) -> Vec<(i64, Vec<u8>)> {
    let newest = store.events().newest().await.unwrap();
    let civil = [EventScope {
        registry: "civil".to_owned(),
        linked_by: None,
    }];
    let all = store.events().behind(&civil, 0, newest, 100);
    let all = all.await.unwrap().into_iter();
    all.map(|it| (it.position, it.body.unwrap())).collect()
}

async fn an_event_is_stored_once_with_its_callback(home: Home) {
    let store = home.open().await;
    let first = callback();
    let id = first.id;
    assert!(store.events().keep(first, row(id)).await.unwrap());
    let brought = reading(vec![event(1), event(2), event(1)]);
    assert!(store.events().end(id, 1, brought, end(id)).await.unwrap());
    // Nothing has a place before the sequencer gave it one.
    assert_eq!(positions(&store).await, []);
    assert_eq!(store.events().sequence().await.unwrap(), 2);
    assert_eq!(positions(&store).await, [(1, vec![1]), (2, vec![2])]);
    assert_eq!(store.events().sequence().await.unwrap(), 2);

    let second = callback();
    let again = second.id;
    assert!(store.events().keep(second, row(again)).await.unwrap());
    let brought = reading(vec![event(2), event(3)]);
    assert!(
        store
            .events()
            .end(again, 1, brought, end(again))
            .await
            .unwrap()
    );
    assert_eq!(store.events().sequence().await.unwrap(), 3);
    let known = store.events().callback(again).await.unwrap().unwrap();
    assert_eq!((known.state, known.brought), (CallbackState::Received, 1));
    assert_eq!(known.status, Some(202));
    let answer = store.events().answer("civil", &[7; 32]).await.unwrap();
    assert_eq!(answer.unwrap().data, b"data");
    let entry = store.audit().call(again).await.unwrap().unwrap();
    assert_eq!(entry.end.unwrap().disclosed, [[9; 32]]);
    store.close().await;
}

async fn what_another_has_taken_over_is_not_stored(home: Home) {
    let store = home.open().await;
    let mut new = callback();
    new.lease = Duration::ZERO;
    let id = new.id;
    assert!(store.events().keep(new, row(id)).await.unwrap());
    let of = [("civil".to_owned(), 10)];
    let take = async |lease| store.events().take(&of, lease, 10).await.unwrap();
    let taken = take(Duration::from_secs(60)).await;
    assert_eq!((taken.len(), taken[0].fence, taken[0].attempts), (1, 2, 2));
    assert_eq!(taken[0].body.as_deref(), Some(&b"sealed"[..]));
    assert!(take(Duration::ZERO).await.is_empty());
    // Who comes late neither stores nor ends anything.
    let late = reading(vec![event(1)]);
    assert!(!store.events().end(id, 1, late, end(id)).await.unwrap());
    assert_eq!(store.events().sequence().await.unwrap(), 0);
    assert_eq!(store.audit().call(id).await.unwrap().unwrap().end, None);
    let other = reading(vec![event(1)]);
    assert!(store.events().end(id, 2, other, end(id)).await.unwrap());
    assert!(!store.events().replay(id).await.unwrap(), "it was read");
    store.close().await;
}

async fn too_much_is_not_kept(home: Home) {
    let store = home.open().await;
    for _ in 0..2 {
        let new = callback();
        let id = new.id;
        assert!(store.events().keep(new, row(id)).await.unwrap());
    }
    let third = callback();
    let id = third.id;
    assert!(!store.events().keep(third, row(id)).await.unwrap());
    assert!(store.audit().call(id).await.unwrap().is_none(), "its row");
    let mut other = callback();
    other.registry = "social".into();
    other.body = vec![0; 1_001];
    let id = other.id;
    assert!(!store.events().keep(other, row(id)).await.unwrap());
    let unread = store
        .events()
        .callbacks(Some("civil"), Some(CallbackState::New), None, 10);
    assert_eq!(unread.await.unwrap().len(), 2);
    store.close().await;
}

async fn a_cursor_is_one_nodes_at_a_time(home: Home) {
    let store = home.open().await;
    let lease = Duration::from_secs(60);
    let taken = store
        .events()
        .take_cursor("civil", lease)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((taken.data.clone(), taken.fence), (None, 1));
    assert_eq!(
        store.events().take_cursor("civil", lease).await.unwrap(),
        None
    );
    let page = |events, again_in| Polled {
        at: now(),
        again_in,
        reason: None,
        data: Some((3, b"there".to_vec())),
        events,
        module_digest: "sha256:m".into(),
    };
    let done = store
        .events()
        .polled(&taken, page(vec![event(1), event(1)], Duration::ZERO), None);
    assert!(done.await.unwrap(), "twice on one page is once");
    let next = store
        .events()
        .take_cursor("civil", lease)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (next.data.clone(), next.fence),
        (Some((3, b"there".to_vec())), 2)
    );
    let late = store
        .events()
        .polled(&taken, page(vec![event(2)], lease), None);
    assert!(!late.await.unwrap());
    assert_eq!(store.events().sequence().await.unwrap(), 1);
    store.close().await;
}

async fn what_is_old_goes_and_is_known_nevertheless(home: Home) {
    let store = home.open().await;
    let new = callback();
    let id = new.id;
    store.events().keep(new, row(id)).await.unwrap();
    let brought = reading(vec![event(1)]);
    store.events().end(id, 1, brought, end(id)).await.unwrap();
    store.events().sequence().await.unwrap();
    let sweep = async |before| {
        for aged in Aged::ALL {
            store.events().sweep(aged, before).await.unwrap();
        }
    };
    sweep(Timestamp::UNIX_EPOCH).await;
    assert_eq!(positions(&store).await.len(), 1);
    let later = now() + Duration::from_secs(60);
    sweep(later).await;
    assert_eq!(positions(&store).await, []);
    assert_eq!(
        store.events().answer("civil", &[7; 32]).await.unwrap(),
        None
    );
    assert_eq!(store.events().callback(id).await.unwrap(), None);
    assert!(
        store.events().recent(None, None, 10).await.unwrap()[0]
            .body
            .is_none()
    );
    let again = callback();
    let id = again.id;
    store.events().keep(again, row(id)).await.unwrap();
    let brought = reading(vec![event(1)]);
    store.events().end(id, 1, brought, end(id)).await.unwrap();
    let known = store.events().callback(id).await.unwrap().unwrap();
    assert_eq!(known.brought, 0, "it comes a second time");
    store.close().await;
}

/// A database gives numbers when rows are inserted, and shows rows when they are committed: a reader
/// that went on from the highest number would never see what was committed later with a lower one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_skips_nothing_that_is_committed_late() {
    let Some(home) = Home::postgres() else {
        return;
    };
    let store = home.open().await;
    let mut slow = home.connect().await;
    let insert = |id: u8| {
        format!(
            "INSERT INTO events (registry, id, kind, stored_at, module_digest, body) \
             VALUES ('civil', '\\x{id:02x}'::bytea || '\\x{}'::bytea, 'death', 1, 'm', '\\x{id:02x}')",
            "00".repeat(31)
        )
    };
    slow.begin().await.unwrap();
    run(&mut slow, insert(1)).await.unwrap();
    let mut quick = home.connect().await;
    run(&mut quick, insert(2)).await.unwrap();

    // The first one has the lower number, and is not there.
    assert_eq!(store.events().sequence().await.unwrap(), 1);
    assert_eq!(positions(&store).await, [(1, vec![2])]);
    run(&mut slow, "COMMIT").await.unwrap();
    assert_eq!(positions(&store).await, [(1, vec![2])], "no place yet");
    assert_eq!(store.events().sequence().await.unwrap(), 2);
    assert_eq!(positions(&store).await, [(1, vec![2]), (2, vec![1])]);

    // One sequencer at a time, of all nodes: while one has not committed, another waits, and what it
    // gives is higher.
    slow.begin().await.unwrap();
    run(&mut slow, insert(3)).await.unwrap();
    assert_eq!(crate::store::events::sequence(&mut slow).await.unwrap(), 3);
    run(&mut quick, insert(4)).await.unwrap();
    let other = tokio::spawn({
        let store = store.clone();
        async move { store.events().sequence().await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!other.is_finished());
    assert_eq!(store.events().newest().await.unwrap(), 2);
    run(&mut slow, "COMMIT").await.unwrap();
    assert_eq!(other.await.unwrap().unwrap(), 4);
    let last: Vec<_> = positions(&store).await.split_off(2);
    assert_eq!(last, [(3, vec![3]), (4, vec![4])]);
    store.close().await;
}

async fn only_events_of_linked_people_are_read(home: Home) {
    let store = home.open().await;
    let first = callback();
    let id = first.id;
    assert!(store.events().keep(first, row(id)).await.unwrap());
    let brought = reading((1..=8).map(event).collect());
    assert!(store.events().end(id, 1, brought, end(id)).await.unwrap());
    assert_eq!(store.events().sequence().await.unwrap(), 8);
    let link = |caller: &str, registry: &str, identifier: u8| Link {
        id: Uuid::now_v7(),
        caller: caller.into(),
        registry: registry.into(),
        subject: [identifier; 32],
        identifier: [identifier; 32],
        scheme: "national-id".into(),
        record: Uuid::now_v7(),
        evidence: "{}".into(),
        ability: "verify".into(),
        module_digest: "sha256:m".into(),
        request_id: "request".into(),
        operation: None,
        by_user: None,
        linked_at: now(),
        unlinked: None,
        sealed: b"sealed".to_vec(),
    };
    let mut ended = None;
    for link in [
        link("imis", "civil", 2),
        link("imis", "civil", 5),
        link("imis", "civil", 7),
        // Of the same number elsewhere, and of another caller.
        link("imis", "social", 3),
        link("other", "civil", 4),
    ] {
        ended = ended.or((link.identifier == [7; 32]).then_some(link.id));
        let links = NewLinks {
            links: vec![link],
            one_record: true,
        };
        assert!(matches!(
            store.links().add(links).await,
            Ok(Linked::Done(_))
        ));
    }
    let read = async |caller: &str, after, until, limit| -> Vec<i64> {
        let scope = [EventScope {
            registry: "civil".into(),
            linked_by: Some(caller.into()),
        }];
        let events = store.events().behind(&scope, after, until, limit).await;
        events.unwrap().iter().map(|it| it.position).collect()
    };
    assert_eq!(read("imis", 0, 8, 100).await, [2, 5, 7]);
    assert_eq!(read("imis", 2, 8, 1).await, [5]);
    assert_eq!(read("imis", 0, 4, 100).await, [2]);
    assert_eq!(read("other", 0, 8, 100).await, [4]);
    assert_eq!(read("nobody", 0, 8, 100).await, [0; 0]);
    let ended = ended.unwrap();
    assert!(
        store
            .links()
            .end(ended, "wrong-person", "imis")
            .await
            .unwrap()
    );
    assert_eq!(read("imis", 0, 8, 100).await, [2, 5]);
}
