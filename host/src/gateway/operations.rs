//! Writes: accepted durably, delivered later, in the order of each subject, and never twice. The table
//! of operations is the queue; what became of one attempt decides where it stands next.

mod accept;
mod acts;
mod attempt;
mod deliver;
mod ended;
mod keep;
mod moving;
mod sealed;
mod settle;
mod view;

pub(super) use attempt::MARGIN as LEASE_MARGIN;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast};
use uuid::Uuid;

pub use accept::{Accepted, NewWrite};
pub use acts::Resolution;
pub use view::OperationView;

use crate::config::operations::OperationsConfig;

/// The columns that are sealed.
pub(super) const REQUEST: &str = "request";
const RECEIPT: &str = "receipt";
const ADAPTER_STATE: &str = "adapter_state";

/// Ends that whoever waits has not heard of yet. One who missed some looks by themselves.
const ENDS_KEPT: usize = 1_024;

/// How this gateway delivers.
pub(super) struct Delivery {
    config: OperationsConfig,
    /// Something may be due.
    wake: Arc<Notify>,
    places: Arc<Semaphore>,
    /// Attempts under way at each registry.
    busy: Mutex<HashMap<String, u32>>,
    ended: broadcast::Sender<Uuid>,
}

/// An attempt's place; it is free again when this is dropped.
struct Taken {
    gateway: super::Gateway,
    registry: String,
    _place: OwnedSemaphorePermit,
}

impl Delivery {
    pub(super) fn new(config: &OperationsConfig) -> Self {
        let places = usize::try_from(config.at_once.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            config: config.clone(),
            wake: Arc::default(),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            busy: Mutex::default(),
            ended: broadcast::channel(ENDS_KEPT).0,
        }
    }

    fn busy(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something may be due.
    pub(super) fn look(&self) {
        self.wake.notify_one();
    }

    /// How many more attempts there may be at the registry now, and of these of what nobody waits for:
    /// where there is room for several the last place is kept for what somebody waits for.
    fn free(&self, registry: &str) -> (u32, u32) {
        let busy = self.busy().get(registry).copied().unwrap_or(0);
        let most = self.config.at_once_per_registry.get();
        let (here, all) = (most.saturating_sub(busy), self.config.at_once.get());
        let left = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        let but_one = |left: u32, of: u32| left.saturating_sub(u32::from(of > 1));
        (here.min(left), but_one(here, most).min(but_one(left, all)))
    }

    /// None: all are taken.
    fn place(&self, gateway: &super::Gateway, registry: &str) -> Option<Taken> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        *self.busy().entry(registry.to_owned()).or_default() += 1;
        Some(Taken {
            gateway: gateway.clone(),
            registry: registry.to_owned(),
            _place: place,
        })
    }

    fn first_wait(&self) -> Duration {
        Duration::from_millis(self.config.first_wait_ms.get())
    }

    fn max_wait(&self) -> Duration {
        Duration::from_millis(self.config.max_wait_ms.get()).max(self.first_wait())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let delivery = &self.gateway.inner.delivery;
        let mut busy = delivery.busy();
        if let Some(count) = busy.get_mut(&self.registry) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                busy.remove(&self.registry);
            }
        }
        drop(busy);
        delivery.wake.notify_one();
    }
}
