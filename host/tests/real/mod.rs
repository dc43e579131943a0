//! The real program in a folder of its own, on a stand-in registry. Each test file uses some of it.
#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod collector;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gateway_tests::ask::{Ask, identifiers};
use gateway_tests::components::{component, target_directory};
use gateway_tests::stand_in::{Options, StandIn};
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a configuration, and the registry behind it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) stand_in: StandIn,
}

/// The program while it runs. Ends with the test, however that ends.
pub(crate) struct Running {
    child: Child,
    /// What it logged, line by line.
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    /// Where it listens.
    pub(crate) base: String,
    pub(crate) key: String,
}

impl Place {
    /// `api` and `more` go into the gateway's configuration, `endpoint` into the registry's.
    pub(crate) async fn new(api: &str, more: &str, endpoint: &str) -> Self {
        let stand_in = StandIn::start(Options::default()).await;
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            stand_in,
        };
        let cache = target_directory().join("gateway-cache");
        place.write(
            "gateway.toml",
            &format!(
                "[api]\nlisten = '127.0.0.1:0'\n{api}\n[log]\njson = true\nfilter = 'debug'\n\
                 [sandbox]\nmax_instances = 32\nmax_memory_bytes = 134217728\ncache_dir = '{}'\n{more}",
                cache.display()
            ),
        );
        place.write("registries.toml", &place.registry("civil", endpoint));
        place
    }

    /// A registry on the stand-in.
    pub(crate) fn registry(&self, name: &str, endpoint: &str) -> String {
        format!(
            "[registries.{name}]\nmodule = '{}'\n[registries.{name}.settings]\n\
             registry_type = 'Civil'\nrelationship_type_describes = 'related-member'\n\
             sender_id = 'openimis'\n[registries.{name}.endpoints.registry]\n\
             base_url = '{}'\nallow_networks = ['127.0.0.0/8']\n{endpoint}\n",
            component("adapter-spdci").display(),
            self.stand_in.url(),
        )
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_registry-gateway"));
        command
            .current_dir(self.folder.path())
            .args(["--config", "gateway.toml"])
            .args(arguments)
            .env_remove("REGISTRY_SECRET_GONE")
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

    /// Applies, adds a caller, and serves until it is ready.
    pub(crate) fn start(&self, change: impl FnOnce(&mut Command)) -> Running {
        self.run(&["registry", "apply", "-f", "registries.toml"]);
        let key = self.run(&["caller", "add", "openimis", "--registry", "civil"]);
        self.serve(key.trim(), change)
    }

    /// Serves until it is ready, with what is applied already.
    pub(crate) fn serve(&self, key: &str, change: impl FnOnce(&mut Command)) -> Running {
        let mut command = self.command(&["serve"]);
        change(&mut command);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = log.clone();
        std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            lines.for_each(|line| kept.lock().unwrap().push(line));
        });
        let mut running = Running {
            child,
            log,
            base: String::new(),
            key: key.to_owned(),
        };
        let listening = running.line("\"message\":\"listening\"");
        let listening: Value = serde_json::from_str(&listening).unwrap();
        running.base = format!("http://{}", listening["address"].as_str().unwrap());
        running.line("\"message\":\"ready\"");
        running
    }
}

impl Running {
    pub(crate) fn get(&self, path: &str) -> Ask {
        Ask::get(format!("{}{path}", self.base))
    }

    pub(crate) fn post(&self, ability: &str, body: &Value) -> Ask {
        Ask::post(format!("{}/v1/registries/civil/{ability}", self.base))
            .json(body)
            .key(&self.key)
            .header("registry-purpose", "suite")
    }

    pub(crate) fn find(&self, uin: &str) -> Ask {
        self.post("find", &json!({ "identifiers": identifiers(uin) }))
    }

    /// The first line with these words, waited for.
    pub(crate) fn line(&mut self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let ended = self.child.try_wait().unwrap();
            let log = self.log.lock().unwrap();
            if let Some(line) = log.iter().find(|line| line.contains(words)) {
                return line.clone();
            }
            let all = log.join("\n");
            drop(log);
            assert!(ended.is_none(), "it ended without {words}: {all}");
            assert!(began.elapsed() < PATIENCE, "in vain: {words} in {all}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGTERM: what a service manager sends.
    pub(crate) fn tell(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// SIGKILL: as if its machine was gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end. Gives its whole log, and how long it took from here.
    pub(crate) fn ended(mut self) -> (ExitStatus, String, Duration) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it did not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        // The reader may have a last line to take.
        std::thread::sleep(Duration::from_millis(100));
        let log = self.log.lock().unwrap().join("\n");
        (status, log, began.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
