//! What is not done with an operation, a link or a lookup that is kept.

use axum::http::StatusCode as S;

use super::{Problem, internal};
use crate::gateway::GatewayError;

pub(super) fn refused(error: &GatewayError) -> Problem {
    match error {
        GatewayError::IdempotencyConflict => Problem::new(
            S::CONFLICT,
            "idempotency-conflict",
            "something else was accepted under this key: give each write a key of its own",
        )
        .field("Idempotency-Key"),
        GatewayError::UnknownOperation => Problem::new(
            S::NOT_FOUND,
            "unknown-operation",
            "this caller has no operation of that id",
        )
        .field("id"),
        GatewayError::UnknownLink => Problem::new(
            S::NOT_FOUND,
            "unknown-link",
            "this caller has no link of that id",
        )
        .field("id"),
        GatewayError::UnknownLookup => Problem::new(
            S::NOT_FOUND,
            "unknown-lookup",
            "this caller has no lookup of that id, or has none any more",
        )
        .field("id"),
        GatewayError::LookupOver => Problem::new(
            S::GONE,
            "lookup-over",
            "the lookup's time is over, or its registry's adapter has changed: ask again",
        )
        .field("id"),
        GatewayError::TooManyLookups => Problem::new(
            S::TOO_MANY_REQUESTS,
            "too-many-lookups",
            "this caller, or all callers of the registry, have as many lookups as are kept: come back for \
             their answers, or DELETE /v1/lookups/{id} what is of no use any more",
        )
        .retry_after_ms(None),
        GatewayError::CursorAhead => Problem::new(
            S::CONFLICT,
            "cursor-ahead",
            "the feed has no event so far on, as after its database was restored: read again from an earlier \
             cursor, or without one; each event has the id that it had",
        )
        .field("after"),
        GatewayError::OperationState(state) => Problem::new(
            S::CONFLICT,
            "operation-state",
            format!("the operation is {state}, where this cannot be done with it"),
        ),
        _ => internal(),
    }
}
