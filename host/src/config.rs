//! One struct per concern; the only place that reads the environment. An unknown key is an error
//! that names the nearest key.

pub mod admission;
pub mod api;
pub mod audit;
pub mod bodies;
pub mod callers;
pub mod endpoint;
pub mod events;
pub mod limits;
pub mod lookups;
pub mod node;
pub mod operations;
pub mod read;
pub mod registry;
pub mod retry;
pub mod sandbox;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod traffic;
pub mod webhooks;

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

pub use read::ConfigError;

/// The gateway's configuration file. Every section may be left out.
///
/// ```toml
/// data_dir = "/var/lib/registry-gateway"
/// secrets_dir = "/etc/registry-gateway/secrets"
///
/// [api]
/// listen = "127.0.0.1:8080"
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database, the keys and the cache of compiled modules. Relative to the file.
    pub data_dir: PathBuf,
    /// Where `file:` secrets are. Relative to the file.
    pub secrets_dir: PathBuf,
    /// The HTTP API.
    pub api: api::ApiConfig,
    /// Who calls.
    pub callers: callers::CallersConfig,
    /// The engine that runs adapters.
    pub sandbox: sandbox::SandboxConfig,
    /// The database.
    pub store: store::StoreConfig,
    /// The audit's checkpoints, and how long its rows are kept.
    pub audit: audit::AuditConfig,
    /// What registries tell by themselves.
    pub events: events::EventsConfig,
    /// This gateway among those that share the database.
    pub node: node::NodeConfig,
    /// The process's own log.
    pub log: LogConfig,
    /// Where spans go.
    pub telemetry: telemetry::TelemetryConfig,
    /// How modules come in.
    pub admission: admission::AdmissionConfig,
    /// The key of what is kept of people in the database.
    pub bodies: bodies::BodiesConfig,
    /// How lookups are kept whose registry answers later.
    pub lookups: lookups::LookupsConfig,
    /// How writes are delivered.
    pub operations: operations::OperationsConfig,
    /// How callers are told of events.
    pub webhooks: webhooks::WebhooksConfig,
}

/// The process's own log, on standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// What is logged, as `tracing-subscriber`'s `EnvFilter` reads it.
    pub filter: String,
    /// One JSON object per line instead of text.
    pub json: bool,
}

/// The key with which commands administer a gateway over its API, from `REGISTRY_GATEWAY_KEY`.
pub fn administration_key() -> Option<SecretString> {
    #[expect(clippy::disallowed_methods, reason = "this is config")]
    let key = std::env::var("REGISTRY_GATEWAY_KEY").ok()?;
    Some(key.trim().into())
}

/// The gateway that commands administer where none is named, from `REGISTRY_GATEWAY_SERVER`.
pub fn administration_server() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is config")]
    let server = std::env::var("REGISTRY_GATEWAY_SERVER").ok()?;
    Some(server.trim().to_owned()).filter(|server| !server.is_empty())
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            json: false,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            secrets_dir: PathBuf::from("secrets"),
            api: api::ApiConfig::default(),
            callers: callers::CallersConfig::default(),
            sandbox: sandbox::SandboxConfig::default(),
            store: store::StoreConfig::default(),
            audit: audit::AuditConfig::default(),
            events: events::EventsConfig::default(),
            node: node::NodeConfig::default(),
            log: LogConfig::default(),
            telemetry: telemetry::TelemetryConfig::default(),
            admission: admission::AdmissionConfig::default(),
            bodies: bodies::BodiesConfig::default(),
            lookups: lookups::LookupsConfig::default(),
            operations: operations::OperationsConfig::default(),
            webhooks: webhooks::WebhooksConfig::default(),
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] with the line, the key, and the nearest key for one that is not known.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let config: Self = read::toml_file(file)?;
        Ok(config.based_in(file.parent().unwrap_or(Path::new("."))))
    }

    /// All defaults, with the data in the working directory.
    pub fn here() -> Self {
        Self::default().based_in(Path::new("."))
    }

    /// Relative paths begin in that directory; the database's in the data directory.
    #[must_use]
    pub fn based_in(mut self, directory: &Path) -> Self {
        self.data_dir = directory.join(&self.data_dir);
        self.secrets_dir = directory.join(&self.secrets_dir);
        self.store.based_in(directory, &self.data_dir);
        self
    }
}
