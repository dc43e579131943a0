//! The machine: what it is, where processes run, and what they use.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};

/// Where servers run.
pub(crate) const SERVER: usize = 0;
/// Where the load and the registry run; on a machine with one processor, with the servers.
pub(crate) const LOAD: usize = 1;

/// Keeps this process, and what it starts, on one processor.
pub(crate) fn pin(processor: usize) {
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    let mut set = CpuSet::new();
    set.set(if processor < there || processor == SERVER {
        processor
    } else {
        SERVER
    });
    // A second pin finds one processor available: it was not one processor at the first.
    if sched_setaffinity(None, &set).is_err() {
        println!("(not pinned: this machine does not allow it)");
    }
}

/// Says what everything was measured on.
pub(crate) fn describe() {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(':').nth(1))
        .unwrap_or(" unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("machine: {cores} ×{model}, Linux {}", kernel.trim());
    let sync = disk_sync();
    println!(
        "disk sync (append 4 KiB, fdatasync): p50 {:.2} ms, p99 {:.2} ms",
        millis(percentile(&sync, 50)),
        millis(percentile(&sync, 99)),
    );
}

/// How long the disk takes to keep something, sorted.
fn disk_sync() -> Vec<Duration> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut file = fs::File::create(folder.path().join("sync")).expect("a file");
    let mut took: Vec<_> = (0..200)
        .map(|_| {
            file.write_all(&[7; 4096]).expect("written");
            let began = Instant::now();
            file.sync_data().expect("kept");
            began.elapsed()
        })
        .collect();
    took.sort();
    took
}

/// Processor time of a process so far, all its threads together.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // Past the command's name, which may hold spaces: user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').expect("a stat line");
    let fields: Vec<u64> = fields
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let ticks = rustix::param::clock_ticks_per_second();
    Duration::from_millis((fields[11] + fields[12]) * 1_000 / ticks)
}

/// Resident memory of a process in MiB: all of it, and what no file backs.
pub(crate) fn memory(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.unwrap_or(0_u64) / 1024
    };
    (field("VmRSS:"), field("RssAnon:"))
}

/// Of sorted durations.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

/// The one in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
