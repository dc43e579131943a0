use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use crate::gateway::Finding;

/// What is wrong in one place.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct FindingResponse {
    /// Where.
    place: String,
    /// What, with the remedy.
    problem: String,
}

impl Problem {
    pub(super) fn findings(mut self, findings: Vec<Finding>) -> Self {
        let wrong = findings.into_iter().filter_map(|finding| {
            Some(FindingResponse {
                place: finding.place,
                problem: finding.problem?,
            })
        });
        self.findings = wrong.collect();
        self
    }
}
