//! Looks for what other calls left, and tells what it should keep to itself.

use std::alloc::{Layout, alloc};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use adapter_sdk::model::Identifier;
use adapter_sdk::{call, http, log};

use crate::{Found, good, report};

/// How much memory is filled and searched.
const AREA: usize = 8 << 20;
/// What is left in it.
const SECRET: u64 = 0x5ec2_e75e_c2e7_5ec2;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Counts its calls in a global, and tells the number.
pub fn remember(_: &[Identifier]) -> Found {
    let calls = CALLS.fetch_add(1, Relaxed) + 1;
    report(vec![("calls".into(), calls.to_string())])
}

/// Fills memory with a secret and does not clean up.
pub fn leave_secret(_: &[Identifier]) -> Found {
    let area: Vec<u64> = vec![SECRET; AREA / size_of::<u64>()];
    std::mem::forget(black_box(area));
    good()
}

/// Looks for the secret in memory that it has not written, and counts what is not zero too.
#[allow(unsafe_code, reason = "safe Rust never reads memory before writing it")]
pub fn look_for_secret(_: &[Identifier]) -> Found {
    let words = AREA / size_of::<u64>();
    // SAFETY: the layout has a size. Fresh linear memory is initialised by the engine, whatever
    // Rust thinks of it; reads are volatile, within the allocation and aligned.
    let (secrets, dirty) = unsafe {
        let start =
            alloc(Layout::array::<u64>(words).unwrap_or(Layout::new::<u64>())).cast::<u64>();
        let found = (0..words).map(|word| start.add(word).read_volatile());
        found.fold((0, 0), |(secrets, dirty), word| {
            (
                secrets + u32::from(word == SECRET),
                dirty + u32::from(word != 0),
            )
        })
    };
    report(vec![
        ("secrets".into(), secrets.to_string()),
        ("dirty".into(), dirty.to_string()),
    ])
}

/// Logs the name that it was asked for.
pub fn log_name(arguments: &[Identifier]) -> Found {
    log::warn!("cannot map {}", joined(arguments));
    good()
}

/// Prints the name that it was asked for, on both streams.
#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "that is what the sandbox has to stand"
)]
pub fn print_name(arguments: &[Identifier]) -> Found {
    println!("printed {}", joined(arguments));
    eprintln!("printed {}", joined(arguments));
    good()
}

/// Breaks with a name in the message.
#[allow(clippy::panic, reason = "that is what the sandbox has to stand")]
pub fn panic_with_name(arguments: &[Identifier]) -> Found {
    panic!("cannot map {}", joined(arguments))
}

/// Logs who asks and what was handed over to show that the person is there.
pub fn log_callers_words(_: &[Identifier]) -> Found {
    let proof = call::proof().map(|proof| proof.value);
    let consent = call::consent().map(|consent| consent.reference);
    log::info!(
        "proof {proof:?} consent {consent:?} user {:?}",
        call::user()
    );
    good()
}

/// Logs what the registry answered.
pub fn log_answer(_: &[Identifier]) -> Found {
    let answer = http::endpoint("registry").get("/inside").send()?;
    log::info!("answered: {}", answer.text()?);
    good()
}

fn joined(arguments: &[Identifier]) -> String {
    let values = arguments.iter().map(|argument| argument.value.as_str());
    values.collect::<Vec<_>>().join(" ")
}
