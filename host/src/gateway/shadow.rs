//! The candidate answers a share of lookups too, after the caller was told, and nobody is told what it
//! says: only where it differs is counted.
//!
//! It is played what the registry answered the live call, and sends nothing. So the registry is not
//! asked twice, nobody learns of a person by it, and a difference is the mapping's and not the hour's.

mod compare;
mod counts;

pub use compare::Difference;
pub use counts::{FieldReport, Seen, ShadowReport};

pub(super) use counts::Counts;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use super::lookups::audited::{Resume, Start, begin_row};
use super::lookups::waiting::{Spent, ask_unseen};
use super::roster::Entry;
use super::{AdminError, Caller, Gateway, GatewayError};
use crate::egress::Tape;
use crate::model::{Ability, Call};
use crate::sandbox::Fault;
use crate::store::{AuditEnd, KeyedHash};

/// What the audit says of a call whose answer nobody gets.
const SHADOW: &str = "shadow";

/// A candidate that answers a share of lookups.
pub(super) struct Trial {
    pub(super) entry: Arc<Entry>,
    pub(super) share_percent: u8,
    pub(super) counts: Arc<Counts>,
}

/// A lookup that the candidate is to answer too.
pub(super) struct Chosen {
    trial: Arc<Trial>,
    tape: Arc<Tape>,
    /// For as long as what was exchanged is kept.
    _place: OwnedSemaphorePermit,
}

/// All that the candidate is asked with.
pub(super) struct Unseen<T> {
    pub(super) chosen: Chosen,
    pub(super) caller: Arc<Caller>,
    pub(super) call: Arc<Call>,
    pub(super) ability: Ability,
    pub(super) asked: Vec<KeyedHash>,
    pub(super) start: Start<T>,
    pub(super) resume: Resume<T>,
    pub(super) plain: fn(&T) -> Value,
    /// What the live call came to.
    pub(super) live: Result<Value, &'static str>,
}

impl Chosen {
    /// What keeps the exchanges of the live call.
    pub(super) fn tape(&self) -> Arc<Tape> {
        self.tape.clone()
    }

    /// The candidate is not asked after all.
    pub(super) fn left_out(&self) {
        self.trial.counts.dropped();
    }
}

impl Gateway {
    /// Whether a candidate is to answer this lookup too. Where there is no room it is left out: no
    /// live call waits for it.
    pub(super) fn choose(
        &self,
        entry: &Entry,
        ability: Ability,
        carries: Option<u32>,
        id: Uuid,
    ) -> Option<Chosen> {
        let trial = self.inner.roster.trial(&entry.name)?;
        let readable = &trial.entry.module.description().readable_states;
        // The last bits of a number of version 7 are random.
        let chance = id.as_u128() % 100;
        let fits = trial.entry.module.digest() != entry.module.digest()
            && trial.entry.module.can(ability)
            && carries.is_none_or(|form| readable.contains(&form))
            && chance < u128::from(trial.share_percent);
        if !fits {
            return None;
        }
        let roster = &self.inner.roster;
        let place = match roster.is_quiet() {
            true => roster.shadow_places().try_acquire_owned().ok(),
            false => None,
        };
        let Some(place) = place else {
            trial.counts.dropped();
            return None;
        };
        Some(Chosen {
            trial,
            tape: Arc::default(),
            _place: place,
        })
    }

    /// Asks the candidate, between two rows of the audit: its code sees whom the call was about.
    pub(super) async fn ask_candidate<T: Send + 'static>(&self, unseen: Unseen<T>) {
        let Unseen {
            chosen,
            caller,
            call,
            ability,
            asked,
            start,
            resume,
            plain,
            live,
        } = unseen;
        let (entry, counts) = (&chosen.trial.entry, &chosen.trial.counts);
        let id = Uuid::now_v7();
        let began = Instant::now();
        let audit = self.inner.store.audit();
        let begin = begin_row(id, &caller, entry, &call, ability, asked);
        if audit.begin(begin).await.is_err() {
            counts.dropped();
            return;
        }
        let request_id = call.request_id.clone();
        let played = Arc::new(entry.endpoints.played(chosen.tape.clone()));
        let result = ask_unseen(entry, played, call, &start, resume).await;
        let told = match &result {
            Ok(value) => Ok(plain(value)),
            Err(error) => Err(error.word()),
        };
        let otherwise = chosen.tape.otherwise() > 0;
        counts.compared(&request_id, &live, &told, otherwise);
        let end = AuditEnd {
            id,
            at: Timestamp::now(),
            outcome: SHADOW.into(),
            code: None,
            disclosed: Vec::new(),
            registry_calls: 0,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        if let Err(error) = audit.end(end).await {
            tracing::warn!(row = %id, %error, "a shadow call's audit row stays without its end");
        }
    }

    /// What came of the candidate's shadow calls on this gateway.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] where none answers; [`AdminError::Unknown`].
    pub async fn shadow_report(&self, registry: &str) -> Result<ShadowReport, AdminError> {
        self.known(registry).await?;
        let trial = self.inner.roster.trial(registry);
        let trial = trial.ok_or_else(|| {
            super::swap::conflict("no-shadow", "no candidate answers lookups of the registry")
        })?;
        Ok(trial.counts.report())
    }
}

/// Whether the call's own limits took the place of what the registry would have said, or a callback brought
/// it: nothing on the tape tells how the candidate would fare.
pub(super) fn ran_out<T>(result: &Result<T, GatewayError>, spent: &Spent) -> bool {
    spent.cut || spent.called_back || matches!(result, Err(GatewayError::Fault(Fault::OutOfTime)))
}

/// Whether an absence says something of the adapter: what the gateway itself refused does not.
pub(super) fn is_telling(error: &GatewayError) -> bool {
    matches!(error, GatewayError::Failure(_) | GatewayError::Fault(_))
}
