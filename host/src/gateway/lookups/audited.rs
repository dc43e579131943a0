//! Audit around the verb: beginning must succeed before anything is asked, the end before
//! anything is told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::later::{Of, Place, Query, Question, Way};
use super::policy::{Ask, Visible, check_asks};
use super::terms::check_terms;
use super::waiting::{Outcome, ask_by};
use super::watched::Watched;
use crate::gateway::roster::Entry;
use crate::gateway::shadow::{Chosen, Unseen, is_telling, ran_out};
use crate::gateway::{Caller, Gateway, GatewayError};
use crate::model::{Ability, Call, Failure, Opaque};
use crate::sandbox::{PendingAnswer, Ran, Work};
use crate::store::{AuditBegin, AuditEnd, KeyedHash, StoreError};

/// Who asks which registry, and why.
#[derive(Clone)]
pub struct Asking {
    /// Whose key it was.
    pub caller: Arc<Caller>,
    /// The registry's name.
    pub registry: String,
    /// The statements and wishes of the call.
    pub call: Call,
    /// How the caller takes an answer that is not there yet.
    pub way: Way,
}

/// What an ability answers, as it is kept for a caller who comes back.
pub(in crate::gateway) trait Told:
    Serialize + DeserializeOwned + Send + 'static
{
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Told for T {}

/// An answer, and what gave it.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    /// The answer, without what the caller may not see.
    pub value: T,
    /// The registry's name.
    pub registry: String,
    /// The digest of the module that answered.
    pub module: String,
}

/// One ability, as the common line needs it.
pub(in crate::gateway) struct Verb<T> {
    pub(in crate::gateway) ability: Ability,
    pub(in crate::gateway) asked: Vec<KeyedHash>,
    /// What of a person the question itself is about.
    pub(in crate::gateway) asks: Vec<Ask>,
    /// The question, where its caller may come back for the answer.
    pub(in crate::gateway) query: Option<Query>,
    /// The number of the adapter's own bytes that the question carries, if any.
    pub(in crate::gateway) carries: Option<u32>,
    /// The first call of the module; again, where it failed and is made again.
    pub(in crate::gateway) start: Start<T>,
    /// The later ones, after it answered `pending`.
    pub(in crate::gateway) resume: Resume<T>,
    /// All of an answer as plain data, to compare it with another.
    pub(in crate::gateway) plain: fn(&T) -> Value,
    /// Takes out what the caller may not see, and says whose data is left.
    pub(in crate::gateway) disclose: Disclose<T>,
}

pub(in crate::gateway) type Start<T> = Box<dyn Fn(Arc<Entry>, Work) -> Running<T> + Send + Sync>;
pub(in crate::gateway) type Resume<T> =
    fn(Arc<Entry>, Work, Opaque, Option<PendingAnswer>) -> Running<T>;
type Disclose<T> =
    Box<dyn FnOnce(&Gateway, &Visible, &mut T) -> Result<Vec<KeyedHash>, GatewayError> + Send>;

/// A call of a module under way.
pub(in crate::gateway) type Running<T> = Pin<Box<dyn Future<Output = Ran<T>> + Send>>;

/// What a line leaves: the answer, and the end of its audit row where that could not be written.
struct Line<T> {
    answer: Result<Answered<T>, GatewayError>,
    unwritten: Option<AuditEnd>,
    /// The references whose answers are of no more use.
    used: Vec<String>,
    /// A candidate is to answer it too.
    unseen: Option<Unseen<T>>,
}

impl<T> From<GatewayError> for Line<T> {
    fn from(error: GatewayError) -> Self {
        Self {
            answer: Err(error),
            unwritten: None,
            used: Vec::new(),
            unseen: None,
        }
    }
}

impl Gateway {
    /// The straight line of one lookup. It runs as a task of its own: a caller who hangs up does
    /// not keep the end from being written.
    pub(in crate::gateway) async fn audited<T: Told>(
        &self,
        asking: Asking,
        verb: Verb<T>,
    ) -> Result<Answered<T>, GatewayError> {
        let mut watched = Watched::begin(self, &asking, verb.ability);
        let gateway = self.clone();
        let registry = asking.registry.clone();
        let (tell, told) = oneshot::channel();
        let line = async move {
            let line = gateway.line(asking, verb, &mut watched).await;
            let Line {
                answer,
                unwritten,
                used,
                unseen,
            } = line;
            watched.end(&answer);
            // Nobody there: the caller hung up.
            let _ = tell.send(answer);
            gateway.use_up(&registry, &used).await;
            if let Some(end) = unwritten {
                gateway.end_later(end).await;
            }
            // Whoever asked has their answer: nobody waits for this.
            if let Some(unseen) = unseen {
                gateway.ask_candidate(unseen).await;
            }
        };
        self.inner.tasks.spawn(line.in_current_span());
        told.await.unwrap_or(Err(GatewayError::Internal))
    }

    async fn line<T: Told>(&self, asking: Asking, verb: Verb<T>, watched: &mut Watched) -> Line<T> {
        let Asking {
            caller,
            registry,
            mut call,
            way,
        } = asking;
        let _open = self.keeps_open(&registry, &way).await;
        let (entry, visible) = match self.admit(&caller, &registry, &call, &verb) {
            Ok(admitted) => admitted,
            Err(error) => {
                watched.refused(&registry, &error);
                return error.into();
            }
        };
        // From here on a swap waits for it, the time that its count takes included.
        let _underway = entry.begin();
        // Last: what is refused for another reason is not counted.
        let taken = match self.can_go_on(&way, &entry) {
            Ok(()) => self.take_place(&way, &caller, &registry).await,
            Err(over) => Err(over),
        };
        if let Err(error) = taken {
            watched.refused(&registry, &error);
            return error.into();
        }
        watched.admitted(&entry);
        call.attempt = 1;
        call.registry = registry.clone();
        call.trace = watched.context();

        let id = Uuid::now_v7();
        let began = Instant::now();
        let audit = self.inner.store.audit();
        let asked = verb.asked;
        let chosen = match way.is_back() {
            false => self.choose(&entry, verb.ability, verb.carries, id),
            true => None,
        };
        let mut begin = begin_row(id, &caller, &entry, &call, verb.ability, asked.clone());
        let answered = way.answer();
        if let Some((_, module)) = answered {
            module.clone_into(&mut begin.module_digest);
        }
        let module = begin.module_digest.clone();
        if let Err(error) = watched.audit("begin", audit.begin(begin)).await {
            return GatewayError::Audit(error).into();
        }

        let endpoints = match &chosen {
            Some(chosen) => Arc::new(entry.endpoints.taped(chosen.tape())),
            None => entry.endpoints.clone(),
        };
        let call = Arc::new(call);
        let (start, resume) = (&verb.start, verb.resume);
        let outcome = match answered {
            Some((answer, _)) => Outcome::of(read_back(answer)),
            None => ask_by(self, &entry, endpoints, call.clone(), (start, resume), &way).await,
        };
        let Outcome {
            result,
            spent,
            left,
            used,
        } = outcome;
        let live = match &result {
            Ok(value) => chosen.as_ref().map(|_| Ok((verb.plain)(value))),
            Err(error) => is_telling(error).then(|| Err(error.word())),
        };
        let chosen = match ran_out(&result, &spent) {
            true => {
                chosen.iter().for_each(Chosen::left_out);
                None
            }
            false => chosen,
        };
        // Whoever comes back goes on after them: they go with that step, or are needed again.
        let used_up = match way.is_back() {
            false => used.clone(),
            true => Vec::new(),
        };
        let of = Of {
            caller: &caller,
            place: Place {
                entry: &entry,
                ability: verb.ability,
            },
            question: verb.query.map(|query| Question::new(query, &call)),
            used,
        };
        let result = self.keep(&way, of, result, left).await;
        let unseen = chosen.zip(live).map(|(chosen, live)| Unseen {
            chosen,
            caller,
            call,
            ability: verb.ability,
            asked,
            start: verb.start,
            resume: verb.resume,
            plain: verb.plain,
            live,
        });
        let usage = spent.usage;
        watched.used(&spent);
        let result = result.and_then(|mut value| {
            let disclosed = (verb.disclose)(self, &visible, &mut value)?;
            Ok((value, disclosed))
        });
        let (result, disclosed) = match result {
            Ok((value, disclosed)) => (Ok(value), disclosed),
            Err(error) => (Err(error), Vec::new()),
        };
        let word = result.as_ref().map_or_else(GatewayError::word, |_| "done");
        let code = result.as_ref().err().and_then(GatewayError::code);
        let mut end = AuditEnd {
            id,
            at: Timestamp::now(),
            outcome: word.into(),
            code: code.map(str::to_owned),
            disclosed,
            registry_calls: usage.http_calls,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        if let Err(error) = watched.audit("end", audit.end(end.clone())).await {
            end.outcome = NOT_TOLD.into();
            end.disclosed.clear();
            return Line {
                unwritten: may_pass(&error).then_some(end),
                used: used_up,
                unseen: None,
                answer: Err(GatewayError::Audit(error)),
            };
        }
        Line {
            answer: result.map(|value| Answered {
                value,
                registry,
                module,
            }),
            unwritten: None,
            used: used_up,
            unseen,
        }
    }

    /// Whether the question may be asked, and what of its answer may be told.
    fn admit<T>(
        &self,
        caller: &Caller,
        registry: &str,
        call: &Call,
        verb: &Verb<T>,
    ) -> Result<(Arc<Entry>, Visible), GatewayError> {
        if !caller.may_ask(registry) {
            return Err(GatewayError::UnknownRegistry);
        }
        let entry = self.inner.roster.take(registry)?;
        if !caller.may(registry, verb.ability) {
            return Err(GatewayError::NotGranted);
        }
        if !entry.module.can(verb.ability) {
            return Err(GatewayError::NoAbility(verb.ability));
        }
        check_terms(&entry.policy, call, Timestamp::now())?;
        let shown = caller.shown(registry, verb.ability, &entry.policy.fields);
        check_asks(&shown, &verb.asks)?;
        let visible = Visible::of(shown, &call.wanted_fields)?;
        let readable = &entry.module.description().readable_states;
        if verb.carries.is_some_and(|form| !readable.contains(&form)) {
            return Err(GatewayError::Invalid {
                field: "page".into(),
                problem: "the registry's adapter has changed: start the search again",
            });
        }
        Ok((entry, visible))
    }

    /// Writes the end of a row that could not be written when its answer was refused. A row that
    /// stays without one reads like a gateway that died.
    async fn end_later(&self, end: AuditEnd) {
        for wait in END_RETRIES {
            tokio::time::sleep(wait).await;
            match self.inner.store.audit().end(end.clone()).await {
                Err(error) if may_pass(&error) => {}
                // An end may turn out to be there, with what would have been told: the database
                // said that it failed, and had it.
                Ok(()) | Err(StoreError::Refused(_)) => return,
                Err(error) => {
                    tracing::error!(row = %end.id, %error, "an audit row stays without its end");
                    return;
                }
            }
        }
        tracing::error!(row = %end.id, "an audit row stays without its end: the database is away");
    }
}

/// What was answered before, by the registry or as its refusal.
fn read_back<T: Told>(answer: &[u8]) -> Result<T, GatewayError> {
    let read: Result<Result<T, Failure>, _> = serde_json::from_slice(answer);
    match read {
        Ok(answer) => answer.map_err(GatewayError::Failure),
        Err(_) => Err(GatewayError::Internal),
    }
}

/// The outcome of a call whose answer was refused for want of the end of its audit row.
const NOT_TOLD: &str = "not-told";
/// Waits before each further try to write that end: longer than a lock or a full queue stays, and
/// short enough to end while the gateway closes.
const END_RETRIES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Whether the database may take the same row later.
fn may_pass(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy | StoreError::Unavailable(_))
}

pub(in crate::gateway) fn begin_row(
    id: Uuid,
    caller: &Caller,
    entry: &Entry,
    call: &Call,
    ability: Ability,
    asked: Vec<KeyedHash>,
) -> AuditBegin {
    AuditBegin {
        id,
        at: Timestamp::now(),
        request_id: call.request_id.clone(),
        caller: caller.name.clone(),
        user: call.asker.user.clone(),
        entity: call.asker.entity.clone(),
        purpose: call.asker.purpose.clone(),
        legal_basis: call.asker.legal_basis.clone(),
        registry: entry.name.clone(),
        ability: ability.as_str().into(),
        module_digest: entry.module.digest().into(),
        asked,
    }
}
