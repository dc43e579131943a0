//! What the floods cost in memory: in a process of their own, since a process has one figure.

use std::process::Command;

use gateway_tests::fault_proxy::{Mode, Step};

use super::answers::gzip;
use super::{Behind, begins};

/// For all of them together, each from several callers at the same time. An answer over its limit
/// would be a hundred times as much.
const GROWS_AT_MOST: u64 = 96 << 20;
const CALLERS: usize = 8;
/// RFC 1952: no name, no time.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
/// RFC 1951: a stored block of no bytes, and not the last one.
const EMPTY_BLOCK: [u8; 5] = [0, 0, 0, 0xff, 0xff];

#[test]
fn floods_do_not_fill_the_memory() {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "fault_proxy::memory::in_its_own_process"]);
    let output = again.args(["--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{told}");
    assert!(text.contains("1 passed"), "{text}");
    eprint!("{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by floods_do_not_fill_the_memory"]
async fn in_its_own_process() {
    let behind = Behind::with("http", |civil| {
        civil
            .set("concurrency.max_calls", 8)
            .set("concurrency.max_wait_ms", 60_000)
    })
    .await;
    let ok = "HTTP/1.1 200 OK\r\n";
    let repeat = |text: &str| Step::Repeat(text.into());
    let floods = [
        ("headers", "too-large", begins(ok, repeat("x-a: 1\r\n"))),
        (
            "a header",
            "too-large",
            begins(format!("{ok}x-a: "), repeat("a")),
        ),
        (
            "a body",
            "too-large",
            begins(format!("{ok}\r\n"), repeat("a")),
        ),
        (
            "chunks",
            "too-large",
            begins(
                format!("{ok}transfer-encoding: chunked\r\n\r\n"),
                repeat(&format!("400\r\n{}\r\n", "a".repeat(1 << 10))),
            ),
        ),
        (
            "an extension",
            "unreadable",
            begins(
                format!("{ok}transfer-encoding: chunked\r\n\r\n1;"),
                repeat("a"),
            ),
        ),
        (
            "zeros",
            "too-large",
            begins(
                format!("{ok}content-encoding: gzip\r\n\r\n"),
                Step::Repeat(gzip(&vec![0; 1 << 20])),
            ),
        ),
        (
            "1xx",
            "timed-out",
            Mode::Instead(vec![repeat("HTTP/1.1 100 Continue\r\n\r\n")]),
        ),
        (
            "gzip of nothing",
            "unreadable",
            begins(
                format!("{ok}content-encoding: gzip\r\n\r\n"),
                Step::Repeat(gzip(b"")),
            ),
        ),
        (
            "a gzip of no end and nothing in it",
            "timed-out",
            Mode::Instead(vec![
                Step::Send(format!("{ok}content-encoding: gzip\r\n\r\n").into()),
                Step::Send(GZIP_HEAD.into()),
                Step::Repeat(EMPTY_BLOCK.into()),
            ]),
        ),
    ];
    // What the first calls leave for good: pools, caches, threads.
    for _ in 0..3 {
        behind.recovers().await;
    }
    let before = peak();
    for (name, kind, mode) in floods {
        let sent = behind.proxy.bytes_out();
        behind.proxy.set(mode).await;
        let calls = (0..CALLERS).map(|_| behind.find());
        for (_, _, code) in futures_util::future::join_all(calls).await {
            assert_eq!(code, format!("http.sent-no-answer.{kind}"), "{name}");
        }
        let (grown, read) = (peak() - before, behind.proxy.bytes_out() - sent);
        eprintln!(
            "{name}: {} KiB more at the peak, {} KiB read",
            grown >> 10,
            read >> 10
        );
        assert!(grown < GROWS_AT_MOST, "{name}: {grown} bytes more");
        behind.recovers().await;
    }
}

/// The most memory that this process has had.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.unwrap().trim().trim_end_matches(" kB");
    text.parse::<u64>().unwrap() << 10
}
