use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::egress::{DayGrant, Ledger};
use crate::store::{Asked, Store, StoreError};

/// Most that a node holds of a day's requests is this part of them: so much a crash costs.
const PART_OF_ALL: u64 = 50;
/// Of what is left a node takes this part of its share, so that near the end nobody holds many.
const PART_OF_SHARE: u64 = 4;

/// The day's requests as the database counts them, for all nodes.
pub(in crate::gateway) struct StoreLedger {
    store: Store,
    live: Arc<AtomicU32>,
}

impl StoreLedger {
    pub(in crate::gateway) fn new(store: Store, live: Arc<AtomicU32>) -> Self {
        Self { store, live }
    }
}

#[async_trait]
impl Ledger for StoreLedger {
    async fn take(&self, name: &str, zone: &TimeZone, limit: u64) -> Option<DayGrant> {
        let live = u64::from(self.live.load(SeqCst).max(1));
        let asked = Asked {
            name: name.to_owned(),
            zone: zone.clone(),
            limit,
            most: limit / PART_OF_ALL,
            part: PART_OF_SHARE * live,
        };
        match self.store.quotas().take(asked).await {
            Ok(lease) => Some(DayGrant {
                count: lease.count,
                day: lease.day,
                for_: lease.for_,
            }),
            Err(error) => {
                tracing::warn!(quota = name, %error, "a day's requests cannot be counted");
                None
            }
        }
    }

    async fn give_back(&self, name: &str, day: Date, count: u64) {
        match self.store.quotas().give_back(name, day, count).await {
            Ok(()) | Err(StoreError::Closed) => {}
            Err(error) => {
                tracing::warn!(quota = name, count, %error, "requests of the day are lost");
            }
        }
    }
}
