//! The gateway or its database dies in the middle: what was acknowledged is there.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::*;

const WRITERS: usize = 16;
/// More than one batch of the writers above.
const ENOUGH: usize = 300;

/// Calls that never stop by themselves; each tells of its row once that is acknowledged.
fn write_for_ever(store: &Store, acknowledged: impl Fn(Uuid) + Clone + Send + Sync + 'static) {
    for _ in 0..WRITERS {
        let store = store.clone();
        let acknowledged = acknowledged.clone();
        tokio::spawn(async move {
            loop {
                let row = begin_row("r-1");
                let id = row.id;
                store.audit().begin(row).await.unwrap();
                acknowledged(id);
            }
        });
    }
}

async fn assert_all_there(home: &Home, acknowledged: &[Uuid]) {
    assert!(acknowledged.len() >= ENOUGH);
    let store = home.open().await;
    let mut conn = home.connect().await;
    let rows = query("SELECT id FROM audit_begin")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    let stored: HashSet<String> = rows.iter().map(|row| row.get("id").unwrap()).collect();
    for id in acknowledged {
        assert!(
            stored.contains(&id.to_string()),
            "{id} was acknowledged and is lost"
        );
    }
    store.audit().begin(begin_row("r-2")).await.unwrap();
}

async fn nothing_acknowledged_is_lost_with_the_runtime(home: Home) {
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let runtime = Runtime::new().unwrap();
    let told = Arc::clone(&acknowledged);
    let config = home.config.clone();
    // The store's tasks run where it is opened, and go with that.
    let writing = std::thread::spawn(move || {
        runtime.block_on(async {
            let store = Store::open(&config, None).await.unwrap();
            let ids = Arc::clone(&told);
            write_for_ever(&store, move |id| ids.lock().unwrap().push(id));
            while told.lock().unwrap().len() < ENOUGH {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        runtime.shutdown_background();
    });
    tokio::task::block_in_place(|| writing.join().unwrap());
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert_all_there(&home, &acknowledged).await;
}

async fn nothing_acknowledged_is_lost_with_the_process(home: Home) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::tests::power::the_process",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let database = match &home.config.postgres {
        Some(postgres) => match &postgres.url.host {
            DatabaseHost::Socket(socket) => {
                format!("{} {}", socket.display(), postgres.url.database)
            }
            DatabaseHost::Name(_) => unreachable!(),
        },
        None => home.directory.path().display().to_string(),
    };
    writeln!(input, "{database}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < ENOUGH {
        let line = lines.next().expect("the process ended early").unwrap();
        acknowledged.extend(
            line.strip_prefix("acknowledged ")
                .map(|id| id.parse::<Uuid>().unwrap()),
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_all_there(&home, &acknowledged).await;
}

#[test]
#[ignore = "the process that the test above kills: waits for a database on its input"]
fn the_process() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let line = line.trim_end();
    let config = match line.split_once(' ') {
        _ if line.is_empty() => return,
        Some((socket, database)) => postgres_config(Path::new(socket), database),
        None => config_in(Path::new(line)),
    };
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(&config, None).await.unwrap();
        write_for_ever(&store, |id| println!("\nacknowledged {id}"));
        std::future::pending::<()>().await;
    });
}

/// A crash of PostgreSQL: its buffers go, its processes go, what it has on disk stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_with_the_server() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let home = Home::on(&server);
    let store = home.open().await;
    for _ in 0..2 {
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let calls: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (store, acknowledged) = (store.clone(), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    loop {
                        let row = begin_row("r-1");
                        let id = row.id;
                        match store.audit().begin(row).await {
                            Ok(()) => acknowledged.lock().unwrap().push(id),
                            Err(error) => return error,
                        }
                    }
                })
            })
            .collect();
        while acknowledged.lock().unwrap().len() < ENOUGH {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::task::block_in_place(|| server.crash());
        for call in calls {
            let error = call.await.unwrap();
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
        let error = store.ready().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        let error = store.revision().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");

        tokio::task::block_in_place(|| server.resume());
        store.ready().await.unwrap();
        assert_eq!(store.revision().await.unwrap(), 0);
        let acknowledged = acknowledged.lock().unwrap().clone();
        assert_all_there(&home, &acknowledged).await;
    }
}

on_both!(
    nothing_acknowledged_is_lost_with_the_runtime,
    nothing_acknowledged_is_lost_with_the_process,
);
