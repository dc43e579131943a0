//! The composition root: config, store, egress, sandbox, gateway, api.

mod connections;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api;
use crate::config::Config;
use crate::config::secret::{SecretError, Secrets};
use crate::egress::Egress;
use crate::gateway::{Gateway, StartError};
use crate::sandbox::{Sandbox, SandboxError};
use crate::store::{Store, StoreError};

/// How long stopping waits for connections to end: an answer under way takes no longer, and a
/// client that reads slowly, or never, must not keep the gateway from closing its database.
const STOP_WAIT: Duration = Duration::from_secs(35);

/// A gateway that serves.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub gateway: Gateway,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

/// The parts that a gateway and the commands beside it are made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The engine.
    pub sandbox: Sandbox,
    /// Reads secrets.
    pub secrets: Secrets,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory cannot be made.
    #[error("the data directory {0} cannot be made")]
    DataDir(String, #[source] std::io::Error),
    /// The database.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// The database's password.
    #[error("the database's password cannot be read")]
    Password(#[from] SecretError),
    /// The engine.
    #[error("the sandbox cannot be set up")]
    Sandbox(#[from] SandboxError),
    /// What the database holds.
    #[error("the gateway cannot start")]
    Start(#[from] StartError),
    /// The port is taken, or not ours.
    #[error("cannot listen on {0}: is another process there?")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// Opens what the configuration names.
///
/// # Errors
/// [`ServeError`].
pub async fn open(config: &Config) -> Result<Parts, ServeError> {
    make_private(&config.data_dir)
        .map_err(|error| ServeError::DataDir(config.data_dir.display().to_string(), error))?;
    let secrets = Secrets::new(Some(config.secrets_dir.clone()));
    let password = config.store.password(&secrets)?;
    Ok(Parts {
        store: Store::open(&config.store, password.as_ref()).await?,
        sandbox: Sandbox::new(&config.sandbox, &config.data_dir)?,
        secrets,
    })
}

/// Opens what the configuration names, and starts serving.
///
/// # Errors
/// [`ServeError`].
pub async fn start(config: &Config) -> Result<Serving, ServeError> {
    start_with(config, open(config).await?).await
}

/// Starts serving with parts that are open already.
///
/// # Errors
/// [`ServeError`].
pub async fn start_with(config: &Config, parts: Parts) -> Result<Serving, ServeError> {
    let gateway = Gateway::start(
        parts.store,
        parts.sandbox,
        Egress::new(),
        parts.secrets,
        &config.data_dir,
    )
    .await?;
    let listen = config.api.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| ServeError::Listen(listen, error))?;
    let address = listener
        .local_addr()
        .map_err(|error| ServeError::Listen(listen, error))?;
    let router = api::router(gateway.clone(), &config.api);
    let api = config.api.clone();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async {
            // Dropped or sent: both mean stop.
            let _ = stopped.await;
        };
        connections::serve(listener, router, api, stopped).await;
        Ok(())
    });
    tracing::info!(%address, "listening");
    Ok(Serving {
        address,
        gateway,
        stop: Some(stop),
        task,
    })
}

impl Serving {
    /// Takes no more requests, answers those that are here, as far as that is done in a bounded
    /// time, and closes the database.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match tokio::time::timeout(STOP_WAIT, &mut self.task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "the listener ended with an error"),
            Ok(Err(_)) => tracing::error!("the listener ended unexpectedly"),
            Err(_) => {
                self.task.abort();
                tracing::warn!("some connections did not end: they are cut");
            }
        }
        self.gateway.close().await;
    }
}

/// The database, the keys and compiled code are nobody else's business.
fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}
