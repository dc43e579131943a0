//! What waits in long queues, and how it is found.

use std::time::Duration;

use super::*;

/// Rows that are written by one statement.
const PART: i64 = 10_000;

/// Rows of two registries that are due, or come later, past the store.
async fn fill(home: &Home, store: &Store, count: i64) {
    // The tables must be there.
    store.operations().queues().await.unwrap();
    let mut conn = home.connect().await;
    let blob = match &conn {
        Conn::Sqlite(_) => "CAST(CAST(i AS TEXT) AS BLOB)",
        Conn::Postgres(_) => "decode(lpad(to_hex(i), 64, '0'), 'hex')",
    };
    let id = match &conn {
        Conn::Sqlite(_) => "printf('00000000-0000-7000-8000-%012d', i)",
        Conn::Postgres(_) => "'00000000-0000-7000-8000-' || lpad(CAST(i AS TEXT), 12, '0')",
    };
    // Some at a time: a server that is silent for too long is given up.
    let mut last = 0;
    while last < count {
        let (first, end) = (last + 1, (last + PART).min(count));
        let numbers = match &conn {
            Conn::Sqlite(_) => format!(
                "(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {end}) SELECT i FROM n) AS numbers"
            ),
            Conn::Postgres(_) => format!("generate_series({first}, {end}) AS numbers(i)"),
        };
        let statement = format!(
            "INSERT INTO operations (id, caller, registry, ability, idempotency_key, request_hash, \
             subject, bulk, state, accepted_at, changed_at, due_at, give_up_at, attempts, fence, \
             module_digest, request) SELECT {id}, 'openimis', \
             CASE WHEN i % 2 = 0 THEN 'civil' ELSE 'crvs' END, 'update', CAST(i AS TEXT), {blob}, \
             {blob}, i % 4 > 1, 'accepted', i, i, i, 9000000000000000, 0, 0, 'sha256:00', {blob} \
             FROM {numbers}"
        );
        run(&mut conn, statement).await.unwrap();
        last = end;
    }
    run(&mut conn, "ANALYZE").await.unwrap();
}

async fn plan(home: &Home, of: &str) -> String {
    let mut conn = home.connect().await;
    let explain = match &conn {
        Conn::Sqlite(_) => "EXPLAIN QUERY PLAN",
        Conn::Postgres(_) => "EXPLAIN",
    };
    let column = match &conn {
        Conn::Sqlite(_) => "detail",
        Conn::Postgres(_) => "QUERY PLAN",
    };
    let statement = format!("{explain} {of}");
    let rows = query(AssertSqlSafe(statement)).fetch_all(&mut conn).await;
    let rows = rows.unwrap();
    let lines = rows.iter().map(|row| row.get::<String>(column).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

async fn a_long_queue_is_found_by_its_index(home: Home) {
    let store = home.open().await;
    assert_eq!(store.operations().queues().await.unwrap(), []);
    fill(&home, &store, 20_000).await;
    let plan = plan(&home, super::super::operations::QUEUES).await;
    assert!(plan.contains("operations_due"), "{plan}");
    for scan in ["SCAN operations", "SCAN o\n", "Seq Scan on operations"] {
        assert!(!plan.contains(scan), "{plan}");
    }
    let queues = store.operations().queues().await.unwrap();
    let names: Vec<_> = queues.iter().map(|queue| &queue.registry[..]).collect();
    assert_eq!(names, ["civil", "crvs"]);
    let due = Some(Duration::ZERO);
    assert!(queues.iter().all(|it| it.due == due && it.bulk_due == due));
    // Of both queues it takes a part, who waits first.
    let taken = store
        .operations()
        .take(vec!["civil".into()], Duration::from_secs(60), 4, 3)
        .await
        .unwrap();
    assert_eq!(taken.iter().filter(|it| it.bulk).count(), 0);
    assert_eq!(taken.len(), 4);
    assert!(taken.iter().all(|it| it.registry == "civil"));
}

async fn a_list_by_state_is_found_by_its_index(home: Home) {
    let store = home.open().await;
    fill(&home, &store, 20_000).await;
    for registry in [None, Some("civil".to_owned())] {
        let filter = OperationFilter {
            state: Some(OperationState::GivenUp),
            registry,
            limit: 50,
            ..OperationFilter::default()
        };
        let mut statement = super::super::operations::listing(&filter);
        for (number, value) in [
            ("$1", "9"),
            ("$2", "5"),
            ("$3", "'given-up'"),
            ("$4", "'civil'"),
        ] {
            statement = statement.replace(number, value);
        }
        assert!(!statement.contains("request"), "{statement}");
        let plan = plan(&home, &statement).await;
        // PostgreSQL may take either: both tell where such rows are.
        assert!(plan.contains("operations_state"), "{plan}");
        assert_eq!(store.operations().list(&filter).await.unwrap(), []);
    }
    let all = OperationFilter {
        state: Some(OperationState::Accepted),
        registry: Some("civil".into()),
        caller: Some("openimis".into()),
        before: Some(5),
        limit: 50,
        ..OperationFilter::default()
    };
    let found = store.operations().list(&all).await.unwrap();
    let positions: Vec<_> = found.iter().map(|it| it.position).collect();
    assert_eq!(positions, [4, 2]);
    assert!(found.iter().all(|it| it.request.is_none()));
    let full = store.operations().get(found[0].id).await.unwrap().unwrap();
    assert!(full.request.is_some());

    // The last of them were purged: by one before them it is seen which key sealed.
    let mut conn = home.connect().await;
    let purged = "UPDATE operations SET request = NULL WHERE position > 4".to_owned();
    run(&mut conn, purged).await.unwrap();
    let newest = store.operations().newest_sealed().await.unwrap().unwrap();
    assert_eq!(newest, (full.id, full.request.unwrap()));
    let none = "UPDATE operations SET request = NULL".to_owned();
    run(&mut conn, none).await.unwrap();
    assert_eq!(store.operations().newest_sealed().await.unwrap(), None);
}

/// By hand: `cargo test --lib -- --ignored a_million`.
async fn a_million_rows_are_looked_at_in_no_time(home: Home) {
    let store = home.open().await;
    fill(&home, &store, 1_000_000).await;
    println!("{}", plan(&home, super::super::operations::QUEUES).await);
    for (what, limit) in [("first", 2_000), ("again", 50)] {
        let began = std::time::Instant::now();
        store.operations().queues().await.unwrap();
        let queues = began.elapsed();
        let taken = store
            .operations()
            .take(vec!["civil".into()], Duration::from_secs(60), 4, 3)
            .await;
        assert_eq!(taken.unwrap().len(), 4);
        let took = began.elapsed();
        println!("{what}: queues {queues:?}, with take {took:?}");
        assert!(took < Duration::from_millis(limit), "{what}: {took:?}");
    }
    let began = std::time::Instant::now();
    let counts = store.operations().counts().await.unwrap();
    println!("counts {:?}: {counts:?}", began.elapsed());
}

on_both!(
    a_long_queue_is_found_by_its_index,
    a_list_by_state_is_found_by_its_index,
);

mod a_million {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "some minutes: a million rows"]
    async fn on_sqlite() {
        a_million_rows_are_looked_at_in_no_time(Home::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "some minutes: a million rows"]
    async fn on_postgres() {
        if let Some(home) = Home::postgres() {
            a_million_rows_are_looked_at_in_no_time(home).await;
        }
    }
}
