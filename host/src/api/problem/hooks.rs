//! What registries are told whose callback the adapter did not answer.

use axum::http::StatusCode as S;

use super::Problem;
use crate::gateway::{AdminError, HookError};

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Gateway(error) => error.into(),
            HookError::TooMany { retry_after_ms } => Problem::new(
                S::TOO_MANY_REQUESTS,
                "too-many-callbacks",
                "more callbacks of this registry come than events.callbacks_per_second allows",
            )
            .retry_after_ms(Some(retry_after_ms)),
            HookError::Crowded => Problem::new(
                S::TOO_MANY_REQUESTS,
                "callbacks-busy",
                "as many callbacks are being read as events.callbacks_at_once, or that of one registry, allows",
            )
            .retry_after_ms(None),
            HookError::Full => Problem::new(
                S::INSUFFICIENT_STORAGE,
                "callbacks-full",
                "as many callbacks of this registry as may be are kept and not read, or wait with their answers: an administrator must look",
            ),
            HookError::Denied => Problem::new(
                S::FORBIDDEN,
                "callback-denied",
                "the sender did not prove who they are",
            ),
            HookError::Rejected => Problem::new(
                S::BAD_REQUEST,
                "callback-rejected",
                "what was sent is not taken as it is",
            ),
            HookError::Unavailable { retry_after_ms } => Problem::new(
                S::SERVICE_UNAVAILABLE,
                "callback-unavailable",
                "the callback cannot be read now: send it again",
            )
            .retry_after_ms(retry_after_ms),
            HookError::Unread => Problem::new(
                S::SERVICE_UNAVAILABLE,
                "callback-unread",
                "the callback is kept, and could not be read: an administrator must look",
            )
            .retry_after_ms(None),
            HookError::Store(error) => AdminError::Store(error).into(),
        }
    }
}
