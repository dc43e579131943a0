//! How the nodes take another module of a registry together. Each that is alive prepares; one
//! transaction decides; then each takes over what the database has. See `store::agreements`.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::gateway::swap::{Prepared, conflict};
use crate::gateway::{AdminError, Finding, Gateway};
use crate::sandbox::Module;
use crate::store::{Asking, Begun, Decision, Life, NewAgreement, StoreError, Wakes, Why};

/// Whoever leads looks so often how it stands, where nobody wakes it.
const LOOK: Duration = Duration::from_millis(50);
/// The others have so long to take over what is decided, before it is said that they have not.
const TAKE_OVER: Duration = Duration::from_secs(2);
/// It has prepared: it will serve, unless it dies first.
const LATE: &str = "it has not said yet that it serves the module: look at `node list`";

impl Gateway {
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
    /// already. Gives the nodes that have not taken it over yet when this returns.
    ///
    /// # Errors
    /// [`AdminError::Refused`] where a node cannot, with its reason; [`AdminError::Conflict`] where
    /// another act came first. Nothing was changed.
    pub(in crate::gateway) async fn agree(
        &self,
        prepared: &Prepared,
        by: &str,
        why: Why,
        forced: bool,
    ) -> Result<Vec<Finding>, AdminError> {
        let store = &self.inner.store;
        let mut wakes = store.wakes();
        let (leader, led_for, decide_within) = self.leading();
        let Prepared { row, module, .. } = prepared;
        let new = NewAgreement {
            registry: row.name.clone(),
            to: module.digest().to_owned(),
            expected: Some(row.module_digest.clone()),
            why,
            forced,
            by_caller: by.to_owned(),
            leader,
            prepared: self.inner.nodes.me.get().map(|me| me.id()),
            led_for,
            decide_within,
        };
        let id = match self.begin_agreement(new).await? {
            Begun::Asked(id) => id,
            Begun::Already => return Ok(Vec::new()),
            Begun::UnderWay => {
                return Err(conflict(
                    "under-way",
                    "another module of this registry is being prepared: wait for its end",
                ));
            }
        };
        let revision = self.decided(id, led_for, &mut wakes).await?;
        // It is written: what cannot be done now is done within a second by whoever watches the store.
        if let Err(error) = self.serve_decided(&row.name, module).await {
            tracing::warn!(registry = row.name, %error, "a change is not taken over yet");
        }
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

    /// The revision that it was committed with.
    async fn decided(
        &self,
        id: Uuid,
        led_for: Duration,
        wakes: &mut Wakes,
    ) -> Result<i64, AdminError> {
        loop {
            let agreements = self.inner.store.agreements();
            match agreements.decide(id, Asking::Leader(led_for)).await? {
                Decision::Committed(revision) => return Ok(revision),
                Decision::Cancelled(reason) => return Err(not_agreed(reason)),
                Decision::Overtaken(reason) => return Err(conflict("changed", reason)),
                Decision::Preparing(_) => {
                    let _ = tokio::time::timeout(LOOK, wakes.next()).await;
                }
            }
        }
    }

    /// Takes over what is decided: first the registry with the module that is loaded, as any swap
    /// does, then whatever else has changed.
    async fn serve_decided(&self, registry: &str, module: &Module) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let roster = &self.inner.roster;
        roster.refresh(store, registry, Some(module)).await?;
        self.take_over().await.map(drop)
    }

    /// Waits for the others to take over that revision. Gives those that have not.
    async fn late(&self, revision: i64, wakes: &mut Wakes) -> Result<Vec<Finding>, AdminError> {
        let by = Instant::now() + TAKE_OVER;
        loop {
            let nodes = self.inner.store.nodes().list().await?;
            let late = nodes
                .iter()
                .filter(|node| node.life == Life::Live && node.revision < revision);
            let late: Vec<Finding> = late
                .map(|node| Finding {
                    place: format!("nodes.{}", node.name),
                    problem: Some(LATE.into()),
                })
                .collect();
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

fn not_agreed(reason: String) -> AdminError {
    AdminError::Refused {
        code: "not-agreed",
        detail: format!("nothing was changed: {reason}"),
        findings: vec![Finding {
            place: "nodes".into(),
            problem: Some(reason),
        }],
    }
}
