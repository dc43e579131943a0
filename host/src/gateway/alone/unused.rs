//! What of a registry's answers the mapping makes no use of, found by trying: the call is made again,
//! answered from the tape, with one value changed, and then with it left out. Where neither makes a
//! difference, to what comes of it and to what is asked, the mapping does not use it for this answer.
//! An adapter's own word is not asked for, and nothing is sent to the registry.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::change::{Place, another, at, places, with};
use super::{Calling, End, Pace};
use crate::egress::{Endpoints, Tape};

/// Calls that are made for it.
const MAX_RUNS: u32 = 4_000;
/// How long it may take.
const MAX_TIME: Duration = Duration::from_secs(30);
/// As a call against a registry may have: the tape answers at once.
const PACE: Pace = Pace::AtOnce { steps: 100 };

/// Which of the registry's fields make no difference.
#[derive(Clone, Debug, Default)]
pub struct Unused {
    /// They make none.
    pub fields: Vec<Field>,
    /// How many make one.
    pub used: usize,
    /// How many were not tried, for want of calls or time.
    pub not_tried: usize,
    /// Answers whose fields cannot be told.
    pub not_looked_at: Vec<NotLookedAt>,
    /// How many calls it took.
    pub runs: u32,
}

/// A field of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// The exchange, counted from 0.
    pub exchange: usize,
    /// `message.search_response.*.status`.
    pub field: String,
}

/// An answer whose fields cannot be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotLookedAt {
    /// The exchange, counted from 0. None: all of them.
    pub exchange: Option<usize>,
    /// Why.
    pub why: &'static str,
}

/// How much may be tried.
#[derive(Clone, Copy)]
struct Bounds {
    runs: u32,
    time: Duration,
}

struct Trial<'a> {
    calling: &'a Calling<'a>,
    endpoints: &'a Endpoints,
    tape: &'a Tape,
    expected: &'a End,
    /// How many requests were answered.
    plays: u32,
    runs: u32,
    max_runs: u32,
    deadline: Instant,
}

/// None: the call came to nothing that a field could change.
pub(super) async fn look(
    calling: &Calling<'_>,
    endpoints: &Endpoints,
    tape: &Tape,
    expected: &End,
) -> Option<Unused> {
    let bounds = Bounds {
        runs: MAX_RUNS,
        time: MAX_TIME,
    };
    look_within(bounds, calling, endpoints, tape, expected).await
}

async fn look_within(
    bounds: Bounds,
    calling: &Calling<'_>,
    endpoints: &Endpoints,
    tape: &Tape,
    expected: &End,
) -> Option<Unused> {
    if !matches!(expected, End::Answer(_) | End::Failure(_)) {
        return None;
    }
    let exchanges = tape.exchanges();
    let mut trial = Trial {
        calling,
        endpoints,
        tape,
        expected,
        plays: u32::try_from(exchanges.len()).unwrap_or(u32::MAX),
        runs: 0,
        max_runs: bounds.runs,
        deadline: Instant::now() + bounds.time,
    };
    let mut unused = Unused::default();
    let bodies = exchanges.into_iter().enumerate().filter_map(|(at, it)| {
        let answer = it.answer?.ok()?;
        (!answer.body.is_empty()).then_some((at, answer.body))
    });
    let bodies: Vec<(usize, Bytes)> = bodies.collect();
    if !bodies.is_empty() && trial.same(tape.copied()).await != Some(true) {
        unused.not_looked_at.push(NotLookedAt {
            exchange: None,
            why: "asked the same again, the adapter asks or answers otherwise: a signature, or a \
                  number that it makes anew",
        });
    } else {
        for (exchange, body) in bodies {
            trial.answer(exchange, &body, &mut unused).await;
        }
    }
    unused.runs = trial.runs;
    Some(unused)
}

impl Trial<'_> {
    /// All fields of one answer.
    async fn answer(&mut self, exchange: usize, body: &Bytes, unused: &mut Unused) {
        let mut leave_out = |why| {
            unused.not_looked_at.push(NotLookedAt {
                exchange: Some(exchange),
                why,
            });
        };
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return leave_out("it is not JSON");
        };
        // What is signed or hashed as it came is refused whatever is changed, and tells nothing.
        let spaced = serde_json::to_vec_pretty(&document).unwrap_or_default();
        let spaced = self.tape.with_body(exchange, spaced.into());
        if self.same(spaced).await == Some(false) {
            return leave_out("written with other spaces, it makes a difference: a signature");
        }
        let most = usize::try_from(self.max_runs).unwrap_or(usize::MAX);
        let (places, beyond) = places(&document, most);
        unused.not_tried += beyond;
        for place in places {
            match self.makes_none(exchange, &document, &place).await {
                Some(true) => unused.fields.push(Field {
                    exchange,
                    field: place.name,
                }),
                Some(false) => unused.used += 1,
                None => unused.not_tried += 1,
            }
        }
    }

    /// Whether nothing at that place makes a difference. None: it was not all tried.
    async fn makes_none(
        &mut self,
        exchange: usize,
        document: &Value,
        place: &Place,
    ) -> Option<bool> {
        for path in &place.paths {
            if self.is_over() {
                return None;
            }
            for new in [at(document, path).map(another), None] {
                let changed = with(document, path, new).to_string();
                let tape = self.tape.with_body(exchange, changed.into());
                if !self.same(tape).await? {
                    return Some(false);
                }
            }
        }
        (!place.more).then_some(true)
    }

    fn is_over(&self) -> bool {
        self.runs >= self.max_runs || Instant::now() >= self.deadline
    }

    /// Whether the same comes of it. None: no call or time is left.
    async fn same(&mut self, tape: Tape) -> Option<bool> {
        if self.is_over() {
            return None;
        }
        self.runs += 1;
        let tape = Arc::new(tape);
        let played = self.endpoints.played(tape.clone());
        let came = self.calling.ask(played, PACE);
        let came = tokio::time::timeout_at(self.deadline, came).await.ok()?;
        let asked = tape.otherwise() == 0 && tape.plays() == self.plays;
        Some(asked && came.end == *self.expected)
    }
}
