//! What is not done with an operation or a link.

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
