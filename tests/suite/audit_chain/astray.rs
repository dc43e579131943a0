//! Rows that are put in where no chain goes.

use super::*;

const ID: &str = "00000000-0000-7000-8000-000000000000";

fn places(verdict: &Verdict) -> Vec<(Option<i64>, Option<i64>, Option<&str>)> {
    let bad = verdict.bad.iter();
    bad.map(|bad| (bad.chain, bad.seq, bad.id.as_deref()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_in_a_place_that_is_none_is_not_taken() {
    let (gateway, _) = asked(3).await;
    let mut outside = gateway.outside().await;
    for place in PLACES {
        let sql = COPY.replace("chain, SEQ, hash", place);
        assert!(outside.try_run(&sql).await.is_err(), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_in_a_place_that_is_none_is_named() {
    let (gateway, auditor) = asked(3).await;
    checkpoint(&gateway, &auditor).await;
    let mut outside = gateway.outside().await;
    outside.disarm_audit().await;
    let expected = [
        (Some(1), None),
        (Some(1), None),
        (Some(1), Some(0)),
        (Some(1), Some(-3)),
        (None, Some(4)),
    ];
    for (place, (chain, seq)) in PLACES.iter().zip(expected) {
        let sql = COPY.replace("chain, SEQ, hash", place);
        assert_eq!(outside.run(&sql).await, 1, "{place}");
        let verdict = verdict(&gateway, &Kept::default()).await;
        assert_eq!(places(&verdict)[0], (chain, seq, Some(ID)), "{place}");
        outside.restore_audit().await;
    }
}

const PLACES: [&str; 5] = [
    "chain, NULL, hash",
    "chain, NULL, NULL",
    "chain, 0, hash",
    "chain, -3, hash",
    "NULL, 4, NULL",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_put_in_where_rows_were_removed_is_named() {
    let (gateway, auditor) = asked(3).await;
    let mut outside = gateway.outside().await;
    let older = COPY.replace("chain, SEQ, hash", "NULL, NULL, NULL");
    assert_eq!(outside.run(&older).await, 1, "from before the chains");
    checkpoint(&gateway, &auditor).await;
    let inner = gateway.serving.gateway.clone();
    let pruned = inner.prune_audit_before(jiff::Timestamp::now()).await;
    // Six rows of calls, the beginning of the act of the checkpoint, and the older row.
    assert_eq!(pruned.unwrap(), 8);
    assert_eq!(verdict(&gateway, &Kept::default()).await.bad, []);
    let uin = gateway.person(1).uin;
    gateway.find("civil", &uin).send().await.ok();
    outside.disarm_audit().await;
    let last = "seq = (SELECT MAX(seq) FROM audit_begin)";
    for (place, chain, seq) in [
        ("chain, 2, hash", Some(1), Some(2)),
        ("NULL, NULL, NULL", None, None),
    ] {
        let sql = COPY.replace("chain, SEQ, hash", place);
        let sql = sql.replace("seq = 5", last);
        assert_eq!(outside.run(&sql).await, 1, "{place}");
        let found = verdict(&gateway, &Kept::default()).await;
        assert_eq!(places(&found), [(chain, seq, Some(ID))], "{place}");
        outside.restore_audit().await;
    }
    assert_eq!(verdict(&gateway, &Kept::default()).await.bad, []);
}
