//! This gateway among those that share the database: it shows that it is there, and sees who else is.

mod agree;
mod identity;
mod ledger;
mod part;
mod view;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::operations::LEASE_MARGIN;
use super::{Gateway, Inner, StartError};
use crate::config::node::NodeConfig;
use crate::egress::Share;
use crate::store::{Beat, Beaten, StoreError};
use identity::Identity;
pub(super) use ledger::StoreLedger;
use part::Preparing;
pub use view::{NodeView, NodesView};

/// Of a day's requests nobody keeps for so long what it does not use.
const KEPT_UNUSED: Duration = Duration::from_secs(5);
/// It is looked so often what that is.
const GIVE_BACK: Duration = Duration::from_millis(500);
/// Rows of nodes that are gone, and of days that are over, are looked for so often.
const SWEEP: Duration = Duration::from_secs(600);
/// A quota's day is over everywhere after it.
const DAY_KEPT: Duration = Duration::from_secs(3 * 86_400);

/// Compiled code of modules that are not in the store is removed when it was not used for so long:
/// a module that is being admitted, or is another gateway's, was.
const CODE_UNUSED: Duration = Duration::from_secs(3_600);

/// What a gateway knows of itself as a node.
#[derive(Default)]
pub(super) struct Membership {
    /// None: a command's gateway, which nobody else can ask.
    me: OnceLock<Arc<Me>>,
    /// Of the configuration that it serves.
    serves: AtomicI64,
    /// How many nodes are alive, as far as this one knows.
    pub(super) live: Arc<std::sync::atomic::AtomicU32>,
    /// The part of each rate that it may use. All of it, until it is a node.
    pub(super) share: Arc<Share>,
    pub(super) preparing: Preparing,
}

/// A node.
struct Me {
    id: Mutex<Uuid>,
    run: Uuid,
    name: String,
    listens: String,
    config: NodeConfig,
    /// Something is to be told before its time.
    beat: Notify,
    leaving: AtomicBool,
    /// Held as long as the process lives: another one of the same directory has another id.
    _identity: Identity,
}

impl Membership {
    /// It serves the configuration of that revision from now on.
    pub(super) fn serves(&self, revision: i64) {
        let before = self.serves.swap(revision, SeqCst);
        if before != revision
            && let Some(me) = self.me.get()
        {
            me.beat.notify_one();
        }
    }
}

impl Gateway {
    /// Becomes a node: from now on the others see it, until it stops.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn join(
        &self,
        config: &NodeConfig,
        data_dir: &Path,
        listens: SocketAddr,
    ) -> Result<(), StartError> {
        let identity = Identity::take(data_dir).map_err(StartError::NodeId)?;
        let me = Arc::new(Me {
            id: Mutex::new(identity.id()),
            run: Uuid::now_v7(),
            name: config.name.clone().unwrap_or_else(identity::host_name),
            listens: listens.to_string(),
            config: config.clone(),
            beat: Notify::new(),
            leaving: AtomicBool::new(false),
            _identity: identity,
        });
        // Nothing before the others have left it something.
        self.inner.nodes.share.set(0, Instant::now());
        let began = Instant::now();
        let beaten = self.inner.store.nodes().join(self.beat_of(&me)).await?;
        self.told(&me, beaten, began);
        // A directory that was copied to another machine is not taken for its dead self.
        let holder = format!("{} {}", me.id(), identity::host_name());
        let freed = self.inner.store.hold_as(&holder, LEASE_MARGIN).await?;
        tracing::info!(node = me.name, id = %me.id(), freed, "joined");
        if self.inner.nodes.me.set(Arc::clone(&me)).is_ok() {
            tokio::spawn(give_back_on(Arc::downgrade(&self.inner), Arc::clone(&me)));
            tokio::spawn(sweep_code_on(Arc::downgrade(&self.inner), Arc::clone(&me)));
            tokio::spawn(beat_on(Arc::downgrade(&self.inner), me));
        }
        Ok(())
    }

    /// Says goodbye to the others, and gives back what it took and did not use.
    pub(super) async fn leave(&self) {
        self.give_back(Duration::ZERO).await;
        let Some(me) = self.inner.nodes.me.get() else {
            return;
        };
        me.leaving.store(true, SeqCst);
        if let Err(error) = self.inner.store.nodes().leave(me.id(), me.run).await {
            tracing::warn!(%error, "the other nodes were not told that this one stops");
        }
    }

    /// Gives back what was taken of days and not used for so long.
    async fn give_back(&self, unused: Duration) {
        self.inner.roster.egress().give_back(unused).await;
        self.inner.allowance.give_back(unused).await;
    }

    fn beat_of(&self, me: &Me) -> Beat {
        Beat {
            id: me.id(),
            run: me.run,
            name: me.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            listens: me.listens.clone(),
            alive_for: Duration::from_millis(me.config.dead_after_ms.into()),
            revision: self.inner.nodes.serves.load(SeqCst),
            share: self.inner.nodes.share.now(),
            behind: self.inner.roster.behind().to_vec(),
        }
    }

    /// Takes over what the others left it.
    fn told(&self, me: &Me, beaten: Beaten, began: Instant) {
        let nodes = &self.inner.nodes;
        nodes.live.store(beaten.live, SeqCst);
        let before = nodes.share.now();
        // From before the beat: it ends here before the others take it for dead.
        let alive = Duration::from_millis(me.config.dead_after_ms.into());
        nodes.share.set(beaten.share, began + alive);
        if beaten.share < before {
            // The others wait for what it uses no more.
            me.beat.notify_one();
        }
    }

    async fn one_beat(&self, me: &Me) -> Result<(), StoreError> {
        let began = Instant::now();
        let beaten = match self.inner.store.nodes().beat(self.beat_of(me)).await {
            Err(StoreError::Taken { .. }) if me.leaving.load(SeqCst) => return Ok(()),
            Err(StoreError::Taken { .. }) => {
                let other = me.another_id();
                tracing::error!(
                    id = %other,
                    "another process has begun with this node's id, and this one takes another: \
                     where the data directory was copied, delete node.id in the copy"
                );
                self.inner.store.nodes().join(self.beat_of(me)).await?
            }
            other => other?,
        };
        self.told(me, beaten, began);
        Ok(())
    }

    async fn sweep(&self, me: &Me) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let unseen = Duration::from_millis(me.config.forget_after_ms);
        store.nodes().forget(unseen).await?;
        store.quotas().forget(DAY_KEPT).await
    }
}

impl Me {
    fn id(&self) -> Uuid {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn another_id(&self) -> Uuid {
        let other = Uuid::now_v7();
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = other;
        other
    }
}

/// Beside the beats, which must not wait for it: there may be many callers.
async fn give_back_on(weak: Weak<Inner>, me: Arc<Me>) {
    loop {
        tokio::time::sleep(GIVE_BACK).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        if me.leaving.load(SeqCst) {
            return;
        }
        Gateway { inner }.give_back(KEPT_UNUSED).await;
    }
}

/// Beside the beats too: after an upgrade all of the old code goes, and a disk may hang.
async fn sweep_code_on(weak: Weak<Inner>, me: Arc<Me>) {
    loop {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        if me.leaving.load(SeqCst) {
            return;
        }
        if let Err(error) = (Gateway { inner }).sweep_code(CODE_UNUSED).await {
            tracing::debug!(%error, "compiled code that nobody uses stays");
        }
        tokio::time::sleep(SWEEP).await;
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn beat_on(weak: Weak<Inner>, me: Arc<Me>) {
    let every = Duration::from_millis(me.config.heartbeat_ms.into());
    let mut swept: Option<Instant> = None;
    let mut failing = false;
    loop {
        let _ = tokio::time::timeout(every, me.beat.notified()).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        if me.leaving.load(SeqCst) {
            return;
        }
        let gateway = Gateway { inner };
        match gateway.one_beat(&me).await {
            Ok(()) => failing = false,
            Err(StoreError::Closed) => return,
            Err(error) if failing => tracing::debug!(%error, "the node is still not seen"),
            Err(error) => {
                tracing::error!(%error, "the node cannot show that it is there");
                failing = true;
            }
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            swept = Some(Instant::now());
            if let Err(error) = gateway.sweep(&me).await {
                tracing::debug!(%error, "what is old was not forgotten");
            }
        }
    }
}
