//! Whom the system trusts, read once for all endpoints: a list of certificate authorities takes
//! milliseconds to read and hundreds of kilobytes to keep, and a gateway may have a thousand
//! endpoints. What one endpoint learns of a server stays its own: connections, and sessions too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};

/// So long the list is not read again: a thousand endpoints that are built at once read it once,
/// and an administrator who adds an authority need only apply again.
const KEPT: Duration = Duration::from_secs(10);
/// Tickets of an endpoint's servers; it has one host, or a few behind redirects.
const SESSIONS: usize = 16;

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

struct Known {
    roots: Arc<RootCertStore>,
    config: ClientConfig,
    read_at: Instant,
    version: u64,
}

/// TLS to servers whom the system trusts, without a certificate of one's own. None where the system
/// names no authority, or there is no provider of cryptography.
pub(super) fn of_the_system() -> Option<ClientConfig> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = known
        .as_ref()
        .is_some_and(|known| known.read_at.elapsed() < KEPT);
    if !fresh {
        *known = read(known.take());
    }
    let mut config = known.as_ref()?.config.clone();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Some(config)
}

/// Moves when the system trusts others than before.
pub(super) fn version() -> u64 {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.as_ref().map_or(0, |known| known.version)
}

fn read(before: Option<Known>) -> Option<Known> {
    let read_at = Instant::now();
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if ignored > 0 || !found.errors.is_empty() {
        let errors = found.errors.len();
        tracing::warn!(
            ignored,
            errors,
            "some of the system's certificates cannot be read"
        );
    }
    match before {
        Some(before) if before.roots.roots == roots.roots => Some(Known { read_at, ..before }),
        before => {
            let version = before.map_or(0, |before| before.version) + 1;
            known(roots, read_at, version)
        }
    }
}

fn known(roots: RootCertStore, read_at: Instant, version: u64) -> Option<Known> {
    if roots.is_empty() {
        return None;
    }
    let roots = Arc::new(roots);
    let provider = rustls::crypto::CryptoProvider::get_default()?;
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec!["h2".into(), "http/1.1".into()];
    Some(Known {
        roots,
        config,
        read_at,
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Egress;

    #[test]
    fn the_list_is_read_once_and_kept_while_it_is_the_same() {
        let _provider = Egress::new();
        let config = of_the_system().expect("the system trusts somebody");
        assert_eq!(config.alpn_protocols.len(), 2);
        let first = version();
        let roots = || KNOWN.lock().unwrap().as_ref().unwrap().roots.clone();
        let before = roots();
        of_the_system().unwrap();
        assert!(Arc::ptr_eq(&before, &roots()));

        // Read again, and found to be the same.
        let again = read(KNOWN.lock().unwrap().take()).expect("read");
        assert!(Arc::ptr_eq(&before, &again.roots));
        assert_eq!(again.version, first);
        // One authority fewer than now: the next reading has others.
        let mut fewer = (*before).clone();
        fewer.roots.pop();
        let fewer = known(fewer, again.read_at, first).expect("known");
        let later = read(Some(fewer)).expect("read");
        assert_eq!(later.version, first + 1);
        *KNOWN.lock().unwrap() = Some(again);
        assert!(known(RootCertStore::empty(), Instant::now(), 1).is_none());
    }
}
