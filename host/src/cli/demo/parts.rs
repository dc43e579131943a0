//! What the demo builds and starts besides the gateway.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::super::Failure;

/// What the demo's registries are reached by.
pub(super) struct Modules {
    /// SPDCI: it looks up.
    spdci: PathBuf,
    /// The stand-in's own records: it writes, and hears of life events.
    registrar: PathBuf,
}

/// Builds the adapters' components, in a target directory of their own.
pub(super) async fn adapters(sources: &Path) -> Result<Modules, Failure> {
    let target = sources.join("target/components");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(sources)
        .args(["build", "--locked"])
        .args(["--package", "adapter-spdci", "--package", "registrar-guest"])
        .args(["--target", "wasm32-wasip2", "--profile", "component"])
        .arg("--target-dir")
        .arg(&target);
    build(cargo).await?;
    let built = target.join("wasm32-wasip2/component");
    Ok(Modules {
        spdci: built.join("adapter_spdci.wasm"),
        registrar: built.join("registrar_guest.wasm"),
    })
}

/// Builds the stand-in registry, in the same profile as this command.
pub(super) async fn stand_in(sources: &Path) -> Result<PathBuf, Failure> {
    let target = sources.join("target");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(sources)
        .args(["build", "--locked", "--package", "stand-in"])
        .args(["--example", "stand-in", "--target-dir"])
        .arg(&target);
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        cargo.arg("--release");
        "release"
    };
    build(cargo).await?;
    Ok(target.join(profile).join("examples/stand-in"))
}

async fn build(mut cargo: Command) -> Result<(), Failure> {
    let output =
        cargo.stdin(Stdio::null()).output().await.map_err(|error| {
            format!("cargo cannot be started ({error}): install Rust with rustup")
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("cargo build failed:\n{said}").into())
}

/// A stand-in registry under way. It ends with this process, however that ends: it reads its
/// standard input, which closes.
pub(super) struct StandIn {
    /// Where it listens.
    pub(super) url: String,
    /// Somebody it knows: the first child of the first household.
    pub(super) uin: String,
    _child: Child,
}

impl StandIn {
    pub(super) async fn start(program: &Path, people: u32) -> Result<Self, Failure> {
        let mut child = Command::new(program)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--show",
                "3",
                "--stop-with-stdin",
            ])
            .args(["--people", &people.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or("the stand-in has no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut uin = String::new();
        while let Some(line) = lines.next_line().await? {
            match line.strip_prefix("listening on ") {
                Some(url) => {
                    return Ok(Self {
                        url: url.to_owned(),
                        uin,
                        _child: child,
                    });
                }
                // Of the three that are shown, the last is a child: it has parents to tell.
                None => uin = line,
            }
        }
        Err("the stand-in registry did not start".into())
    }
}

/// One registry as a civil and as a social one, two configurations of one module, and its records that
/// can be written to by another.
pub(super) fn registries(modules: &Modules, url: &str) -> String {
    let mut file = String::new();
    for (name, summary, registry_type) in [
        ("civil", "Civil registration (stand-in)", "Civil"),
        ("social", "Social registry (stand-in)", "Social"),
    ] {
        file.push_str(&format!(
            "[registries.{name}]\n\
             summary = {summary:?}\n\
             module = {:?}\n\
             settings = {{ registry_type = {registry_type:?}, sender_id = \"openimis-demo\", \
             relationship_type_describes = \"related-member\" }}\n\
             [registries.{name}.endpoints.registry]\n\
             base_url = {url:?}\n\
             allow_networks = [\"127.0.0.0/8\"]\n\n",
            modules.spdci
        ));
    }
    file.push_str(&format!(
        "[registries.records]\n\
         summary = \"Records that can be written to (stand-in)\"\n\
         module = {:?}\n\
         [registries.records.endpoints.registry]\n\
         base_url = {url:?}\n\
         allow_networks = [\"127.0.0.0/8\"]\n",
        modules.registrar
    ));
    file
}
