//! One chain, whoever writes and whatever fails.

use futures_util::future::join_all;

use super::*;

/// All rows of all chains, checked: no gap, no fork, each hash that of its row.
async fn whole(store: &Store) -> Vec<i64> {
    let mut lengths = Vec::new();
    for head in store.audit().heads().await.unwrap() {
        let mut last = (0, chain_begins(head.chain, head.began_at));
        while last.0 < head.seq {
            let page = store.audit().chained(head.chain, last.0).await.unwrap();
            assert!(!page.is_empty(), "{last:?} of {head:?}");
            for row in page {
                assert_eq!(row.seq, last.0 + 1);
                let hash = chained(&last.1, head.chain, row.seq, &row.row.unwrap());
                assert_eq!(row.hash, Some(hash));
                last = (row.seq, hash);
            }
        }
        assert_eq!(last, (head.seq, head.hash));
        assert_eq!(store.audit().highest(head.chain).await.unwrap(), head.seq);
        lengths.push(head.seq);
    }
    assert_eq!(store.audit().unknown_chain().await.unwrap(), None);
    lengths
}

async fn write(store: &Store, rows: usize) {
    let calls = (0..rows).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let row = begin_row("r-1");
            let id = row.id;
            store.audit().begin(row).await.unwrap();
            store.audit().end(end_row(id)).await.unwrap();
        })
    });
    for done in join_all(calls).await {
        done.unwrap();
    }
}

async fn a_chain_goes_on_where_it_was_left(home: Home) {
    for rows in [1, 300] {
        let store = home.open().await;
        write(&store, rows).await;
        store.close().await;
    }
    let store = home.open().await;
    assert_eq!(whole(&store).await, [602]);
}

/// As `serve` and a command on the same data are: none goes on from a row that another has followed.
async fn several_that_write_at_once_fork_no_chain(mut home: Home) {
    home.config.busy_timeout_ms = 10_000;
    let stores = [home.open().await, home.open().await, home.open().await];
    join_all(stores.iter().map(|store| write(store, 200))).await;
    let lengths = whole(&stores[0]).await;
    assert_eq!(lengths.iter().sum::<i64>(), 1_200);
    // SQLite's writers take turns anyhow; on a server each has its own, so that none waits.
    assert_eq!(lengths.len(), if home.is_postgres() { 3 } else { 1 });
    let [first, second, third] = stores;
    first.close().await;
    second.close().await;
    // A chain that nobody writes any more is gone on with.
    let fourth = home.open().await;
    write(&fourth, 10).await;
    assert_eq!(whole(&third).await.len(), lengths.len());
}

async fn a_refused_row_leaves_no_gap(home: Home) {
    let store = home.open().await;
    let row = begin_row("r-1");
    store.audit().begin(row.clone()).await.unwrap();
    let calls = (0..50).map(|number| {
        let row = if number % 10 == 0 {
            row.clone()
        } else {
            begin_row("r-2")
        };
        let store = store.clone();
        async move { store.audit().begin(row).await }
    });
    join_all(calls).await;
    assert_eq!(whole(&store).await, [46]);
}

/// Another process may have the same chain nevertheless: a session may lose its lock with its server.
async fn who_is_overtaken_looks_again(home: Home) {
    let store = home.open().await;
    write(&store, 1).await;
    let mut conn = home.connect().await;
    let mut chain = crate::store::writer::Chain::default();
    for _ in 0..3 {
        conn.begin().await.unwrap();
        let row = crate::store::AuditRow::Begin(Box::new(begin_row("r-2")));
        let row = [crate::store::writer::Shared::from(row)];
        let done = crate::store::writer::transaction::shared(&mut conn, &mut chain, &row).await;
        done.unwrap()[0].as_ref().unwrap();
        write(&store, 2).await;
    }
    assert_eq!(whole(&store).await.iter().sum::<i64>(), 17);
}

async fn heads_only_go_on_and_nothing_of_a_checkpoint_changes(home: Home) {
    let store = home.open().await;
    write(&store, 1).await;
    let head = store.audit().heads().await.unwrap()[0];
    let seal = Seal {
        chain: head.chain,
        seq: head.seq,
    };
    let new = |number| NewCheckpoint {
        signed: AuditCheckpoint {
            number,
            at: now(),
            body: "words".into(),
            public_key: [1; 32],
            signature: [2; 64],
        },
        seals: vec![seal],
        pruned: Vec::new(),
    };
    store.audit().checkpoint(new(1)).await.unwrap();
    let again = store.audit().checkpoint(new(1)).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    // What no checkpoint covers is not to be removed.
    let mut more = new(2);
    more.pruned = vec![Pruned {
        to: Seal { seq: 1, ..seal },
        sealed_by: 1,
    }];
    let refused = store.audit().checkpoint(more.clone()).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let mut conn = home.connect().await;
    let delete = "DELETE FROM audit_end WHERE seq <= 2";
    assert!(run(&mut conn, delete).await.is_err());
    more.pruned[0].to = seal;
    store.audit().checkpoint(more).await.unwrap();
    for statement in [
        "UPDATE audit_chain SET seq = seq - 1",
        "UPDATE audit_chain SET began_at = 0",
        "DELETE FROM audit_chain",
        "UPDATE audit_checkpoint SET body = 'x'",
        "DELETE FROM audit_checkpoint",
        "UPDATE audit_seal SET seq = 1",
        "DELETE FROM audit_seal",
        "UPDATE audit_pruned SET seq = 9",
        "DELETE FROM audit_pruned",
        "INSERT INTO audit_pruned (chain, seq, sealed_by, checkpoint) VALUES (1, 1, 1, 2)",
        "INSERT INTO audit_pruned (chain, seq, sealed_by, checkpoint) VALUES (1, 2, 2, 1)",
        "UPDATE audit_end SET outcome = 'x'",
    ] {
        let done = run(&mut conn, statement).await;
        let refused = matches!(done, Err(StoreError::Refused(_)));
        assert!(refused, "{statement}: {done:?}");
    }
    assert_eq!(run(&mut conn, delete).await.unwrap(), 1);
    write(&store, 1).await;
    let delete = "DELETE FROM audit_end WHERE seq > 2";
    assert!(run(&mut conn, delete).await.is_err());
}

on_both!(
    a_chain_goes_on_where_it_was_left,
    several_that_write_at_once_fork_no_chain,
    a_refused_row_leaves_no_gap,
    who_is_overtaken_looks_again,
    heads_only_go_on_and_nothing_of_a_checkpoint_changes,
);
