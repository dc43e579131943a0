//! The admin page in a real Chromium, on the real program: `tests/browser` drives it.
//!
//! Needs Debian's `chromium` (or `CHROMIUM`), node, and `npm ci --prefix tests/browser`. Where one of
//! them is missing the test says so and tests nothing; with `CI=true` it fails.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use gateway_tests::components::{component, workspace};
use gateway_tests::stand_in::records::Mishap;
use gateway_tests::stand_in::{Options, StandIn};
use real::Place;
use serde_json::json;

/// Writes whose answers are lost on their way.
const LOST: usize = 2;

/// Roles and the name of the caller that has them.
const STAFF: [(&str, &[&str]); 4] = [
    ("all", &["implementer", "administrator", "auditor"]),
    ("implementer", &["implementer"]),
    ("administrator", &["administrator"]),
    ("auditor", &["auditor"]),
];

/// Where Chromium is, or what is missing.
fn tools() -> Result<PathBuf, &'static str> {
    if !workspace()
        .join("tests/browser/node_modules/playwright-core")
        .is_dir()
    {
        return Err("npm ci --prefix tests/browser was not run");
    }
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].map(PathBuf::from);
    let mut places = named.into_iter().chain(usual);
    let place = places.find(|place| place.is_file());
    place.ok_or("there is no chromium: apt-get install chromium")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_page_in_chromium() {
    let chromium = match tools() {
        Ok(chromium) => chromium,
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("NOT TESTED, the admin page: {missing}");
            return;
        }
    };
    let webhooks = "[webhooks]\nallow_hosts = ['127.0.0.1']\nallow_networks = ['127.0.0.0/8']\n\
         first_wait_ms = 200\nmax_wait_ms = 500\n";
    let place = Place::new("", webhooks, "").await;
    let mut forgets = Options::default();
    forgets.records.forgets_keys = true;
    let forgets = StandIn::start(forgets).await;
    for _ in 0..LOST {
        forgets.records().inject(Mishap::LostAfter);
    }
    let hostile = format!(
        "[registries.hostile]\nmodule = '{}'\nsummary = 'Misbehaves on request'\n",
        component("hostile-guest").display()
    );
    // One that can be written to, one where nobody listens, and one that cannot be asked what became
    // of a write.
    let written = |name: &str, url: &str| {
        format!(
            "[registries.{name}]\nmodule = '{}'\n[registries.{name}.endpoints.registry]\n\
             base_url = '{url}'\nallow_networks = ['127.0.0.0/8']\n",
            component("registrar-guest").display()
        )
    };
    let records = written("records", &place.stand_in.url());
    let away = written("away", "http://127.0.0.1:1");
    let village = written("village", &forgets.url());
    let vital = format!(
        "[registries.vital]\nmodule = '{}'\n",
        component("telling-guest").display()
    );
    let civil = place.registry("civil", "");
    place.write(
        "registries.toml",
        &format!("{civil}{hostile}{records}{away}{village}{vital}"),
    );
    let mut keys = serde_json::Map::new();
    for (name, roles) in STAFF {
        let mut arguments = vec!["caller", "add", name];
        for role in roles {
            arguments.extend(["--role", role]);
        }
        keys.insert(name.into(), json!(place.run(&arguments).trim()));
    }
    let key = place.run(&["caller", "add", "clinic"]);
    keys.insert("client".into(), json!(key.trim()));
    let mut arguments = vec!["caller", "add", "writer"];
    for grant in [
        "records:create,events=all",
        "away:create",
        "village:create",
        "vital:events=all",
    ] {
        arguments.extend(["--grant", grant]);
    }
    let key = place.run(&arguments);
    keys.insert("writer".into(), json!(key.trim()));
    let running = place.start(|_| {});
    let people = place.stand_in.population();
    let uins: Vec<String> = (0..20).map(|index| people.person(index).uin).collect();
    let given = json!({
        "base": running.base,
        "keys": keys,
        "chromium": chromium,
        "uins": uins,
        "spdci": component("adapter-spdci"),
        "hostile": component("hostile-guest"),
        "screenshots": workspace().join("target/browser"),
    });
    let script = workspace().join("tests/browser/main.mjs");
    let driven = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg("--test-reporter=spec")
            .arg(script)
            .env("GIVEN", given.to_string())
            .stdin(Stdio::null())
            .status()
    });
    let status = driven.await.unwrap().expect("node runs");
    assert!(status.success(), "see what node tells above");
}
