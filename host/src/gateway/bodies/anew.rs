//! A key takes the place of another: what the one before sealed, and does not go by its age, is sealed
//! by the one of today.

use uuid::Uuid;

use super::Place;
use crate::gateway::{Gateway, links, webhooks};
use crate::store::{SealedAnew, SealedIn, SealedRow, StoreError};

/// What is sealed anew in one transaction.
const RESEALED: u32 = 50;

impl Gateway {
    /// Seals by the key of today what one of before sealed, of all links, secrets of webhooks and
    /// cursors. Gives how many.
    ///
    /// # Errors
    /// The database does not give or take it; some may be done.
    pub async fn reseal_rows(&self) -> Result<u64, StoreError> {
        if !self.inner.bodies.is_rotated() {
            return Ok(0);
        }
        let rows = self.inner.store.sealed_rows();
        let mut all = self.reseal_these(rows.few().await?).await?;
        let mut behind = Uuid::nil();
        loop {
            let found = rows.links(behind, RESEALED).await?;
            match found.last().map(|row| &row.place) {
                Some(SealedIn::Link(last)) => behind = *last,
                _ => return Ok(all),
            }
            all = all.saturating_add(self.reseal_these(found).await?);
        }
    }

    async fn reseal_these(&self, found: Vec<SealedRow>) -> Result<u64, StoreError> {
        let anew = found.into_iter().filter_map(|before| {
            let place = self.place_of(&before.place);
            match self.inner.bodies.anew(place, &before.sealed) {
                Ok(after) => after.map(|after| SealedAnew { before, after }),
                Err(error) => {
                    tracing::warn!(%error, what = place.column, "it is not sealed anew");
                    None
                }
            }
        });
        let anew: Vec<_> = anew.collect();
        let count = u64::try_from(anew.len()).unwrap_or(u64::MAX);
        if count > 0 {
            self.inner.store.sealed_rows().reseal(anew).await?;
        }
        Ok(count)
    }

    fn place_of(&self, place: &SealedIn) -> Place {
        match place {
            SealedIn::Link(id) => links::place(*id),
            SealedIn::Webhook(id) | SealedIn::WebhookBefore(id) => webhooks::place_of_secret(*id),
            SealedIn::Cursor(registry) => self.place_of_cursor(registry),
        }
    }
}
