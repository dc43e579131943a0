//! Nodes by the database's clock, and what they share.

use std::time::Duration;

use super::*;

on_both!(
    shares_never_add_up_to_more_than_the_whole,
    a_dead_node_s_share_is_free_and_a_late_one_is_itself_again,
    an_id_belongs_to_the_latest_process,
    what_is_long_gone_is_forgotten,
    a_day_is_handed_out_once,
    the_first_key_is_the_database_s,
);

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(60);

fn a_beat(name: &str, share: u32, alive_for: Duration) -> Beat {
    Beat {
        id: Uuid::now_v7(),
        run: Uuid::now_v7(),
        name: name.to_owned(),
        version: "1".to_owned(),
        listens: "127.0.0.1:1".to_owned(),
        alive_for,
        revision: 0,
        share,
        behind: Vec::new(),
    }
}

async fn total(store: &Store) -> u32 {
    let nodes = store.nodes().list().await.unwrap();
    let live = nodes.iter().filter(|node| node.life == Life::Live);
    live.map(|node| node.share).sum()
}

async fn shares_never_add_up_to_more_than_the_whole(home: Home) {
    let stores = [home.open().await, home.open().await, home.open().await];
    let mut beats = ["a", "b", "c"].map(|name| a_beat(name, 0, LONG));
    let first = stores[0].nodes().join(beats[0].clone()).await.unwrap();
    assert_eq!((first.share, first.live), (WHOLE_SHARE, 1));
    beats[0].share = first.share;
    // What the first still uses is not given to others.
    for at in [1, 2] {
        let beaten = stores[at].nodes().join(beats[at].clone()).await.unwrap();
        assert_eq!(
            (beaten.share, beaten.live),
            (0, u32::try_from(at).unwrap() + 1)
        );
        assert_eq!(total(&stores[0]).await, WHOLE_SHARE);
    }
    // All at once, until each has its part; a share is used only once it was handed out.
    for _ in 0..4 {
        let all = (0..3).map(|at| stores[at].nodes().beat(beats[at].clone()));
        let all = futures_util::future::join_all(all).await;
        for (beat, beaten) in beats.iter_mut().zip(all) {
            beat.share = beaten.unwrap().share;
        }
        assert!(beats.iter().map(|beat| beat.share).sum::<u32>() <= WHOLE_SHARE);
        assert!(total(&stores[0]).await <= WHOLE_SHARE);
    }
    assert_eq!(beats.map(|beat| beat.share), [WHOLE_SHARE / 3; 3]);
}

async fn a_dead_node_s_share_is_free_and_a_late_one_is_itself_again(home: Home) {
    let store = home.open().await;
    let mut lasting = a_beat("a", 0, LONG);
    let mut brief = a_beat("b", 0, SHORT);
    store.nodes().join(brief.clone()).await.unwrap();
    brief.share = WHOLE_SHARE;
    store.nodes().beat(brief.clone()).await.unwrap();
    assert_eq!(store.nodes().join(lasting.clone()).await.unwrap().share, 0);
    tokio::time::sleep(SHORT).await;
    let beaten = store.nodes().beat(lasting.clone()).await.unwrap();
    assert_eq!((beaten.share, beaten.live), (WHOLE_SHARE, 1));
    lasting.share = beaten.share;
    let lives = async || {
        let nodes = store.nodes().list().await.unwrap();
        nodes.iter().map(|node| node.life).collect::<Vec<_>>()
    };
    assert_eq!(lives().await, [Life::Live, Life::Dead]);
    // It knows that it was late, and uses nothing any more.
    brief.share = 0;
    brief.alive_for = LONG;
    assert_eq!(store.nodes().beat(brief.clone()).await.unwrap().share, 0);
    assert_eq!(lives().await, [Life::Live, Life::Live]);
    store.nodes().leave(lasting.id, lasting.run).await.unwrap();
    assert_eq!(lives().await, [Life::Stopped, Life::Live]);
    // A beat that was on its way does not wake it.
    store.nodes().beat(lasting).await.unwrap_err();
    assert_eq!(lives().await, [Life::Stopped, Life::Live]);
    let beaten = store.nodes().beat(brief).await.unwrap();
    assert_eq!((beaten.share, beaten.live), (WHOLE_SHARE, 1));
}

async fn an_id_belongs_to_the_latest_process(home: Home) {
    let store = home.open().await;
    let first = a_beat("a", 0, LONG);
    let mut second = a_beat("a-again", 0, LONG);
    second.id = first.id;
    store.nodes().join(first.clone()).await.unwrap();
    let begun = store.nodes().list().await.unwrap()[0].started_at;
    store.nodes().beat(first.clone()).await.unwrap();
    assert_eq!(store.nodes().list().await.unwrap()[0].started_at, begun);
    let taken = store.nodes().join(second.clone()).await.unwrap();
    assert_eq!(taken.share, WHOLE_SHARE, "its own share is no other's");
    let error = store.nodes().beat(first.clone()).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Taken {
                field: "node.id",
                ..
            }
        ),
        "{error:?}"
    );
    // The process before says goodbye too late.
    store.nodes().leave(first.id, first.run).await.unwrap();
    let nodes = store.nodes().list().await.unwrap();
    assert_eq!((&*nodes[0].name, nodes[0].life), ("a-again", Life::Live));
    assert!(nodes[0].started_at > begun);
}

async fn what_is_long_gone_is_forgotten(home: Home) {
    let store = home.open().await;
    store.nodes().join(a_beat("a", 0, SHORT)).await.unwrap();
    store.nodes().join(a_beat("b", 0, LONG)).await.unwrap();
    tokio::time::sleep(2 * SHORT).await;
    store.nodes().forget(LONG).await.unwrap();
    assert_eq!(store.nodes().list().await.unwrap().len(), 2);
    store.nodes().forget(SHORT).await.unwrap();
    let nodes = store.nodes().list().await.unwrap();
    assert_eq!(nodes.len(), 1, "one that is alive stays");
    assert_eq!(nodes[0].name, "b");
}

fn asked(limit: u64, most: u64, part: u64) -> Asked {
    Asked {
        name: "endpoint civil/registry".to_owned(),
        zone: jiff::tz::TimeZone::get("Pacific/Kiritimati").unwrap(),
        limit,
        most,
        part,
    }
}

async fn a_day_is_handed_out_once(home: Home) {
    let stores = [home.open().await, home.open().await, home.open().await];
    // Three at one file wait for each other, on a slow disk longer than one is patient.
    let take = async |at: usize, asked: Asked| loop {
        match stores[at % 3].quotas().take(asked.clone()).await {
            Err(StoreError::Busy) => {}
            taken => break taken,
        }
    };
    let first = take(0, asked(100, 8, 4)).await.unwrap();
    assert_eq!(first.count, 8);
    assert!(first.for_ <= Duration::from_secs(25 * 3_600) && !first.for_.is_zero());
    let all = (0..60).map(|at| take(at, asked(100, 8, 4)));
    let all = futures_util::future::join_all(all).await;
    let counts: Vec<u64> = all.into_iter().map(|lease| lease.unwrap().count).collect();
    assert_eq!(counts.iter().sum::<u64>(), 92, "{counts:?}");
    assert!(
        counts.contains(&1),
        "near the end nobody takes many: {counts:?}"
    );
    let quotas = stores[0].quotas();
    let name = "endpoint civil/registry";
    assert_eq!(quotas.taken(name, first.day).await.unwrap(), 100);
    quotas.give_back(name, first.day, 3).await.unwrap();
    assert_eq!(quotas.taken(name, first.day).await.unwrap(), 97);
    // A limit that was lowered under what is used already has nothing left.
    assert_eq!(take(0, asked(50, 8, 1)).await.unwrap().count, 0);
    assert_eq!(take(0, asked(100, 8, 1)).await.unwrap().count, 3);
    quotas.give_back(name, first.day, 1_000).await.unwrap();
    assert_eq!(
        quotas.taken(name, first.day).await.unwrap(),
        0,
        "never below none"
    );
    tokio::time::sleep(SHORT).await;
    quotas.forget(LONG).await.unwrap();
    take(0, asked(100, 8, 1)).await.unwrap();
    assert_eq!(quotas.taken(name, first.day).await.unwrap(), 8);
    tokio::time::sleep(SHORT).await;
    quotas.forget(SHORT).await.unwrap();
    assert_eq!(quotas.taken(name, first.day).await.unwrap(), 0);
}

async fn the_first_key_is_the_database_s(home: Home) {
    let store = home.open().await;
    assert_eq!(store.key_check().await.unwrap(), None);
    assert_eq!(store.keep_key_check([1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.keep_key_check([2; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.key_check().await.unwrap(), Some([1; 32]));

    // That of bodies is another one, and may take the place of those that it knows.
    assert_eq!(store.bodies_key_check().await.unwrap(), None);
    for (mine, before, there) in [
        (3, vec![], 3),
        (4, vec![], 3),
        (4, vec![[1; 32]], 3),
        (4, vec![[1; 32], [3; 32]], 4),
        (3, vec![], 4),
    ] {
        let kept = store.keep_bodies_key_check([mine; 32], before).await;
        assert_eq!(kept.unwrap(), [there; 32]);
        assert_eq!(store.bodies_key_check().await.unwrap(), Some([there; 32]));
    }
    assert_eq!(store.key_check().await.unwrap(), Some([1; 32]));
}
