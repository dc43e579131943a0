//! Subscriptions in the store.

use std::time::Duration;

use jiff::SignedDuration;

use super::*;

on_both!(
    a_webhook_is_one_nodes_at_a_time,
    what_an_administrator_changed_is_not_written_over,
    a_namesake_is_not_moved_by_the_one_before_it,
    it_fails_waits_and_is_paused,
    the_secret_before_goes_on,
    who_has_much_to_send_is_behind_the_others,
    who_begins_anew_does_not_wait_for_itself,
);

const LEASE: Duration = Duration::from_secs(60);

fn webhook(name: &str) -> NewWebhook {
    NewWebhook {
        name: name.into(),
        id: Uuid::now_v7(),
        caller: "imis".into(),
        url: "https://imis.example.org/".into(),
        purpose: Some("eligibility".into()),
        registries: vec!["civil".into()],
        secret: b"sealed".to_vec(),
        ..NewWebhook::default()
    }
}

/// With one, and with an event behind it.
async fn with_one(home: &Home) -> Store {
    let store = home.open().await;
    store.webhooks().add(webhook("imis")).await.unwrap();
    assert_eq!(store.webhooks().due(10).await.unwrap(), [""; 0]);
    let mut conn = home.connect().await;
    run(&mut conn, "UPDATE event_sequence SET last = 9")
        .await
        .unwrap();
    conn.close().await;
    assert_eq!(store.webhooks().due(10).await.unwrap(), ["imis"]);
    store
}

fn on(position: i64, lease: Option<Duration>) -> Went {
    Went::On {
        position,
        delivered: true,
        lease,
    }
}

async fn take(store: &Store) -> Webhook {
    let taken = store.webhooks().take("imis", LEASE).await.unwrap();
    taken.expect("it is free")
}

async fn one(store: &Store) -> Webhook {
    store.webhooks().one("imis").await.unwrap().unwrap()
}

async fn a_webhook_is_one_nodes_at_a_time(home: Home) {
    let store = with_one(&home).await;
    let again = store.webhooks().add(webhook("imis")).await;
    assert!(matches!(again, Err(StoreError::Taken { .. })), "{again:?}");
    let first = store.webhooks().take("imis", Duration::ZERO).await;
    let first = first.unwrap().unwrap();
    assert_eq!(first.registries, ["civil"]);
    assert_eq!(first.purpose.as_deref(), Some("eligibility"));
    // Its time is over at once: another takes it over.
    let second = take(&store).await;
    assert!(second.fence > first.fence);
    let webhooks = store.webhooks();
    assert_eq!(webhooks.take("imis", LEASE).await.unwrap(), None);
    assert_eq!(webhooks.due(10).await.unwrap(), [""; 0]);
    for late in [on(9, None), Went::Stopped { reason: "gone" }] {
        assert!(!webhooks.went(&first, late).await.unwrap());
    }
    webhooks.release(&first).await.unwrap();
    assert_eq!(webhooks.due(10).await.unwrap(), [""; 0]);
    assert!(webhooks.went(&second, on(4, Some(LEASE))).await.unwrap());
    assert_eq!(webhooks.take("imis", LEASE).await.unwrap(), None);
    webhooks.release(&second).await.unwrap();
    let third = take(&store).await;
    assert_eq!((third.position, third.is_active), (4, true));
    // All is over: it is not due, until there is more.
    assert!(webhooks.went(&third, on(9, None)).await.unwrap());
    assert_eq!(webhooks.due(10).await.unwrap(), [""; 0]);
    store.close().await;
}

async fn what_an_administrator_changed_is_not_written_over(home: Home) {
    let store = with_one(&home).await;
    let webhooks = store.webhooks();
    for change in [
        WebhookChange::Replay(2),
        WebhookChange::Pause,
        WebhookChange::Resume,
        WebhookChange::Rotate(b"new".to_vec(), now()),
    ] {
        let taken = take(&store).await;
        let told = format!("{change:?}");
        webhooks.change("imis", change).await.unwrap();
        let before = one(&store).await;
        // Nobody else sends while a message may be under way.
        assert_eq!(webhooks.due(10).await.unwrap(), [""; 0], "{told}");
        assert!(!webhooks.went(&taken, on(8, None)).await.unwrap(), "{told}");
        assert_eq!(one(&store).await, before, "{told}");
        webhooks.release(&taken).await.unwrap();
        if !before.is_active {
            assert_eq!(webhooks.take("imis", LEASE).await.unwrap(), None);
            webhooks
                .change("imis", WebhookChange::Resume)
                .await
                .unwrap();
        }
        assert_eq!(webhooks.due(10).await.unwrap(), ["imis"], "{told}");
    }
    webhooks
        .change("imis", WebhookChange::Remove)
        .await
        .unwrap();
    assert_eq!(webhooks.one("imis").await.unwrap(), None);
    let none = webhooks.change("imis", WebhookChange::Pause).await;
    assert!(matches!(none, Err(StoreError::Unknown { .. })), "{none:?}");
    store.close().await;
}

async fn it_fails_waits_and_is_paused(home: Home) {
    let store = with_one(&home).await;
    let webhooks = store.webhooks();
    let failed = |again_in, pause_after| Went::Failed {
        problem: "status-500".into(),
        again_in,
        pause_after,
    };
    let taken = take(&store).await;
    let went = webhooks.went(&taken, failed(Duration::ZERO, LEASE));
    assert!(went.await.unwrap());
    let since = one(&store).await.failing_since.expect("a time");
    let taken = take(&store).await;
    let went = webhooks.went(&taken, failed(LEASE, LEASE));
    assert!(went.await.unwrap());
    let known = one(&store).await;
    assert_eq!((known.attempts, known.failing_since), (2, Some(since)));
    assert_eq!(known.problem.as_deref(), Some("status-500"));
    assert_eq!(webhooks.due(10).await.unwrap(), [""; 0], "it waits");
    // Whoever resumes it does not wait.
    webhooks
        .change("imis", WebhookChange::Resume)
        .await
        .unwrap();
    let taken = take(&store).await;
    assert_eq!((taken.attempts, taken.failing_since), (0, None));
    let went = webhooks.went(&taken, failed(Duration::ZERO, Duration::ZERO));
    assert!(went.await.unwrap());
    let known = one(&store).await;
    assert!(!known.is_active);
    assert_eq!(known.reason.as_deref(), Some("failing"));
    assert_eq!(webhooks.due(10).await.unwrap(), [""; 0], "it is paused");
    store.close().await;
}

async fn the_secret_before_goes_on(home: Home) {
    let store = with_one(&home).await;
    let webhooks = store.webhooks();
    let until = now().checked_add(SignedDuration::from_hours(1)).unwrap();
    let rotate = WebhookChange::Rotate(b"new".to_vec(), until);
    webhooks.change("imis", rotate).await.unwrap();
    let known = one(&store).await;
    assert_eq!(known.secret, b"new");
    assert_eq!(known.previous, Some((b"sealed".to_vec(), until)));
    let sealed = webhooks.newest_sealed().await.unwrap();
    assert_eq!(sealed, Some((known.id, b"new".to_vec())));
    store.close().await;
}

async fn who_has_much_to_send_is_behind_the_others(home: Home) {
    let store = with_one(&home).await;
    let webhooks = store.webhooks();
    webhooks.add(webhook("other")).await.unwrap();
    assert_eq!(webhooks.due(10).await.unwrap(), ["imis", "other"]);
    let taken = take(&store).await;
    assert!(webhooks.went(&taken, on(1, Some(LEASE))).await.unwrap());
    webhooks.release(&taken).await.unwrap();
    assert_eq!(webhooks.due(10).await.unwrap(), ["other", "imis"]);
    assert_eq!(webhooks.due(1).await.unwrap(), ["other"]);
    store.close().await;
}

async fn who_begins_anew_does_not_wait_for_itself(home: Home) {
    let store = with_one(&home).await;
    assert_eq!(store.hold_as("node-1", LEASE).await.unwrap(), 0);
    let dead = take(&store).await;
    let other = home.open().await;
    assert_eq!(other.hold_as("node-2", LEASE).await.unwrap(), 0);
    assert_eq!(other.webhooks().due(10).await.unwrap(), [""; 0]);
    let again = home.open().await;
    assert_eq!(again.hold_as("node-1", LEASE).await.unwrap(), 1);
    let taken = take(&again).await;
    assert!(taken.fence > dead.fence);
    for store in [store, other, again] {
        store.close().await;
    }
}

async fn a_namesake_is_not_moved_by_the_one_before_it(home: Home) {
    let store = with_one(&home).await;
    let webhooks = store.webhooks();
    let old = take(&store).await;
    let remove = WebhookChange::Remove;
    webhooks.change("imis", remove).await.unwrap();
    webhooks.add(webhook("imis")).await.unwrap();
    let new = take(&store).await;
    // All but the id is the same.
    assert_eq!((old.fence, old.edits), (new.fence, new.edits));
    let before = one(&store).await;
    for late in [
        on(8, None),
        Went::Failed {
            problem: "status-500".into(),
            again_in: Duration::ZERO,
            pause_after: Duration::ZERO,
        },
        Went::Later {
            again_in: Duration::ZERO,
        },
        Went::Stopped { reason: "gone" },
    ] {
        let told = format!("{late:?}");
        assert!(!webhooks.went(&old, late).await.unwrap(), "{told}");
        assert_eq!(one(&store).await, before, "{told}");
    }
    webhooks.release(&old).await.unwrap();
    assert_eq!(webhooks.take("imis", LEASE).await.unwrap(), None);
    assert!(webhooks.went(&new, on(9, None)).await.unwrap());
    assert_eq!(one(&store).await.position, 9);
    store.close().await;
}
