use axum::http::StatusCode;

use super::Problem;

/// A caller that is to wait.
pub(super) fn limited(code: &'static str, retry_after_ms: u32) -> Problem {
    let detail = match code {
        "too-many-failed-keys" => {
            "too many keys that nobody has came from this address; send no other until then"
        }
        "issuer-unavailable" => "the issuer of this token does not tell its keys; try again",
        "quota-unknown" => "what this caller has asked today cannot be counted now; try again",
        "rate-limited" => "this caller asks the registry more quickly than it may",
        _ => "this caller has asked the registry what it may ask in a day",
    };
    let status = match code {
        "issuer-unavailable" | "quota-unknown" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::TOO_MANY_REQUESTS,
    };
    Problem::new(status, code, detail).retry_after_ms(Some(retry_after_ms))
}
