//! What an error of the HTTP client means.
//!
//! "Not sent" is said only of what provably ended before the request could be written: an error
//! of the connector (name, address, TCP, TLS handshake, all of it under the time limit), and a
//! request that the connection handed back unread (`hyper` says canceled). The client cannot tell
//! apart a request that waits in a buffer, one on the wire, and one that is being worked on; a
//! server that closes a kept connection in the same instant; an HTTP/2 preface without answer; a
//! TLS 1.3 server that refuses our side after the handshake. All these count as sent.

use std::error::Error;
use std::io;

use super::address::AddressRefused;
use super::client::NoConnectionInTime;
use super::exchange::{ProblemKind, SendError};

/// An error of sending, before the answer's status.
pub(super) fn sending(error: &reqwest::Error) -> SendError {
    if let Some(refused) = find::<AddressRefused>(error) {
        return SendError::not_sent(ProblemKind::AddressRefused, refused.to_string());
    }
    if error.is_dns() {
        return SendError::not_sent(ProblemKind::Dns, "the endpoint's name does not resolve");
    }
    if error.is_connect() {
        return connecting(error);
    }
    if error.is_builder() {
        let message = "the request cannot be written as HTTP";
        return SendError::not_sent(ProblemKind::RequestRefused, message);
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled) {
        let message = "the connection closed before the request was written";
        return SendError::not_sent(ProblemKind::Connect, message);
    }
    answering(error)
}

/// An error of reading the answer's body.
pub(super) fn reading(error: &reqwest::Error) -> SendError {
    // Without an error of the connection below, the decompression itself failed.
    let broken_off = find::<hyper::Error>(error).is_some();
    if error.is_decode() && !broken_off && !error.is_timeout() {
        let message = "the answer's compression is broken";
        return SendError::sent(ProblemKind::Unreadable, message);
    }
    answering(error)
}

/// Whether an error of type `E` is in the chain.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An `io::Error` leaves what it wraps out of its chain and goes on with that one's source.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

fn connecting(error: &reqwest::Error) -> SendError {
    if find::<NoConnectionInTime>(error).is_some() || error.is_timeout() {
        return SendError::not_sent(ProblemKind::TimedOut, "no connection in time");
    }
    if find::<rustls::Error>(error).is_some() {
        return SendError::not_sent(ProblemKind::Tls, "the TLS handshake failed");
    }
    let message = tunnel(error).unwrap_or("no connection");
    SendError::not_sent(ProblemKind::Connect, message)
}

/// What a proxy did instead of opening a tunnel. The client's own type for it is not public; its
/// words are.
fn tunnel(error: &reqwest::Error) -> Option<&'static str> {
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if let Some(problem) = text.strip_prefix("tunnel error: ") {
            return Some(match problem {
                "proxy authorization required" => {
                    "the proxy refuses the gateway's user or password"
                }
                "failed to create underlying connection" => "no connection to the proxy",
                _ => "the proxy opens no tunnel to the endpoint",
            });
        }
        next = error.source();
    }
    None
}

fn answering(error: &reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::sent(ProblemKind::TimedOut, "no whole answer in time");
    }
    if find::<rustls::Error>(error).is_some() {
        return SendError::sent(ProblemKind::Tls, "the TLS connection broke");
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse_too_large) {
        let message = "the answer's headers are over the limit";
        return SendError::sent(ProblemKind::TooLarge, message);
    }
    let unreadable = find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse)
        || find::<io::Error>(error).is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
            )
        });
    if unreadable {
        return SendError::sent(ProblemKind::Unreadable, "the answer is not HTTP");
    }
    SendError::sent(
        ProblemKind::Interrupted,
        "the connection ended in the middle",
    )
}
