//! Uses more than it should: time, memory, stack, handles, log lines, requests.

use std::hint::black_box;
use std::time::Duration;

use adapter_sdk::model::Identifier;
use adapter_sdk::{http, log};

use crate::{Found, good, report};

/// Computes for ever.
pub fn spin(_: &[Identifier]) -> Found {
    loop {
        black_box(0);
    }
}

/// Waits for ever, by the clock.
pub fn sleep(_: &[Identifier]) -> Found {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Computes long enough to be moved to a busy thread, and then waits there.
pub fn compute_then_sleep(arguments: &[Identifier]) -> Found {
    let mut sum = 0_u64;
    for n in 0..20_000_000_u64 {
        sum = black_box(sum.wrapping_add(n));
    }
    sleep(arguments)
}

/// Takes memory until there is none.
pub fn grow_memory(_: &[Identifier]) -> Found {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(black_box(vec![1; 1 << 20]));
    }
}

/// Calls itself for ever, on the engine's stack.
pub fn recurse(_: &[Identifier]) -> Found {
    black_box(deeper(black_box(1)));
    good()
}

/// What it gives is used after the call, and not by addition: no optimiser makes a loop of it.
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    deeper(depth.wrapping_add(1)).wrapping_mul(depth) ^ depth
}

/// Calls itself for ever, with an array in each frame.
pub fn recurse_with_frames(_: &[Identifier]) -> Found {
    black_box(deeper_with_frame(1));
    good()
}

#[inline(never)]
fn deeper_with_frame(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    let below = black_box(deeper_with_frame as fn(u64) -> u64)(depth + 1);
    below + black_box(&frame).iter().sum::<u64>()
}

/// The way Rust breaks.
#[allow(clippy::panic, reason = "that is what the sandbox has to stand")]
pub fn panic(_: &[Identifier]) -> Found {
    panic!("the mapping has a bug")
}

/// Traps without a word.
pub fn unreachable(_: &[Identifier]) -> Found {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort()
}

/// Ends the process that it is not.
pub fn exit(_: &[Identifier]) -> Found {
    std::process::exit(0)
}

/// Far more lines than are kept, and one long line.
pub fn flood_log(_: &[Identifier]) -> Found {
    log::info!("{}", "flood ".repeat(10_000));
    for line in 0..10_000 {
        log::info!("flood {line}");
    }
    good()
}

/// Far more bytes than are kept, on both streams.
#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "that is what the sandbox has to stand"
)]
pub fn flood_stdout(_: &[Identifier]) -> Found {
    for line in 0..10_000 {
        println!("flood {line}");
        eprintln!("flood {line}");
    }
    good()
}

/// Asks the registry a hundred times, one by one and all at the same time.
pub fn flood_http(arguments: &[Identifier]) -> Found {
    let mut ends = Vec::new();
    let get = || http::endpoint("registry").get("/flood");
    if arguments.is_empty() {
        ends.extend((0..50).map(|_| get().send()));
    }
    ends.extend(http::send_all((0..50).map(|_| get())));
    let words = ends.into_iter().map(|end| match end {
        Ok(response) => response.status.to_string(),
        Err(failure) => failure.summary(),
    });
    report(words.map(|word| ("flood".into(), word)).collect())
}

/// Holds more handles than it may: each thread of the clock is one.
pub fn flood_timers(_: &[Identifier]) -> Found {
    #[cfg(target_arch = "wasm32")]
    wasi::keep_timers();
    good()
}

/// Asks for 16 MiB of random bytes in one go.
pub fn much_random(_: &[Identifier]) -> Found {
    #[cfg(target_arch = "wasm32")]
    wasi::take_random();
    good()
}

/// WASI beneath the standard library, which never asks for so much. Declared by hand: `random` and
/// `clocks` are one function each.
#[cfg(target_arch = "wasm32")]
#[allow(
    unsafe_code,
    reason = "what the standard library does not offer is imported by hand"
)]
mod wasi {
    use std::hint::black_box;

    mod monotonic_clock {
        #[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
        unsafe extern "C" {
            #[link_name = "subscribe-duration"]
            pub(super) fn subscribe_duration(nanoseconds: u64) -> i32;
        }

        /// A handle that is never dropped.
        pub(super) fn timer() -> i32 {
            // SAFETY: the import takes and gives plain numbers; the host checks them.
            unsafe { subscribe_duration(3_600_000_000_000) }
        }
    }

    mod random {
        #[link(wasm_import_module = "wasi:random/random@0.2.0")]
        unsafe extern "C" {
            #[link_name = "get-random-bytes"]
            fn get_random_bytes(length: u64, result: *mut [usize; 2]);
        }

        pub(super) fn bytes(length: u64) -> [usize; 2] {
            let mut result = [0; 2];
            // SAFETY: `result` has room for the pointer and length that the host writes.
            unsafe { get_random_bytes(length, &raw mut result) };
            result
        }
    }

    pub(super) fn keep_timers() {
        loop {
            black_box(monotonic_clock::timer());
        }
    }

    pub(super) fn take_random() {
        black_box(random::bytes(16 << 20));
    }
}
