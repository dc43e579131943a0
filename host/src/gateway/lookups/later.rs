//! Lookups whose registry answers later than their caller waits. Where the adapter goes on is kept,
//! sealed, and each time that the caller comes back it goes on from there, by the same line as any
//! lookup. Nothing runs in between, so that no restart loses anything, and any gateway of the database
//! can go on.

mod back;
mod gone;
mod sealed;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedRwLockReadGuard;
use tokio::time::Instant;
use uuid::Uuid;

pub use back::LookedUp;
use back::{Back, From};
pub(super) use sealed::{Query, Question};

use crate::config::lookups::LookupsConfig;
use crate::gateway::roster::Entry;
use crate::gateway::{Caller, Gateway, GatewayError};
use crate::model::{Ability, Failure};
use crate::sandbox::{Fault, Limit, Pending, PendingAnswer};
use crate::store::{LookupRoom, LookupStep, NewLookup, StoreError};

/// A caller whose registry calls back is to come again after so long, or sooner where the adapter
/// says so: nobody knows when a callback comes.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// How a caller takes an answer that is not there yet.
#[derive(Clone, Default)]
pub struct Way(Kind);

#[derive(Clone, Default)]
enum Kind {
    /// It waits for as long as a call can last.
    #[default]
    Waits,
    /// After so long it goes, and comes back.
    ComesBack(Duration),
    /// It came back.
    Back(Arc<Back>),
}

/// A lookup that is kept for its caller.
#[derive(Clone, Debug)]
pub struct KeptLookup {
    /// Its name.
    pub id: Uuid,
    /// Which registry was asked.
    pub registry: String,
    /// The ability's word.
    pub ability: String,
    /// When it was asked.
    pub accepted_at: Timestamp,
    /// From then on it is over.
    pub expires_at: Timestamp,
    /// After so long it is worth coming back.
    pub come_again: Duration,
}

impl Way {
    /// Whoever asks goes after so long, and comes back for the answer.
    pub fn comes_back(after: Duration) -> Self {
        Self(Kind::ComesBack(after))
    }

    fn back(&self) -> Option<&Back> {
        match &self.0 {
            Kind::Back(back) => Some(back),
            _ => None,
        }
    }

    /// Whether this is the first time, and the lookup may be kept.
    fn is_new(&self) -> bool {
        matches!(self.0, Kind::ComesBack(_))
    }

    /// When the caller goes. None: it waits.
    pub(super) fn leaves_at(&self, began: Instant) -> Option<Instant> {
        match &self.0 {
            Kind::Waits => None,
            Kind::ComesBack(after) => Some(began + *after),
            Kind::Back(back) => Some(back.until),
        }
    }

    /// Where the adapter goes on.
    pub(super) fn goes_on(&self) -> Option<(Pending, Option<PendingAnswer>)> {
        match &self.back()?.from {
            From::Pending(pending, answer) => Some((pending.clone(), answer.clone())),
            From::Answer(_) => None,
        }
    }

    /// What the registry answered before, and the module that mapped it.
    pub(super) fn answer(&self) -> Option<(&[u8], &str)> {
        match self.back()? {
            Back {
                from: From::Answer(answer),
                module_digest,
                ..
            } => Some((answer, module_digest)),
            _ => None,
        }
    }

    /// Whether nothing is to be asked for a second time: it was counted, and compared, when it began.
    pub(super) fn is_back(&self) -> bool {
        self.back().is_some()
    }

    pub(super) fn may_be_kept(&self) -> bool {
        !matches!(self.0, Kind::Waits)
    }
}

impl Gateway {
    /// Keeps a swap from taking place that would not know of what may be kept here.
    pub(super) async fn keeps_open(
        &self,
        registry: &str,
        way: &Way,
    ) -> Option<OwnedRwLockReadGuard<()>> {
        if !way.may_be_kept() {
            return None;
        }
        let entry = self.inner.roster.take(registry).ok()?;
        Some(entry.pages.clone().read_owned().await)
    }

    /// Whether the lookup may begin: where it goes on it was counted when it began.
    pub(super) async fn take_place(
        &self,
        way: &Way,
        caller: &Caller,
        registry: &str,
    ) -> Result<(), GatewayError> {
        if way.is_back() {
            return Ok(());
        }
        if way.is_new() {
            let room = self.inner.lookups.room();
            let lookups = self.inner.store.lookups();
            let has_room = lookups.has_room(&caller.name, registry, room).await;
            if !has_room.map_err(GatewayError::Audit)? {
                return Err(GatewayError::TooManyLookups);
            }
        }
        self.inner.allowance.take(caller, registry).await
    }

    /// Whether the module can go on from where the lookup is.
    pub(super) fn can_go_on(&self, way: &Way, entry: &Entry) -> Result<(), GatewayError> {
        let readable = &entry.module.description().readable_states;
        match way.goes_on() {
            Some((pending, _)) if !readable.contains(&pending.state.schema) => {
                Err(GatewayError::LookupOver)
            }
            _ => Ok(()),
        }
    }

    /// What came of a step is kept before it is told: where the adapter goes on, or what the registry
    /// said, for a caller whose connection broke.
    pub(super) async fn keep<T: serde::Serialize>(
        &self,
        way: &Way,
        of: Of<'_>,
        result: Result<T, GatewayError>,
        left: Option<Pending>,
    ) -> Result<T, GatewayError> {
        match (&way.0, left, of.question) {
            (Kind::ComesBack(_), Some(left), Some(question)) => {
                Err(self.keep_new(of.caller, of.place, question, left).await)
            }
            (Kind::Back(back), Some(left), _) => {
                Err(self.keep_pending(of.place, of.used, back, left).await)
            }
            (Kind::Back(back), None, _) if matches!(back.from, From::Pending(..)) => {
                if let Some(answer) = self.answer_of(back.kept.id, &result) {
                    let step = self.step_of(of.place, of.used, back);
                    if let Err(error) = self.keep_answer(step, answer).await {
                        // It is told all the same, and asked for again it is made again.
                        tracing::warn!(%error, lookup = %back.kept.id, "an answer is not kept");
                    }
                }
                result
            }
            _ => result,
        }
    }

    async fn keep_new(
        &self,
        caller: &Caller,
        place: Place<'_>,
        question: Question,
        left: Pending,
    ) -> GatewayError {
        // As the database keeps it: whoever comes back is told the same.
        let now = Timestamp::now();
        let at = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let again_at = next_time(at, &left);
        let kept = KeptLookup {
            id: Uuid::new_v4(),
            registry: place.entry.name.clone(),
            ability: place.ability.as_str().into(),
            accepted_at: at,
            expires_at: after(at, self.inner.lookups.keep_ms.get()),
            come_again: come_again(&left, again_at, at),
        };
        let sealed = self
            .seal_question(kept.id, question)
            .and_then(|question| Ok((question, self.seal_pending(kept.id, &left, again_at)?)));
        let (question, pending) = match sealed {
            Ok(sealed) => sealed,
            Err(error) => return error,
        };
        let new = NewLookup {
            id: kept.id,
            caller: caller.name.clone(),
            registry: kept.registry.clone(),
            ability: kept.ability.clone(),
            at,
            expires_at: kept.expires_at,
            module_digest: place.entry.module.digest().into(),
            question,
            pending,
            room: self.inner.lookups.room(),
        };
        match self.inner.store.lookups().keep(new).await {
            Ok(true) => GatewayError::Kept(Box::new(kept)),
            Ok(false) => GatewayError::TooManyLookups,
            Err(error) => not_kept(error),
        }
    }

    async fn keep_pending(
        &self,
        place: Place<'_>,
        used: Vec<String>,
        back: &Back,
        left: Pending,
    ) -> GatewayError {
        let at = Timestamp::now();
        let again_at = next_time(at, &left);
        let kept = KeptLookup {
            come_again: come_again(&left, again_at, at),
            ..back.kept.clone()
        };
        let pending = match self.seal_pending(kept.id, &left, again_at) {
            Ok(pending) => pending,
            Err(error) => return error,
        };
        let step = self.step_of(place, used, back);
        match self.inner.store.lookups().goes_on(step, pending).await {
            // Where another came back at the same time and was first, it goes on from there.
            Ok(_) => GatewayError::Kept(Box::new(kept)),
            Err(error) => not_kept(error),
        }
    }

    /// What is to be kept of an answer, sealed. What may be answered otherwise later is not: the
    /// caller may come back for it.
    fn answer_of<T: serde::Serialize>(
        &self,
        id: Uuid,
        result: &Result<T, GatewayError>,
    ) -> Option<Result<Vec<u8>, GatewayError>> {
        match result {
            Ok(value) => Some(self.seal_answer_of(id, &Ok::<_, &Failure>(value))),
            Err(GatewayError::Failure(failure)) if is_an_answer(failure) => {
                Some(self.seal_answer_of(id, &Err::<&T, _>(failure)))
            }
            Err(_) => None,
        }
    }

    async fn keep_answer(
        &self,
        step: LookupStep,
        answer: Result<Vec<u8>, GatewayError>,
    ) -> Result<(), GatewayError> {
        let until = after(Timestamp::now(), self.inner.lookups.answer_keep_ms.get());
        let lookups = self.inner.store.lookups();
        let kept = lookups.answered(step, answer?, until).await;
        kept.map(drop).map_err(not_kept)
    }

    fn step_of(&self, place: Place<'_>, used: Vec<String>, back: &Back) -> LookupStep {
        LookupStep {
            id: back.kept.id,
            step: back.step,
            module_digest: place.entry.module.digest().into(),
            used: self.references_of(&place.entry.name, &used),
        }
    }
}

/// Whose lookup it is, and of what.
pub(super) struct Of<'a> {
    pub(super) caller: &'a Caller,
    pub(super) place: Place<'a>,
    /// None: it is not for its caller to come back for.
    pub(super) question: Option<Question>,
    /// The references whose answers the adapter was given.
    pub(super) used: Vec<String>,
}

/// Who was asked for what.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) entry: &'a Entry,
    pub(super) ability: Ability,
}

impl LookupsConfig {
    fn room(&self) -> LookupRoom {
        LookupRoom {
            per_caller: self.max_per_caller,
            per_registry: self.max_per_registry,
        }
    }
}

/// Whether the registry has said it for good. What an administrator can mend is asked again.
fn is_an_answer(failure: &Failure) -> bool {
    match failure {
        Failure::NotFound
        | Failure::Ambiguous(_)
        | Failure::Rejected(_)
        | Failure::Conflict(_)
        | Failure::Unsupported(_)
        | Failure::Other(_) => true,
        Failure::Denied(_)
        | Failure::Unavailable(_)
        | Failure::Unreadable(_)
        | Failure::Misconfigured(_) => false,
    }
}

fn not_kept(error: StoreError) -> GatewayError {
    match error {
        // The adapter was to bound it.
        StoreError::Invalid { .. } => GatewayError::Fault(Fault::OverLimit(Limit::Answer)),
        error => GatewayError::Audit(error),
    }
}

fn after(at: Timestamp, ms: u64) -> Timestamp {
    let life = SignedDuration::from_millis(ms.try_into().unwrap_or(i64::MAX));
    at.checked_add(life).unwrap_or(Timestamp::MAX)
}

/// When the adapter goes on by itself. None: only a callback brings the answer.
fn next_time(at: Timestamp, pending: &Pending) -> Option<Timestamp> {
    pending.retry_after_ms.map(|ms| after(at, ms.into()))
}

fn come_again(pending: &Pending, until: Option<Timestamp>, now: Timestamp) -> Duration {
    let rest = until.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default());
    match (&pending.reference, rest) {
        (Some(_), rest) => rest.map_or(COME_AGAIN, |rest| rest.min(COME_AGAIN)),
        (None, rest) => rest.unwrap_or(COME_AGAIN),
    }
}
