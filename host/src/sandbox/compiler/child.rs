//! The other side: one module comes in, its code goes out.

use std::io::{self, Read, Write};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::{CODE, HELLO, PROBLEM};
use crate::sandbox::engine::code_config;
use crate::sandbox::turn::yield_to_all;

/// Reads a module from standard input and writes its code, or why there is none, to standard output.
/// Neither this process nor what it reads is trusted with more than the limits given.
///
/// # Errors
/// The limits cannot be set, or nobody reads.
pub fn compile(memory_bytes: u64, seconds: u64) -> io::Result<()> {
    limit(memory_bytes, seconds)?;
    // Where the system refuses it, it is slower for others, and no less safe.
    let _ = yield_to_all();
    let mut module = Vec::new();
    io::stdin().lock().read_to_end(&mut module)?;
    let mut out = io::stdout().lock();
    out.write_all(HELLO)?;
    let compiled = Engine::new(&code_config()).and_then(|it| it.precompile_component(&module));
    match compiled {
        Ok(code) => {
            out.write_all(&[CODE])?;
            out.write_all(&code)?;
        }
        Err(error) => {
            out.write_all(&[PROBLEM])?;
            out.write_all(format!("{error:#}").as_bytes())?;
        }
    }
    out.flush()
}

/// For this process and whatever it might become.
fn limit(memory_bytes: u64, seconds: u64) -> io::Result<()> {
    let set = |resource: Resource, most: u64| {
        // What is lower already stays: only root may raise it.
        let most = Some(getrlimit(resource).maximum.unwrap_or(u64::MAX).min(most));
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        setrlimit(resource, limit).map_err(io::Error::from)
    };
    set(Resource::As, memory_bytes)?;
    // Of all its threads together: each may have the whole time.
    set(Resource::Cpu, seconds.saturating_mul(2))?;
    // It needs no file, and its memory is not for reading.
    set(Resource::Fsize, 0)?;
    set(Resource::Core, 0)?;
    set(Resource::Nofile, FILES)
}

/// The three that it has, and a few for the moment in which it reads what the processor can do.
const FILES: u64 = 16;
