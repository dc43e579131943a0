//! Not a test: how many audit rows a second become durable. Run by name, with `--ignored` and
//! `--nocapture`.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::*;
use crate::store::chain::Link;
use crate::store::writer::AuditRow;

const TIME: Duration = Duration::from_secs(3);

async fn audit_rows_a_second(home: Home) {
    let database = if home.is_postgres() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    for callers in [1, 16, 256] {
        let store = home.open().await;
        let start = Instant::now();
        let before = processor();
        let calls = (0..callers).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut rows = 0;
                while start.elapsed() < TIME {
                    let row = begin_row("r-1");
                    let id = row.id;
                    store.audit().begin(row).await.unwrap();
                    store.audit().end(end_row(id)).await.unwrap();
                    rows += 2;
                }
                rows
            })
        });
        let done = join_all(calls.collect::<Vec<_>>()).await;
        let rows: u32 = done.into_iter().map(Result::unwrap).sum();
        let rate = f64::from(rows) / start.elapsed().as_secs_f64();
        let each = (processor() - before).as_secs_f64() * 1_000_000.0 / f64::from(rows);
        let commits = store.audit().commits();
        let sync = sync_ms(home.directory.path());
        println!(
            "{database}: {callers} callers, {rate:.0} rows/s, {commits} commits; {each:.1} µs of \
             this process's processor time a row, of which {:.1} are the chain's hash; disk sync {sync:.2} ms",
            hash_us()
        );
        store.close().await;
    }
}

/// What this process has used so far, by all its threads.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the program's name: user and system time, in hundredths of a second.
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    let ticks = fields.skip(11).take(2).map(|it| it.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// What the place of one row in a chain takes to compute: the rows of a call, as above. What the
/// chain's columns, index and head add to the database's own work is not told from the rest of it.
fn hash_us() -> f64 {
    const CALLS: u32 = 10_000;
    let rows: Vec<AuditRow> = (0..CALLS)
        .flat_map(|_| {
            let begin = begin_row("r-1");
            let end = end_row(begin.id);
            [
                AuditRow::Begin(Box::new(begin)),
                AuditRow::End(Box::new(end)),
            ]
        })
        .collect();
    let start = Instant::now();
    let links = Link::first(1, Timestamp::UNIX_EPOCH).through(&rows.iter().collect::<Vec<_>>());
    assert_eq!(links.len(), rows.len());
    start.elapsed().as_secs_f64() * 1_000_000.0 / f64::from(2 * CALLS)
}

/// The median of what the disk takes to sync one page, now.
fn sync_ms(directory: &Path) -> f64 {
    let mut file = File::create(directory.join("sync")).unwrap();
    let mut times: Vec<f64> = (0..51)
        .map(|_| {
            file.write_all(&[1; 8_192]).unwrap();
            let start = Instant::now();
            file.sync_data().unwrap();
            start.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[25]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn audit_on_sqlite() {
    audit_rows_a_second(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn audit_on_postgres() {
    if let Some(home) = Home::postgres() {
        audit_rows_a_second(home).await;
    }
}
