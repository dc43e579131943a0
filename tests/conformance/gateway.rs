//! The gateway with one registry, served on loopback and called as openIMIS calls it.

use gateway_tests::components;
use gateway_tests::program::program;
use registry_gateway::config::Config;
use registry_gateway::gateway::{Gateway, NewCaller, apply_file};
use registry_gateway::model::{Ability, Grant};
use registry_gateway::serve::{self, Serving};
use serde_json::{Value, json};
use tempfile::TempDir;

const TOKEN: &str = "the-registry-s-token";

/// A gateway under way. `stop` it, so that a gateway that does not stop is seen.
pub(crate) struct Served {
    serving: Serving,
    key: String,
    client: reqwest::Client,
    _folder: TempDir,
}

/// What the gateway answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// Status, code and the registry's code of a problem.
    pub(crate) fn problem(&self) -> (u16, &str, &str) {
        let word = |name: &str| self.body[name].as_str().unwrap_or("-");
        (self.status, word("code"), word("registryCode"))
    }
}

/// Where the registry is and what it is told. `prism` refuses requests without a token.
pub(crate) struct Registry<'a> {
    pub(crate) url: &'a str,
    pub(crate) settings: Value,
    pub(crate) with_token: bool,
}

impl Served {
    /// Serves the registry by the spdci adapter.
    pub(crate) async fn start(registry: Registry<'_>) -> Self {
        Self::start_by("adapter-spdci", registry).await
    }

    /// Serves the registry by the adapter of this package.
    pub(crate) async fn start_by(adapter: &'static str, registry: Registry<'_>) -> Self {
        let module = tokio::task::spawn_blocking(|| components::component(adapter));
        let module = module.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default().based_in(folder.path());
        config.api.listen.set_port(0);
        let compiler = tokio::task::spawn_blocking(|| program().to_owned());
        config.sandbox.compiler_program = compiler.await.unwrap();
        std::fs::create_dir_all(&config.secrets_dir).unwrap();
        std::fs::write(config.secrets_dir.join("token"), TOKEN).unwrap();

        let mut endpoint = json!({ "base_url": registry.url, "allow_networks": ["127.0.0.0/8"] });
        if registry.with_token {
            endpoint["credential"] = json!({ "kind": "bearer", "token": "file:token" });
        }
        let file = json!({ "registries": { "national": {
            "module": module,
            "settings": registry.settings,
            "endpoints": { "registry": endpoint },
        }}});
        let path = folder.path().join("registries.toml");
        std::fs::write(&path, toml::to_string(&file).unwrap()).unwrap();

        let parts = serve::open(&config).await.unwrap();
        apply_file(&path, &parts.store, &parts.sandbox, &parts.secrets)
            .await
            .unwrap();
        let writes = [Ability::Create, Ability::Update, Ability::Link];
        let grants = vec![Grant::everything(), Grant::of(&["national"], &writes)];
        let new = NewCaller::client("openimis", grants);
        let added = Gateway::put_caller(&parts.store, new).await;
        let key = added.unwrap().key;
        parts.store.close().await;
        Self {
            serving: serve::start(&config).await.unwrap(),
            key,
            client: client(),
            _folder: folder,
        }
    }

    /// `POST /v1/registries/national/{verb}`, with every statement that a call can carry.
    pub(crate) async fn call(&self, verb: &str, mut question: Value) -> Answer {
        question["consent"] =
            json!({ "reference": "consent-1", "givenAt": "2026-01-02T03:04:05+05:45" });
        let url = format!(
            "http://{}/v1/registries/national/{verb}",
            self.serving.address
        );
        let answer = self
            .client
            .post(url)
            .bearer_auth(&self.key)
            .header("Registry-Purpose", "enrolment")
            .header("Registry-Legal-Basis", "act-7")
            .json(&question)
            .send()
            .await
            .unwrap();
        Answer {
            status: answer.status().as_u16(),
            body: answer.json().await.unwrap(),
        }
    }

    /// `POST /v1/registries/national/operations`, and what became of it within ten seconds.
    pub(crate) async fn write(&self, key: &str, operation: Value) -> Answer {
        let url = format!(
            "http://{}/v1/registries/national/operations",
            self.serving.address
        );
        let answer = self
            .client
            .post(url)
            .bearer_auth(&self.key)
            .header("Registry-Purpose", "enrolment")
            .header("Registry-Legal-Basis", "act-7")
            .header("Idempotency-Key", key)
            .header("Prefer", "wait=10")
            .json(&operation)
            .send()
            .await
            .unwrap();
        Answer {
            status: answer.status().as_u16(),
            body: answer.json().await.unwrap(),
        }
    }

    pub(crate) async fn stop(self) {
        self.serving.stop().await;
    }
}

/// For loopback: through no proxy.
pub(crate) fn client() -> reqwest::Client {
    // The first of the tests installs it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
