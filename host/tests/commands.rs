//! "Run it for real" of the README, as written there, with the real program: only places (folders,
//! ports, the registry's address) are put in.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use gateway_tests::ask::Ask;
use gateway_tests::components::component;
use gateway_tests::stand_in::{OauthClient, Options, StandIn};
use serde_json::Value;

const README: &str = include_str!("../../README.md");
const SECRET: &str = "a-secret-of-the-registry";

/// The fenced block of that language which holds the words.
fn block(language: &str, words: &str) -> String {
    let fence = format!("```{language}\n");
    let blocks = README.split(&fence).skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let found = blocks.find(|block| block.contains(words));
    found
        .unwrap_or_else(|| panic!("README has no {language} block with {words}"))
        .to_owned()
}

/// Replaces, and fails where README no longer says it.
fn put(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "README no longer has {from}");
    *text = text.replace(from, to);
}

/// All quoted values of a curl option: `-H 'name: value'`.
fn options(curl: &str, option: &str) -> Vec<String> {
    curl.split(option)
        .skip(1)
        .filter_map(|rest| {
            let rest = rest.trim_start();
            let quote = rest.chars().next()?;
            rest.get(1..)?.split(quote).next().map(str::to_owned)
        })
        .collect()
}

struct Program<'a> {
    folder: &'a Path,
}

impl Program<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_registry-gateway"));
        command
            .current_dir(self.folder)
            .args(["--config", "gateway.toml"])
            .args(arguments)
            .env("REGISTRY_SECRET_SR", SECRET)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(stdout).unwrap()
    }
}

/// Ends with the test, however that ends.
struct Serving(Child);

impl Serving {
    fn start(program: &Program<'_>) -> Self {
        let mut command = program.command(&["serve"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("ready")),
            "it ended before it was ready"
        );
        // Somebody must read on, or a full pipe stops the program.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    /// SIGTERM: what a service manager sends.
    fn stop(mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap().success()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn run_it_for_real() {
    let registry = StandIn::start(Options {
        oauth: Some(OauthClient {
            id: "openimis".into(),
            secret: SECRET.into(),
        }),
        ..Options::default()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listen = format!("127.0.0.1:{port}");

    let mut gateway = block("toml", "data_dir");
    put(&mut gateway, "/var/lib/registry-gateway", "data");
    put(&mut gateway, "/etc/registry-gateway/secrets", "secrets");
    put(&mut gateway, "127.0.0.1:8080", &listen);
    std::fs::write(folder.path().join("gateway.toml"), gateway).unwrap();

    let mut registries = block("toml", "[registries.social]");
    let built = "target/components/wasm32-wasip2/component/adapter_spdci.wasm";
    let module = component("adapter-spdci");
    assert!(module.ends_with("wasm32-wasip2/component/adapter_spdci.wasm"));
    put(&mut registries, built, module.to_str().unwrap());
    put(&mut registries, "https://sr.example.org", &registry.url());
    put(
        &mut registries,
        "allow_networks = []",
        "allow_networks = [\"127.0.0.0/8\"]",
    );
    std::fs::write(folder.path().join("registries.toml"), registries).unwrap();

    let shell = block("sh", "registry apply");
    for line in [
        "registry apply -f registries.toml",
        "caller add openimis --registry social",
    ] {
        assert!(shell.contains(line), "README no longer has {line}");
    }
    let program = Program {
        folder: folder.path(),
    };
    let applied = program.run(&["registry", "apply", "-f", "registries.toml"]);
    assert!(applied.starts_with("added"), "{applied}");
    let again = program.run(&["registry", "apply", "-f", "registries.toml"]);
    assert!(again.starts_with("unchanged"), "{again}");
    assert!(program.run(&["registry", "list"]).contains("social"));
    let key = program.run(&["caller", "add", "openimis", "--registry", "social"]);
    let key = key.trim();
    assert!(program.run(&["caller", "list"]).contains("openimis"));

    let serving = Serving::start(&program);
    let curl = block("sh", "curl -s");
    let asked = || ask(&curl, &listen, key, &registry);
    let (status, answer) = asked().await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["source"]["registry"], "social");

    program.run(&["caller", "revoke", "openimis"]);
    let mut refused = false;
    for _ in 0..100 {
        refused = asked().await.0 == 401;
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(refused, "a revoked key stayed in use");
    assert!(serving.stop(), "SIGTERM did not end it well");
}

/// Sends what README's curl line sends.
async fn ask(curl: &str, listen: &str, key: &str, registry: &StandIn) -> (u16, Value) {
    let path = curl.split("127.0.0.1:8080").nth(1).unwrap();
    let path = path.split_whitespace().next().unwrap();
    let body = options(curl, "-d ").remove(0);
    let uin = registry.population().person(0).uin;
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["identifiers"][0]["value"] = uin.into();
    let mut request = Ask::post(format!("http://{listen}{path}"));
    let headers = options(curl, "-H ");
    assert!(headers.len() >= 4, "{headers:?}");
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, &value.replace("$KEY", key));
    }
    let answer = request.body(body.to_string()).send().await;
    (answer.status, answer.json)
}

#[test]
fn a_mistake_names_the_key_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gateway.toml"), "[api]\nlisten_on = 'x'").unwrap();
    let program = Program {
        folder: folder.path(),
    };
    let output = program.command(&["serve"]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did you mean `listen`?"), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing is made");
}
