//! "Administration" of the README, typed word for word into a shell, in its order, against the real
//! program: only places and what was printed before (a digest, a public key, a time) are put in.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod readme;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use gateway_tests::components::workspace;
use readme::{Prepared, Program, README, SECRET, Serving};

/// What a line ends with where that is not 0, and what it says then.
const ENDS: &[(&str, i32, &str)] = &[
    ("--dry-run", 8, "sender_id"),
    ("adapter retire", 5, "social"),
    ("adapter pull oci:", 5, "admission.oci"),
];

/// "Within a second": the gateway does not know the key yet.
const NOT_KNOWN_YET: i32 = 3;

/// What a line is to say, at least.
const SAYS: &[(&str, &str)] = &[
    ("registry list", "social"),
    ("registry show social", "sender_id"),
    ("registry test social", "works"),
    ("adapter keygen", "trusted_keys"),
    ("adapter inspect", "spdci"),
    ("adapter call", "makes no difference to this"),
    ("adapter check", "sha256:"),
    ("adapter modules", "spdci"),
    ("adapter status social", "sha256:"),
    ("adapter history social", "sha256:"),
    ("caller show clinic", "birthDate"),
    ("caller key rotate clinic", "rgw_"),
    ("audit checkpoint", "ed25519:"),
    ("audit verify", "what was written"),
    ("audit calls", "registry-test"),
    ("audit acts", "registry.apply"),
    ("audit find", "registry-test"),
    // Not that it is live: it may have changes of a moment ago to take over.
    ("node list", "seen"),
];

fn chapter() -> &'static str {
    let chapter = README.split("\n## Administration\n").nth(1).unwrap();
    chapter.split("\n## ").next().unwrap()
}

/// The lines of its shell blocks, without comments.
fn lines() -> Vec<String> {
    let blocks = chapter().split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("\n```").next().unwrap());
    let text = blocks.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split("  #").next().unwrap());
    lines.map(|line| line.trim().to_owned()).collect()
}

/// A shell with its variables, somebody at it, and what was printed.
struct Shell<'a> {
    prepared: &'a Prepared,
    exports: Vec<String>,
    number: String,
    printed: Vec<String>,
    serving: String,
    pushed: String,
    /// When the pushed module served.
    activated: String,
}

impl Shell<'_> {
    fn types(&mut self, line: &str) {
        let line = self.with_places(line);
        if line.starts_with("export ") {
            self.exports.push(line);
            return;
        }
        let run = || {
            let mut child = Command::new("sh")
                .args(["-c", &format!("{}\n{line}", self.exports.join("\n"))])
                .current_dir(self.prepared.folder.path())
                .env("REGISTRY_SECRET_SR", SECRET)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            // Not every command reads it.
            let _ = writeln!(child.stdin.take().unwrap(), "{}", self.number);
            child.wait_with_output().unwrap()
        };
        let mut output = run();
        for _ in 0..100 {
            if output.status.code() != Some(NOT_KNOWN_YET) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
            output = run();
        }
        let said = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let ends = ENDS.iter().find(|(words, ..)| line.contains(words));
        let &(_, code, words) = ends.unwrap_or(&("", 0, ""));
        let all = format!("{line}\n{said}{told}");
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(all.contains(words), "no {words}: {all}");
        for (_, words) in SAYS.iter().filter(|(start, _)| line.contains(start)) {
            assert!(format!("{said}{told}").contains(words), "no {words}: {all}");
        }
        self.printed.push(said + &told);
        let digest = || {
            self.last("sha256:")
                .trim_matches(|c: char| !c.is_alphanumeric())
                .to_owned()
        };
        if line.contains("registry show") {
            self.serving = digest();
        } else if line.contains("adapter push") {
            self.pushed = digest();
        } else if line.contains("adapter activate") {
            self.activated = jiff::Timestamp::now().to_string();
        }
    }

    /// What README cannot know.
    fn with_places(&self, line: &str) -> String {
        let at_home = |path: &str| workspace().join(path).display().to_string();
        let mut line = line
            .replace(
                "http://127.0.0.1:8080",
                &format!("http://{}", self.prepared.listen),
            )
            .replace("target/components/", &at_home("target/components/"))
            .replace("adapters/spdci/", &at_home("adapters/spdci/"))
            .replace("ed25519:…", &self.last("ed25519:"));
        if line.contains("oci://") {
            line = line.replace('…', &"0".repeat(64));
        }
        line = line.replace("14:03", &self.activated);
        // Retired is what serves, and is refused; staged is what was pushed.
        let digest = if line.contains("retire") {
            &self.serving
        } else {
            &self.pushed
        };
        line.replace("sha256:…", digest)
    }

    /// The last printed word that begins so.
    fn last(&self, begin: &str) -> String {
        let words = self
            .printed
            .iter()
            .rev()
            .flat_map(|text| text.split_whitespace());
        let mut words = words.filter(|word| word.starts_with(begin));
        words.next().unwrap_or_default().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chapter_is_followed() {
    let prepared = Prepared::new().await;
    let number = prepared.registry.population().person(0).uin;
    std::fs::write(prepared.folder.path().join("number.txt"), &number).unwrap();
    let program = Program {
        folder: prepared.folder.path(),
    };
    let serving = Serving::start(&program);
    let lines = lines();
    let programs = Path::new(env!("CARGO_BIN_EXE_registry-gateway")).parent();
    let programs = programs.unwrap();
    let mut shell = Shell {
        prepared: &prepared,
        exports: vec![format!("export PATH=\"{}:$PATH\"", programs.display())],
        number,
        printed: Vec::new(),
        serving: String::new(),
        pushed: String::new(),
        activated: String::new(),
    };
    for line in &lines {
        tokio::task::block_in_place(|| shell.types(line));
    }
    assert!(serving.stop(), "SIGTERM did not end it well");
    for (words, ..) in ENDS {
        assert!(lines.iter().any(|line| line.contains(words)), "{words}");
    }
    for (words, _) in SAYS {
        assert!(lines.iter().any(|line| line.contains(words)), "{words}");
    }
}

/// Every TOML block of the chapter, in the gateway's file and in a registry's.
#[tokio::test(flavor = "multi_thread")]
async fn the_chapter_s_configuration_is_one() {
    let prepared = Prepared::new().await;
    let folder = prepared.folder.path();
    let program = Program { folder };
    let key = program.run(&["adapter", "keygen", "author.key"]);
    let key = key.split('"').nth(1).unwrap();
    let signing = ring::signature::Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
    let signing = base64::engine::general_purpose::STANDARD.encode(signing.unwrap());
    let signing = format!("-----BEGIN PRIVATE KEY-----\n{signing}\n-----END PRIVATE KEY-----\n");
    std::fs::create_dir_all(folder.join("secrets")).unwrap();
    std::fs::write(folder.join("secrets/audit-signing.pem"), signing).unwrap();

    let blocks = chapter().split("```toml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let (registries, gateway): (Vec<_>, Vec<_>) =
        blocks.partition(|block| block.starts_with("[registries."));
    assert_eq!((registries.len(), gateway.len()), (1, 5), "README's blocks");
    let add = |file: &str, blocks: &[&str]| {
        let path = folder.join(file);
        let mut text = std::fs::read_to_string(&path).unwrap();
        // The chapter has a policy of its own.
        if let Some(policy) = text.find("[registries.social.policy]") {
            text.truncate(policy);
        }
        text.push('\n');
        text += &blocks.concat().replace("RWT…", key);
        std::fs::write(&path, text).unwrap();
    };
    add("gateway.toml", &gateway);
    add("registries.toml", &registries);

    let check = |arguments: &[&str]| {
        let mut command = program.command(arguments);
        let output = command
            .env("REGISTRY_SECRET_OCI", "a-password")
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(told).unwrap())
    };
    let (code, told) = check(&["serve", "--check"]);
    assert_eq!(code, Some(0), "{told}");
    // Only what the chapter's admission demands stands between that file and the gateway.
    let (code, told) = check(&["registry", "apply", "-f", "registries.toml"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(
        told.contains("signature") && !told.contains("policy"),
        "{told}"
    );
}
