//! The unit and the image of `host/deploy`: what they name is there, and what they say is accepted.
//! No image is built here: that needs a container runtime and the network.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use gateway_tests::left_out::left_out;
use registry_gateway::config::Config;

const UNIT: &str = include_str!("../deploy/registry-gateway.service");
const IMAGE: &str = include_str!("../deploy/Containerfile");
const README: &str = include_str!("../../README.md");
const PROGRAM: &str = env!("CARGO_BIN_EXE_registry-gateway");
const INSTALLED: &str = "/usr/local/bin/registry-gateway";

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Asks the program whether it knows these arguments, without doing what they say.
fn accepted(arguments: &[&str]) {
    let mut command = Command::new(PROGRAM);
    let output = command.args(arguments).arg("--help").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// Keys and values of the unit's section, the last where there are several.
fn section(name: &str) -> BTreeMap<&'static str, &'static str> {
    let text = UNIT.split(&format!("\n[{name}]\n")).nth(1).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with('['));
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).collect()
}

/// The instructions of the image, with continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = IMAGE.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter_map(|line| line.split_once(' '));
    lines
        .map(|(a, b)| (a.to_owned(), b.trim().to_owned()))
        .collect()
}

fn all(instruction: &str) -> Vec<String> {
    let all = instructions().into_iter();
    all.filter(|(name, _)| name == instruction)
        .map(|(_, rest)| rest)
        .collect()
}

#[test]
fn the_unit_starts_what_there_is_and_waits_long_enough() {
    let service = section("Service");
    let start: Vec<_> = service["ExecStart"].split(' ').collect();
    assert_eq!((start[0], *start.last().unwrap()), (INSTALLED, "serve"));
    accepted(&start[1..]);
    let api = Config::default().api;
    let stop: u64 = service["TimeoutStopSec"].parse().unwrap();
    assert!(
        stop * 1_000 > u64::from(api.drain_delay_ms) + u64::from(api.drain_timeout_ms) + 10_000
    );
    assert_eq!(service["Type"], "notify");
    assert_eq!(service["User"], "registry-gateway");
    let state = format!("data_dir = \"/var/lib/{}\"", service["StateDirectory"]);
    assert!(README.contains(&state), "README keeps its data elsewhere");
    let secrets = format!("/etc/{}/secrets", service["ConfigurationDirectory"]);
    assert!(
        README.contains(&secrets),
        "README keeps its secrets elsewhere"
    );
    // The engine makes compiled code executable.
    assert!(!service.contains_key("MemoryDenyWriteExecute"));
}

/// systemd's own opinion, where it is installed; elsewhere the test above is all.
#[test]
fn systemd_takes_the_unit_and_finds_little_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("registry-gateway.service");
    // The user is made when it is installed, and so is the program.
    let text = UNIT.replace(INSTALLED, PROGRAM);
    let text = text.replace("User=registry-gateway", "User=daemon");
    let text = text.replace("Group=registry-gateway", "Group=daemon");
    std::fs::write(&unit, text).unwrap();
    for arguments in [
        &["verify", "--recursive-errors=no", "--man=no"][..],
        &["security", "--offline=yes", "--threshold=25", "--no-pager"],
    ] {
        let mut command = Command::new("systemd-analyze");
        let Ok(output) = command.args(arguments).arg(&unit).output() else {
            left_out("what systemd says of the unit, for want of systemd-analyze");
            return;
        };
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{arguments:?}: {said}");
        let ours = said
            .lines()
            .filter(|line| line.contains("registry-gateway.service:"));
        let complaints: Vec<_> = ours
            .filter(|line| arguments[0] == "verify" && !line.is_empty())
            .collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

#[test]
fn the_image_is_made_of_what_there_is() {
    let copied: Vec<String> = all("COPY")
        .into_iter()
        .filter(|rest| !rest.starts_with("--from"))
        .flat_map(|rest| {
            let mut words: Vec<_> = rest.split(' ').map(str::to_owned).collect();
            words.pop();
            words
        })
        .collect();
    for name in &copied {
        assert!(workspace().join(name).exists(), "{name}");
    }
    // Every member of the workspace is needed for Cargo to read it.
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let members = manifest.split("members = [").nth(1).unwrap();
    let members = members.split(']').next().unwrap().split(", ");
    for member in members {
        let top = member.trim_matches('"').split('/').next().unwrap();
        assert!(copied.iter().any(|name| name == top), "{member}");
    }
    let toolchain = std::fs::read_to_string(workspace().join("rust-toolchain.toml")).unwrap();
    let from = all("FROM");
    let tag = from[0].split([':', '-']).nth(1).unwrap();
    assert!(toolchain.contains(&format!("channel = \"{tag}.")), "{tag}");
    assert!(all("RUN")[0].contains("cargo build --locked --release --package registry-gateway"));
    assert!(
        all("COPY")
            .last()
            .unwrap()
            .ends_with(&format!("target/release/registry-gateway {INSTALLED}"))
    );
}

#[test]
fn the_image_runs_as_nobody_what_the_program_knows() {
    let json = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
    let mut command = json(&all("ENTRYPOINT")[0]);
    command.extend(json(&all("CMD")[0]));
    assert_eq!(command.remove(0), INSTALLED);
    accepted(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let user = all("USER").remove(0);
    let id: u32 = user.split(':').next().unwrap().parse().unwrap();
    assert!(id > 0 && all("RUN")[1].contains(&format!("--owner {id} ")));
    assert_eq!(all("VOLUME"), ["/var/lib/registry-gateway"]);
    assert_eq!(all("STOPSIGNAL"), ["SIGTERM"]);
    let port = Config::default().api.listen.port().to_string();
    assert_eq!(all("EXPOSE"), [port]);
}
