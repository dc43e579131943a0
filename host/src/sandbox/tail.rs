//! The last lines that adapters logged, masked as they are in the gateway's own log, for whoever
//! looks at a registry right now. In memory, and bounded for each registry and over all of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::broadcast;

/// Lines that are kept for a registry.
const KEPT_LINES: usize = 200;
/// Their text together, in bytes.
const KEPT_BYTES: usize = 32 << 10;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 4 << 10;
/// Registries of which lines are kept. Of the one too many, the quietest is forgotten.
const KEPT_REGISTRIES: usize = 1_024;
/// Lines that a reader may be behind.
const BEHIND: usize = 256;

/// One line that an adapter logged, masked.
#[derive(Clone, Debug)]
pub struct Said {
    /// When its call ended: that is when lines are masked.
    pub at: Timestamp,
    /// The module's digest.
    pub module: Arc<str>,
    /// The number of the request that the call was part of.
    pub request_id: Arc<str>,
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What it said.
    pub text: String,
}

/// What was said lately, and what is said from then on: no line is missing between the two.
#[derive(Debug)]
pub struct Following {
    /// The last lines, oldest first.
    pub kept: Vec<Arc<Said>>,
    next: broadcast::Receiver<Arc<Said>>,
}

/// The reader was too slow, and lines are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooSlow {
    /// How many.
    pub lines: u64,
}

#[derive(Default)]
pub(super) struct Tail {
    registries: Mutex<HashMap<String, Lines>>,
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<Arc<Said>>,
    bytes: usize,
    /// Only while somebody reads: a channel takes more memory than the lines.
    tell: Option<broadcast::Sender<Arc<Said>>>,
}

impl Following {
    /// The next line. Never ends by itself.
    ///
    /// # Errors
    /// [`TooSlow`]: lines were thrown away since this was last asked.
    pub async fn next(&mut self) -> Result<Arc<Said>, TooSlow> {
        match self.next.recv().await {
            Ok(said) => Ok(said),
            Err(broadcast::error::RecvError::Lagged(lines)) => Err(TooSlow { lines }),
            // The registry was forgotten as the quietest; whoever asks again is remembered.
            Err(broadcast::error::RecvError::Closed) => Err(TooSlow { lines: 0 }),
        }
    }
}

impl Tail {
    pub(super) fn push(&self, registry: &str, mut said: Said) {
        if said.text.len() > LONGEST_LINE {
            let end = said.text.floor_char_boundary(LONGEST_LINE);
            said.text.truncate(end);
        }
        self.with(registry, |lines| lines.push(Arc::new(said)));
    }

    pub(super) fn follow(&self, registry: &str) -> Following {
        self.with(registry, |lines| {
            let tell = lines
                .tell
                .get_or_insert_with(|| broadcast::Sender::new(BEHIND));
            Following {
                kept: lines.kept.iter().cloned().collect(),
                next: tell.subscribe(),
            }
        })
    }

    fn with<T>(&self, registry: &str, work: impl FnOnce(&mut Lines) -> T) -> T {
        let mut registries = self
            .registries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = registries.get_mut(registry) {
            return work(lines);
        }
        if registries.len() >= KEPT_REGISTRIES {
            let last = |lines: &Lines| lines.kept.back().map(|said| said.at);
            let quietest = registries.iter().min_by_key(|(_, lines)| last(lines));
            if let Some(name) = quietest.map(|(name, _)| name.clone()) {
                registries.remove(&name);
            }
        }
        work(registries.entry(registry.to_owned()).or_default())
    }
}

impl Lines {
    fn push(&mut self, said: Arc<Said>) {
        self.bytes += said.text.len();
        self.kept.push_back(said.clone());
        while self.kept.len() > KEPT_LINES || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len();
        }
        // Nobody reads any more.
        if self
            .tell
            .as_ref()
            .is_some_and(|tell| tell.send(said).is_err())
        {
            self.tell = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: impl Into<String>) -> Said {
        Said {
            at: Timestamp::now(),
            module: "sha256:00".into(),
            request_id: "".into(),
            level: "info",
            text: text.into(),
        }
    }

    #[tokio::test]
    async fn whoever_follows_misses_nothing_in_between() {
        let tail = Tail::default();
        tail.push("civil", said("one"));
        tail.push("social", said("another registry's"));
        let mut following = tail.follow("civil");
        tail.push("civil", said("two"));
        assert_eq!(following.kept.len(), 1);
        assert_eq!(following.kept[0].text, "one");
        assert_eq!(following.next().await.unwrap().text, "two");
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed() {
        let tail = Tail::default();
        let mut following = tail.follow("civil");
        for line in 0..BEHIND + 10 {
            tail.push("civil", said(line.to_string()));
        }
        assert_eq!(following.next().await.unwrap_err(), TooSlow { lines: 10 });
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let tail = Tail::default();
        for line in 0..KEPT_LINES + 50 {
            tail.push("civil", said(line.to_string()));
        }
        let kept = tail.follow("civil").kept;
        assert_eq!((kept.len(), &*kept[0].text), (KEPT_LINES, "50"));
        for _ in 0..20 {
            tail.push("civil", said("é".repeat(LONGEST_LINE)));
        }
        let kept = tail.follow("civil").kept;
        let bytes: usize = kept.iter().map(|said| said.text.len()).sum();
        assert!(bytes <= KEPT_BYTES && bytes > KEPT_BYTES / 2, "{bytes}");
        for registry in 0..KEPT_REGISTRIES + 10 {
            tail.push(&format!("r{registry}"), said("x"));
        }
        assert_eq!(tail.registries.lock().unwrap().len(), KEPT_REGISTRIES);
    }
}
