//! The commands against a gateway that runs, over its API and beside it on the same data: what they
//! print, and what they end with.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use real::{Place, Running};
use serde_json::Value;

const README: &str = include_str!("../../README.md");

/// Commands for a gateway somewhere.
struct Remote<'a> {
    place: &'a Place,
    base: String,
    key: String,
}

struct Ended {
    code: i32,
    said: String,
    told: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            said: String::from_utf8(output.stdout).unwrap(),
            told: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Remote<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_registry-gateway"));
        command
            .current_dir(self.place.folder.path())
            .args(["--server", &self.base])
            .args(arguments)
            .env("REGISTRY_GATEWAY_KEY", &self.key)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    fn ends(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(
            ended.code, code,
            "{arguments:?}: {}{}",
            ended.said, ended.told
        );
        ended
    }
}

async fn start() -> (Place, Running) {
    let place = Place::new("", "", "").await;
    let running = place.start(|_| {});
    (place, running)
}

fn administrator<'a>(place: &'a Place, running: &Running) -> Remote<'a> {
    // Beside the gateway that runs, on the same data.
    let key = place.run(&["caller", "add", "ada", "--role", "administrator"]);
    let remote = Remote {
        place,
        base: running.base.clone(),
        key: key.trim().to_owned(),
    };
    for _ in 0..100 {
        if remote.run(&["registry", "list"]).code == 0 {
            return remote;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the gateway did not take over the caller");
}

#[tokio::test(flavor = "multi_thread")]
async fn registries_are_administered_from_elsewhere() {
    let (place, running) = start().await;
    let remote = administrator(&place, &running);
    assert!(remote.ends(0, &["registry", "list"]).said.contains("civil"));
    let listed = remote.ends(0, &["registry", "list", "--json"]).said;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["registries"][0]["state"], "ready");

    // The same file again, then one more registry.
    let apply = ["registry", "apply", "-f", "registries.toml"];
    assert!(remote.ends(0, &apply).said.starts_with("unchanged  civil"));
    let both = place.registry("civil", "timeout_ms = 7000") + &place.registry("second", "");
    place.write("registries.toml", &both);
    let dry = remote.ends(
        8,
        &["registry", "apply", "-f", "registries.toml", "--dry-run"],
    );
    assert!(
        dry.said
            .contains("endpoints.registry.timeout_ms: 20000 → 7000"),
        "{}",
        dry.said
    );
    assert!(dry.said.contains("added      second"), "{}", dry.said);
    remote.ends(4, &["registry", "show", "second"]);
    remote.ends(0, &apply);
    let dry = remote.ends(
        0,
        &["registry", "apply", "-f", "registries.toml", "--dry-run"],
    );
    assert!(!dry.said.contains('→'), "{}", dry.said);
    assert!(
        remote
            .ends(0, &["registry", "show", "second"])
            .said
            .contains("[registries.second")
    );

    // What is exported is applied again, as TOML and as JSON.
    let exported = remote.ends(0, &["registry", "export"]).said;
    place.write("all.toml", &exported);
    let json = remote.ends(0, &["registry", "export", "--json"]).said;
    place.write("all.json", &json);
    for file in ["all.toml", "all.json"] {
        let same = ["registry", "apply", "-f", file, "--prune", "--dry-run"];
        remote.ends(0, &same);
    }
    remote.ends(0, &["registry", "delete", "second"]);
    let back = remote
        .ends(0, &["registry", "apply", "-f", "all.toml", "--json"])
        .said;
    let back: Value = serde_json::from_str(&back).unwrap();
    assert_eq!(
        (&back["applied"], &back["changed"]),
        (&true.into(), &true.into())
    );

    assert!(
        remote
            .ends(0, &["registry", "disable", "second"])
            .said
            .contains("disabled")
    );
    assert!(
        remote
            .ends(0, &["registry", "enable", "second"])
            .said
            .contains("ready")
    );

    // A person's number comes by standard input.
    let uin = place.stand_in.population().person(0).uin;
    let mut tested =
        remote.command(&["registry", "test", "civil", "--identifier", "national-id=-"]);
    let mut tested = tested
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    tested
        .stdin
        .take()
        .unwrap()
        .write_all(uin.as_bytes())
        .unwrap();
    let tested: Ended = tested.wait_with_output().unwrap().into();
    assert_eq!(tested.code, 0, "{}", tested.said);
    assert!(
        tested.said.contains("a person was found; it has"),
        "{}",
        tested.said
    );
    let broken = place
        .registry("broken", "")
        .replace(&place.stand_in.url(), "http://127.0.0.1:9/");
    place.write("broken.toml", &broken);
    remote.ends(0, &["registry", "apply", "-f", "broken.toml"]);
    let tested = remote.ends(8, &["registry", "test", "broken"]);
    assert!(
        tested
            .said
            .contains("fails       endpoints.registry connection"),
        "{}",
        tested.said
    );
    assert!(
        tested.said.contains("not-reached mapping"),
        "{}",
        tested.said
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_has_its_number() {
    let (place, running) = start().await;
    let remote = administrator(&place, &running);
    remote.ends(2, &["registry", "lost"]);
    remote.ends(4, &["registry", "disable", "nobody"]);
    // Not there: a file, and what it names.
    let missing = remote.ends(1, &["registry", "apply", "-f", "gone.toml"]);
    assert!(
        missing.told.contains("gone.toml cannot be read"),
        "{}",
        missing.told
    );
    place.write("bad.toml", "[registries.civil]\nmodul = 'x'\n");
    let bad = remote.ends(1, &["registry", "apply", "-f", "bad.toml"]);
    assert!(
        bad.told.contains("line 2") && bad.told.contains("did you mean `module`?"),
        "{}",
        bad.told
    );
    let module = "module = 'none.wasm'\n";
    place.write("none.toml", &format!("[registries.civil]\n{module}"));
    let none = remote.ends(1, &["registry", "apply", "-f", "none.toml"]);
    assert!(
        none.told.contains("registries.civil.module: "),
        "{}",
        none.told
    );
    place.write("none.wasm", "no component");
    let none = remote.ends(5, &["registry", "apply", "-f", "none.toml"]);
    assert!(
        none.told.contains("registries.civil.module: "),
        "{}",
        none.told
    );
    let gone = place.registry(
        "civil",
        "credential = { kind = 'bearer', token = 'file:gone' }",
    );
    place.write("gone.toml", &gone);
    let gone = remote.ends(5, &["registry", "apply", "-f", "gone.toml"]);
    let told = "registries.civil.endpoints.registry.credential.token: make file:gone readable";
    assert!(gone.told.contains(told), "{}", gone.told);

    let nobody = Remote {
        key: "rgw_nobody".into(),
        base: remote.base.clone(),
        ..remote
    };
    nobody.ends(3, &["registry", "list"]);
    let client = Remote {
        key: running.key.clone(),
        ..nobody
    };
    client.ends(3, &["registry", "list"]);
    // By a file, too.
    place.write("key", &format!("{}\n", running.key));
    client.ends(3, &["--key-file", "key", "registry", "list"]);
    let away = Remote {
        base: "http://127.0.0.1:9".into(),
        ..client
    };
    let away = away.ends(7, &["registry", "list"]);
    assert!(away.told.contains("is it running"), "{}", away.told);
}

/// README's table, `--help` and the tests above have the same numbers.
#[test]
fn the_numbers_are_in_the_readme_and_the_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_registry-gateway"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let table = README.split("### The command line").nth(1).unwrap();
    for code in 0..=8 {
        assert!(help.contains(&format!("\n  {code}  ")), "{code} in {help}");
        assert!(table.contains(&format!("\n| {code} | ")), "{code}");
    }
}

#[test]
fn shells_are_told_what_there_is() {
    for (shell, words) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef registry-gateway"),
        ("fish", "complete -c registry-gateway"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_registry-gateway"));
        let script = command.args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(script.stdout).unwrap();
        for words in [words, "registry", "apply", "dry-run", "caller"] {
            assert!(script.contains(words), "{shell}: {words}");
        }
        if shell == "bash" {
            let mut bash = Command::new("bash");
            let mut bash = bash.arg("-n").stdin(Stdio::piped()).spawn().unwrap();
            bash.stdin
                .take()
                .unwrap()
                .write_all(script.as_bytes())
                .unwrap();
            assert!(bash.wait().unwrap().success());
        }
    }
}

/// What was compared is in the memory of the gateway that serves: a command beside it says so, instead
/// of a report in which nothing was compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_report_is_asked_of_the_gateway_that_serves() {
    let (place, running) = start().await;
    let ended: Ended = place
        .command(&["adapter", "shadow", "civil"])
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, 1, "{}", ended.told);
    assert!(ended.told.contains("--server"), "{}", ended.told);
    assert_eq!(ended.said, "");
    // Asked there it is told what there is.
    let told = administrator(&place, &running).run(&["adapter", "shadow", "civil"]);
    assert!(told.told.contains("no candidate answers"), "{}", told.told);
}
