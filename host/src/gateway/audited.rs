//! Audit around the verb: beginning must succeed before anything is asked, the end before
//! anything is told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::policy::{Visible, check_statements};
use super::roster::Entry;
use super::{Caller, Gateway, GatewayError};
use crate::model::{Ability, Call, Opaque};
use crate::sandbox::{Answer, Lent, Ran, Usage, Work};
use crate::store::{AuditBegin, AuditEnd, KeyedHash};

/// Who asks which registry, and why.
#[derive(Clone)]
pub struct Asking {
    /// Whose key it was.
    pub caller: Arc<Caller>,
    /// The registry's name.
    pub registry: String,
    /// The statements and wishes of the call.
    pub call: Call,
}

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
pub(super) struct Verb<T> {
    pub(super) ability: Ability,
    pub(super) asked: Vec<KeyedHash>,
    /// The first call of the module.
    pub(super) start: Box<dyn FnOnce(Arc<Entry>, Work) -> Running<T> + Send>,
    /// The later ones, after it answered `pending`.
    pub(super) resume: fn(Arc<Entry>, Work, Opaque) -> Running<T>,
    /// Takes out what the caller may not see, and says whose data is left.
    pub(super) disclose: Disclose<T>,
}

type Disclose<T> = Box<dyn FnOnce(&Gateway, &Visible, &mut T) -> Vec<KeyedHash> + Send>;

/// A call of a module under way.
pub(super) type Running<T> = Pin<Box<dyn Future<Output = Ran<T>> + Send>>;

/// The answer or its absence, and what it used.
struct Outcome<T> {
    result: Result<T, GatewayError>,
    usage: Usage,
}

impl Gateway {
    /// The straight line of one lookup. It runs as a task of its own: a caller who hangs up does
    /// not keep the end from being written.
    pub(super) async fn audited<T: Send + 'static>(
        &self,
        asking: Asking,
        verb: Verb<T>,
    ) -> Result<Answered<T>, GatewayError> {
        let ability = verb.ability;
        let registry = asking.registry.clone();
        let began = Instant::now();
        let gateway = self.clone();
        let task = tokio::spawn(async move { gateway.line(asking, verb).await });
        let answered = task.await.unwrap_or(Err(GatewayError::Internal));
        let outcome = answered
            .as_ref()
            .map_or_else(GatewayError::word, |_| "done");
        // A name that no registry has would let callers make metrics without end.
        let known = !matches!(
            answered,
            Err(GatewayError::UnknownRegistry | GatewayError::NotGranted)
        );
        let registry = if known { registry.as_str() } else { "" };
        self.metrics()
            .answered(registry, ability, outcome, began.elapsed());
        answered
    }

    async fn line<T>(&self, asking: Asking, verb: Verb<T>) -> Result<Answered<T>, GatewayError> {
        let Asking {
            caller,
            registry,
            mut call,
        } = asking;
        if !caller.may_ask(&registry) {
            return Err(GatewayError::UnknownRegistry);
        }
        let entry = self.inner.roster.take(&registry)?;
        if !caller.may(verb.ability) {
            return Err(GatewayError::NotGranted);
        }
        if !entry.module.can(verb.ability) {
            return Err(GatewayError::NoAbility(verb.ability));
        }
        check_statements(&entry.policy, &call)?;
        let visible = Visible::of(&entry.policy, &call.wanted_fields)?;
        call.attempt = 1;
        call.registry = registry.clone();

        let id = Uuid::now_v7();
        let began = Instant::now();
        let audit = self.inner.store.audit();
        let asked = verb.asked;
        audit
            .begin(begin_row(id, &caller, &entry, &call, verb.ability, asked))
            .await
            .map_err(GatewayError::Audit)?;
        self.metrics().audit_wait(began.elapsed());

        let Outcome { result, usage } = ask(&entry, Arc::new(call), verb.start, verb.resume).await;
        self.metrics().used(&registry, verb.ability, &usage);
        let (result, disclosed) = match result {
            Ok(mut value) => {
                let disclosed = (verb.disclose)(self, &visible, &mut value);
                (Ok(value), disclosed)
            }
            Err(error) => (Err(error), Vec::new()),
        };
        let end_began = Instant::now();
        audit
            .end(AuditEnd {
                id,
                at: Timestamp::now(),
                outcome: result
                    .as_ref()
                    .map_or_else(GatewayError::word, |_| "done")
                    .into(),
                code: result
                    .as_ref()
                    .err()
                    .and_then(GatewayError::code)
                    .map(str::to_owned),
                disclosed,
                registry_calls: usage.http_calls,
                duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            })
            .await
            .map_err(GatewayError::Audit)?;
        self.metrics().audit_wait(end_began.elapsed());
        result.map(|value| Answered {
            value,
            registry,
            module: entry.module.digest().to_owned(),
        })
    }
}

/// Calls the module, and goes on with it for as long as the call's time allows.
async fn ask<T>(
    entry: &Arc<Entry>,
    call: Arc<Call>,
    start: Box<dyn FnOnce(Arc<Entry>, Work) -> Running<T> + Send>,
    resume: fn(Arc<Entry>, Work, Opaque) -> Running<T>,
) -> Outcome<T> {
    let mut usage = Usage::default();
    let _turn = match entry.turn().await {
        Ok(turn) => turn,
        Err(error) => {
            return Outcome {
                result: Err(error),
                usage,
            };
        }
    };
    let deadline = Instant::now() + Duration::from_millis(entry.limits.wall_ms);
    let work = || Work {
        lent: Lent::new(
            call.clone(),
            entry.settings.clone(),
            entry.endpoints.clone(),
        ),
        limits: entry.limits.clone(),
        deadline,
    };
    let mut running = start(entry.clone(), work());
    let result = loop {
        let ran = running.await;
        add(&mut usage, &ran.usage);
        let pending = match ran.result {
            Err(fault) => break Err(GatewayError::Fault(fault)),
            Ok(Err(failure)) => break Err(GatewayError::Failure(failure)),
            Ok(Ok(Answer::Done(value))) => break Ok(value),
            Ok(Ok(Answer::Pending(pending))) => pending,
        };
        let still = GatewayError::StillPending {
            retry_after_ms: pending.retry_after_ms,
        };
        // Without a time to ask again only a callback brings the answer.
        let Some(wait) = pending
            .retry_after_ms
            .map(u64::from)
            .map(Duration::from_millis)
        else {
            break Err(still);
        };
        if Instant::now() + wait >= deadline {
            break Err(still);
        }
        tokio::time::sleep(wait.max(SHORTEST_WAIT)).await;
        running = resume(entry.clone(), work(), pending.state);
    };
    Outcome { result, usage }
}

/// A module that answers `pending` without end must not spin the gateway.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

fn add(total: &mut Usage, one: &Usage) {
    total.cpu += one.cpu;
    total.wall += one.wall;
    total.memory = total.memory.max(one.memory);
    total.http_calls = total.http_calls.saturating_add(one.http_calls);
    total.http_wait += one.http_wait;
}

fn begin_row(
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
