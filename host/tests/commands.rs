//! "Run it for real" of the README, as written there, with the real program: only places (folders,
//! ports, the registry's address) are put in.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod readme;

use std::time::Duration;

use gateway_tests::ask::Ask;
use gateway_tests::stand_in::StandIn;
use readme::{Prepared, Program, Serving, block};
use serde_json::Value;

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

#[tokio::test(flavor = "multi_thread")]
async fn run_it_for_real() {
    let Prepared {
        registry,
        folder,
        listen,
    } = Prepared::new().await;
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
