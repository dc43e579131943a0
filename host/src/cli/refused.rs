//! What the API says instead of an answer, for people and for scripts.

use std::fmt;

use serde::Deserialize;

use super::exit;

/// A problem of the API (RFC 9457).
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    problem: Problem,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
    field: Option<String>,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    place: String,
    problem: String,
}

impl Refused {
    pub(super) fn new(status: u16, body: &[u8]) -> Self {
        let problem = serde_json::from_slice(body).unwrap_or_default();
        Self { status, problem }
    }

    /// What the program ends with, see [`super::exit`].
    pub(super) fn exit_code(&self) -> u8 {
        match self.status {
            401 | 403 => exit::NOT_ALLOWED,
            404 => exit::UNKNOWN,
            400 | 409 | 413 | 415 | 422 => exit::REFUSED,
            408 | 429 | 503 | 504 => exit::NOT_NOW,
            _ => exit::ERROR,
        }
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            code,
            detail,
            field,
            findings,
        } = &self.problem;
        if code.is_empty() {
            return write!(f, "status {}, which is no answer of this API", self.status);
        }
        if let Some(field) = field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{detail} ({code})")?;
        for finding in findings {
            write!(f, "\n  {}: {}", finding.place, finding.problem)?;
        }
        Ok(())
    }
}
