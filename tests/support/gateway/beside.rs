//! Further gateways on the same database.

use registry_gateway::config::Config;
use registry_gateway::config::secret::Secrets;
use registry_gateway::serve::{self, Parts, Serving};
use serde_json::{Value, json};

use super::TestGateway;
use crate::ask::{Ask, identifiers};

/// A gateway beside another one: the same database, keys and registries, and data of its own.
pub struct Beside {
    /// Its own handle.
    pub serving: Serving,
    /// How it is configured.
    pub config: Config,
    client: reqwest::Client,
    key: String,
    _directory: tempfile::TempDir,
}

impl TestGateway {
    /// Starts another one on the same database, with secrets from this environment.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn beside(
        &self,
        environment: &[(&str, &str)],
        change: impl FnOnce(&mut Config),
    ) -> Beside {
        let (config, directory, parts) = self.prepare(environment, change).await;
        let serving = serve::start_with(&config, parts).await;
        Beside {
            serving: serving.expect("a gateway"),
            config,
            client: self.client.clone(),
            key: self.key.clone(),
            _directory: directory,
        }
    }

    /// Why another one does not start.
    ///
    /// # Panics
    /// If it does.
    pub async fn not_beside(&self, change: impl FnOnce(&mut Config)) -> String {
        let (config, _directory, parts) = self.prepare(&[], change).await;
        match serve::start_with(&config, parts).await {
            Ok(_) => panic!("it starts"),
            Err(error) => registry_gateway::gateway::chain(&error),
        }
    }

    /// Cuts the connections of all gateways on which the database tells of changes.
    ///
    /// # Panics
    /// If there are none.
    pub fn hush(&self) {
        tokio::task::block_in_place(|| self.database.hush());
    }

    async fn prepare(
        &self,
        environment: &[(&str, &str)],
        change: impl FnOnce(&mut Config),
    ) -> (Config, tempfile::TempDir, Parts) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = self.config.clone();
        config.data_dir = directory.path().join("data");
        config.api.listen.set_port(0);
        std::fs::create_dir_all(&config.data_dir).expect("a data directory");
        for name in ["audit.key", "audit-signing.key", "bodies.key"] {
            let key = self.config.data_dir.join(name);
            std::fs::copy(key, config.data_dir.join(name)).expect("the keys");
        }
        change(&mut config);
        let owned = environment.iter();
        let owned = owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: std::collections::BTreeMap<String, String> = owned.collect();
        let read = move |name: &str| environment.get(name).cloned();
        let mut parts = serve::open(&config).await.expect("the parts");
        parts.secrets = Secrets::with_environment(Some(config.secrets_dir.clone()), read);
        (config, directory, parts)
    }
}

impl Beside {
    /// A request to it with the suite's key and a purpose.
    pub fn ask(&self, method: reqwest::Method, path: &str) -> Ask {
        let url = format!("http://{}{path}", self.serving.address);
        Ask::new(self.client.clone(), method, url)
            .key(&self.key)
            .header("registry-purpose", "suite")
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Ask {
        self.ask(reqwest::Method::GET, path)
    }

    /// A `POST` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Ask {
        self.ask(reqwest::Method::POST, path).json(body)
    }

    /// A find by UIN.
    pub fn find(&self, registry: &str, uin: &str) -> Ask {
        let body = json!({ "identifiers": identifiers(uin) });
        self.post(&format!("/v1/registries/{registry}/find"), &body)
    }
}
