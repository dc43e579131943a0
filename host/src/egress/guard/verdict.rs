//! What an answer, or its absence, says of the endpoint.

use std::time::{Duration, SystemTime};

use super::breaker::Verdict;
use crate::egress::exchange::{ProblemKind, Response, SendError, Sent};

/// Whether somebody is there. What never left, for a reason on this side, says nothing of that.
pub(super) fn verdict(result: &Result<Response, SendError>) -> Verdict {
    match result {
        Ok(response) if matches!(response.status, 502..=504) => Verdict::Failed,
        Ok(_) => Verdict::Answered,
        Err(error) => match (&error.kind, error.sent) {
            (
                ProblemKind::Dns
                | ProblemKind::Connect
                | ProblemKind::Tls
                | ProblemKind::TimedOut
                | ProblemKind::Interrupted,
                _,
            ) => Verdict::Failed,
            // Nonsense, too much of it, a redirect: an answer.
            (
                ProblemKind::Unreadable
                | ProblemKind::TooLarge
                | ProblemKind::RedirectRefused
                | ProblemKind::LimitReached,
                Sent::SentNoAnswer,
            ) => Verdict::Answered,
            _ => Verdict::Unknown,
        },
    }
}

/// `Retry-After` of a 429 or 503, in seconds or as a date (RFC 9110, section 10.2.3).
pub(super) fn asked_to_wait(response: &Response) -> Option<Duration> {
    if !matches!(response.status, 429 | 503) {
        return None;
    }
    let header = response
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after");
    let value = header?.1.trim();
    match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let then = httpdate::parse_http_date(value).ok()?;
            Some(then.duration_since(SystemTime::now()).unwrap_or_default())
        }
    }
}
