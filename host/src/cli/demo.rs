//! The whole gateway on one machine: builds the adapters, starts a stand-in registry, makes the
//! calls for real, lookups and writes, has the registry tell of a death, and stays up with lines to
//! paste.

mod calls;
mod parts;
mod writes;

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use super::serve::StopSignals;
use super::{Failure, print, registry};
use crate::config::Config;
use crate::serve;

/// The source tree that this command was built from: the demo builds the rest of it.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// A step that takes longer than this says that it is still at work.
const QUIET_FOR: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Port of the gateway; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Invented people in the stand-in registry.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    people: u32,
    /// Make the calls and end.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let sources = Path::new(SOURCES);
    if !sources.join("adapters/spdci/Cargo.toml").is_file() {
        return Err("the demo builds adapters from the source tree: run it by `cargo run --release -- demo` in a clone".into());
    }
    let sources = sources.canonicalize()?;
    let modules = step("Building the adapters", parts::adapters(&sources)).await?;
    let stand_in = step("Building the stand-in registry", parts::stand_in(&sources)).await?;
    let registry = step("Starting it", parts::StandIn::start(&stand_in, args.people)).await?;

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("registries.toml");
    tokio::fs::write(&file, parts::registries(&modules, &registry.url)).await?;
    let mut config = Config::default().based_in(folder.path());
    config.api.listen.set_port(args.port);
    config.log.filter = "warn".into();
    super::logging::init(&config.log)?;
    let key = step("Configuring the gateway", configure(&config, &file)).await?;
    let serving = step("Starting the gateway", serve::start(&config)).await?;

    let base = format!("http://{}", serving.address);
    print(&format!(
        "\nThe gateway listens on {base}, the stand-in registry on {}.\n",
        registry.url
    ));
    calls::make(&base, &key, &registry.uin).await?;
    writes::make(&base, &key, &registry.url).await?;
    if !args.once {
        calls::lines_to_paste(&base, &key, &registry.uin);
        print("\nCtrl-C ends it; nothing is left behind.\n");
        StopSignals::listen()?.next().await;
    }
    serving.stop().await;
    Ok(())
}

async fn configure(config: &Config, file: &Path) -> Result<String, Failure> {
    let client = Client::here(config).await?;
    let key = administer(file, &client).await;
    client.close().await;
    key
}

/// As an administrator does it by commands: the module is looked at before it is stored.
async fn administer(file: &Path, client: &Client) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Added {
        key: String,
    }
    registry::at_once(file, client).await?;
    let new = json!({ "name": "openimis-demo", "grants": [
        { "registries": ["civil", "social"] },
        { "registries": ["records"],
          "abilities": ["find", "create", "update", "link", "events"] },
    ]});
    let added = client.post("/admin/v1/callers", &new).await?;
    Ok(added.read::<Added>()?.key)
}

/// Runs a step, and says so when it takes long.
async fn step<T, E: Into<Failure>>(
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    let began = std::time::Instant::now();
    let mut work = std::pin::pin!(work);
    let mut told = false;
    loop {
        match tokio::time::timeout(QUIET_FOR * if told { 15 } else { 1 }, &mut work).await {
            Ok(done) => {
                if told {
                    print(&format!(
                        "  done in {:.0} s\n",
                        began.elapsed().as_secs_f64()
                    ));
                }
                return done.map_err(Into::into);
            }
            Err(_) if told => {
                print(&format!("  … {:.0} s\n", began.elapsed().as_secs_f64()));
            }
            Err(_) => {
                print(&format!("{what} …\n"));
                told = true;
            }
        }
    }
}
