//! What is wrong with TLS, in words.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use crate::egress::classify::find;

/// What is wrong, and what to do. None: it is not about TLS.
pub(super) fn explain(error: &reqwest::Error) -> Option<(String, String)> {
    let (problem, remedy) = match find::<Error>(error)? {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "the other side does not speak TLS",
            "is it http:// there, or is the port another one?",
        ),
        Error::PeerIncompatible(_) => (
            "the other side speaks TLS of another time",
            "ask the registry's owner for TLS 1.2 or 1.3",
        ),
        _ => return Some(unknown()),
    };
    Some((problem.into(), remedy.into()))
}

/// The library has no more to say.
fn unknown() -> (String, String) {
    let remedy = "is base_url right, and does something in between look into TLS?";
    ("the TLS handshake failed".into(), remedy.into())
}

/// It came to no end.
pub(super) fn unfinished(why: &str) -> (String, String) {
    let (_, remedy) = unknown();
    (format!("the TLS handshake came to no end: {why}"), remedy)
}

fn of_certificate(error: &CertificateError) -> (&'static str, &'static str) {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the registry's certificate has expired",
            "ask the registry's owner for a new one, or set this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "the registry's certificate is not valid yet",
            "set this machine's clock, or ask the registry's owner",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "the certificate is of another name than base_url has",
            "write the name that the registry's certificate has",
        ),
        // An authority of the same name and another key signs what does not verify.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "the certificate is of an authority that is not trusted here",
            "put the authority's certificate below the secrets directory, and name it in ca_file",
        ),
        CertificateError::Revoked => (
            "the registry's certificate was revoked",
            "ask the registry's owner for a new one",
        ),
        _ => (
            "the registry's certificate cannot be used",
            "ask the registry's owner for one that browsers take",
        ),
    }
}

fn of_alert(alert: AlertDescription) -> (&'static str, &'static str) {
    match alert {
        AlertDescription::CertificateRequired => (
            "the registry asks for a client certificate",
            "ask its owner for one, and configure client_certificate",
        ),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => (
            "the registry does not take the gateway's client certificate",
            "ask its owner for one of an authority that it trusts, and configure client_certificate",
        ),
        AlertDescription::UnrecognisedName => (
            "the other side knows no such name",
            "correct the name in base_url",
        ),
        _ => (
            "the registry ends the TLS handshake",
            "does it ask for a client certificate? Then configure client_certificate",
        ),
    }
}
