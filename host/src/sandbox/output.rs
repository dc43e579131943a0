//! What a guest logs and prints, kept until its call is over, then masked and logged. Python and
//! JavaScript put their tracebacks on standard error.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::mask::Mask;
use crate::config::limits::CallLimits;

/// One line, with the level that the guest gave it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) level: tracing::Level,
    pub(super) text: String,
}

/// What is kept of one call. Shared with the waiting side, so that a call that is cut short still
/// shows what it said.
#[derive(Clone, Default)]
pub(super) struct Output {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    lines: Vec<Line>,
    printed: Vec<u8>,
    /// What the registry was asked and answered: its words are masked.
    seen: Vec<Bytes>,
    bytes: usize,
    cut: bool,
    max_lines: usize,
    max_bytes: usize,
}

impl Output {
    pub(super) fn new(limits: &CallLimits) -> Self {
        let kept = Kept {
            max_lines: usize::try_from(limits.log_lines).unwrap_or(0),
            max_bytes: usize::try_from(limits.log_bytes).unwrap_or(0),
            ..Kept::default()
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
        }
    }

    /// Keeps a line of the guest's log, or as much of it as there is room for.
    pub(super) fn log(&self, level: tracing::Level, text: &str) {
        self.with(|kept| {
            if kept.lines.len() >= kept.max_lines {
                kept.cut = true;
                return;
            }
            let room = kept.room(text.len());
            let text = String::from_utf8_lossy(text.as_bytes().get(..room).unwrap_or_default());
            let text = text.into_owned();
            kept.bytes += text.len();
            kept.lines.push(Line { level, text });
        });
    }

    /// Keeps what passed between the guest and the registry: its words must not be logged.
    pub(super) fn saw(&self, bytes: Bytes) {
        self.with(|kept| kept.seen.push(bytes));
    }

    fn print(&self, bytes: &[u8]) {
        self.with(|kept| {
            let room = kept.room(bytes.len());
            kept.printed
                .extend_from_slice(bytes.get(..room).unwrap_or_default());
            kept.bytes += room;
        });
    }

    /// Logs all that is left, masked. `also` is what the caller asked with.
    pub(super) fn tell(&self, registry: &str, module: &str, request_id: &str, also: &[Bytes]) {
        let (lines, seen, cut) = self.with(|kept| {
            let mut lines = std::mem::take(&mut kept.lines);
            let printed = std::mem::take(&mut kept.printed);
            let printed = String::from_utf8_lossy(&printed);
            let mut printed = printed.lines().filter(|line| !line.trim().is_empty());
            lines.extend(
                printed
                    .by_ref()
                    .take(kept.max_lines.saturating_sub(lines.len()))
                    .map(|line| Line {
                        level: tracing::Level::WARN,
                        text: line.to_owned(),
                    }),
            );
            kept.cut |= printed.next().is_some();
            (lines, std::mem::take(&mut kept.seen), kept.cut)
        });
        if lines.is_empty() && !cut {
            return;
        }
        let mask = Mask::of(seen.iter().chain(also));
        for Line { level, text } in lines {
            let text = mask.apply(&text);
            match level {
                tracing::Level::ERROR => {
                    tracing::error!(target: "adapter", registry, module, request_id, "{text}");
                }
                tracing::Level::WARN => {
                    tracing::warn!(target: "adapter", registry, module, request_id, "{text}");
                }
                tracing::Level::INFO => {
                    tracing::info!(target: "adapter", registry, module, request_id, "{text}");
                }
                _ => tracing::debug!(target: "adapter", registry, module, request_id, "{text}"),
            }
        }
        if cut {
            tracing::warn!(target: "adapter", registry, module, request_id, "more was logged than log_lines and log_bytes keep");
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn room(&mut self, wanted: usize) -> usize {
        let room = self.max_bytes.saturating_sub(self.bytes);
        self.cut |= wanted > room;
        wanted.min(room)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Takes everything and keeps what there is room for: a full log must not fail a good call.
#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}
