//! A caller comes back for its lookup.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::{KeptLookup, Kind, Query, Way, come_again};
use crate::gateway::lookups::called_back::hear;
use crate::gateway::lookups::{Answered, Asking, PageAnswer};
use crate::gateway::{Caller, Gateway, GatewayError, Proof};
use crate::model::{Ability, Call, Household, Person, Verification};
use crate::sandbox::{Pending, PendingAnswer};
use crate::store::Lookup;

/// The answer of a lookup that was kept.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of them for a request, and it is answered at once"
)]
pub enum LookedUp {
    /// Of `find`.
    Person(Answered<Person>),
    /// Of `household`.
    Household(Answered<Household>),
    /// Of `search`.
    Page(Answered<PageAnswer>),
    /// Of `verify`.
    Verification(Answered<Verification>),
}

/// A lookup that goes on.
pub(super) struct Back {
    pub(super) kept: KeptLookup,
    pub(super) step: i64,
    pub(super) module_digest: String,
    pub(super) from: From,
    /// For so long its caller waits.
    pub(super) until: Instant,
}

/// Where from.
pub(super) enum From {
    Pending(Pending, Option<PendingAnswer>),
    /// The registry's answer, as it was mapped.
    Answer(Vec<u8>),
}

impl Gateway {
    /// The answer of a lookup that was kept, or its absence: [`GatewayError::Kept`] where the
    /// registry has not answered after so long.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn lookup(
        &self,
        proof: Proof<'_>,
        id: Uuid,
        call: Call,
        wait: Duration,
    ) -> Result<LookedUp, GatewayError> {
        let until = Instant::now() + wait;
        let caller = self.caller(proof.key, proof.from).await?;
        let lookup = self.own_lookup(&caller, id).await?;
        let (registry, ability) = (&lookup.registry, Ability::parse(&lookup.ability));
        if !caller.may_ask(registry) {
            return Err(GatewayError::UnknownRegistry);
        }
        if !ability.is_some_and(|ability| caller.may(registry, ability)) {
            return Err(GatewayError::NotGranted);
        }
        let Some(question) = &lookup.question else {
            return Err(GatewayError::LookupOver);
        };
        let (query, call) = self.open_question(id, question)?.call(call);
        let back = self.came_back(&lookup, until).await?;
        // While it waited its key may have been revoked, and what it may be less.
        let caller = self.caller(proof.key, proof.from).await?;
        let asking = Asking {
            caller,
            registry: lookup.registry,
            call,
            way: Way(Kind::Back(Arc::new(back))),
        };
        Ok(match query {
            Query::Find(query) => LookedUp::Person(self.find(asking, query).await?),
            Query::Household(query) => LookedUp::Household(self.household(asking, query).await?),
            Query::Search(query) => LookedUp::Page(self.search(asking, query, None).await?),
            Query::Verify(query) => LookedUp::Verification(self.verify(asking, query).await?),
        })
    }

    async fn own_lookup(&self, caller: &Caller, id: Uuid) -> Result<Lookup, GatewayError> {
        let lookup = self.inner.store.lookups().get(id).await;
        let lookup = lookup.map_err(GatewayError::Audit)?;
        let lookup = lookup.filter(|lookup| lookup.caller == caller.name);
        let lookup = lookup.ok_or(GatewayError::UnknownLookup)?;
        match lookup.expires_at <= Timestamp::now() {
            true => Err(GatewayError::LookupOver),
            false => Ok(lookup),
        }
    }

    /// Where it goes on, once it can. Until then nothing is asked, and nothing runs.
    async fn came_back(&self, lookup: &Lookup, until: Instant) -> Result<Back, GatewayError> {
        let mut kept = KeptLookup {
            id: lookup.id,
            registry: lookup.registry.clone(),
            ability: lookup.ability.clone(),
            accepted_at: lookup.accepted_at,
            expires_at: lookup.expires_at,
            come_again: Duration::ZERO,
        };
        let from = if let Some(answer) = &lookup.answer {
            From::Answer(self.open_answer_of(lookup.id, answer)?)
        } else {
            let pending = lookup.pending.as_ref().ok_or(GatewayError::LookupOver)?;
            let (pending, again_at) = self.open_pending(lookup.id, &pending.sealed)?;
            let now = Timestamp::now();
            let rest = again_at.map(|at| Duration::try_from(at.duration_since(now)));
            // A time that has passed is now.
            let rest = rest.map(Result::unwrap_or_default);
            let again = rest.map(|rest| Instant::now() + rest);
            let end = again.map_or(until, |again| again.min(until));
            let answer = match &pending.reference {
                Some(reference) => hear(self, &lookup.registry, reference, end, || {}).await?,
                None => {
                    tokio::time::sleep_until(end).await;
                    None
                }
            };
            let is_time = rest.is_some_and(|rest| rest.is_zero());
            if answer.is_none() && !is_time && again.is_none_or(|again| again > end) {
                kept.come_again = come_again(&pending, again_at, Timestamp::now());
                return Err(GatewayError::Kept(Box::new(kept)));
            }
            From::Pending(pending, answer)
        };
        Ok(Back {
            kept,
            step: lookup.step,
            module_digest: lookup.module_digest.clone(),
            from,
            until,
        })
    }
}
