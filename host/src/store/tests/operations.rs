//! The queue of writes: nothing lost, nothing twice, in the order of each subject.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::*;

pub(super) const LEASE: Duration = Duration::from_secs(60);

pub(super) fn new(key: &str, subject: u8) -> NewOperation {
    NewOperation {
        id: Uuid::now_v7(),
        at: now(),
        caller: "openimis".into(),
        registry: "crvs".into(),
        ability: "update".into(),
        idempotency_key: key.into(),
        request_hash: [7; 32],
        subject: [subject; 32],
        bulk: false,
        give_up_at: now() + SignedDuration::from_hours(24),
        module_digest: "sha256:00".into(),
        request: b"sealed".to_vec(),
    }
}

pub(super) async fn accept(store: &Store, new: NewOperation) -> Accepted {
    let mut begin = begin_row("accept");
    begin.id = new.id;
    let end = end_row(new.id);
    store.operations().accept(new, begin, end).await.unwrap()
}

pub(super) async fn take(store: &Store) -> Vec<Operation> {
    take_for(store, LEASE).await
}

async fn take_for(store: &Store, lease: Duration) -> Vec<Operation> {
    let registries = vec!["crvs".to_owned()];
    store
        .operations()
        .take(registries, lease, 10, 10)
        .await
        .unwrap()
}

pub(super) async fn begin(store: &Store, operation: &Operation) -> bool {
    let row = begin_row("attempt");
    store
        .operations()
        .begin(operation, LEASE, row)
        .await
        .unwrap()
}

pub(super) fn to(state: OperationState) -> Moved {
    Moved {
        state,
        at: now(),
        due_at: None,
        reason: Some("as the test says".into()),
        code: None,
        field: None,
        receipt: None,
        adapter_state: None,
        reference: Awaited::AsBefore,
        links: None,
        answered: None,
    }
}

pub(super) async fn end(store: &Store, operation: &Operation, moved: Moved) -> bool {
    store
        .operations()
        .end(operation, moved, None)
        .await
        .unwrap()
}

pub(super) fn keys(taken: &[Operation], names: &BTreeMap<Uuid, &str>) -> String {
    let names = taken.iter().map(|operation| names[&operation.id]);
    names.collect::<Vec<_>>().join(" ")
}

async fn a_key_is_used_once(home: Home) {
    let store = home.open().await;
    let first = new("k-1", 1);
    let id = first.id;
    assert_eq!(accept(&store, first).await, Accepted::New);
    assert_eq!(accept(&store, new("k-1", 1)).await, Accepted::Known);
    let other = NewOperation {
        request_hash: [8; 32],
        ..new("k-1", 1)
    };
    assert_eq!(accept(&store, other).await, Accepted::Other);
    let of_another = NewOperation {
        caller: "other".into(),
        ..new("k-1", 2)
    };
    assert_eq!(accept(&store, of_another).await, Accepted::New);

    let operations = store.operations();
    let known = operations.by_key("openimis", "crvs", "k-1").await.unwrap();
    assert_eq!(known.unwrap().id, id);
    // Of what was not accepted there is no trace in the audit.
    let rows = store.audit().by_request("accept").await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.end.is_some()));
}

async fn the_order_of_a_subject_is_kept(home: Home) {
    let store = home.open().await;
    let mut names = BTreeMap::new();
    for (key, subject) in [("a1", 1), ("a2", 1), ("b1", 2), ("a3", 1)] {
        let new = new(key, subject);
        names.insert(new.id, key);
        accept(&store, new).await;
    }
    let taken = take(&store).await;
    assert_eq!(keys(&taken, &names), "a1 b1");
    assert!(take(&store).await.is_empty(), "they are taken");

    let [a1, b1] = &taken[..] else { panic!() };
    assert!(begin(&store, a1).await && begin(&store, b1).await);
    // It waits, and nobody overtakes it.
    let later = Moved {
        due_at: Some(now() + SignedDuration::from_hours(1)),
        ..to(OperationState::Waiting)
    };
    assert!(end(&store, a1, later).await);
    assert!(end(&store, b1, to(OperationState::Applied)).await);
    assert!(take(&store).await.is_empty());
    // Cancelled it lets the next pass.
    let cancelled = store
        .operations()
        .decide(a1.id, OperationDecision::Cancel, "ada", None);
    assert!(cancelled.await.unwrap());
    let taken = take(&store).await;
    assert_eq!(keys(&taken, &names), "a2");
    assert!(begin(&store, &taken[0]).await);
    assert!(end(&store, &taken[0], to(OperationState::OutcomeUnknown)).await);
    assert!(take(&store).await.is_empty(), "what is unclear holds them");
    let seen = OperationDecision::Applied {
        reason: "seen".into(),
    };
    let settled = store.operations().decide(taken[0].id, seen, "ada", None);
    assert!(settled.await.unwrap());
    assert_eq!(keys(&take(&store).await, &names), "a3");

    let history = store.operations().history(taken[0].id).await.unwrap();
    let states: Vec<_> = history.iter().map(|step| step.state.as_str()).collect();
    assert_eq!(
        states,
        ["accepted", "delivering", "outcome-unknown", "applied"]
    );
    assert_eq!(history[3].by.as_deref(), Some("ada"));
    assert_eq!(history[1].attempt, 1);
}

async fn who_comes_late_changes_nothing(home: Home) {
    let store = home.open().await;
    accept(&store, new("k-1", 1)).await;
    let first = take_for(&store, Duration::ZERO).await;
    assert!(begin(&store, &first[0]).await);
    // As if the lease that `begin` gave were over.
    let mut conn = home.connect().await;
    run(&mut conn, "UPDATE operations SET due_at = 0")
        .await
        .unwrap();
    let second = take(&store).await;
    assert_eq!(
        second[0].state,
        OperationState::Delivering,
        "it was left in an attempt"
    );
    assert_eq!(
        (second[0].attempts, second[0].fence),
        (1, first[0].fence + 1)
    );
    assert!(!end(&store, &first[0], to(OperationState::Applied)).await);
    assert!(!begin(&store, &first[0]).await);
    let refused = begin_row("attempt").id;
    assert!(
        !begin(&store, &second[0]).await,
        "an attempt that was left is not begun again"
    );
    assert!(end(&store, &second[0], to(OperationState::OutcomeUnknown)).await);
    let stands = store.operations().get(second[0].id).await.unwrap().unwrap();
    assert_eq!(stands.state, OperationState::OutcomeUnknown);
    let rows = store.audit().by_request("attempt").await.unwrap();
    assert!(rows.len() == 1 && rows[0].begin.id != refused);
}

async fn only_what_can_be_decided_is(home: Home) {
    use OperationDecision::{Applied, Cancel, Rejected, Replay};
    let reason = || "seen".to_owned();
    let store = home.open().await;
    accept(&store, new("k-1", 1)).await;
    let taken = take(&store).await;
    let id = taken[0].id;
    let again = Replay {
        give_up_at: now() + SignedDuration::from_hours(48),
    };
    let decide = async |decision, caller| {
        let decided = store.operations().decide(id, decision, "ada", caller);
        decided.await.unwrap()
    };
    for no in [
        Applied { reason: reason() },
        Rejected { reason: reason() },
        again.clone(),
    ] {
        assert!(!decide(no, None).await);
    }
    assert!(begin(&store, &taken[0]).await);
    assert!(!decide(Cancel, None).await, "it may have been done already");
    assert!(end(&store, &taken[0], to(OperationState::GivenUp)).await);
    assert!(!decide(Cancel, Some("other")).await, "it is another's");
    assert!(decide(again, None).await);
    let stands = take(&store).await;
    assert_eq!((stands.len(), stands[0].attempts), (1, 1));
    // What was cancelled while somebody held it is not sent by them.
    assert!(decide(Cancel, Some("openimis")).await);
    assert!(!begin(&store, &stands[0]).await);
}

/// Two gateways accept, take and end at the same time: each operation is delivered once, and those of
/// a subject in the order in which they were accepted.
async fn two_drain_one_queue(home: Home) {
    const SUBJECTS: u8 = 5;
    const EACH: usize = 12;
    let stores = [home.open().await, home.open().await];
    let done: Arc<Mutex<Vec<(u8, i64)>>> = Arc::default();
    let subjects: Arc<Mutex<BTreeMap<Uuid, u8>>> = Arc::default();
    let accepting = (0..SUBJECTS).map(|subject| {
        let (stores, subjects) = (stores.clone(), Arc::clone(&subjects));
        tokio::spawn(async move {
            for number in 0..EACH {
                let new = new(&format!("{subject}-{number}"), subject);
                subjects.lock().unwrap().insert(new.id, subject);
                let store = &stores[number % 2];
                while !matches!(
                    store
                        .operations()
                        .accept(
                            new.clone(),
                            with_id(begin_row("accept"), new.id),
                            end_row(new.id)
                        )
                        .await,
                    Ok(Accepted::New | Accepted::Known)
                ) {}
            }
        })
    });
    let accepting: Vec<_> = accepting.collect();
    let draining = stores.clone().map(|store| {
        let (done, subjects) = (Arc::clone(&done), Arc::clone(&subjects));
        tokio::spawn(async move {
            let began = std::time::Instant::now();
            while done.lock().unwrap().len() < usize::from(SUBJECTS) * EACH {
                assert!(began.elapsed() < Duration::from_secs(60), "some are stuck");
                let registries = vec!["crvs".to_owned()];
                let Ok(taken) = store.operations().take(registries, LEASE, 3, 3).await else {
                    continue;
                };
                for operation in &taken {
                    while store
                        .operations()
                        .begin(operation, LEASE, begin_row("attempt"))
                        .await
                        .is_err()
                    {}
                    let subject = subjects.lock().unwrap()[&operation.id];
                    done.lock().unwrap().push((subject, operation.position));
                    let moved = to(OperationState::Applied);
                    while store
                        .operations()
                        .end(operation, moved.clone(), None)
                        .await
                        .is_err()
                    {}
                }
            }
        })
    });
    for task in join_all(accepting.into_iter().chain(draining)).await {
        task.unwrap();
    }
    let done = done.lock().unwrap().clone();
    let each: BTreeSet<_> = done.iter().copied().collect();
    assert_eq!((done.len(), each.len()), (60, 60), "each once");
    for subject in 0..SUBJECTS {
        let of_it: Vec<_> = done.iter().filter(|it| it.0 == subject).collect();
        assert!(of_it.is_sorted(), "{of_it:?}");
    }
}

fn with_id(mut row: AuditBegin, id: Uuid) -> AuditBegin {
    row.id = id;
    row
}

fn tied(subject: u8, identifier: u8, operation: Uuid) -> Link {
    Link {
        id: Uuid::now_v7(),
        caller: "openimis".into(),
        registry: "crvs".into(),
        subject: [subject; 32],
        identifier: [identifier; 32],
        scheme: "record".into(),
        record: Uuid::now_v7(),
        evidence: "{}".into(),
        ability: "create".into(),
        module_digest: "sha256:00".into(),
        request_id: "accept".into(),
        operation: Some(operation),
        by_user: None,
        linked_at: now(),
        unlinked: None,
        sealed: b"sealed".to_vec(),
    }
}

async fn what_is_applied_is_linked_in_the_same_step(home: Home) {
    let store = home.open().await;
    let (one, other) = (new("k-1", 1), new("k-2", 2));
    let (one_id, other_id) = (one.id, other.id);
    accept(&store, one).await;
    accept(&store, other).await;
    let taken = take(&store).await;
    for (operation, subject) in taken.iter().zip([1, 2]) {
        assert!(begin(&store, operation).await);
        let moved = Moved {
            reason: None,
            links: Some(NewLinks {
                links: vec![tied(subject, 7, operation.id)],
                one_record: true,
            }),
            ..to(OperationState::Applied)
        };
        assert!(end(&store, operation, moved.clone()).await);
        // Told twice it is linked once.
        assert!(!end(&store, operation, moved).await);
    }
    let links = store.links();
    let links = links.of_identifier("openimis", "crvs", &[7; 32]).await;
    let links = links.unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].operation, Some(one_id));
    let reasons = async |id| {
        let steps = store.operations().history(id).await.unwrap();
        let last = steps.last().unwrap();
        (last.state, last.reason.clone())
    };
    assert_eq!(reasons(one_id).await, (OperationState::Applied, None));
    let why = Some("linked-otherwise".to_owned());
    assert_eq!(reasons(other_id).await, (OperationState::Applied, why));
}

on_both!(
    what_is_applied_is_linked_in_the_same_step,
    a_key_is_used_once,
    the_order_of_a_subject_is_kept,
    who_comes_late_changes_nothing,
    only_what_can_be_decided_is,
    two_drain_one_queue,
);
