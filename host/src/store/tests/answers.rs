//! Answers of callbacks meet the operations that wait for them, whichever comes first.

use std::time::Duration;

use jiff::SignedDuration;

use super::*;

const LEASE: Duration = Duration::from_secs(60);
const REFERENCE: [u8; 32] = [7; 32];

/// An operation of which an attempt is under way.
async fn under_way(store: &Store, number: u8) -> Operation {
    let new = NewOperation {
        id: Uuid::now_v7(),
        at: now(),
        caller: "openimis".into(),
        registry: "civil".into(),
        ability: "update".into(),
        idempotency_key: format!("k-{number}"),
        request_hash: [1; 32],
        subject: [number; 32],
        bulk: false,
        give_up_at: now() + SignedDuration::from_hours(24),
        module_digest: "sha256:00".into(),
        request: b"sealed".to_vec(),
    };
    let mut begin = begin_row("accept");
    begin.id = new.id;
    let id = new.id;
    let accepted = store.operations().accept(new, begin, end_row(id)).await;
    assert_eq!(accepted.unwrap(), Accepted::New);
    let taken = take(store).await.expect("it is due");
    assert_eq!(taken.id, id);
    begin_attempt(store, &taken).await;
    taken
}

async fn take(store: &Store) -> Option<Operation> {
    let civil = vec!["civil".to_owned()];
    let taken = store.operations().take(civil, LEASE, 1, 1).await;
    taken.unwrap().pop()
}

async fn begin_attempt(store: &Store, operation: &Operation) {
    let row = begin_row("attempt");
    let begun = store.operations().begin(operation, LEASE, row).await;
    assert!(begun.unwrap());
}

fn pending(reference: Option<[u8; 32]>, answered: Option<Answered>) -> Moved {
    Moved {
        state: OperationState::Pending,
        at: now(),
        due_at: Some(now() + SignedDuration::from_hours(1)),
        reason: None,
        code: None,
        field: None,
        receipt: None,
        adapter_state: Some((1, b"state".to_vec())),
        reference: reference.map_or(Awaited::AsBefore, |reference| Awaited::Now(Some(reference))),
        answered,
        links: None,
    }
}

async fn end(store: &Store, operation: &Operation, moved: Moved) {
    let ended = store.operations().end(operation, moved, None).await;
    assert!(ended.unwrap());
}

/// A store of a node that has joined: what it takes up is held by it.
async fn held(home: &Home) -> Store {
    let store = home.open().await;
    store.hold_as("node-1", LEASE).await.unwrap();
    store
}

fn unclear(state: OperationState, answered: Option<Answered>) -> Moved {
    let due_at = now() + SignedDuration::from_hours(1);
    Moved {
        state,
        due_at: (state == OperationState::Delivering).then_some(due_at),
        reason: Some("unclear".into()),
        ..pending(None, answered)
    }
}

/// A callback comes and is read.
async fn call_back(store: &Store, data: &[u8]) {
    let id = Uuid::now_v7();
    let new = NewCallback {
        id,
        at: now(),
        registry: "civil".into(),
        method: "POST".into(),
        body: b"sealed".to_vec(),
        lease: LEASE,
        max_unprocessed: 1_000,
        max_unprocessed_bytes: 1 << 20,
    };
    let mut row = begin_row("callback");
    row.id = id;
    assert!(store.events().keep(new, row).await.unwrap());
    let reading = Reading {
        state: CallbackState::Received,
        at: now(),
        reason: None,
        code: None,
        module_digest: "sha256:00".into(),
        status: Some(204),
        events: Vec::new(),
        answers: vec![(REFERENCE, data.to_vec())],
    };
    let ended = store.events().end(id, 1, reading, end_row(id)).await;
    assert!(ended.unwrap());
}

async fn answer(store: &Store) -> Option<StoredAnswer> {
    let stored = store.events().answer("civil", &REFERENCE).await;
    stored.unwrap()
}

async fn an_answer_makes_what_waits_due(home: Home) {
    let store = held(&home).await;
    let waiting = under_way(&store, 1).await;
    end(&store, &waiting, pending(Some(REFERENCE), None)).await;
    assert_eq!(take(&store).await, None, "not for an hour");
    call_back(&store, b"first").await;
    let taken = take(&store).await.expect("it is due");
    assert_eq!(taken.reference, Some(REFERENCE));

    // It did not help, and is given once more, but not at once.
    begin_attempt(&store, &taken).await;
    let at = answer(&store).await.unwrap().at;
    let kept = Answered { at, used: false };
    end(&store, &taken, pending(None, Some(kept))).await;
    assert_eq!(take(&store).await, None, "it waits as it was told to");
    assert_eq!(answer(&store).await.unwrap().data, b"first");
    // Another one counts at once.
    call_back(&store, b"second").await;
    let taken = take(&store).await.expect("it is due");
    begin_attempt(&store, &taken).await;
    let at = answer(&store).await.unwrap().at;
    let used = Answered { at, used: true };
    end(&store, &taken, pending(None, Some(used))).await;
    assert_eq!((answer(&store).await, take(&store).await), (None, None));
    store.close().await;
}

async fn an_answer_may_come_before_it_is_known_that_somebody_waits(home: Home) {
    let store = held(&home).await;
    let waiting = under_way(&store, 1).await;
    call_back(&store, b"early").await;
    end(&store, &waiting, pending(Some(REFERENCE), None)).await;
    let taken = take(&store).await.expect("it is due");
    begin_attempt(&store, &taken).await;
    // One that comes while it is asked for is not lost, though the attempt was not given it.
    call_back(&store, b"meanwhile").await;
    let old = now() - SignedDuration::from_secs(60);
    let used = Answered {
        at: old,
        used: true,
    };
    end(&store, &taken, pending(Some(REFERENCE), Some(used))).await;
    assert_eq!(answer(&store).await.unwrap().data, b"meanwhile");
    let taken = take(&store).await.expect("it is due");
    begin_attempt(&store, &taken).await;
    let applied = Moved {
        state: OperationState::Applied,
        due_at: None,
        adapter_state: None,
        ..pending(None, None)
    };
    end(&store, &taken, applied).await;
    assert_eq!(answer(&store).await, None, "nobody waits for it any more");
    store.close().await;
}

/// It went on from its state, and nobody knows what came of that: what a callback brings tells.
async fn an_answer_counts_after_an_unclear_attempt(home: Home) {
    let store = held(&home).await;
    for state in [OperationState::Delivering, OperationState::OutcomeUnknown] {
        let begun = under_way(&store, u8::from(state == OperationState::Delivering)).await;
        let mut waiting = pending(Some(REFERENCE), None);
        waiting.due_at = Some(now());
        end(&store, &begun, waiting).await;
        let begun = take(&store).await.expect("it is due");
        begin_attempt(&store, &begun).await;
        let mut left = unclear(state, None);
        if state == OperationState::OutcomeUnknown {
            // Nothing new is known: what is there stays.
            left.adapter_state = None;
        }
        end(&store, &begun, left).await;
        assert_eq!(take(&store).await, None, "there is no answer yet");
        call_back(&store, b"told").await;
        let taken = take(&store).await.expect("it is due");
        // The registry is asked, with the answer; nothing is sent.
        assert_eq!(taken.state, OperationState::Delivering, "after {state:?}");
        assert_eq!(taken.adapter_state, Some((1, b"state".to_vec())));
        assert_eq!(taken.reference, Some(REFERENCE));
        assert!(taken.fence > begun.fence, "who held it is too late");
        let steps = store.operations().history(taken.id).await.unwrap();
        let last = steps.last().unwrap();
        assert_eq!(last.state, OperationState::Delivering);
        let why = match state {
            OperationState::OutcomeUnknown => "answered",
            _ => "unclear",
        };
        assert_eq!(last.reason.as_deref(), Some(why));
        let applied = Moved {
            state: OperationState::Applied,
            due_at: None,
            adapter_state: None,
            ..pending(None, None)
        };
        end(&store, &taken, applied).await;
        let over = store.operations().get(taken.id).await.unwrap().unwrap();
        assert_eq!((over.reference, over.adapter_state), (None, None));
    }
    store.close().await;
}

/// It came while the attempt was under way, whose end did not know of it.
async fn an_answer_that_is_there_counts_after_an_unclear_attempt(home: Home) {
    for state in [OperationState::Delivering, OperationState::OutcomeUnknown] {
        let store = held(&home).await;
        let number = u8::from(state == OperationState::Delivering);
        let taken = under_way(&store, number).await;
        let mut waiting = pending(Some(REFERENCE), None);
        waiting.due_at = Some(now());
        end(&store, &taken, waiting).await;
        let taken = take(&store).await.expect("it is due");
        begin_attempt(&store, &taken).await;
        call_back(&store, b"meanwhile").await;
        let held = store.operations().get(taken.id).await.unwrap().unwrap();
        assert_eq!(held.state, OperationState::Delivering, "somebody holds it");
        end(&store, &taken, unclear(state, None)).await;
        let taken = take(&store).await.expect("it is due");
        assert_eq!(taken.state, OperationState::Delivering);

        // Who was asked was given the answer, and it is unclear still: that is not done for ever.
        let at = answer(&store).await.unwrap().at;
        let kept = Answered { at, used: false };
        end(&store, &taken, unclear(state, Some(kept))).await;
        assert_eq!(take(&store).await, None, "after {state:?}");
        // Neither when somebody has asked the registry in vain.
        if state == OperationState::Delivering {
            let there = store.operations().get(taken.id).await.unwrap().unwrap();
            end(
                &store,
                &there,
                unclear(OperationState::OutcomeUnknown, None),
            )
            .await;
            assert_eq!(take(&store).await, None);
        }
        let reason = "seen".to_owned();
        let rejected = OperationDecision::Rejected { reason };
        let decided = store.operations().decide(taken.id, rejected, "ada", None);
        assert!(decided.await.unwrap());
        call_back(&store, b"too late").await;
        assert_eq!(take(&store).await, None, "somebody has decided");
        store.close().await;
    }
}

/// The request of an attempt that was left may still be on its way: the registry is asked when a call
/// would have ended, whatever comes before.
async fn an_answer_does_not_shorten_the_wait_for_what_was_left(home: Home) {
    let store = held(&home).await;
    let left = under_way(&store, 1).await;
    let mut waiting = pending(Some(REFERENCE), None);
    waiting.due_at = Some(now());
    end(&store, &left, waiting).await;
    let left = take(&store).await.expect("it is due");
    begin_attempt(&store, &left).await;
    // The node begins anew, and what it held is free.
    let margin = Duration::from_secs(1);
    assert_eq!(store.hold_as("node-1", margin).await.unwrap(), 1);
    call_back(&store, b"told").await;
    assert_eq!(take(&store).await, None, "it may still be on its way");
    store.close().await;
}

/// A step that waits for no callback is not given one of the step before.
async fn an_answer_to_a_step_that_is_over_is_no_answer_to_the_next(home: Home) {
    let store = held(&home).await;
    let waiting = under_way(&store, 1).await;
    end(&store, &waiting, pending(Some(REFERENCE), None)).await;
    call_back(&store, b"first").await;
    let taken = take(&store).await.expect("it is due");
    begin_attempt(&store, &taken).await;
    let at = answer(&store).await.unwrap().at;
    call_back(&store, b"the same once more").await;
    let mut next = pending(None, Some(Answered { at, used: true }));
    next.reference = Awaited::Now(None);
    end(&store, &taken, next).await;
    assert_eq!(take(&store).await, None, "its time has not come");
    let there = store.operations().get(taken.id).await.unwrap().unwrap();
    assert_eq!(
        (there.state, there.reference),
        (OperationState::Pending, None)
    );
    call_back(&store, b"and again").await;
    assert_eq!(take(&store).await, None);
    store.close().await;
}

/// An answer and the end of the attempt that waits for it are written at the same time, by two nodes.
async fn neither_misses_the_other(home: Home) {
    let (here, there) = (home.open().await, home.open().await);
    for number in 0..20 {
        let waiting = under_way(&here, number).await;
        let told = call_back(&there, b"data");
        let ended = end(&here, &waiting, pending(Some(REFERENCE), None));
        tokio::join!(told, ended);
        let taken = take(&here).await.expect("it is due");
        begin_attempt(&here, &taken).await;
        let applied = Moved {
            state: OperationState::Applied,
            due_at: None,
            ..pending(None, None)
        };
        end(&here, &taken, applied).await;
    }
    for store in [here, there] {
        store.close().await;
    }
}

on_both!(
    an_answer_makes_what_waits_due,
    an_answer_may_come_before_it_is_known_that_somebody_waits,
    an_answer_counts_after_an_unclear_attempt,
    an_answer_that_is_there_counts_after_an_unclear_attempt,
    an_answer_does_not_shorten_the_wait_for_what_was_left,
    an_answer_to_a_step_that_is_over_is_no_answer_to_the_next,
    neither_misses_the_other,
);
