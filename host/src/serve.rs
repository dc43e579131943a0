//! The composition root: config, store, egress, sandbox, gateway, api.

mod alone;
mod check;
mod connections;
mod local;

pub use alone::{CalledAlone, alone};
pub use check::{Report, check};
pub use local::Local;

pub(crate) use crate::sandbox::{COMPILE_COMMAND, compile_here as compile};

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::api;
use crate::config::Config;
use crate::config::secret::{SecretError, Secrets};
use crate::egress::Egress;
use crate::gateway::{Gateway, Sections, StartError};
use crate::sandbox::{Sandbox, SandboxError};
use crate::store::{Store, StoreError};

/// Connections are cut and the listener ends so much later than their time, at most.
const CUT_WAIT: Duration = Duration::from_secs(1);

/// A gateway that serves.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub gateway: Gateway,
    stop: oneshot::Sender<Instant>,
    task: JoinHandle<()>,
    drain_delay: Duration,
    drain_timeout: Duration,
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
    /// There is no place for what is needed for a moment only.
    #[error("no folder for temporary files can be made")]
    Temporary(#[source] std::io::Error),
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

/// Opens what the configuration names, and serves. It listens before registries are loaded, and is
/// ready when this returns.
///
/// # Errors
/// [`ServeError`].
pub async fn start(config: &Config) -> Result<Serving, ServeError> {
    let listener = listen(config).await?;
    serve(config, listener, open(config).await?).await
}

/// Serves with parts that are open already.
///
/// # Errors
/// [`ServeError`].
pub async fn start_with(config: &Config, parts: Parts) -> Result<Serving, ServeError> {
    serve(config, listen(config).await?, parts).await
}

/// What of the configuration the gateway is made with.
pub fn sections(config: &Config) -> Sections<'_> {
    Sections {
        data_dir: &config.data_dir,
        admission: &config.admission,
        audit: &config.audit,
        callers: &config.callers,
        events: &config.events,
        bodies: &config.bodies,
        lookups: &config.lookups,
        operations: &config.operations,
        webhooks: &config.webhooks,
    }
}

async fn listen(config: &Config) -> Result<TcpListener, ServeError> {
    let listen = config.api.listen;
    let listener = TcpListener::bind(listen).await;
    listener.map_err(|error| ServeError::Listen(listen, error))
}

async fn serve(
    config: &Config,
    listener: TcpListener,
    parts: Parts,
) -> Result<Serving, ServeError> {
    let gateway = Gateway::new(
        parts.store,
        parts.sandbox,
        Egress::new(),
        parts.secrets,
        sections(config),
    )
    .await?;
    let address = listener
        .local_addr()
        .map_err(|error| ServeError::Listen(config.api.listen, error))?;
    let router = api::router(gateway.clone(), &config.api);
    let api = config.api.clone();
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        // Dropped: nobody waits for anything.
        stopped.await.unwrap_or_else(|_| Instant::now())
    };
    let task = tokio::spawn(connections::serve(listener, router, api, stopped));
    tracing::info!(%address, "listening");
    let serving = Serving {
        address,
        gateway,
        stop,
        task,
        drain_delay: Duration::from_millis(config.api.drain_delay_ms.into()),
        drain_timeout: Duration::from_millis(config.api.drain_timeout_ms.into()),
    };
    let gateway = &serving.gateway;
    let started = async {
        gateway
            .join(&config.node, &config.data_dir, address)
            .await?;
        gateway.load().await?;
        gateway.deliver();
        Ok::<_, StartError>(())
    };
    if let Err(error) = started.await {
        serving.task.abort();
        serving.gateway.close(Instant::now()).await;
        return Err(error.into());
    }
    serving.gateway.keep_events();
    serving.gateway.send_webhooks();
    tracing::info!("ready");
    Ok(serving)
}

impl Serving {
    /// Says that it is not ready, takes no more requests after `api.drain_delay_ms`, answers those
    /// that are here as far as that is done within `api.drain_timeout_ms`, and closes the database.
    /// Gives the number of calls that did not end.
    pub async fn stop(mut self) -> usize {
        self.gateway.stopping();
        tokio::time::sleep(self.drain_delay).await;
        let by = Instant::now() + self.drain_timeout;
        let _ = self.stop.send(by);
        match tokio::time::timeout_at(by + CUT_WAIT, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!("the listener ended unexpectedly"),
            Err(_) => self.task.abort(),
        }
        self.gateway.close(by).await
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
