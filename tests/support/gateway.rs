//! The real gateway in this process, on a stand-in registry.
//!
//! ```no_run
//! # async fn example() {
//! use gateway_tests::gateway::TestGateway;
//! let gateway = TestGateway::start().await;
//! let uin = gateway.person(3).uin;
//! let answer = gateway.find("civil", &uin).send().await;
//! assert_eq!(answer.status, 200);
//! # }
//! ```
//!
//! Dropping it ends the gateway and the stand-in and removes the database.

mod beside;

use std::collections::BTreeMap;
use std::path::Path;

use registry_gateway::config::Config;
use registry_gateway::config::secret::Secrets;
use registry_gateway::gateway::{ApplyError, Change, Gateway, NewCaller, apply_file};
use registry_gateway::model::{Ability, EventsOf, Grant, Role};
use registry_gateway::serve::{self, Parts, Serving};
use registry_gateway::store::Store;
use serde_json::Value;

pub use crate::ask::{Answer, Ask, identifiers};
pub use crate::registries::RegistryText;
pub use beside::Beside;

use crate::database::{Database, Outside};
use crate::program::program;
use crate::stand_in::{Options, Person, StandIn};

/// The seed of all people whom snapshots show.
pub const SEED: u64 = 1;

/// A gateway in the making.
pub struct Builder {
    stand_in: Options,
    registries: BTreeMap<String, RegistryText>,
    environment: BTreeMap<String, String>,
    files: Vec<(String, String)>,
    change: Box<dyn FnOnce(&mut Config) + Send>,
}

/// A gateway that serves, and the registry behind it.
pub struct TestGateway {
    /// The registry behind it.
    pub stand_in: StandIn,
    /// The gateway's own handle.
    pub serving: Serving,
    /// How it is configured.
    pub config: Config,
    /// A caller who may do everything.
    pub key: String,
    client: reqwest::Client,
    parts: Parts,
    database: Database,
    // Last: what is in it is in use until the rest is gone.
    directory: tempfile::TempDir,
}

impl TestGateway {
    /// Registries `civil` and `social` on the `spdci` adapter, and a caller who may do everything.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// The same, to be changed before it starts.
    pub fn builder() -> Builder {
        let registries = [
            ("civil", RegistryText::spdci("Civil")),
            ("social", RegistryText::spdci("Social")),
        ];
        Builder {
            stand_in: Options {
                people: 200,
                seed: SEED,
                ..Options::default()
            },
            registries: registries.map(|(name, text)| (name.into(), text)).into(),
            environment: BTreeMap::new(),
            files: Vec::new(),
            change: Box::new(|_| {}),
        }
    }

    /// Somebody whom the registry knows.
    pub fn person(&self, index: u64) -> Person {
        self.stand_in.population().person(index)
    }

    /// A request with the caller's key and a purpose.
    pub fn ask(&self, method: reqwest::Method, path: &str) -> Ask {
        let url = format!("http://{}{path}", self.serving.address);
        Ask::new(self.client.clone(), method, url)
            .key(&self.key)
            .header("registry-purpose", "suite")
    }

    /// A `POST` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Ask {
        self.ask(reqwest::Method::POST, path).json(body)
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Ask {
        self.ask(reqwest::Method::GET, path)
    }

    /// A lookup of one of the four abilities.
    pub fn lookup(&self, registry: &str, ability: &str, body: &Value) -> Ask {
        self.post(&format!("/v1/registries/{registry}/{ability}"), body)
    }

    /// A find by UIN.
    pub fn find(&self, registry: &str, uin: &str) -> Ask {
        let body = serde_json::json!({ "identifiers": identifiers(uin) });
        self.lookup(registry, "find", &body)
    }

    /// Adds a caller and takes it over; gives its key. With `Events` it reads those of everybody.
    pub async fn caller(&self, name: &str, registries: &[&str], abilities: &[Ability]) -> String {
        let grant = Grant {
            events: EventsOf::All,
            ..Grant::of(registries, abilities)
        };
        self.granted(name, grant).await
    }

    /// The same with any grant.
    ///
    /// # Panics
    /// If the name is taken.
    pub async fn granted(&self, name: &str, grant: Grant) -> String {
        let new = NewCaller::client(name, vec![grant]);
        let added = Gateway::put_caller(&self.parts.store, new).await;
        let key = added.expect("a new caller").key;
        self.serving.gateway.reload().await.expect("reloads");
        key
    }

    /// Adds a caller with these roles and takes it over; gives its key.
    pub async fn staff(&self, name: &str, roles: &[Role]) -> String {
        let new = NewCaller::staff(name, roles);
        let added = Gateway::put_caller(&self.parts.store, new).await;
        self.serving.gateway.reload().await.expect("reloads");
        added.expect("a new caller").key
    }

    /// Another handle of the database, as another process has it.
    pub async fn store(&self) -> Store {
        let opened = Store::open(&self.config.store, None).await;
        opened.expect("the database")
    }

    /// A connection to the database past the gateway.
    pub async fn outside(&self) -> Outside {
        self.database.connect(&self.config).await
    }

    /// Whether the database's server says that it is a PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.database.says_postgres()
    }

    /// How many modules are in memory.
    pub fn modules(&self) -> usize {
        self.parts.sandbox.modules()
    }

    /// A folder that holds all that the gateway keeps, the database too.
    pub fn kept(&self) -> &Path {
        self.database.dump_into(&self.config.data_dir);
        &self.config.data_dir
    }

    /// Where the database and the keys are.
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    /// Writes a `file:` secret, as an administrator does beside the running gateway.
    pub fn put_secret(&self, name: &str, text: &str) {
        std::fs::write(self.config.secrets_dir.join(name), text).expect("a secret");
    }

    /// Applies registries through a handle of its own, as `registry apply` in another process with
    /// that environment does: the running gateway is not told.
    pub async fn apply(&self, environment: &[(&str, &str)], registries: &[(&str, RegistryText)]) {
        let owned = environment.iter();
        let owned = owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: BTreeMap<String, String> = owned.collect();
        let read = move |name: &str| environment.get(name).cloned();
        let texts = registries.iter().map(|(name, text)| (*name, text));
        self.try_apply(read, texts)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// The same with any number of registries, where they may be refused.
    ///
    /// # Errors
    /// What `registry apply` says.
    pub async fn try_apply(
        &self,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        registries: impl Iterator<Item = (&str, &RegistryText)>,
    ) -> Result<Vec<Change>, ApplyError> {
        let parts = Parts {
            store: self.store().await,
            sandbox: self.parts.sandbox.clone(),
            secrets: Secrets::with_environment(Some(self.config.secrets_dir.clone()), environment),
        };
        let file = self.directory.path().join("later.toml");
        let done = apply(&file, registries, &self.stand_in, &parts).await;
        parts.store.close().await;
        done
    }
}

impl TestGateway {
    /// Why a file with that registry is not applied.
    ///
    /// # Panics
    /// If it is.
    pub async fn refusal(&self, name: &str, text: &RegistryText) -> String {
        let file = self.directory.path().join("refused.toml");
        std::fs::write(&file, text.write(name, &self.stand_in.url())).expect("a file");
        let Parts {
            store,
            sandbox,
            secrets,
        } = &self.parts;
        let refused = apply_file(&file, store, sandbox, secrets).await;
        refused.expect_err("a refusal").to_string()
    }
}

impl Builder {
    /// Changes the stand-in.
    pub fn stand_in(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.stand_in);
        self
    }

    /// Changes a registry's configuration; a new one begins as an `spdci` registry of people.
    pub fn registry(
        mut self,
        name: &str,
        change: impl FnOnce(RegistryText) -> RegistryText,
    ) -> Self {
        let text = self.registries.remove(name);
        let text = text.unwrap_or_else(|| RegistryText::spdci("Civil"));
        self.registries.insert(name.into(), change(text));
        self
    }

    /// Sets a variable of the environment that secrets are read from: not the process's own, which
    /// all tests share.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Writes a file below the secrets directory.
    pub fn secret_file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }

    /// Changes the gateway's configuration.
    pub fn config(mut self, change: impl FnOnce(&mut Config) + Send + 'static) -> Self {
        self.change = Box::new(change);
        self
    }

    /// Starts all of it.
    ///
    /// # Panics
    /// If anything of it does not start.
    pub async fn start(self) -> TestGateway {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::default().based_in(directory.path());
        config.api.listen.set_port(0);
        // Shared by all tests: each module is compiled once.
        config.sandbox.cache_dir = crate::components::target_directory();
        config.sandbox.cache_dir.push("gateway-cache");
        config.sandbox.compiler_program = program().to_owned();
        config.sandbox.max_instances = 32;
        config.sandbox.max_memory_bytes = 128 << 20;
        let database = Database::configure(&mut config);
        (self.change)(&mut config);
        std::fs::create_dir_all(&config.secrets_dir).expect("a secrets directory");
        for (name, text) in &self.files {
            std::fs::write(config.secrets_dir.join(name), text).expect("a secret");
        }
        let stand_in = StandIn::start(self.stand_in).await;

        let environment = self.environment;
        let read = move |name: &str| environment.get(name).cloned();
        let mut parts = serve::open(&config).await.expect("the parts");
        parts.secrets = Secrets::with_environment(Some(config.secrets_dir.clone()), read);
        let file = directory.path().join("registries.toml");
        let texts = self.registries.iter().map(|(name, text)| (&**name, text));
        apply(&file, texts, &stand_in, &parts)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let new = NewCaller::client("suite", vec![Grant::everything()]);
        let added = Gateway::put_caller(&parts.store, new).await;
        let key = added.expect("a caller").key;
        let again = Parts {
            store: parts.store.clone(),
            sandbox: parts.sandbox.clone(),
            secrets: parts.secrets.clone(),
        };
        let serving = serve::start_with(&config, parts).await.expect("a gateway");
        TestGateway {
            stand_in,
            serving,
            config,
            key,
            client: client(),
            parts: again,
            database,
            directory,
        }
    }
}

async fn apply(
    file: &Path,
    registries: impl Iterator<Item = (&str, &RegistryText)>,
    stand_in: &StandIn,
    parts: &Parts,
) -> Result<Vec<Change>, ApplyError> {
    let texts = registries.map(|(name, text)| text.write(name, &stand_in.url()));
    let text: String = texts.collect();
    std::fs::write(file, &text).expect("the registries' file");
    crate::registries::put_adapter(file.parent().expect("its directory"));
    apply_file(file, &parts.store, &parts.sandbox, &parts.secrets).await
}

/// One that goes straight to the gateway.
pub fn client() -> reqwest::Client {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
}
