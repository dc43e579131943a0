//! How the nodes take another module of a registry together. Each that is alive prepares; one
//! transaction decides; then each takes over what the database has. See `store::agreements`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::gateway::{AdminError, Finding, Gateway};
use crate::sandbox::Module;
use crate::store::{
    Asking, Begun, Decision, Life, NewAgreement, StoreError, ToPrepare, UnderWay, Wakes,
};

/// Whoever leads looks so often how it stands, where nobody wakes it.
const LOOK: Duration = Duration::from_millis(50);
/// The others have so long to take over what is decided, before it is said that they have not.
const TAKE_OVER: Duration = Duration::from_secs(2);

/// What this node has prepared and is not decided, so that it is there at once when it is.
#[derive(Default)]
pub(in crate::gateway) struct Preparing {
    /// None: it is being prepared, or cannot be.
    held: Mutex<HashMap<Uuid, Option<Module>>>,
}

impl Preparing {
    /// Whether nobody else prepares it.
    fn begin(&self, id: Uuid) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.entry(id) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(None);
                true
            }
        }
    }

    fn hold(&self, id: Uuid, module: Option<Module>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(id, module);
    }

    fn again(&self, id: Uuid) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&id);
    }

    /// Lets go of what is decided.
    pub(in crate::gateway) fn keep_only(&self, under_way: &[UnderWay]) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|id, _| under_way.iter().any(|one| one.id == *id));
    }
}

impl Gateway {
    /// Does this node's part of what is under way: prepares what it is asked to, and ends what nobody
    /// leads any more.
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

    async fn prepare_and_answer(&self, asked: ToPrepare) {
        let Some(me) = self.inner.nodes.me.get() else {
            return;
        };
        let ToPrepare { id, registry, to } = asked;
        let began = Instant::now();
        let prepared = self.inner.roster.prepare(&self.inner.store, &registry, &to);
        let answer = match prepared.await {
            Ok(Ok(module)) => {
                self.inner.nodes.preparing.hold(id, Some(module));
                Ok(())
            }
            Ok(Err(reason)) => Err(reason),
            Err(error) => {
                // Asked again at the next look.
                tracing::warn!(registry, %error, "a module could not be prepared yet");
                return self.inner.nodes.preparing.again(id);
            }
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

    /// Whether other nodes are alive, with whom a change of what serves is to be agreed.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn has_company(&self) -> Result<bool, StoreError> {
        let me = self.inner.nodes.me.get().map(|me| me.id());
        let nodes = self.inner.store.nodes().list().await?;
        let mut others = nodes.iter().filter(|node| Some(node.id) != me);
        Ok(others.any(|node| node.life == Life::Live))
    }

    /// Has all nodes prepare, and the registry changed if all of them can. This one has prepared
    /// already. Gives the names of the nodes that have not taken it over yet when this returns.
    ///
    /// # Errors
    /// [`AdminError::Refused`] where a node cannot, with its reason; nothing was changed.
    pub async fn agree(
        &self,
        registry: &str,
        module: &str,
        by: &str,
    ) -> Result<Vec<String>, AdminError> {
        let store = &self.inner.store;
        let mut wakes = store.wakes();
        let (leader, led_for, decide_within) = self.leading();
        let new = NewAgreement {
            registry: registry.to_owned(),
            to: module.to_owned(),
            by_caller: by.to_owned(),
            leader,
            led_for,
            decide_within,
        };
        let id = match self.begin_agreement(new).await? {
            Begun::Asked(id) => id,
            Begun::Already => return Ok(Vec::new()),
            Begun::UnderWay => {
                return Err(AdminError::Conflict {
                    code: "under-way",
                    detail: "another module of this registry is being prepared: wait for its end"
                        .into(),
                });
            }
        };
        if let Some(me) = self.inner.nodes.me.get() {
            self.inner.nodes.preparing.hold(id, None);
            store.agreements().answer(id, me.id(), Ok(())).await?;
        }
        let revision = match self.decided(id, led_for, &mut wakes).await? {
            Ok(revision) => revision,
            Err(reason) => {
                return Err(AdminError::Refused {
                    code: "not-agreed",
                    detail: format!("nothing was changed: {reason}"),
                    findings: vec![Finding {
                        place: "nodes".into(),
                        problem: Some(reason),
                    }],
                });
            }
        };
        self.take_over().await?;
        self.late(revision, &mut wakes).await
    }

    async fn begin_agreement(&self, new: NewAgreement) -> Result<Begun, StoreError> {
        let agreements = self.inner.store.agreements();
        match agreements.begin(new.clone()).await? {
            Begun::UnderWay => {
                // Its leader may be gone, and nobody was there to find that.
                for one in agreements.under_way().await? {
                    if one.overdue {
                        agreements.decide(one.id, Asking::Anybody).await?;
                    }
                }
                agreements.begin(new).await
            }
            begun => Ok(begun),
        }
    }

    /// The revision that it was committed with, or why it was not.
    async fn decided(
        &self,
        id: Uuid,
        led_for: Duration,
        wakes: &mut Wakes,
    ) -> Result<Result<i64, String>, StoreError> {
        loop {
            let agreements = self.inner.store.agreements();
            match agreements.decide(id, Asking::Leader(led_for)).await? {
                Decision::Committed(revision) => return Ok(Ok(revision)),
                Decision::Cancelled(reason) => return Ok(Err(reason)),
                Decision::Preparing(_) => {
                    let _ = tokio::time::timeout(LOOK, wakes.next()).await;
                }
            }
        }
    }

    /// Waits for the others to take over that revision. Gives the names of those that have not.
    async fn late(&self, revision: i64, wakes: &mut Wakes) -> Result<Vec<String>, AdminError> {
        let by = Instant::now() + TAKE_OVER;
        loop {
            let nodes = self.inner.store.nodes().list().await?;
            let late = nodes
                .iter()
                .filter(|node| node.life == Life::Live && node.revision < revision);
            let late: Vec<String> = late.map(|node| node.name.clone()).collect();
            if late.is_empty() || Instant::now() >= by {
                return Ok(late);
            }
            let _ = tokio::time::timeout(LOOK, wakes.next()).await;
        }
    }

    /// What this gateway says of an agreement that it leads.
    fn leading(&self) -> (String, Duration, Duration) {
        let (name, config) = match self.inner.nodes.me.get() {
            Some(me) => (me.name.clone(), me.config.clone()),
            None => ("a command".into(), Default::default()),
        };
        let milliseconds = |number: u32| Duration::from_millis(number.into());
        (
            name,
            milliseconds(config.dead_after_ms),
            milliseconds(config.prepare_ms),
        )
    }
}
