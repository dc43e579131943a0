//! What a guest logs and prints, kept until its call is over, then masked and logged. Python and
//! JavaScript put their tracebacks on standard error.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::mask::{Mask, without_cut_word};
use super::spelling::unescaped;
use super::tail::Said;
use crate::config::limits::CallLimits;

/// So many bytes are searched where the call ran: in less than a millisecond.
const MASK_HERE: usize = 64 << 10;

/// Said after the last line that there was room for.
const CUT: &str = "more was logged than log_lines and log_bytes keep";

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
    /// The last word of what was printed may be a part of one.
    printed_cut: bool,
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
            kept.bytes += room;
            let text = if room < text.len() {
                let head = text.as_bytes().get(..room).unwrap_or_default();
                cut(&String::from_utf8_lossy(head))
            } else {
                text.to_owned()
            };
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
            kept.printed_cut |= room < bytes.len();
        });
    }

    /// Logs all that is left, masked, and gives it. `also` is what the caller asked with.
    pub(super) async fn tell(
        &self,
        registry: &str,
        module: &str,
        request_id: &str,
        also: Vec<Bytes>,
    ) -> Vec<Said> {
        let (lines, mut seen, cut) = self.with(Kept::take);
        if lines.is_empty() && !cut {
            return Vec::new();
        }
        seen.extend(also);
        let Some(lines) = masked(lines, seen).await else {
            tracing::error!(target: "adapter", registry, module, request_id, "what it logged could not be masked and is left out");
            return Vec::new();
        };
        for Line { level, text } in &lines {
            match *level {
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
        let mut lines = lines;
        if cut {
            tracing::warn!(target: "adapter", registry, module, request_id, "{CUT}");
            lines.push(Line {
                level: tracing::Level::WARN,
                text: CUT.into(),
            });
        }
        let at = Timestamp::now();
        let (module, request_id): (Arc<str>, Arc<str>) = (module.into(), request_id.into());
        let said = |Line { level, text }| Said {
            at,
            module: Arc::clone(&module),
            request_id: Arc::clone(&request_id),
            level: word(level),
            text,
        };
        lines.into_iter().map(said).collect()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn word(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        _ => "debug",
    }
}

/// Masks the lines, elsewhere where it takes long: 20 MiB of answers would hold up every other
/// call of this worker. None: nothing is known of what the lines hold.
async fn masked(lines: Vec<Line>, seen: Vec<Bytes>) -> Option<Vec<Line>> {
    let size: usize = seen.iter().map(Bytes::len).sum();
    let work = move || mask_all(lines, &seen);
    if size <= MASK_HERE {
        return Some(work());
    }
    tokio::task::spawn_blocking(work).await.ok()
}

fn mask_all(mut lines: Vec<Line>, seen: &[Bytes]) -> Vec<Line> {
    for line in &mut lines {
        if let Cow::Owned(plain) = unescaped(&line.text) {
            line.text = plain;
        }
    }
    let mask = Mask::of(lines.iter().map(|line| line.text.as_str()), seen);
    for line in &mut lines {
        line.text = mask.apply(&line.text);
    }
    lines
}

/// Without the word in which it was cut.
fn cut(text: &str) -> String {
    without_cut_word(&unescaped(text)).to_owned()
}

impl Kept {
    /// All lines, what was seen, and whether there was more. Leaves nothing.
    fn take(&mut self) -> (Vec<Line>, Vec<Bytes>, bool) {
        let mut lines = std::mem::take(&mut self.lines);
        let printed = std::mem::take(&mut self.printed);
        let mut printed = String::from_utf8_lossy(&printed);
        if self.printed_cut {
            printed = Cow::Owned(cut(&printed));
        }
        let mut printed = printed.lines().filter(|line| !line.trim().is_empty());
        lines.extend(
            printed
                .by_ref()
                .take(self.max_lines.saturating_sub(lines.len()))
                .map(|line| Line {
                    level: tracing::Level::WARN,
                    text: line.to_owned(),
                }),
        );
        self.cut |= printed.next().is_some();
        (lines, std::mem::take(&mut self.seen), self.cut)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn output(log_bytes: u32) -> Output {
        Output::new(&CallLimits {
            log_bytes,
            ..CallLimits::default()
        })
    }

    #[test]
    fn a_cut_line_shows_no_part_of_a_word() {
        let kept = output(17);
        kept.log(tracing::Level::INFO, "cannot map Zwimbatosk");
        let (lines, _, cut) = kept.with(Kept::take);
        assert_eq!((lines[0].text.as_str(), cut), ("cannot map ", true));

        let kept = output(17);
        for bytes in ["cannot map ", "Zwimba", "tosk"] {
            kept.print(bytes.as_bytes());
        }
        let (lines, _, cut) = kept.with(Kept::take);
        assert_eq!((lines[0].text.as_str(), cut), ("cannot map ", true));
    }

    #[tokio::test]
    async fn much_that_was_seen_and_escapes_are_masked() {
        let line = Line {
            level: tracing::Level::INFO,
            text: r"cannot map 'M\u00fcller' of Zwimbatosk".into(),
        };
        let much = format!(r#"[{}"Zwimbatosk"]"#, r#""a","#.repeat(MASK_HERE));
        let seen = vec![Bytes::from("name=M%C3%BCller"), Bytes::from(much)];
        let lines = masked(vec![line], seen).await.unwrap();
        assert_eq!(lines[0].text, r"cannot map '***' of ***");
    }
}
