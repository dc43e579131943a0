//! Numbers for messages.

/// A random UUID (RFC 9562, version 4) in lower case with hyphens, from the host's random source.
/// Writes use `call::operation_key` instead: it is the same in every attempt.
pub fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}
