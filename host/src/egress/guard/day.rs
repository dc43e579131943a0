//! Requests a day. All gateways of a database count together: each takes some of what is left before
//! it sends, and gives back what it does not use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::{Instant, timeout_at};

use crate::egress::cluster::Ledger;

/// What the others did not use comes back: the count is asked again so soon after it was used up.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// When to come again where nobody can say what is left.
const UNKNOWN_AGAIN: Duration = Duration::from_secs(1);

/// One count's day, as far as this gateway may use it.
pub struct Day {
    /// In the count.
    name: String,
    requests: u64,
    /// Whose days they are.
    zone: TimeZone,
    ledger: Option<Arc<dyn Ledger>>,
    held: Mutex<Held>,
    filling: tokio::sync::Mutex<()>,
}

/// One request of today, given back when it is dropped without being used.
pub struct Counted {
    of: Arc<Day>,
    day: Date,
    used: bool,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum NoneLeft {
    /// Until the day's end.
    Today(Duration),
    /// The count does not answer.
    Unknown(Duration),
}

#[derive(Default)]
struct Held {
    lease: Option<Lease>,
}

struct Lease {
    day: Date,
    left: u64,
    /// The day's end, by the count's clock.
    until: Instant,
    used_at: Instant,
    /// Where there was nothing left: when to ask again.
    again: Instant,
}

impl Day {
    /// That count by its name. Without a ledger it is never known.
    pub fn new(
        name: String,
        requests: u64,
        zone: TimeZone,
        ledger: Option<Arc<dyn Ledger>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            requests,
            zone,
            ledger,
            held: Mutex::default(),
            filling: tokio::sync::Mutex::default(),
        })
    }

    /// One of today's requests; waits for the count at most until `by`.
    ///
    /// # Errors
    /// [`NoneLeft`].
    pub async fn take(self: &Arc<Self>, by: Instant) -> Result<Counted, NoneLeft> {
        loop {
            match self.one() {
                Some(found) => return found,
                None => {
                    // A task of its own: whoever hangs up does not lose what was taken.
                    let filling = tokio::spawn(Arc::clone(self).fill());
                    let known = timeout_at(by, filling).await;
                    if !matches!(known, Ok(Ok(true))) {
                        return Err(NoneLeft::Unknown(UNKNOWN_AGAIN));
                    }
                }
            }
        }
    }

    /// Gives back what was not used for so long.
    pub async fn give_back(&self, unused: Duration) {
        let back = {
            let mut held = self.held();
            held.lease
                .as_mut()
                .filter(|lease| lease.used_at.elapsed() >= unused && lease.left > 0)
                .map(|lease| (lease.day, std::mem::take(&mut lease.left)))
        };
        if let (Some((day, count)), Some(ledger)) = (back, &self.ledger) {
            ledger.give_back(&self.name, day, count).await;
        }
    }

    /// None: the count must be asked.
    fn one(self: &Arc<Self>) -> Option<Result<Counted, NoneLeft>> {
        let now = Instant::now();
        let mut held = self.held();
        let lease = held.lease.as_mut().filter(|lease| now < lease.until)?;
        if lease.left > 0 {
            lease.left -= 1;
            lease.used_at = now;
            return Some(Ok(Counted {
                of: Arc::clone(self),
                day: lease.day,
                used: false,
            }));
        }
        (now < lease.again).then(|| Err(NoneLeft::Today(lease.until - now)))
    }

    /// Whether the count answered, or somebody else had asked it meanwhile.
    async fn fill(self: Arc<Self>) -> bool {
        let _alone = self.filling.lock().await;
        let asked_at = Instant::now();
        {
            let held = self.held();
            let fresh = |lease: &&Lease| {
                asked_at < lease.until && (lease.left > 0 || asked_at < lease.again)
            };
            if held.lease.as_ref().filter(fresh).is_some() {
                return true;
            }
        }
        let Some(ledger) = &self.ledger else {
            return false;
        };
        let granted = ledger.take(&self.name, &self.zone, self.requests).await;
        let Some(granted) = granted else {
            return false;
        };
        let mut held = self.held();
        // Requests that were not used may have come back meanwhile.
        let kept = held.lease.take().filter(|lease| lease.day == granted.day);
        let kept = kept.map_or(0, |lease| lease.left);
        let again = match granted.count {
            0 => Instant::now() + ASK_AGAIN,
            _ => asked_at,
        };
        held.lease = Some(Lease {
            day: granted.day,
            left: granted.count + kept,
            // From before it was asked: it ends no later than the count's day.
            until: asked_at + granted.for_,
            used_at: asked_at,
            again,
        });
        true
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// The request begins.
    pub fn used(mut self) {
        self.used = true;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.used {
            return;
        }
        let mut held = self.of.held();
        if let Some(lease) = held.lease.as_mut().filter(|lease| lease.day == self.day) {
            lease.left += 1;
        }
    }
}

impl Drop for Day {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        let left = held.lease.take().filter(|lease| lease.left > 0);
        let (Some(lease), Some(ledger)) = (left, self.ledger.take()) else {
            return;
        };
        // Outside a runtime it is lost for the day.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let name = std::mem::take(&mut self.name);
            runtime.spawn(async move { ledger.give_back(&name, lease.day, lease.left).await });
        }
    }
}

#[cfg(test)]
mod tests;
