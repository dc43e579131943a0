//! What one call asked of a registry and was answered, played to another module that is asked the
//! same. Nothing is sent: what the other module asks differently is not answered, and counted.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{Endpoints, ProblemKind, Request, Response, SendError, Spent};

/// So far apart may times be that two modules write into the same question.
const TIMES_APART_S: i64 = 600;

/// A place on the tape of a call.
#[derive(Clone, Copy)]
pub struct Mark(usize);

/// The exchanges of one call.
#[derive(Default)]
pub struct Tape {
    taken: Mutex<Vec<Taken>>,
    otherwise: AtomicU32,
    plays: AtomicU32,
}

/// One exchange, for whoever asked: it holds personal data. The request is what the adapter asked below
/// the base URL, before a credential or a configured header was added: no secret of the registry's
/// configuration is in it.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// The endpoint's name.
    pub endpoint: String,
    /// What the adapter asked.
    pub request: Request,
    /// None: the call ended before.
    pub answer: Option<Result<Response, SendError>>,
    /// How long the answer was waited for. None: the call ended before.
    pub took: Option<Duration>,
}

struct Taken {
    exchanged: Exchanged,
    began: Instant,
    played: bool,
}

/// Where on a tape the answer to a request goes.
pub(super) struct Asked(usize);

impl Endpoints {
    /// The same, with each answer kept, or why there was none.
    pub fn taped(&self, tape: Arc<Tape>) -> Self {
        Self {
            tape: Some(tape),
            ..self.clone()
        }
    }

    /// The same names, answered by what another call was answered. Nothing is sent anywhere.
    pub fn played(&self, tape: Arc<Tape>) -> Self {
        Self {
            replay: Some(Arc::new(move |endpoint: &str, request: &Request| {
                tape.play(endpoint, request)
            })),
            tape: None,
            ..self.clone()
        }
    }

    /// What was asked from here on may be asked again.
    pub fn mark(&self) -> Mark {
        Mark(self.tape.as_ref().map_or(0, |tape| tape.lock().len()))
    }

    /// It is asked again: what the attempt that failed was answered is not what counts.
    pub fn rewind(&self, Mark(to): Mark) {
        if let Some(tape) = &self.tape {
            tape.lock().truncate(to);
        }
    }
}

impl Tape {
    /// How many requests were asked that the call had not asked.
    pub fn otherwise(&self) -> u32 {
        self.otherwise.load(Relaxed)
    }

    /// How many requests were answered from it.
    pub fn plays(&self) -> u32 {
        self.plays.load(Relaxed)
    }

    /// All that is on it, in the order in which it was asked.
    pub fn exchanges(&self) -> Vec<Exchanged> {
        let taken = self.lock();
        taken.iter().map(|one| one.exchanged.clone()).collect()
    }

    /// The same, to be played from the beginning, with another body in one answer.
    pub fn with_body(&self, at: usize, body: Bytes) -> Self {
        let copied = self.copied();
        if let Some(Some(Ok(answer))) = copied
            .lock()
            .get_mut(at)
            .map(|one| one.exchanged.answer.as_mut())
        {
            answer.body = body;
        }
        copied
    }

    /// The same, to be played from the beginning.
    pub fn copied(&self) -> Self {
        let taken = self.exchanges().into_iter().map(Taken::new).collect();
        Self {
            taken: Mutex::new(taken),
            ..Self::default()
        }
    }

    pub(super) fn ask(&self, endpoint: &str, request: Request) -> Asked {
        let mut taken = self.lock();
        taken.push(Taken::new(Exchanged {
            endpoint: endpoint.to_owned(),
            request,
            answer: None,
            took: None,
        }));
        Asked(taken.len() - 1)
    }

    pub(super) fn answer(&self, Asked(at): Asked, answer: &Result<Response, SendError>) {
        if let Some(taken) = self.lock().get_mut(at) {
            taken.exchanged.answer = Some(answer.clone());
            taken.exchanged.took = Some(taken.began.elapsed());
        }
    }

    fn play(&self, endpoint: &str, request: &Request) -> Result<Response, SendError> {
        let mut taken = self.lock();
        // Each answer once, in their order; where one is asked again, the last one again.
        let mut found: Option<(usize, Vec<Fresh>)> = None;
        for (at, one) in taken.iter().enumerate() {
            if one.exchanged.endpoint != endpoint {
                continue;
            }
            if let Some(fresh) = alike(&one.exchanged.request, request) {
                found = Some((at, fresh));
                if !one.played {
                    break;
                }
            }
        }
        let Some((one, fresh)) = found.and_then(|(at, fresh)| Some((taken.get_mut(at)?, fresh)))
        else {
            self.otherwise.fetch_add(1, Relaxed);
            return Err(SendError::not_sent(
                ProblemKind::Other("not-played".into()),
                "the module that serves did not ask this: it is not sent",
            ));
        };
        one.played = true;
        self.plays.fetch_add(1, Relaxed);
        match &one.exchanged.answer {
            Some(Ok(response)) => Ok(Response {
                body: renamed(&response.body, &fresh),
                spent: Spent {
                    body_bytes: response.body.len() as u64,
                    ..Spent::default()
                },
                ..response.clone()
            }),
            // What it took was the live call's.
            Some(Err(error)) => Err(SendError {
                spent: Spent::default(),
                ..error.clone()
            }),
            None => Err(SendError::sent(
                ProblemKind::TimedOut,
                "the call that asked this ended before its answer",
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn new(exchanged: Exchanged) -> Self {
        Self {
            exchanged,
            began: Instant::now(),
            played: false,
        }
    }
}

/// A number that each call makes anew: theirs and ours.
struct Fresh {
    theirs: String,
    ours: String,
}

/// Whether they ask the same, apart from numbers and times that each call makes anew.
fn alike(theirs: &Request, ours: &Request) -> Option<Vec<Fresh>> {
    let mut fresh = Vec::new();
    let same = theirs.method == ours.method
        && theirs.path == ours.path
        && theirs.query == ours.query
        && theirs.body.is_some() == ours.body.is_some()
        && headers_alike(&theirs.headers, &ours.headers, &mut fresh);
    if !same {
        return None;
    }
    let (Some(a), Some(b)) = (&theirs.body, &ours.body) else {
        return Some(fresh);
    };
    if a == b {
        return Some(fresh);
    }
    let (a, b) = (
        serde_json::from_slice(a).ok()?,
        serde_json::from_slice(b).ok()?,
    );
    values_alike(&a, &b, &mut fresh).then_some(fresh)
}

/// What an adapter sets itself: `content-type`, `accept`, `soapaction`. Names have no case, and the
/// order counts among those of one name only.
fn headers_alike(
    theirs: &[(String, String)],
    ours: &[(String, String)],
    fresh: &mut Vec<Fresh>,
) -> bool {
    let sorted = |headers: &[(String, String)]| {
        let mut sorted: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        sorted
    };
    let (theirs, ours) = (sorted(theirs), sorted(ours));
    theirs.len() == ours.len()
        && theirs
            .iter()
            .zip(&ours)
            .all(|((a, theirs), (b, ours))| a == b && texts_alike(theirs, ours, fresh))
}

fn values_alike(theirs: &Value, ours: &Value, fresh: &mut Vec<Fresh>) -> bool {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.get(key)
                        .is_some_and(|other| values_alike(value, other, fresh))
                })
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| values_alike(a, b, fresh))
        }
        (Value::String(a), Value::String(b)) => texts_alike(a, b, fresh),
        (a, b) => a == b,
    }
}

fn texts_alike(theirs: &str, ours: &str, fresh: &mut Vec<Fresh>) -> bool {
    if theirs == ours {
        return true;
    }
    if is_uuid(theirs) && is_uuid(ours) {
        fresh.push(Fresh {
            theirs: theirs.to_owned(),
            ours: ours.to_owned(),
        });
        return true;
    }
    is_same_moment(theirs, ours)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok()
}

fn is_same_moment(a: &str, b: &str) -> bool {
    match (moment(a), moment(b)) {
        (Some(a), Some(b)) => a.as_second().abs_diff(b.as_second()) <= TIMES_APART_S.unsigned_abs(),
        _ => false,
    }
}

/// As JSON has it, or as a header does.
fn moment(text: &str) -> Option<Timestamp> {
    let of_header = || jiff::fmt::rfc2822::parse(text).ok();
    let read = text.parse().ok();
    read.or_else(|| of_header().map(|it| it.timestamp()))
}

/// An answer names the number of its question: ours in place of theirs.
fn renamed(body: &Bytes, fresh: &[Fresh]) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else {
        return body.clone();
    };
    let named = fresh.iter().filter(|one| text.contains(&one.theirs));
    let text = named.fold(None, |text: Option<String>, one| {
        let before = text.as_deref();
        let before = before.unwrap_or_else(|| std::str::from_utf8(body).unwrap_or_default());
        Some(before.replace(&one.theirs, &one.ours))
    });
    text.map_or_else(|| body.clone(), Bytes::from)
}

#[cfg(test)]
mod tests;
