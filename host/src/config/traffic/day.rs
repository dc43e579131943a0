use serde::{Deserialize, Serialize};

use super::Zone;

/// Requests begun on one day of a calendar, by all gateways of the database together.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PerDay {
    /// At most so many.
    pub requests: u64,
    /// Where the day begins at midnight: as the registry counts.
    pub zone: Zone,
}

impl PerDay {
    /// More than any registry grants, and few enough to be counted.
    const MOST: u64 = 1_000_000_000;

    pub(super) fn check(&self) -> Result<(), super::TrafficProblem> {
        match self.requests {
            0 => Err((
                "per_day.requests",
                "0 lets no request through; leave per_day out for no limit",
            )),
            1..=Self::MOST => Ok(()),
            _ => Err(("per_day.requests", "at most 1000000000")),
        }
    }
}
