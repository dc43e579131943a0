//! What only a server can do.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::operations::{accept, new, take};
use super::*;
use crate::config::store::{DatabaseUrl, SslMode};

fn postgres(home: &mut Home) -> &mut crate::config::store::PostgresConfig {
    home.config.postgres.as_mut().unwrap()
}

fn name_of(home: &Home) -> String {
    let postgres = home.config.postgres.as_ref().unwrap();
    postgres.url.database.clone()
}

async fn unfit(home: &Home) -> String {
    match Store::open(&home.config, None).await {
        Err(StoreError::Unfit { problem }) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_may_lose_rows_is_refused_with_the_remedy() {
    let Some(server) = Server::shared() else {
        return;
    };
    let home = Home::on(server);
    let store = home.open().await;
    let name = name_of(&home);
    let statement = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    server.administer("postgres", &statement);
    let problem = unfit(&home).await;
    assert!(problem.contains("set synchronous_commit = on"), "{problem}");

    // A gateway that runs finds it out with its next connection.
    server.administer("postgres", &terminate(&name));
    let error = store.audit().begin(begin_row("r-1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unfit { .. }), "{error:?}");
    let statement = format!("ALTER DATABASE {name} SET synchronous_commit = local");
    server.administer("postgres", &statement);
    store.audit().begin(begin_row("r-1")).await.unwrap();

    let statement = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    server.administer("postgres", statement);
    let mut home = home;
    postgres(&mut home).url.database = "latin".to_owned();
    let problem = unfit(&home).await;
    assert!(problem.contains("ENCODING 'UTF8'"), "{problem}");

    let Some(server) = Server::start(&["fsync=off"]) else {
        return;
    };
    let problem = unfit(&Home::on(&server)).await;
    assert!(problem.contains("set fsync = on"), "{problem}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_typed_error_without_the_role() {
    let url = DatabaseUrl::parse("postgres://secretrole@127.0.0.1:1/registry").unwrap();
    let mut config = postgres_config(Path::new("/nowhere"), "x");
    config.postgres.as_mut().unwrap().url = url;
    let error = Store::open(&config, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database postgres://127.0.0.1:1/registry cannot be opened"
    );
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_are_replaced() {
    let Some(server) = Server::shared() else {
        return;
    };
    let home = Home::on(server);
    let store = home.open().await;
    let statement = terminate(&name_of(&home));
    for _ in 0..3 {
        store.revision().await.unwrap();
        tokio::task::block_in_place(|| server.administer("postgres", &statement));
        // While nothing is under way nobody notices.
        store.audit().begin(begin_row("idle")).await.unwrap();
        store.revision().await.unwrap();
    }

    let calls = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let (mut acknowledged, mut unclear) = (0, 0);
            for _ in 0..200 {
                match store.audit().begin(begin_row("busy")).await {
                    Ok(()) => acknowledged += 1,
                    Err(StoreError::Unavailable(_)) => unclear += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
            (acknowledged, unclear)
        })
    });
    let calls: Vec<_> = calls.collect();
    for _ in 0..5 {
        tokio::task::block_in_place(|| server.administer("postgres", &statement));
    }
    let done = join_all(calls).await.into_iter().map(Result::unwrap);
    let (acknowledged, unclear) = done.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let stored = store.audit().by_request("busy").await.unwrap().len();
    assert!(
        (acknowledged..=acknowledged + unclear).contains(&stored),
        "{acknowledged} acknowledged, {unclear} unclear, {stored} stored"
    );
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_given_up() {
    let Some(server) = Server::shared() else {
        return;
    };
    let mut home = Home::on(server);
    postgres(&mut home).answer_timeout_ms = 2_000;
    let store = home.open().await;
    store.audit().begin(begin_row("r-1")).await.unwrap();
    let statement = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = '{}'",
        name_of(&home)
    );
    let pid = server.administer("postgres", &statement).trim().to_owned();
    let signal = |name: &str| {
        let done = Command::new("kill")
            .args([name, pid.as_str()])
            .status()
            .unwrap();
        assert!(done.success());
    };
    signal("-STOP");
    let start = Instant::now();
    // The silent connection had begun nothing: another takes its place.
    store.audit().begin(begin_row("r-1")).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(9));
    signal("-CONT");
    assert_eq!(store.audit().by_request("r-1").await.unwrap().len(), 2);
}

#[tokio::test]
async fn errors_do_not_quote_what_was_written() {
    let Some(home) = Home::postgres() else {
        return;
    };
    let _store = home.open().await;
    let mut conn = home.connect().await;
    for statement in [
        "INSERT INTO audit_begin VALUES ('hunter2', 0, 'hunter2', 'hunter2', NULL, NULL, NULL, \
         NULL, 'hunter2', 'x', 'x', '\\x00')",
        "INSERT INTO audit_end VALUES ('hunter2', 0, 'x', NULL, '', 0, 0)",
        "SELECT 'hunter2'::bigint",
        "DO $$ BEGIN RAISE EXCEPTION 'hunter2'; END $$",
    ] {
        let error = run(&mut conn, statement).await.unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
    let password = SecretString::from("hunter2");
    let opener = Opener::new(&home.config, Some(&password));
    assert!(!format!("{opener:?}").contains("hunter2"));
    let store = Store::open(&home.config, Some(&password)).await.unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_and_passwords_are_asked_for_and_checked() {
    let Some(server) = Server::start_with_tls() else {
        return;
    };
    server.administer("postgres", "ALTER ROLE gateway PASSWORD 'hunter2'");
    let mut home = Home::on(&server);
    let name = name_of(&home);
    let mut at = |host: &str, mode, ca: bool| {
        let url = format!("postgres://gateway@{host}:{}/{name}", server.port());
        let config = postgres(&mut home);
        config.url = DatabaseUrl::parse(&url).unwrap();
        config.sslmode = mode;
        config.ca_file = ca.then(|| server.socket().join("server.crt"));
        home.config.clone()
    };
    let right = SecretString::from("hunter2");
    let wrong = SecretString::from("hunter3");
    for (config, password, fits) in [
        (
            at("localhost", SslMode::VerifyFull, true),
            Some(&right),
            true,
        ),
        (at("127.0.0.1", SslMode::Require, false), Some(&right), true),
        // Another name than the certificate's, and a certificate that nobody vouches for.
        (
            at("127.0.0.1", SslMode::VerifyFull, true),
            Some(&right),
            false,
        ),
        (
            at("localhost", SslMode::VerifyFull, false),
            Some(&right),
            false,
        ),
        // The server takes nobody in the clear, and nobody without the password.
        (
            at("localhost", SslMode::Disable, false),
            Some(&right),
            false,
        ),
        (
            at("localhost", SslMode::VerifyFull, true),
            Some(&wrong),
            false,
        ),
        (at("localhost", SslMode::VerifyFull, true), None, false),
    ] {
        let opened = Store::open(&config, password).await;
        assert_eq!(opened.is_ok(), fits, "{config:?}: {opened:?}");
        if let Err(error) = opened {
            let text = format!("{error} {error:?}");
            assert!(matches!(error, StoreError::Open { .. }), "{text}");
            assert!(!text.contains("hunter"), "{text}");
        }
    }
}

fn terminate(database: &str) -> String {
    format!(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
         WHERE datname = '{database}'"
    )
}

/// Whatever the server does without being told: who waits for a lock must see what was committed
/// meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_accept_at_once_where_transactions_are_isolated() {
    let Some(server) = Server::shared() else {
        return;
    };
    let home = Home::on(server);
    home.open().await.close().await;
    for level in ["repeatable read", "serializable"] {
        let name = name_of(&home);
        let statement =
            format!("ALTER DATABASE {name} SET default_transaction_isolation = '{level}'");
        server.administer("postgres", &statement);
        let (one, two) = (home.open().await, home.open().await);
        for round in 0..20 {
            let key = format!("{level} {round}");
            let both = tokio::join!(accept(&one, new(&key, 1)), accept(&two, new(&key, 1)));
            let is_once = matches!(
                both,
                (Accepted::New, Accepted::Known) | (Accepted::Known, Accepted::New)
            );
            assert!(is_once, "{level}: {both:?}");
        }
        // Of one subject one is due, whoever took the others.
        let subject = u8::try_from(level.len()).unwrap();
        let of_one = (0..20).map(|at| new(&format!("{level} of one {at}"), subject));
        let of_one: Vec<NewOperation> = of_one.collect();
        let ids: Vec<Uuid> = of_one.iter().map(|it| it.id).collect();
        let stores = [&one, &two].into_iter().cycle();
        let at_once = of_one.into_iter().zip(stores);
        let accepted = join_all(at_once.map(|(new, store)| accept(store, new))).await;
        assert!(accepted.iter().all(|it| *it == Accepted::New), "{level}");
        let taken = take(&one).await;
        let due = taken.iter().filter(|it| ids.contains(&it.id)).count();
        assert_eq!(due, 1, "{level}");
        assert!(take(&two).await.is_empty(), "{level}");
        one.close().await;
        two.close().await;
    }
}
