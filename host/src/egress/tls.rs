//! Certificates and keys as an administrator has them: PEM, looked at closely before it is used.
//!
//! The threat: a certificate authority that can speak for the registry, or a key that speaks for
//! the gateway somewhere else. So an endpoint's own authorities take the place of the system's
//! instead of joining them, and its client certificate is shown by the client of this endpoint alone
//! ([`super::client`]). The libraries below never look at the dates of an authority that they are
//! told to trust; those that are over are left out here.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

/// What is wrong with a PEM text, and what to do. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemProblem {
    /// Not PEM, or broken.
    #[error("it is not whole PEM text: write -----BEGIN …-----, base64 and -----END …-----")]
    NotPem,
    /// No certificate in it.
    #[error("it holds no -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// No private key in it.
    #[error("it holds no -----BEGIN PRIVATE KEY-----, nor RSA or EC PRIVATE KEY")]
    NoKey,
    /// A key under a passphrase.
    #[error("the key is encrypted: write it without a passphrase (openssl pkey -in … -out …)")]
    Encrypted,
    /// Not a certificate inside.
    #[error("its certificate number {0} cannot be read")]
    Unreadable(usize),
    /// Over.
    #[error(
        "its certificate number {0} has expired: ask for a new one, or set this machine's clock"
    )]
    Expired(usize),
    /// Not begun.
    #[error("its certificate number {0} is not valid yet: set this machine's clock, or wait")]
    NotYet(usize),
    /// A key of a kind that is not supported.
    #[error(
        "the key is of an unknown kind: RSA from 2048 bits, ECDSA P-256 or P-384, and Ed25519 work"
    )]
    KeyKind,
    /// A key of another certificate.
    #[error("the key is not that of the chain's first certificate")]
    Mismatch,
}

/// Who vouches for servers, in place of the system's authorities.
#[derive(Clone)]
pub struct Authorities(pub(super) Vec<reqwest::Certificate>);

impl Authorities {
    /// Those of a PEM bundle that are valid now.
    ///
    /// # Errors
    /// [`PemProblem`].
    pub fn read(pem: &str) -> Result<Self, PemProblem> {
        authorities(pem).map(Self)
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

/// The authorities of a bundle that are valid now.
pub(super) fn authorities(pem: &str) -> Result<Vec<reqwest::Certificate>, PemProblem> {
    let mut trusted = Vec::new();
    let mut over = None;
    for (index, der) in certificates(pem)?.iter().enumerate() {
        let number = index + 1;
        webpki::anchor_from_trusted_cert(der).map_err(|_| PemProblem::Unreadable(number))?;
        match valid_now(der, number) {
            Ok(()) => trusted.push(
                reqwest::Certificate::from_der(der).map_err(|_| PemProblem::Unreadable(number))?,
            ),
            // A bundle holds the old and the new one while an authority is replaced.
            Err(problem) => over = over.or(Some(problem)),
        }
    }
    match over {
        Some(problem) if trusted.is_empty() => Err(problem),
        _ => Ok(trusted),
    }
}

/// A chain of certificates, all valid now.
pub(super) fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, PemProblem> {
    let chain = certificates(pem)?;
    for (index, der) in chain.iter().enumerate() {
        valid_now(der, index + 1)?;
    }
    Ok(chain)
}

/// What a client shows: a chain, and the key of its first certificate.
pub(super) fn identity(
    chain: &[CertificateDer<'static>],
    key_pem: &str,
) -> Result<reqwest::Identity, PemProblem> {
    // In the label of a new form, in a header of the old (RFC 1421).
    if key_pem.contains("ENCRYPTED") {
        return Err(PemProblem::Encrypted);
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|error| match error {
        rustls_pki_types::pem::Error::NoItemsFound => PemProblem::NoKey,
        _ => PemProblem::NotPem,
    })?;
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &provider).map_err(
        |error| match error {
            rustls::Error::InconsistentKeys(_) => PemProblem::Mismatch,
            rustls::Error::InvalidCertificate(_) => PemProblem::Unreadable(1),
            _ => PemProblem::KeyKind,
        },
    )?;
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    // Written anew, since the client refuses what else a file may hold: curve parameters, comments.
    let mut text = encode(label, key.secret_der());
    text.extend(chain.iter().map(|der| encode("CERTIFICATE", der)));
    reqwest::Identity::from_pem(text.as_bytes()).map_err(|_| PemProblem::KeyKind)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, PemProblem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(list) if list.is_empty() => Err(PemProblem::NoCertificate),
        Ok(list) => Ok(list),
        Err(_) => Err(PemProblem::NotPem),
    }
}

fn valid_now(der: &CertificateDer<'_>, number: usize) -> Result<(), PemProblem> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(der) else {
        // An authority of the first version of X.509, which is readable as an authority alone.
        return Ok(());
    };
    // Without an authority to lead to this never succeeds; but the dates are looked at first.
    let usage = webpki::KeyUsage::client_auth();
    match certificate.verify_for_usage(&[], &[], &[], UnixTime::now(), usage, None, None) {
        Err(webpki::Error::CertExpired { .. }) => Err(PemProblem::Expired(number)),
        Err(webpki::Error::CertNotValidYet { .. }) => Err(PemProblem::NotYet(number)),
        _ => Ok(()),
    }
}

fn encode(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}
