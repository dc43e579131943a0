//! README, followed: its blocks, and the real program in a folder as README's "Run it for real" has it.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use gateway_tests::components::component;
use gateway_tests::stand_in::{OauthClient, Options, StandIn};

pub(crate) const README: &str = include_str!("../../../README.md");
pub(crate) const SECRET: &str = "a-secret-of-the-registry";

/// The fenced block of that language which holds the words.
pub(crate) fn block(language: &str, words: &str) -> String {
    let fence = format!("```{language}\n");
    let blocks = README.split(&fence).skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let found = blocks.find(|block| block.contains(words));
    found
        .unwrap_or_else(|| panic!("README has no {language} block with {words}"))
        .to_owned()
}

/// Replaces, and fails where README no longer says it.
pub(crate) fn put(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "README no longer has {from}");
    *text = text.replace(from, to);
}

pub(crate) struct Program<'a> {
    pub(crate) folder: &'a Path,
}

impl Program<'_> {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_registry-gateway"));
        command
            .current_dir(self.folder)
            .args(["--config", "gateway.toml"])
            .args(arguments)
            .env("REGISTRY_SECRET_SR", SECRET)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> String {
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
pub(crate) struct Serving(Child);

impl Serving {
    pub(crate) fn start(program: &Program<'_>) -> Self {
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
    pub(crate) fn stop(mut self) -> bool {
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

/// What "Run it for real" has before its first command: a registry, and the two files.
pub(crate) struct Prepared {
    pub(crate) registry: StandIn,
    pub(crate) folder: tempfile::TempDir,
    /// Where the gateway will listen.
    pub(crate) listen: String,
}

impl Prepared {
    pub(crate) async fn new() -> Self {
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
        Self {
            registry,
            folder,
            listen,
        }
    }
}
