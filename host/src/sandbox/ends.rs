//! How requests to a registry ended, counted by words that this program chose.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::egress::{Response, SendError};

/// A class of status, or a word of the contract's `problem-kind`.
const WORDS: [&str; 20] = [
    "1xx",
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "endpoint-not-granted",
    "request-refused",
    "limit-reached",
    "address-refused",
    "dns",
    "connect",
    "tls",
    "credential",
    "timed-out",
    "interrupted",
    "too-large",
    "unreadable",
    "redirect-refused",
    "resting",
    "other",
];

/// The word for an end. What is none of ours is `other`: a label must not come from outside.
pub(super) fn word(sent: &Result<Response, SendError>) -> &'static str {
    let class;
    let told = match sent {
        Ok(response) => {
            class = format!("{}xx", response.status / 100);
            &class
        }
        Err(error) => error.kind.word(),
    };
    let known = WORDS.into_iter().find(|word| *word == told);
    known.unwrap_or("other")
}

/// How the requests of a call ended so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HttpEnds([u32; WORDS.len()]);

/// The same, counted while requests run.
#[derive(Debug, Default)]
pub(super) struct EndCounters([AtomicU32; WORDS.len()]);

impl HttpEnds {
    /// How one request ended.
    #[cfg(test)]
    pub(crate) fn of(sent: &Result<Response, SendError>) -> Self {
        let counters = EndCounters::default();
        counters.count(word(sent));
        counters.so_far()
    }

    /// Word and number of what there is.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let all = WORDS.into_iter().zip(self.0);
        all.filter(|(_, count)| *count > 0)
    }
}

impl EndCounters {
    pub(super) fn count(&self, end: &str) {
        let counters = WORDS.iter().zip(&self.0);
        if let Some((_, counter)) = counters.into_iter().find(|(word, _)| **word == end) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn so_far(&self) -> HttpEnds {
        HttpEnds(std::array::from_fn(|at| {
            self.0.get(at).map_or(0, |count| count.load(Relaxed))
        }))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::egress::ProblemKind;

    fn answer(status: u16) -> Result<Response, SendError> {
        Ok(Response {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            spent: Default::default(),
        })
    }

    #[test]
    fn every_end_has_one_of_our_words() {
        let counters = EndCounters::default();
        let named = |word: &str| ProblemKind::Other(word.into());
        for (sent, expected) in [
            (answer(200), "2xx"),
            (answer(299), "2xx"),
            (answer(503), "5xx"),
            (answer(999), "other"),
            (Err(SendError::not_sent(ProblemKind::Dns, "")), "dns"),
            (Err(SendError::sent(named("Sita Devi"), "")), "other"),
        ] {
            assert_eq!(word(&sent), expected);
            counters.count(word(&sent));
        }
        let counts: Vec<_> = counters.so_far().counts().collect();
        assert_eq!(counts, [("2xx", 2), ("5xx", 1), ("dns", 1), ("other", 2)]);
    }
}
