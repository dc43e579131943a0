//! A TLS server with a certificate that it signed itself.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpStream;

/// Made for this test alone, for `registry.example` and `127.0.0.1`, until 2126.
const PEM: &[u8] = include_bytes!("self-signed.pem");
/// For a client that says nothing: it must not keep the thread.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shakes hands and reads until the other side ends.
pub(super) async fn serve(stream: TcpStream) {
    let stream = stream.into_std().expect("a stream");
    let served = tokio::task::spawn_blocking(move || {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let connection = ServerConnection::new(config()).expect("a server");
        StreamOwned::new(connection, stream).read_to_end(&mut Vec::new())
    });
    let _refused_by_the_client = served.await;
}

fn config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(PEM).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(PEM).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.expect("a configuration"))
}
