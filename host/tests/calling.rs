//! `adapter call`, with the real program: against the recordings of `spdci`, against the stand-in, and
//! against a listener that shows what was sent.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use gateway_tests::components::{component, workspace};
use real::Place;
use serde_json::{Value, json};

struct Ended {
    code: i32,
    said: String,
    told: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.said).unwrap()
    }
}

fn recordings() -> PathBuf {
    workspace().join("adapters/spdci/recordings")
}

fn recording(name: &str) -> Value {
    let text = std::fs::read(recordings().join(name)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn command(place: &Place, arguments: &[&str]) -> Command {
    let module = component("adapter-spdci");
    let mut command = place.command(&["adapter", "call", module.to_str().unwrap()]);
    command.args(arguments);
    command
}

fn ended(mut command: Command, input: &str) -> Ended {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        said: String::from_utf8(output.stdout).unwrap(),
        told: String::from_utf8(output.stderr).unwrap(),
    }
}

fn call(place: &Place, code: i32, arguments: &[&str]) -> Ended {
    let ended = ended(command(place, arguments), "");
    let Ended { said, told, .. } = &ended;
    assert_eq!(ended.code, code, "{arguments:?}: {said}{told}");
    ended
}

/// The recording, as a file of the place, is called.
fn call_recorded(place: &Place, recording: &Value) -> Ended {
    place.write("recording.json", &recording.to_string());
    let arguments = ["--recording", "recording.json", "--json"];
    ended(command(place, &arguments), "")
}

/// A question to the place's registry.
const LIVE: [&str; 4] = ["-f", "registries.toml", "--registry", "civil"];

fn live(place: &Place, code: i32, more: &[&str]) -> Ended {
    call(place, code, &[&LIVE, more].concat())
}

async fn prepared() -> Place {
    let place = Place::new("", "", "").await;
    // Its code is in the cache from then on.
    place.run(&["registry", "apply", "-f", "registries.toml"]);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_called_and_all_of_it_is_shown() {
    let place = prepared().await;
    let file = recordings().join("find-by-national-id.json");
    let shown = call(&place, 0, &["--recording", file.to_str().unwrap()]).said;
    for words in [
        "spdci 0.1.0, find (sha256:",
        "exchange 0: POST registry /registry/sync/search → 200, ",
        "\"value\": \"1000000001\"",
        "answer:\n",
        "\"family\": \"Rai\"",
        " in 1 step: ",
        " of memory, 1 request of ",
        "makes no difference to this, changed or left out: ",
        "  exchange 0: header.message_ts\n",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let recorded = recording("find-by-national-id.json");
    let shown = call_recorded(&place, &recorded).json();
    assert_eq!(shown["answer"], recorded["answer"]);
    assert_eq!(
        (&shown["works"], &shown["otherwise"]),
        (&json!(true), &json!([]))
    );
    let exchange = &shown["exchanges"][0];
    let sent = &exchange["request"]["body"]["message"]["search_request"][0];
    assert_eq!(sent["search_criteria"]["query"]["value"], "1000000001");
    assert_eq!(
        (&exchange["endpoint"], &exchange["answer"]["status"]),
        (&json!("registry"), &json!(200))
    );
    let used = &shown["used"];
    for figure in ["cpuMs", "tookMs", "memoryBytes"] {
        assert!(used[figure].as_f64().unwrap() > 0.0, "{used}");
    }
    assert_eq!((&used["steps"], &used["requests"]), (&json!(1), &json!(1)));
}

/// All values of an answer, but those that repeat the request.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) if fields.contains_key("$request") => {}
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                leaves(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}/{index}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// `/a/0/b` as the list names it.
fn folded(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    let steps = steps.map(|step| match step.parse::<usize>() {
        Ok(_) => "*",
        Err(_) => step,
    });
    steps.collect::<Vec<_>>().join(".")
}

/// The list is held against the recordings: each field is given another value there, one after the
/// other, and the answer is the recorded one just where the list says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_fields_that_make_no_difference_make_none() {
    let place = prepared().await;
    let recorded = recording("find-by-national-id.json");
    let shown = call_recorded(&place, &recorded).json();
    let unused = &shown["unused"];
    let listed = unused["fields"].as_array().unwrap().iter();
    let listed: Vec<&str> = listed.map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(
        (&unused["notTried"], &unused["notLookedAt"]),
        (&json!(0), &json!([]))
    );
    for used in [
        "message.transaction_id",
        "message.search_response.*.reference_id",
        "message.search_response.*.data.reg_records.*.name.surname",
        "message.search_response.*.data.reg_records.*.birth_date",
    ] {
        assert!(!listed.contains(&used), "{used} in {listed:?}");
    }
    let mut places = Vec::new();
    let body = &recorded["exchanges"][0]["answer"]["body"];
    leaves(body, "", &mut places);
    let all = unused["used"].as_u64().unwrap() + listed.len() as u64;
    // The two that repeat the request are among them.
    assert_eq!(places.len() as u64 + 2, all, "{places:?}");
    for at in places {
        let mut other = recorded.clone();
        let pointer = format!("/exchanges/0/answer/body{at}");
        *other.pointer_mut(&pointer).unwrap() = json!("another");
        let same = call_recorded(&place, &other).code == 0;
        let says = listed.contains(&&*folded(&at));
        // What is left out makes a difference where no other value does.
        assert!(same || !says, "{at} is listed, and makes a difference");
        if same && !says {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let mut without = recorded.clone();
            let parent = without.pointer_mut(parent).unwrap();
            parent.as_object_mut().unwrap().remove(key);
            assert_ne!(
                call_recorded(&place, &without).code,
                0,
                "{at} is not listed"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_to_try_is_counted() {
    let place = prepared().await;
    let mut recorded = recording("find-by-national-id.json");
    let header = recorded
        .pointer_mut("/exchanges/0/answer/body/header")
        .unwrap();
    for at in 0..5_000 {
        header[format!("x_{at}")] = json!(at);
    }
    let unused = call_recorded(&place, &recorded).json()["unused"].take();
    let listed = unused["fields"].as_array().unwrap().len() as u64;
    let number = |key: &str| unused[key].as_u64().unwrap();
    assert!(
        number("runs") <= 4_000 && number("notTried") > 0,
        "{}",
        number("runs")
    );
    assert!(number("notTried") + number("used") + listed > 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_otherwise_than_recorded_ends_with_8() {
    let place = prepared().await;
    let nobody = recordings().join("find-nobody.json");
    let shown = call(&place, 0, &["--recording", nobody.to_str().unwrap()]).said;
    assert!(shown.contains("failure: not-found\n"), "{shown}");

    let mut other = recording("find-by-national-id.json");
    other["answer"]["names"][0]["family"] = json!("Roy");
    let ended = call_recorded(&place, &other);
    assert_eq!(ended.code, 8, "{}", ended.told);
    assert_eq!(
        ended.json()["otherwise"][0]["place"],
        "answer.names.0.family"
    );
    other["exchanges"][0]["request"]["path"] = json!("/elsewhere");
    assert_eq!(call_recorded(&place, &other).code, 8);
    // Whoever is still recording has no answer yet.
    let mut begun = recording("find-by-national-id.json");
    begun.as_object_mut().unwrap().remove("answer");
    let ended = call_recorded(&place, &begun);
    assert_eq!((ended.code, ended.json().get("otherwise")), (0, None));
    begun["settings"]["registry_type"] = json!("Shoes");
    let ended = call_recorded(&place, &begun);
    assert_eq!(ended.code, 1);
    assert!(
        ended.told.contains("settings.registry_type"),
        "{}",
        ended.told
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_asked_once() {
    let place = prepared().await;
    let uin = place.stand_in.population().person(0).uin;
    let arguments = [&LIVE[..], &["--identifier", "national-id=-", "--json"]].concat();
    let before = place.stand_in.requests();
    let shown = ended(command(&place, &arguments), &uin);
    assert_eq!(shown.code, 0, "{}", shown.told);
    // Nothing is sent to learn what makes a difference.
    assert_eq!(place.stand_in.requests() - before, 1);
    let shown = shown.json();
    assert_eq!(shown["answer"]["identifiers"][0]["value"], uin.as_str());
    assert!(
        shown["unused"]["runs"].as_u64().unwrap() > 10,
        "{}",
        shown["unused"]
    );
    assert!(
        shown["unused"]["used"].as_u64().unwrap() > 3,
        "{}",
        shown["unused"]
    );

    let nobody = live(&place, 0, &["--identifier", "national-id=1000000009"]);
    assert!(
        nobody.said.contains("failure: not-found"),
        "{}",
        nobody.said
    );
    let family = place.stand_in.population().person(0).name.surname;
    let question = json!({ "criteria": [{ "field": "name.family", "equals": family }] });
    place.write("question.json", &question.to_string());
    let search = ["--ability", "search", "--question", "question.json"];
    assert!(live(&place, 0, &search).said.contains("\"candidates\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_it_from_being_called_is_named_by_its_place() {
    let place = prepared().await;
    let refused = |code: i32, more: &[&str], words: &str| {
        let told = live(&place, code, more).told;
        assert!(told.contains(words), "{words} in {told}");
        assert!(!told.contains("hunter2"), "{told}");
    };
    let one = ["--identifier", "national-id=1"];
    refused(
        1,
        &[&one[..], &["--ability", "create"]].concat(),
        "ability: the module can find",
    );
    refused(2, &["--ability", "events"], "one of find, household");
    refused(1, &[], "say --identifier or --question");
    place.write(
        "question.json",
        r#"{ "identifiers": [{ "scheme": "hunter2" }] }"#,
    );
    let asked = ["--question", "question.json"];
    refused(1, &asked, "question.identifiers.0.value: is missing");
    place.write("question.json", "{ hunter2");
    refused(1, &asked, "question.json is not JSON at line 1");
    let other = [
        "-f",
        "registries.toml",
        "--registry",
        "nowhere",
        "--identifier",
        "a=1",
    ];
    let told = call(&place, 1, &other).told;
    assert!(told.contains("has civil, and no nowhere"), "{told}");

    let wrong = place.registry("civil", "").replace("'Civil'", "'hunter2'");
    place.write("registries.toml", &wrong);
    refused(1, &one, "registries.civil.settings.registry_type: ");
    place.write("no.wasm", "no module");
    let mut command = place.command(&["adapter", "call", "no.wasm", "--recording", "x.json"]);
    let told = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(told.contains("no.wasm: module: "), "{told}");
}

/// What came to the listener, and an answer that is no registry's.
fn listener() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let took = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).unwrap();
            came.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&came).into_owned();
            if read == 0 || text.trim_end().ends_with("}}") {
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                              content-length: 2\r\nconnection: close\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).unwrap();
                return text;
            }
        }
    });
    (address, took)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_shown() {
    let place = prepared().await;
    let (address, came) = listener();
    let credential = "credential = { kind = 'bearer', token = 'env:REGISTRY_SECRET_TOKEN' }\n\
                      headers = { x-api-key = '${secret:licence}' }\n\
                      [registries.civil.secrets]\nlicence = 'env:REGISTRY_SECRET_LICENCE'";
    let base = format!("http://{address}/${{secret:licence}}/");
    let registry = place.registry("civil", credential);
    place.write(
        "registries.toml",
        &registry.replace(&place.stand_in.url(), &base),
    );
    let arguments = [&LIVE[..], &["--identifier", "national-id=1"]].concat();
    let mut asking = command(&place, &arguments);
    asking
        .env("REGISTRY_SECRET_TOKEN", "token-hunter2")
        .env("REGISTRY_SECRET_LICENCE", "licence-hunter2");
    let ended = ended(asking, "");
    let came = came.join().unwrap();
    assert!(
        came.starts_with("POST /licence-hunter2/registry/sync/search"),
        "{came}"
    );
    assert!(came.contains("token-hunter2"), "{came}");
    assert_eq!(ended.code, 8, "{}", ended.told);
    let shown = ended.said + &ended.told;
    assert!(shown.contains("failure: unreadable"), "{shown}");
    assert!(
        shown.contains("exchange 0: POST registry /registry/sync/search → 200"),
        "{shown}"
    );
    for secret in ["hunter2", "uthorization", "Bearer"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
