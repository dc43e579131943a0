//! Compiles modules in a process of its own.
//!
//! The threat: a module that takes minutes or gigabytes to compile, or that crashes the compiler. In
//! this process it would take the gateway with it, and a compilation cannot be stopped. So the
//! gateway's own program is run once more, for one module: without environment and open files, where
//! nobody else wants the processor, with limits of memory and time, and it is killed when it is over
//! them. It sends compiled code back over a pipe. What came from there is what this process would
//! have made itself, and nothing else is ever taken for code.

mod child;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

pub use child::compile as compile_here;

use crate::config::sandbox::SandboxConfig;

/// The hidden command of the program. No test of any name contains it.
pub(crate) const COMMAND: &str = "compile-one-module";
/// What the child says first: an other program, which knows no such command, does not.
const HELLO: &[u8] = b"registry-gateway compiles 1\n";
/// What follows is code.
const CODE: u8 = b'C';
/// What follows is why there is none.
const PROBLEM: u8 = b'P';
/// Most code, which this process holds: its own memory, not the child's.
const MAX_CODE: u64 = 512 << 20;
/// Longest reason.
const MAX_PROBLEM: u64 = 4 << 10;
/// The child's threads: each may reserve memory of its own.
const THREADS: &str = "2";

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

pub(super) struct Compiler {
    program: PathBuf,
    memory_bytes: u64,
    max_code: u64,
    timeout: Duration,
}

/// Why there is no code.
#[derive(Debug)]
pub(super) enum NoCode {
    /// The compiler does not take the module, in its words.
    Refused(String),
    /// It took longer than it may.
    TooSlow,
    /// It took more memory than it may.
    TooLarge,
    /// The compiler itself ended.
    Crashed(ExitStatus),
    /// It could not be run: the gateway's own trouble.
    NotRun(io::Error),
}

impl Compiler {
    pub(super) fn new(config: &SandboxConfig) -> Self {
        Self {
            program: config.compiler_program.clone(),
            memory_bytes: config.compile_memory_bytes,
            max_code: MAX_CODE,
            timeout: Duration::from_millis(config.compile_timeout_ms),
        }
    }

    /// The module's code. Dropped, the child is killed.
    pub(super) async fn compile(&self, module: &[u8]) -> Result<Vec<u8>, NoCode> {
        let compiled = tokio::time::timeout(self.timeout, self.run(module)).await;
        compiled.unwrap_or(Err(NoCode::TooSlow))
    }

    async fn run(&self, module: &[u8]) -> Result<Vec<u8>, NoCode> {
        let mut child = self.command().spawn().map_err(NoCode::NotRun)?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(mut to), Some(mut from)) = pipes else {
            return Err(NoCode::NotRun(io::ErrorKind::BrokenPipe.into()));
        };
        let sending = async move {
            // It may have ended without reading all: why, it says itself.
            let _ = to.write_all(module).await;
        };
        let ((), received) = tokio::join!(sending, self.receive(&mut from));
        drop(from);
        let status = child.wait().await.map_err(NoCode::NotRun)?;
        match (received, status.success()) {
            (Ok(Some(code)), true) => Ok(code),
            (Ok(None), true) => Err(NoCode::TooLarge),
            (Err(no_code @ NoCode::Refused(_)), true) => Err(no_code),
            (Err(no_code), true) => Err(no_code),
            (Ok(_) | Err(_), false) => Err(ended(status)),
        }
    }

    /// None: more code than memory may have.
    async fn receive(
        &self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Vec<u8>>, NoCode> {
        let mut head = [0; HELLO.len() + 1];
        let said = from.read_exact(&mut head).await;
        let (hello, kind) = head.split_at(HELLO.len());
        if said.is_err() || hello != HELLO {
            let other = "that program does not compile modules: set sandbox.compiler_program to \
                         registry-gateway";
            return Err(NoCode::NotRun(io::Error::other(other)));
        }
        let most = if kind == [CODE] {
            self.memory_bytes.min(self.max_code)
        } else {
            MAX_PROBLEM
        };
        let mut rest = Vec::new();
        let read = from.take(most).read_to_end(&mut rest).await;
        let read = read.map_err(NoCode::NotRun)?;
        match kind {
            [CODE] if u64::try_from(read).is_ok_and(|read| read < most) => Ok(Some(rest)),
            [CODE] => Ok(None),
            [PROBLEM] => Err(refused(&String::from_utf8_lossy(&rest))),
            _ => Err(NoCode::NotRun(io::ErrorKind::InvalidData.into())),
        }
    }

    fn command(&self) -> Command {
        let seconds = self.timeout.as_secs().max(1);
        let mut command = Command::new(&self.program);
        command
            .arg(COMMAND)
            .arg(self.memory_bytes.to_string())
            .arg(seconds.to_string())
            .env_clear()
            .env("RAYON_NUM_THREADS", THREADS)
            .env("MALLOC_ARENA_MAX", THREADS)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It may hold words of the module.
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// Where a mapping was refused, it says so in the system's words.
fn refused(problem: &str) -> NoCode {
    if problem.contains("os error 12") || problem.contains("Cannot allocate memory") {
        NoCode::TooLarge
    } else {
        NoCode::Refused(problem.to_owned())
    }
}

fn ended(status: ExitStatus) -> NoCode {
    match status.signal() {
        Some(SIGXCPU | SIGKILL) => NoCode::TooSlow,
        // What Rust does when there is no memory.
        Some(SIGABRT) => NoCode::TooLarge,
        Some(_) => NoCode::Crashed(status),
        None => NoCode::NotRun(io::Error::other(format!(
            "the compiler ended with {status}"
        ))),
    }
}

#[cfg(test)]
mod tests;
