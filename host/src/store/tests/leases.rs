//! What a node that died had taken up.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use super::operations::{LEASE, accept, begin, end, keys, new, take, to};
use super::*;

async fn a_node_begun_anew_frees_what_it_held(home: Home) {
    let store = home.open().await;
    assert_eq!(store.hold_as("node-1", LEASE).await.unwrap(), 0);
    let mut names = BTreeMap::new();
    for (key, subject) in [("sent", 1), ("taken", 2), ("waits", 3)] {
        let new = new(key, subject);
        names.insert(new.id, key);
        accept(&store, new).await;
    }
    let taken = take(&store).await;
    let [sent, _, waits] = &taken[..] else {
        panic!()
    };
    assert!(begin(&store, sent).await && begin(&store, waits).await);
    let later = Moved {
        due_at: Some(now() + SignedDuration::from_hours(1)),
        ..to(OperationState::Waiting)
    };
    assert!(end(&store, waits, later).await);

    // Another node's death frees nothing of this one's.
    let other = home.open().await;
    assert_eq!(other.hold_as("node-2", LEASE).await.unwrap(), 0);
    assert!(take(&other).await.is_empty());
    // What was being sent may be on its way as long as a call may take; the wait goes on.
    let again = home.open().await;
    let short = Duration::from_secs(1);
    assert_eq!(again.hold_as("node-1", short).await.unwrap(), 2);
    assert_eq!(keys(&take(&again).await, &names), "taken");
    // Of a lease that is a margin and nothing else all is free. What was taken is this node's again.
    accept(&again, new("more", 4)).await;
    let more = take(&again).await;
    assert!(begin(&again, &more[0]).await);
    names.insert(more[0].id, "more");
    let third = home.open().await;
    assert_eq!(third.hold_as("node-1", LEASE).await.unwrap(), 2);
    assert_eq!(keys(&take(&third).await, &names), "taken more");
    // Whoever comes back from the dead changes nothing.
    assert!(!end(&again, &more[0], to(OperationState::Applied)).await);
}

on_both!(a_node_begun_anew_frees_what_it_held);
