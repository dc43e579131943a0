//! Callers read the events, in the order of their positions. A reading is a disclosure: its audit rows
//! are durable before it leaves.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::rows::spread;
use super::shown::show;
use crate::config::registry::PolicyConfig;
use crate::gateway::lookups::disclosed::Disclosed;
use crate::gateway::lookups::policy::Visible;
use crate::gateway::lookups::terms::check_stated;
use crate::gateway::{Caller, Gateway, GatewayError};
use crate::model::{Ability, Call, Event};
use crate::store::{AuditBegin, AuditEnd, AuditEnds, EventScope, StoredEvent};

/// Most events of one reading.
pub const MAX_FEED_LIMIT: u32 = 500;
/// Longest wait for an event.
pub const MAX_FEED_WAIT: Duration = Duration::from_secs(60);
/// Positions that are looked through in one go, where most of them may be of nobody who is linked.
const SPAN: i64 = 20_000;
/// So long they are looked through, where nobody waits.
const LOOKS: Duration = Duration::from_secs(1);
/// Where only some kinds are wanted, so many are looked through at once.
const LOOKED_THROUGH: u32 = 50;
/// How often it is looked whether the gateway stops.
const LOOK: Duration = Duration::from_millis(500);

/// By what a caller is known: whoever waits for an event is looked up again before it is told.
#[derive(Clone, Copy)]
pub struct Proof<'p> {
    /// A key or a token.
    pub key: &'p str,
    /// From where it comes.
    pub from: Option<IpAddr>,
}

/// What a caller wants to read.
#[derive(Clone, Copy, Debug)]
pub struct FeedQuery {
    /// Behind this position.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
    /// Where there is none, for so long.
    pub wait: Duration,
}

/// Events, in order.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// Without what the caller may not see.
    pub events: Vec<FeedEvent>,
    /// Where to go on.
    pub next: i64,
    /// The newest position, of all registries.
    pub newest: i64,
}

/// One event.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// Its position.
    pub position: i64,
    /// Which registry told it.
    pub registry: String,
    /// When it was stored here.
    pub stored_at: Timestamp,
    /// The module that read it.
    pub module: String,
    /// What happened, without what the caller may not see.
    pub event: Event,
}

/// What of the feed somebody is told of. Default: all of it.
#[derive(Clone, Debug, Default)]
pub(in crate::gateway) struct Only {
    /// Empty: of all.
    pub(in crate::gateway) registries: Vec<String>,
    /// Words for kinds. Empty: all.
    pub(in crate::gateway) kinds: Vec<String>,
}

/// What is told in one reading.
struct Telling {
    events: Vec<FeedEvent>,
    /// It ends behind this position: the next event names more people than an audit row has room for.
    up_to: Option<i64>,
}

impl Gateway {
    /// The events of those registries whose events the caller is granted: of people whom it has linked, or
    /// of all.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn feed(
        &self,
        proof: Proof<'_>,
        call: &Call,
        query: FeedQuery,
    ) -> Result<FeedPage, GatewayError> {
        let caller = self.caller(proof.key, proof.from).await?;
        self.read_feed(caller, Some(proof), call, query, &Only::default())
            .await
    }

    /// The same, of some of them, for somebody who was looked up just now.
    pub(in crate::gateway) async fn feed_only(
        &self,
        caller: Arc<Caller>,
        call: &Call,
        query: FeedQuery,
        only: &Only,
    ) -> Result<FeedPage, GatewayError> {
        self.read_feed(caller, None, call, query, only).await
    }

    async fn read_feed(
        &self,
        mut caller: Arc<Caller>,
        proof: Option<Proof<'_>>,
        call: &Call,
        query: FeedQuery,
        only: &Only,
    ) -> Result<FeedPage, GatewayError> {
        let mut policies = self.granted(&caller, call, only)?;
        let _place = match query.wait.is_zero() {
            true => None,
            false => {
                let places = Arc::clone(&self.inner.events.waiting);
                Some(places.try_acquire_owned().map_err(|_| GatewayError::Busy)?)
            }
        };
        let by = Instant::now() + query.wait.min(MAX_FEED_WAIT);
        let looks = Instant::now() + LOOKS;
        let mut newer = self.inner.events.newest.subscribe();
        let mut after = query.after;
        let events = self.inner.store.events();
        loop {
            newer.mark_unchanged();
            let newest = events.newest().await.map_err(GatewayError::Audit)?;
            // What comes next would be skipped up to there.
            if after > newest {
                return Err(GatewayError::CursorAhead);
            }
            let most = query.limit.clamp(1, MAX_FEED_LIMIT);
            let limit = only.looked_through(most);
            let scopes = scopes(&caller, &policies);
            let narrowed = scopes.iter().any(|scope| scope.linked_by.is_some());
            let until = match narrowed {
                true => newest.min(after.saturating_add(SPAN)),
                false => newest,
            };
            let found = events.behind(&scopes, after, until, limit).await;
            let found = found.map_err(GatewayError::Audit)?;
            let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
            let last = found.last().map(|event| event.position);
            // What was found to be nobody's need not be looked through again.
            let next = last.filter(|_| full).unwrap_or(until).max(after);
            let (found, next) = only.first(found, most, next);
            let (now, more) = (Instant::now(), next < newest);
            let is_over = (now >= by && (now >= looks || !more)) || self.is_stopping();
            if !found.is_empty() || is_over {
                let told = self.tell(&caller, call, &policies, found).await?;
                return Ok(FeedPage {
                    events: told.events,
                    next: told.up_to.unwrap_or(next),
                    newest,
                });
            }
            after = next;
            if !more {
                let tick = by.min(Instant::now() + LOOK);
                let _ = tokio::time::timeout_at(tick, newer.changed()).await;
            }
            // What was granted when the reading began may be taken away since, and the key be revoked.
            if let Some(proof) = proof {
                caller = self.caller(proof.key, proof.from).await?;
                policies = self.granted(&caller, call, only)?;
            }
        }
    }

    /// The registries whose events the caller may read, and what it may see of each.
    pub(in crate::gateway) fn granted(
        &self,
        caller: &Caller,
        call: &Call,
        only: &Only,
    ) -> Result<BTreeMap<String, PolicyConfig>, GatewayError> {
        let mut granted = BTreeMap::new();
        for (name, policy) in self.inner.roster.policies() {
            if !caller.may(&name, Ability::Events) || !only.of(&name) {
                continue;
            }
            // To leave it out would pass for "nothing happened".
            let policy = policy.ok_or(GatewayError::NotReady)?;
            check_stated(&policy, call)?;
            granted.insert(name, policy);
        }
        match granted.is_empty() {
            true => Err(GatewayError::NotGranted),
            false => Ok(granted),
        }
    }

    async fn tell(
        &self,
        caller: &Caller,
        call: &Call,
        policies: &BTreeMap<String, PolicyConfig>,
        found: Vec<StoredEvent>,
    ) -> Result<Telling, GatewayError> {
        let began = Instant::now();
        let mut told: BTreeMap<(String, String), Disclosed> = BTreeMap::new();
        let (mut events, mut up_to) = (Vec::with_capacity(found.len()), None);
        for stored in found {
            let (Some(policy), Some(body)) = (policies.get(&stored.registry), &stored.body) else {
                continue;
            };
            let shown = caller.shown(&stored.registry, Ability::Events, &policy.fields);
            let visible = Visible::of(shown, &[])?;
            let mut event = self.open_event(&stored.id, body)?;
            let of = (stored.registry.clone(), stored.module_digest.clone());
            let mut people = Disclosed::default();
            show(&visible, &mut event, &mut people);
            let none = Disclosed::default();
            let fits = told.get(&of).unwrap_or(&none).fits_with(&people);
            // One event alone is told whatever it takes: no later reading could go past it.
            if !events.is_empty() && !fits {
                up_to = Some(stored.position.saturating_sub(1));
                break;
            }
            told.entry(of).or_default().join(people);
            events.push(FeedEvent {
                position: stored.position,
                registry: stored.registry,
                stored_at: stored.stored_at,
                module: stored.module_digest,
                event,
            });
        }
        let mut rows = Vec::with_capacity(told.len());
        for ((registry, module), people) in told {
            let begin = begin_row(caller, call, registry, module);
            let end = AuditEnd {
                id: begin.id,
                at: Timestamp::now(),
                outcome: "done".into(),
                code: None,
                disclosed: Vec::new(),
                registry_calls: 0,
                duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            };
            let people = people.all_hashes(&self.inner.fingerprint);
            let AuditEnds { end, further } = spread(&begin, end, people);
            rows.push((begin, end));
            rows.extend(further);
        }
        if !rows.is_empty() {
            let told = self.inner.store.events().told(rows).await;
            told.map_err(GatewayError::Audit)?;
        }
        Ok(Telling { events, up_to })
    }
}

impl Only {
    fn of(&self, registry: &str) -> bool {
        self.registries.is_empty() || self.registries.iter().any(|name| name == registry)
    }

    /// Of how many events those are picked.
    fn looked_through(&self, most: u32) -> u32 {
        match self.kinds.is_empty() {
            true => most,
            false => most.max(LOOKED_THROUGH),
        }
    }

    /// The first of them, and where to go on behind them.
    fn first(&self, mut found: Vec<StoredEvent>, most: u32, next: i64) -> (Vec<StoredEvent>, i64) {
        if !self.kinds.is_empty() {
            found.retain(|event| self.kinds.contains(&event.kind));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if found.len() <= most {
            return (found, next);
        }
        found.truncate(most);
        let last = found.last().map(|event| event.position);
        (found, last.unwrap_or(next))
    }
}

fn scopes(caller: &Caller, policies: &BTreeMap<String, PolicyConfig>) -> Vec<EventScope> {
    let scope = |name: &String| EventScope {
        registry: name.clone(),
        linked_by: (!caller.reads_all(name)).then(|| caller.name.clone()),
    };
    policies.keys().map(scope).collect()
}

fn begin_row(caller: &Caller, call: &Call, registry: String, module: String) -> AuditBegin {
    AuditBegin {
        id: Uuid::now_v7(),
        at: Timestamp::now(),
        request_id: call.request_id.clone(),
        caller: caller.name.clone(),
        user: call.asker.user.clone(),
        entity: call.asker.entity.clone(),
        purpose: call.asker.purpose.clone(),
        legal_basis: call.asker.legal_basis.clone(),
        registry,
        ability: Ability::Events.as_str().into(),
        module_digest: module,
        asked: Vec::new(),
    }
}
