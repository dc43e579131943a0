//! A program of others, run by node for the length of a test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Prism reads a specification in about five seconds on two idle cores.
const PATIENCE: Duration = Duration::from_secs(90);

/// A peer under way. It ends with the test.
pub(crate) struct Peer {
    pub(crate) url: String,
    child: Child,
}

impl Peer {
    /// `prism mock`: checks requests against an OpenAPI document and answers with its examples.
    pub(crate) fn prism(document: &Path) -> Self {
        let port = free_port();
        let script = "@stoplight/prism-cli/dist/index.js";
        let document = document.to_str().unwrap();
        let arguments = ["mock", document, "-h", "127.0.0.1", "-p", &port];
        Self::start(script, &arguments, &port, "Prism is listening")
    }

    /// `mockoon-cli start`: answers as its data file says.
    pub(crate) fn mockoon(data: &Path) -> Self {
        let port = free_port();
        let script = "@mockoon/cli/bin/run.js";
        let data = data.to_str().unwrap();
        let mut arguments = vec!["start", "--data", data, "--port", &port];
        arguments.extend(["--hostname", "127.0.0.1", "--disable-admin-api"]);
        Self::start(script, &arguments, &port, "Server started")
    }

    /// Medplum's FHIR router, in memory, behind the HTTP of `medplum.mjs`.
    pub(crate) fn medplum() -> Self {
        let port = free_port();
        // Medplum's packages look for it, and node 20 hides it.
        let flags = ["--experimental-websocket"];
        let arguments = [port.as_str()];
        Self::start_with(
            &flags,
            "../medplum.mjs",
            &arguments,
            &port,
            "Medplum listens",
        )
    }

    fn start(script: &str, arguments: &[&str], port: &str, ready: &'static str) -> Self {
        Self::start_with(&[], script, arguments, port, ready)
    }

    /// Node itself is the child, not a wrapper that would outlive a kill.
    fn start_with(
        flags: &[&str],
        script: &str,
        arguments: &[&str],
        port: &str,
        ready: &'static str,
    ) -> Self {
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/node_modules");
        assert!(packages.is_dir(), "npm ci --prefix tests/conformance");
        let script = packages.join(script);
        assert!(
            script.is_file(),
            "{} is not there: npm ci --prefix tests/conformance",
            script.display()
        );
        let mut child = Command::new("node")
            .args(flags)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node does not start");
        let output = child.stdout.take().unwrap();
        let peer = Self {
            url: format!("http://127.0.0.1:{port}"),
            child,
        };
        let (told, is_ready) = mpsc::channel();
        // Reads on after that: a full pipe would stop the peer.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.contains(ready) {
                    let _ = told.send(());
                }
            }
        });
        is_ready
            .recv_timeout(PATIENCE)
            .expect("the peer ended, or did not say that it listens");
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Neither peer tells which port it took where it is given none.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
