//! TLS servers: one with a certificate that it signed itself, one that an authority vouches for.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// The authority that vouches for [`Mode::Tls`](super::Mode::Tls), for `ca_file`.
pub const AUTHORITY: &str = include_str!("authority.pem");

/// Made for this test alone, for `registry.example` and `127.0.0.1`, until 2126; so is the other.
const SELF_SIGNED: &[u8] = include_bytes!("self-signed.pem");
const TRUSTED: &[u8] = include_bytes!("trusted.pem");

/// Shakes hands with a certificate of nobody, and reads until the other side ends.
pub(super) async fn self_signed(stream: TcpStream) {
    if let Ok(mut stream) = acceptor(SELF_SIGNED).accept(stream).await {
        let _refused_by_the_client = stream.read_to_end(&mut Vec::new()).await;
    }
}

/// Passes everything on to the registry.
pub(super) async fn pass(stream: TcpStream, registry: Option<SocketAddr>) {
    let registry = TcpStream::connect(registry.expect("it knows the registry")).await;
    if let (Ok(mut stream), Ok(mut registry)) = (acceptor(TRUSTED).accept(stream).await, registry) {
        let _ended = copy_bidirectional(&mut stream, &mut registry).await;
    }
}

fn acceptor(pem: &[u8]) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(pem).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(pem).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.expect("a configuration")).into()
}
