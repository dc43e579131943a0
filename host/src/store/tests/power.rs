//! The gateway dies in the middle: what it acknowledged is there.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
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

fn assert_all_there(config: &StoreConfig, acknowledged: &[Uuid]) {
    assert!(acknowledged.len() >= ENOUGH);
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(config).await.unwrap();
        let mut conn = sqlite::connect(&sqlite::options(config)).await.unwrap();
        let stored: Vec<String> = sqlx::query_scalar("SELECT id FROM audit_begin")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let stored: HashSet<String> = stored.into_iter().collect();
        for id in acknowledged {
            assert!(
                stored.contains(&id.to_string()),
                "{id} was acknowledged and is lost"
            );
        }
        store.audit().begin(begin_row("r-2")).await.unwrap();
    });
}

#[test]
fn nothing_acknowledged_is_lost_with_the_runtime() {
    let home = Home::new();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let runtime = Runtime::new().unwrap();
    let told = Arc::clone(&acknowledged);
    runtime.block_on(async {
        let store = home.open().await;
        let ids = Arc::clone(&told);
        write_for_ever(&store, move |id| ids.lock().unwrap().push(id));
        while told.lock().unwrap().len() < ENOUGH {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    runtime.shutdown_background();
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert_all_there(&home.config, &acknowledged);
}

#[test]
fn nothing_acknowledged_is_lost_with_the_process() {
    let home = Home::new();
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
    writeln!(input, "{}", home.directory.path().display()).unwrap();
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
    assert_all_there(&home.config, &acknowledged);
}

#[test]
#[ignore = "the process that the test above kills: waits for a directory on its input"]
fn the_process() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let directory = PathBuf::from(line.trim_end());
    if directory.as_os_str().is_empty() {
        return;
    }
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(&config_in(&directory)).await.unwrap();
        write_for_ever(&store, |id| println!("\nacknowledged {id}"));
        std::future::pending::<()>().await;
    });
}
