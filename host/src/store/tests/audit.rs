use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::store::writer::Chain;

async fn what_is_written_is_read_back_also_after_a_reopening(home: Home) {
    let store = home.open().await;
    let (open, ended) = (begin_row("r-1"), begin_row("r-1"));
    let end = end_row(ended.id);
    store.audit().begin(open.clone()).await.unwrap();
    store.audit().begin(ended.clone()).await.unwrap();
    store.audit().end(end.clone()).await.unwrap();
    store.close().await;

    let store = home.open().await;
    let expected = vec![
        AuditEntry {
            begin: open,
            end: None,
        },
        AuditEntry {
            begin: ended,
            end: Some(end),
        },
    ];
    assert_eq!(store.audit().by_request("r-1").await.unwrap(), expected);
    assert!(store.audit().by_request("r-2").await.unwrap().is_empty());
    let latest = store.audit().recent(1).await.unwrap();
    assert_eq!(latest, expected[1..]);
}

async fn a_person_is_found_as_asked_and_as_told_of(home: Home) {
    let store = home.open().await;
    let row = begin_row("r-1");
    store.audit().begin(row.clone()).await.unwrap();
    store.audit().end(end_row(row.id)).await.unwrap();
    store.audit().begin(begin_row("r-2")).await.unwrap();

    let audit = store.audit();
    let start = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(audit.by_person(&[2; 32], start).await.unwrap().len(), 2);
    assert_eq!(audit.by_person(&[3; 32], start).await.unwrap().len(), 1);
    assert!(audit.by_person(&[4; 32], start).await.unwrap().is_empty());
    let later = now() + Duration::from_secs(60);
    assert!(audit.by_person(&[2; 32], later).await.unwrap().is_empty());
}

async fn a_thousand_at_once_take_few_commits(home: Home) {
    let store = home.open().await;
    let calls = (0..1_000).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.audit().begin(begin_row(&format!("r-{number}"))).await })
    });
    for done in join_all(calls).await {
        done.unwrap().unwrap();
    }
    let commits = store.audit().commits();
    assert!(commits <= 100, "{commits} commits for 1,000 rows");
    assert_eq!(store.audit().recent(2_000).await.unwrap().len(), 1_000);
}

async fn a_bad_row_fails_alone_in_its_batch(home: Home) {
    let store = home.open().await;
    let first = begin_row("r-1");
    store.audit().begin(first.clone()).await.unwrap();

    let mut conn = home.connect().await;
    let good = begin_row("r-2");
    let end = end_row(good.id);
    let rows = [
        AuditRow::Begin(Box::new(good)),
        AuditRow::Begin(Box::new(first)),
        AuditRow::End(Box::new(end_row(Uuid::now_v7()))),
        AuditRow::End(Box::new(end)),
    ];
    let rows = rows.map(crate::store::writer::Shared::from);
    conn.begin().await.unwrap();
    let results =
        crate::store::writer::transaction::shared(&mut conn, &mut Chain::default(), &rows)
            .await
            .unwrap();
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(StoreError::Refused(_))));
    assert!(matches!(results[2], Err(StoreError::Refused(_))));
    assert!(results[3].is_ok());
    let entries = store.audit().by_request("r-2").await.unwrap();
    assert!(entries[0].end.is_some());
    assert_eq!(store.audit().by_request("r-1").await.unwrap().len(), 1);
}

async fn bad_rows_are_refused_to_their_own_callers(home: Home) {
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
    let results = join_all(calls).await;
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), number % 10 == 0, "{number}: {result:?}");
    }
    assert_eq!(store.audit().by_request("r-2").await.unwrap().len(), 45);
}

async fn limits_name_the_field_and_never_its_value(home: Home) {
    let store = home.open().await;
    let mut row = begin_row("r-1");
    row.purpose = Some("x".repeat(600));
    let error = store.audit().begin(row).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "audit.purpose has 600 bytes, at most 512 are kept"
    );
    let error = store.audit().begin(begin_row("r\0")).await.unwrap_err();
    assert_eq!(error.to_string(), "audit.request_id has a NUL character");
    let mut row = begin_row("r-1");
    row.asked = vec![[0; 32]; 5_000];
    let error = store.audit().begin(row).await.unwrap_err();
    assert!(error.to_string().starts_with("audit.asked has 5000 hashes"));
    assert!(store.audit().recent(10).await.unwrap().is_empty());
}

async fn rows_cannot_be_changed_removed_or_replaced(home: Home) {
    let store = home.open().await;
    let row = begin_row("r-1");
    let id = row.id;
    store.audit().begin(row).await.unwrap();
    store.audit().end(end_row(id)).await.unwrap();
    let before = store.audit().recent(10).await.unwrap();

    let mut statements = vec![
        "UPDATE audit_begin SET caller = 'x'".to_owned(),
        "DELETE FROM audit_begin".to_owned(),
        "UPDATE audit_end SET outcome = 'x'".to_owned(),
        "DELETE FROM audit_end".to_owned(),
    ];
    let begin = "SELECT id, 0, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', asked, NULL, NULL, NULL FROM audit_begin";
    let end = "SELECT id, 0, 'x', 'x', disclosed, 0, 0, NULL, NULL, NULL FROM audit_end";
    if home.is_postgres() {
        statements.extend([
            "TRUNCATE audit_end".to_owned(),
            "TRUNCATE audit_begin CASCADE".to_owned(),
            format!("INSERT INTO audit_begin {begin} ON CONFLICT (id) DO UPDATE SET caller = 'x'"),
            format!("INSERT INTO audit_end {end} ON CONFLICT (id) DO UPDATE SET outcome = 'x'"),
        ]);
    } else {
        statements.extend([
            format!("INSERT OR REPLACE INTO audit_begin {begin}"),
            format!("INSERT OR REPLACE INTO audit_end {end}"),
        ]);
    }
    let mut conn = home.connect().await;
    for replica in [false, true] {
        if replica && home.is_postgres() {
            // Other triggers are skipped then.
            let statement = "SET session_replication_role = replica";
            run(&mut conn, statement).await.unwrap();
        }
        for statement in &statements {
            let done = run(&mut conn, statement).await;
            assert!(
                matches!(done, Err(StoreError::Refused(_))),
                "{statement}: {done:?}"
            );
        }
    }
    assert_eq!(store.audit().recent(10).await.unwrap(), before);
}

on_both!(
    what_is_written_is_read_back_also_after_a_reopening,
    a_person_is_found_as_asked_and_as_told_of,
    a_thousand_at_once_take_few_commits,
    a_bad_row_fails_alone_in_its_batch,
    bad_rows_are_refused_to_their_own_callers,
    limits_name_the_field_and_never_its_value,
    rows_cannot_be_changed_removed_or_replaced,
);
