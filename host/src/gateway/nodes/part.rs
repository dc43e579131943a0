//! This node's part of what the nodes agree on: it prepares, holds what it has prepared until that is
//! decided, and ends what nobody leads any more.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use tokio::sync::OwnedRwLockWriteGuard;
use tokio::time::Instant;
use uuid::Uuid;

use crate::gateway::{AdminError, Gateway};
use crate::sandbox::Module;
use crate::store::{Asking, StoreError, ToPrepare, UnderWay};

/// What this node has prepared and is not decided, so that it is there at once when it is.
#[derive(Default)]
pub(in crate::gateway) struct Preparing {
    /// None: it is being prepared, or cannot be.
    held: Mutex<HashMap<Uuid, Option<Held>>>,
}

/// A module that may serve at any moment.
pub(in crate::gateway) struct Held {
    registry: String,
    module: Module,
    /// Until then no search gets a token that it could not read.
    _closed: Option<OwnedRwLockWriteGuard<()>>,
}

impl Preparing {
    /// Whether nobody else prepares it.
    fn begin(&self, id: Uuid) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.entry(id) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(None);
                true
            }
        }
    }

    /// Keeps it, unless it was decided meanwhile.
    fn hold(&self, id: Uuid, one: Held) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = held.get_mut(&id) {
            *place = Some(one);
        }
    }

    fn again(&self, id: Uuid) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&id);
    }

    /// Takes out what is decided.
    fn decided(&self, under_way: &[UnderWay]) -> Vec<Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let decided = held.extract_if(|id, _| !under_way.iter().any(|one| one.id == *id));
        decided.filter_map(|(_, one)| one).collect()
    }
}

impl Gateway {
    /// Prepares what this node is asked to, and ends what nobody leads any more.
    pub(in crate::gateway) async fn take_part(
        &self,
        under_way: &[UnderWay],
    ) -> Result<(), StoreError> {
        let agreements = self.inner.store.agreements();
        for overdue in under_way.iter().filter(|one| one.overdue) {
            let decision = agreements.decide(overdue.id, Asking::Anybody).await?;
            tracing::warn!(agreement = %overdue.id, ?decision, "ended what nobody led any more");
        }
        let Some(me) = self.inner.nodes.me.get() else {
            return Ok(());
        };
        for one in agreements.to_prepare(me.id()).await? {
            if self.inner.nodes.preparing.begin(one.id) {
                // Loading takes as long as it takes: the watch goes on.
                let gateway = self.clone();
                self.inner.tasks.spawn(async move {
                    gateway.prepare_and_answer(one).await;
                });
            }
        }
        Ok(())
    }

    /// Has what is decided serve, if it is that: with the module that is loaded, and the configuration
    /// as it is. To be dropped once all else is taken over.
    pub(in crate::gateway) async fn end_part(&self, under_way: &[UnderWay]) -> Vec<Held> {
        let decided = self.inner.nodes.preparing.decided(under_way);
        for Held {
            registry, module, ..
        } in &decided
        {
            let store = &self.inner.store;
            let taken = self.inner.roster.refresh(store, registry, Some(module));
            if let Err(error) = taken.await {
                tracing::warn!(registry, %error, "what is decided is not taken over yet");
            }
        }
        decided
    }

    async fn prepare_and_answer(&self, asked: ToPrepare) {
        let Some(me) = self.inner.nodes.me.get() else {
            return;
        };
        let began = Instant::now();
        let (id, registry, to) = (asked.id, asked.registry.clone(), asked.to.clone());
        let answer = match self.prepare_part(&asked).await {
            Ok(held) => {
                self.inner.nodes.preparing.hold(id, held);
                Ok(())
            }
            Err(AdminError::Store(error)) => {
                // Asked again at the next look.
                tracing::warn!(registry, %error, "a module could not be prepared yet");
                return self.inner.nodes.preparing.again(id);
            }
            Err(error) => Err(reason(&error)),
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &answer {
            Ok(()) => tracing::info!(registry, module = to, took_ms, "prepared"),
            Err(reason) => tracing::warn!(registry, module = to, reason, "cannot prepare"),
        }
        let agreements = self.inner.store.agreements();
        if let Err(error) = agreements.answer(id, me.id(), answer).await {
            tracing::warn!(registry, %error, "what was prepared could not be said yet");
            self.inner.nodes.preparing.again(id);
        }
    }

    /// As the first step of any swap, and with this node's own secrets.
    async fn prepare_part(&self, asked: &ToPrepare) -> Result<Held, AdminError> {
        let prepared = self.prepare(&asked.registry, &asked.to).await?;
        if prepared.row.enabled
            && let Some(why) = self
                .inner
                .roster
                .would_not_serve(&prepared.row, &prepared.module)
        {
            return Err(AdminError::Refused {
                code: "does-not-fit",
                detail: why,
                findings: Vec::new(),
            });
        }
        let closed = match asked.forced {
            true => None,
            false => self.nothing_unreadable(&prepared).await?,
        };
        Ok(Held {
            registry: asked.registry.clone(),
            module: prepared.module,
            _closed: closed,
        })
    }
}

/// On one line, for whoever leads.
fn reason(error: &AdminError) -> String {
    let AdminError::Refused { findings, .. } = error else {
        return error.to_string();
    };
    let problems = findings.iter().filter_map(|finding| {
        let problem = finding.problem.as_ref()?;
        Some(format!("{}: {problem}", finding.place))
    });
    let problems: Vec<String> = problems.collect();
    match problems.is_empty() {
        true => error.to_string(),
        false => problems.join("; "),
    }
}
