//! Writes with the real program: the commands that look at them and settle them, and what is logged.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gateway_tests::ask::Ask;
use gateway_tests::components::component;
use gateway_tests::leaks::Words;
use gateway_tests::stand_in::records::Mishap;
use gateway_tests::stand_in::{Options, StandIn};
use real::{Place, Running};
use serde_json::{Value, json};

/// What the gateway is told of somebody.
const SUBJECT: &str = "openimis-person-4711";
const FAMILY: &str = "Qzuxvyn";
const IDEMPOTENCY_KEY: &str = "Ikey-8812-";

/// What a command ends with that is refused.
const REFUSED: i32 = 5;

/// A gateway with a registry that can be written to, who writes, and who administers.
struct Writing {
    place: Place,
    running: Running,
    writer: String,
    admin: String,
    record: String,
}

impl Writing {
    async fn start(forgets_keys: bool) -> Self {
        let config = "[operations]\nfirst_wait_ms = 50\nmax_wait_ms = 200";
        let mut place = Place::new("", config, "").await;
        let mut options = Options::default();
        options.records.forgets_keys = forgets_keys;
        place.stand_in = StandIn::start(options).await;
        let records = format!(
            "[registries.records]\nmodule = '{}'\n[registries.records.endpoints.registry]\n\
             base_url = '{}'\nallow_networks = ['127.0.0.0/8']\n",
            component("registrar-guest").display(),
            place.stand_in.url(),
        );
        place.write("registries.toml", &(place.registry("civil", "") + &records));
        place.run(&["registry", "apply", "-f", "registries.toml"]);
        let writer = place.run(&["caller", "add", "writer", "--grant", "records:update"]);
        let admin = place.run(&["caller", "add", "ada", "--role", "administrator"]);
        let running = place.serve(writer.trim(), |_| {});
        let record = json!({ "names": [{ "family": FAMILY }], "sex": "F" });
        let record = place.stand_in.records().put(&record);
        Self {
            writer: writer.trim().to_owned(),
            admin: admin.trim().to_owned(),
            place,
            running,
            record,
        }
    }

    /// Sends an update. Gives its id.
    async fn send(&self, number: u32, sex: &str) -> String {
        let body = json!({ "subject": SUBJECT, "update": {
            "identifiers": [{ "scheme": "record-id", "value": self.record }],
            "person": { "sex": sex, "names": [{ "family": FAMILY }] },
            "mask": ["sex", "names"],
        }});
        let base = &self.running.base;
        let sent = Ask::post(format!("{base}/v1/registries/records/operations"))
            .json(&body)
            .key(&self.writer)
            .header("registry-purpose", "suite")
            .header("idempotency-key", &format!("{IDEMPOTENCY_KEY}{number}"));
        let sent = sent.send().await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        sent.json["id"].as_str().unwrap().to_owned()
    }

    /// `operation …`. Gives what it ended with, and what it said.
    fn operation(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_registry-gateway"))
            .current_dir(self.place.folder.path())
            .args(["--server", &self.running.base, "operation"])
            .args(arguments)
            .env("REGISTRY_GATEWAY_KEY", &self.admin)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said + &told)
    }

    fn does(&self, arguments: &[&str]) -> String {
        let (code, said) = self.operation(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    }

    /// What `operation show` tells once it stands there.
    async fn reaches(&self, id: &str, state: &str) -> Value {
        let began = Instant::now();
        loop {
            let shown = self.does(&["show", id, "--json"]);
            let shown: Value = serde_json::from_str(&shown).unwrap();
            if shown["state"] == state {
                return shown;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{shown:#}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn inject(&self, mishap: Mishap) {
        self.place.stand_in.records().inject(mishap);
    }
}

fn away() -> Mishap {
    Mishap::Status {
        status: 503,
        applied: false,
        retry_after: Some(600),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_shown_and_settled_by_commands() {
    let writing = Writing::start(false).await;
    let done = writing.send(1, "male").await;
    writing.reaches(&done, "applied").await;
    writing.inject(away());
    let waiting = writing.send(2, "female").await;
    writing.reaches(&waiting, "waiting").await;

    let listed = writing.does(&["list"]);
    assert!(
        listed.contains(&done) && listed.contains(&waiting),
        "{listed}"
    );
    let listed = writing.does(&["list", "--registry", "records", "--state", "waiting"]);
    assert!(
        !listed.contains(&done) && listed.contains(&waiting),
        "{listed}"
    );
    assert!(listed.contains("unavailable"), "{listed}");
    assert_eq!(writing.does(&["list", "--caller", "nobody"]), "");
    let (code, said) = writing.operation(&["list", "--state", "lost"]);
    assert_eq!(code, REFUSED, "{said}");
    assert!(said.contains("state"), "{said}");
    let shown = writing.does(&["show", &done]);
    for word in ["accepted", "delivering", "applied", "attempt 1", "writer"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }

    let said = writing.does(&["cancel", &waiting, "--yes"]);
    assert_eq!(said, format!("cancelled {waiting}\n"));
    let cancelled = writing.reaches(&waiting, "cancelled").await;
    let last = cancelled["history"].as_array().unwrap().last().unwrap();
    assert_eq!(last["by"], "ada");
    for arguments in [
        ["cancel", &waiting, "--yes"].as_slice(),
        &["replay", &done, "--yes"],
        &[
            "resolve", &done, "--as", "applied", "--reason", "asked", "--yes",
        ],
    ] {
        let (code, said) = writing.operation(arguments);
        assert_eq!(code, REFUSED, "{said}");
    }
    let nobody = "0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a";
    assert_ne!(writing.operation(&["show", nobody]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_replayed_or_resolved_by_commands() {
    // Nobody can ask what became of one that was lost.
    let writing = Writing::start(true).await;
    for (number, sex, settle, state) in [
        (
            1,
            "male",
            ["resolve", "--as", "applied", "--reason", "asked"].as_slice(),
            "applied",
        ),
        (
            2,
            "female",
            &["resolve", "--as", "rejected", "--reason", "asked"],
            "rejected",
        ),
        (3, "male", &["replay"], "applied"),
    ] {
        writing.inject(Mishap::LostBefore);
        let unknown = writing.send(number, sex).await;
        writing.reaches(&unknown, "outcome-unknown").await;
        let mut arguments = vec![settle[0], &unknown, "--yes"];
        arguments.extend(&settle[1..]);
        writing.does(&arguments);
        let settled = writing.reaches(&unknown, state).await;
        let history = settled["history"].as_array().unwrap();
        assert!(
            history.iter().any(|step| step["by"] == "ada"),
            "{settled:#}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_delivery_names_the_operation_and_nobody() {
    let writing = Writing::start(false).await;
    writing.inject(Mishap::Status {
        status: 503,
        applied: false,
        retry_after: None,
    });
    let id = writing.send(1, "male").await;
    let shown = writing.reaches(&id, "applied").await;
    assert_eq!(shown["attempts"], 2);
    let Writing {
        running, record, ..
    } = writing;
    running.tell();
    let (_, log, _) = running.ended();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let delivered = lines.iter().filter(|line| line["message"] == "operation");
    let told: Vec<_> = delivered
        .map(|line| {
            assert_eq!(line["operation"], json!(id), "{line}");
            assert_eq!(line["registry"], "records", "{line}");
            (line["attempts"].clone(), line["state"].clone())
        })
        .collect();
    // A 503 does not say whether it was done: the registry was asked, and did not have it.
    let expected = [(1, "delivering"), (1, "waiting"), (2, "applied")];
    assert_eq!(
        told,
        expected.map(|(number, state)| (json!(number), json!(state)))
    );
    // With all that is said at `debug`.
    let words = Words::new([SUBJECT, FAMILY, IDEMPOTENCY_KEY, &record]);
    assert_eq!(words.found_in(log.as_bytes()), [""; 0]);
}
