//! The gateway, configured for the benchmark: everything on, as an administrator has it.

use std::path::{Path, PathBuf};

use gateway_tests::components::component;
use gateway_tests::program::program;
use registry_gateway::config::Config;
use registry_gateway::gateway::{Gateway, NewCaller, apply_file};
use registry_gateway::model;
use registry_gateway::serve;

use crate::registry::{self, Known, SLOW};
use crate::role::{Playing, Role};

/// The registry that answers at once.
pub(crate) const QUICK: &str = "quick";
/// The one that answers after two seconds.
pub(crate) const LATE: &str = "late";
/// The one whose adapter computes without end.
pub(crate) const SPINNING: &str = "spinning";

/// A registry and a gateway in front of it, each in a process of its own.
pub(crate) struct Stage {
    pub(crate) known: Known,
    pub(crate) registry: Playing,
    pub(crate) key: String,
    pub(crate) gateway: Playing,
    _configured: Configured,
    _answer: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let known = registry::known().await;
        let answer = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let file = answer.path().join("answer.json");
        std::fs::write(&file, &known.answer).expect("written");
        let registry = Role::Registry.start(file.to_str().expect("a path"));
        let configured = configure(&registry.url).await;
        let gateway = Role::Gateway.start(configured.file.to_str().expect("a path"));
        Self {
            known,
            registry,
            key: configured.key.clone(),
            gateway,
            _configured: configured,
            _answer: answer,
        }
    }
}

/// A gateway's folder, ready to be served.
struct Configured {
    file: PathBuf,
    key: String,
    _folder: tempfile::TempDir,
}

/// Configures a gateway on registries at `url`.
async fn configure(url: &str) -> Configured {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = folder.path().join("gateway.toml");
    let settings = format!(
        "data_dir = 'data'\n[api]\nlisten = '127.0.0.1:0'\n[log]\njson = true\n\
         [sandbox]\ncompiler_program = '{}'\n",
        program().display()
    );
    std::fs::write(&file, settings).expect("written");
    let registries = folder.path().join("registries.toml");
    std::fs::write(&registries, text(url)).expect("written");

    let config = Config::read(&file).expect("a configuration");
    let parts = serve::open(&config).await.expect("opens");
    apply_file(&registries, &parts.store, &parts.sandbox, &parts.secrets)
        .await
        .expect("applies");
    let new = NewCaller::client("bench", vec![model::Grant::everything()]);
    let added = Gateway::put_caller(&parts.store, new).await;
    let key = added.expect("a caller").key;
    parts.store.close().await;
    Configured {
        file,
        key,
        _folder: folder,
    }
}

/// What `registry apply` reads.
fn text(url: &str) -> String {
    let spdci = component("adapter-spdci");
    let hostile = component("hostile-guest");
    let one = |name: &str, module: &Path, url: String, rest: &str| {
        format!(
            "[registries.{name}]\nmodule = {module:?}\n{rest}\n\
             [registries.{name}.endpoints.registry]\nbase_url = {url:?}\n\
             allow_networks = ['127.0.0.0/8']\n\n"
        )
    };
    let settings = "settings = { registry_type = 'Social', sender_id = 'bench', \
                    relationship_type_describes = 'related-member', \
                    record_types = { find = 'Member' } }";
    let many = "concurrency = { max_calls = 500, max_wait_ms = 5000 }";
    [
        one(QUICK, &spdci, url.to_owned(), settings),
        one(
            LATE,
            &spdci,
            format!("{url}{SLOW}"),
            &format!("{settings}\n{many}"),
        ),
        one(SPINNING, &hostile, url.to_owned(), ""),
    ]
    .concat()
}
