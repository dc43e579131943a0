//! What one call asked of a registry and was answered, played to another module that is asked the
//! same. Nothing is sent: what the other module asks differently is not answered, and counted.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{Endpoints, ProblemKind, Request, Response, SendError, Spent};

/// So far apart may times be that two modules write into the same question.
const TIMES_APART_S: i64 = 600;

/// The exchanges of one call.
#[derive(Default)]
pub struct Tape {
    taken: Mutex<Vec<Taken>>,
    otherwise: AtomicU32,
}

struct Taken {
    endpoint: String,
    request: Request,
    response: Response,
    played: bool,
}

impl Endpoints {
    /// The same, with each answer kept.
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
}

impl Tape {
    /// How many requests were asked that the call had not asked.
    pub fn otherwise(&self) -> u32 {
        self.otherwise.load(Relaxed)
    }

    pub(super) fn take(&self, endpoint: &str, request: Request, response: &Response) {
        self.lock().push(Taken {
            endpoint: endpoint.to_owned(),
            request,
            response: response.clone(),
            played: false,
        });
    }

    fn play(&self, endpoint: &str, request: &Request) -> Result<Response, SendError> {
        let mut taken = self.lock();
        // Each answer once, in their order; where one is asked again, the last one again.
        let mut found: Option<(usize, Vec<Fresh>)> = None;
        for (at, one) in taken.iter().enumerate() {
            if one.endpoint != endpoint {
                continue;
            }
            if let Some(fresh) = alike(&one.request, request) {
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
        Ok(Response {
            body: renamed(&one.response.body, &fresh),
            spent: Spent {
                body_bytes: one.response.body.len() as u64,
                ..Spent::default()
            },
            ..one.response.clone()
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that each call makes anew: theirs and ours.
struct Fresh {
    theirs: String,
    ours: String,
}

/// Whether they ask the same, apart from numbers and times that each call makes anew.
fn alike(theirs: &Request, ours: &Request) -> Option<Vec<Fresh>> {
    let same = theirs.method == ours.method
        && theirs.path == ours.path
        && theirs.query == ours.query
        && theirs.body.is_some() == ours.body.is_some();
    if !same {
        return None;
    }
    let (Some(a), Some(b)) = (&theirs.body, &ours.body) else {
        return Some(Vec::new());
    };
    if a == b {
        return Some(Vec::new());
    }
    let (a, b) = (
        serde_json::from_slice(a).ok()?,
        serde_json::from_slice(b).ok()?,
    );
    let mut fresh = Vec::new();
    values_alike(&a, &b, &mut fresh).then_some(fresh)
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
        (Value::String(a), Value::String(b)) if a != b => {
            if is_uuid(a) && is_uuid(b) {
                fresh.push(Fresh {
                    theirs: a.clone(),
                    ours: b.clone(),
                });
                return true;
            }
            is_same_moment(a, b)
        }
        (a, b) => a == b,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok()
}

fn is_same_moment(a: &str, b: &str) -> bool {
    match (a.parse::<Timestamp>(), b.parse::<Timestamp>()) {
        (Ok(a), Ok(b)) => a.as_second().abs_diff(b.as_second()) <= TIMES_APART_S.unsigned_abs(),
        _ => false,
    }
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
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;

    fn request(path: &str, body: Value) -> Request {
        Request {
            method: Method::POST,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Some(body.to_string().into()),
            timeout: None,
            only_reads: true,
            tells_elsewhere: false,
            trace: None,
        }
    }

    fn answer(text: &str) -> Response {
        Response {
            status: 200,
            headers: Vec::new(),
            body: Bytes::from(text.to_owned()),
            spent: Spent::default(),
        }
    }

    const A: &str = "0b1f5bd0-65a5-4a38-8dcb-5cbb2aef1a53";
    const B: &str = "6b06bb8f-6b39-44fb-9be2-7a1c1f0d5c10";

    #[test]
    fn the_same_question_is_answered_and_no_other() {
        let tape = Tape::default();
        let asked = json!({ "id": A, "at": "2026-03-01T14:03:00Z", "who": "1" });
        tape.take("r", request("/a", asked), &answer(&format!("to {A}")));
        let ours = json!({ "id": B, "at": "2026-03-01T14:03:09Z", "who": "1" });
        let played = tape.play("r", &request("/a", ours.clone())).unwrap();
        assert_eq!(played.body, format!("to {B}"));
        // Asked once more it is the same.
        assert!(tape.play("r", &request("/a", ours.clone())).is_ok());
        assert_eq!(tape.otherwise(), 0);
        for (endpoint, path, key, value) in [
            ("other", "/a", "who", json!("1")),
            ("r", "/b", "who", json!("1")),
            ("r", "/a", "who", json!("2")),
            ("r", "/a", "who", json!(A)),
            ("r", "/a", "at", json!("2026-03-01T15:03:09Z")),
            ("r", "/a", "more", json!(1)),
        ] {
            let mut body = ours.clone();
            body[key] = value;
            let refused = tape.play(endpoint, &request(path, body.clone()));
            assert!(refused.is_err(), "{endpoint} {path} {body}");
        }
        assert_eq!(tape.otherwise(), 6);
    }

    #[test]
    fn equal_questions_have_their_answers_in_order() {
        let tape = Tape::default();
        for text in ["one", "two"] {
            tape.take("r", request("/a", json!({})), &answer(text));
        }
        let play = || tape.play("r", &request("/a", json!({}))).unwrap().body;
        assert_eq!([play(), play(), play()], ["one", "two", "two"]);
    }
}
