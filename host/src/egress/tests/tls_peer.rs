//! A registry behind TLS, and the authorities that make certificates for a test.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::peer::{self, Reply, Respond};

/// The registry's name in certificates.
pub(super) const NAME: &str = "registry.example";

/// When a certificate is valid.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Valid {
    Now,
    Over,
    NotYet,
}

/// An authority of its own.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

/// A registry that speaks TLS, and counts.
pub(super) struct TlsPeer {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
    handshakes: Arc<AtomicUsize>,
}

impl Authority {
    pub(super) fn new(valid: Valid) -> Self {
        let mut params = params(&[], "authority", valid);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("key");
        let pem = params.self_signed(&key).expect("certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub(super) fn issue(&self, name: &str, valid: Valid) -> Issued {
        let key = KeyPair::generate().expect("key");
        let certificate = params(&[name], name, valid)
            .signed_by(&key, &self.issuer)
            .expect("certificate");
        Issued {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.pem).remove(0)).expect("authority");
        Arc::new(roots)
    }
}

impl Issued {
    /// Of the certificate itself.
    pub(super) fn der(&self) -> Vec<u8> {
        der(&self.chain).remove(0).to_vec()
    }
}

impl TlsPeer {
    /// With a certificate of `authority`; where `clients` is one, it asks for certificates of that.
    pub(super) async fn start(
        authority: &Authority,
        clients: Option<&Authority>,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(authority.issue(NAME, Valid::Now), clients, reply).await
    }

    /// With that certificate.
    pub(super) async fn with(
        issued: Issued,
        clients: Option<&Authority>,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = match clients {
            Some(clients) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(clients.roots(), provider)
                    .build()
                    .expect("verifier"),
            ),
            None => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("key");
        let config = builder
            .with_single_cert(der(&issued.chain), key)
            .expect("configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let peer = Self {
            address: listener.local_addr().expect("address"),
            seen: Arc::default(),
            connections: Arc::default(),
            handshakes: Arc::default(),
        };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let reply: Arc<dyn Respond> = Arc::new(reply);
        let (seen, connections) = (Arc::clone(&peer.seen), Arc::clone(&peer.connections));
        let handshakes = Arc::clone(&peer.handshakes);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                handshakes.fetch_add(1, Ordering::Relaxed);
                let (acceptor, reply) = (acceptor.clone(), Arc::clone(&reply));
                let (seen, connections) = (Arc::clone(&seen), Arc::clone(&connections));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let shown = stream.get_ref().1.peer_certificates();
                    let shown = shown.and_then(|chain| chain.first()).map(|it| it.to_vec());
                    connections.lock().expect("connections").push(shown);
                    peer::serve(stream, &seen, &*reply).await;
                });
            }
        });
        peer
    }

    pub(super) async fn answering(authority: &Authority, clients: Option<&Authority>) -> Self {
        Self::start(authority, clients, |_| Reply::Answer(peer::OK.into())).await
    }

    /// By the name that the certificate has.
    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{NAME}:{}{path}", self.address.port())
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("seen").clone()
    }

    /// The certificate that each connection showed, in the order of their handshakes.
    pub(super) fn shown(&self) -> Vec<Option<Vec<u8>>> {
        self.connections.lock().expect("connections").clone()
    }

    /// Connections, also those whose handshake failed.
    pub(super) fn attempts(&self) -> usize {
        self.handshakes.load(Ordering::Relaxed)
    }
}

fn params(names: &[&str], common: &str, valid: Valid) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, common);
    (params.not_before, params.not_after) = match valid {
        Valid::Now => (date_time_ymd(2000, 1, 1), date_time_ymd(2400, 1, 1)),
        Valid::Over => (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1)),
        Valid::NotYet => (date_time_ymd(2400, 1, 1), date_time_ymd(2401, 1, 1)),
    };
    params
}

fn der(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .expect("PEM")
}
