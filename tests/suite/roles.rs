//! Every endpoint, tried by everybody: the table is `roles/access.golden`.
//!
//! After an endpoint was added, look at what the table says of it, and take it over with
//! `ACCESS_TABLE=write cargo test --test suite -- roles::`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use gateway_tests::components::workspace;
use gateway_tests::gateway::{TestGateway, client};
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};

const TABLE: &str = "tests/suite/roles/access.golden";
/// A stream of events answers at once, and never ends.
const LIMIT: Duration = Duration::from_secs(20);

/// Whoever may come, and with what in `Authorization`.
struct Visitor {
    name: &'static str,
    authorization: Option<String>,
}

async fn visitors(gateway: &TestGateway) -> Vec<Visitor> {
    let revoked = gateway.staff("was-admin", &Role::ALL).await;
    let store = gateway.store().await;
    store.callers().revoke("was-admin").await.unwrap();
    store.close().await;
    let narrow = gateway.caller("narrow", &["other"], &Ability::ALL).await;
    let mut keys = vec![
        ("nobody", None),
        ("wrong", Some("rgw_wrong".to_owned())),
        ("revoked", Some(revoked)),
        ("client", Some(gateway.key.clone())),
        ("other-client", Some(narrow)),
    ];
    for (name, role) in [
        ("implementer", Role::Implementer),
        ("administrator", Role::Administrator),
        ("auditor", Role::Auditor),
    ] {
        keys.push((name, Some(gateway.staff(name, &[role]).await)));
    }
    let visitor = |(name, key): (_, Option<String>)| Visitor {
        name,
        authorization: key.map(|key| format!("Bearer {key}")),
    };
    keys.into_iter().map(visitor).collect()
}

/// What an answer says of who may. Beyond the door it is no matter what it says: the names are made
/// up, and so is the body.
fn verdict(path: &str, status: u16, code: &str) -> String {
    match (status, code) {
        (401 | 403, code) => format!("{status} {code}"),
        // A registry that is not granted looks like one that is not there.
        (404, "unknown-registry") if path.starts_with("/v1/") => "404 hidden".into(),
        (429 | 500.., code) => panic!("{path}: {status} {code} says nothing of who may"),
        _ => "allowed".into(),
    }
}

/// The path with names of nothing, but that of a registry which clients ask.
fn filled(path: &str) -> String {
    let registry = match path.starts_with("/v1/") {
        true => "civil",
        false => "no-such",
    };
    let filled = path.replace("{registry}", registry);
    let mut parts: Vec<&str> = filled.split('/').collect();
    for part in &mut parts {
        if part.starts_with('{') {
            *part = "no-such";
        }
    }
    parts.join("/")
}

/// A body of the kind that the operation reads. It is right where that is harmless.
fn body(path: &str, operation: &Value) -> Option<(String, Vec<u8>)> {
    let content = operation.pointer("/requestBody/content")?.as_object()?;
    let (kind, _) = content.iter().next()?;
    let identifiers = json!([{ "scheme": "national-id", "value": "1" }]);
    let body = match path.rsplit('/').next() {
        _ if !path.starts_with("/v1/") => json!({}),
        Some("operations") => json!({ "subject": "p-1", "enrolment": {
            "programme": { "identifiers": identifiers },
            "beneficiary": { "person": { "identifiers": identifiers } },
            "status": "active",
        }}),
        Some("links") => {
            json!({ "subject": "p-1", "registry": "civil", "identifiers": identifiers })
        }
        Some("search") if path == "/v1/links/search" => json!({ "subject": "p-1" }),
        Some("search") => json!({ "criteria": [{ "field": "sex", "equals": "female" }] }),
        Some("verify") => json!({ "identifiers": identifiers, "claimed": { "sex": "female" } }),
        _ => json!({ "identifiers": identifiers }),
    };
    Some((kind.clone(), body.to_string().into_bytes()))
}

async fn table() -> String {
    let gateway = TestGateway::builder()
        .config(|config| config.callers.failed_keys_per_minute = NonZeroU32::MAX)
        .start()
        .await;
    let visitors = visitors(&gateway).await;
    let document: Value = serde_json::from_str(&registry_gateway::api::document()).unwrap();
    let client = client();
    let mut rows = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut told: Vec<(String, Vec<&str>)> = Vec::new();
            for visitor in &visitors {
                let method = method.to_uppercase().parse().unwrap();
                let url = format!("http://{}{}", gateway.serving.address, filled(path));
                let mut request = client.request(method, url);
                request = request
                    .header("idempotency-key", "k-1")
                    .header("registry-purpose", "suite")
                    .timeout(LIMIT);
                if let Some(authorization) = &visitor.authorization {
                    request = request.header("authorization", authorization);
                }
                if let Some((kind, bytes)) = body(path, operation) {
                    request = request.header("content-type", kind).body(bytes);
                }
                let answer = request.send().await.expect("an answer");
                let status = answer.status().as_u16();
                let refused = matches!(status, 400..);
                let text = match refused {
                    true => answer.text().await.expect("a problem"),
                    false => String::new(),
                };
                let problem: Value = serde_json::from_str(&text).unwrap_or_default();
                let code = problem["code"].as_str().unwrap_or_default();
                let verdict = verdict(path, status, code);
                match told.iter_mut().find(|(known, _)| *known == verdict) {
                    Some((_, names)) => names.push(visitor.name),
                    None => told.push((verdict, vec![visitor.name])),
                }
            }
            told.sort();
            rows.insert((path.clone(), method.to_uppercase()), told);
        }
    }
    let mut text = String::from(HEAD);
    for ((path, method), told) in rows {
        let _ = writeln!(text, "\n{method} {path}");
        for (verdict, names) in told {
            let _ = writeln!(text, "    {verdict}: {}", names.join(", "));
        }
    }
    text
}

const HEAD: &str = "# Who may ask what, as the running gateway answers. tests/suite/roles.rs says how this is \
                    written.\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_is_tried_by_everybody() {
    let real = table().await;
    let file = workspace().join(TABLE);
    if std::env::var_os("ACCESS_TABLE").is_some_and(|what| what == "write") {
        std::fs::write(&file, &real).unwrap();
    }
    let told = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        told == real,
        "the table of who may ask what has changed. Look at it, and take it over with \
         `ACCESS_TABLE=write cargo test --test suite -- roles::`\n{}",
        difference(&told, &real)
    );
}

/// The lines of one that the other does not have.
fn difference(told: &str, real: &str) -> String {
    let mut text = String::new();
    let mut heading = "";
    for (sign, lines, others) in [("-", told, real), ("+", real, told)] {
        for line in lines.lines() {
            if line.is_empty() {
                continue;
            }
            if !line.starts_with(' ') {
                heading = line;
            }
            let block = |text: &str| {
                let mut blocks = text.split("\n\n");
                let found = blocks.find(|block| block.lines().next() == Some(heading));
                found.map(str::to_owned).unwrap_or_default()
            };
            if !block(others).lines().any(|other| other == line) {
                let _ = writeln!(text, "{sign} {heading} | {line}");
            }
        }
    }
    text
}

/// What must hold whatever the table says: nothing below `/admin` is open to who has no role for it,
/// and what opens to a wrong key opens to nobody's too.
#[test]
fn the_table_keeps_the_rules() {
    let table = std::fs::read_to_string(workspace().join(TABLE)).unwrap();
    let mut seen = 0;
    for block in table.split("\n\n").skip(1) {
        let mut lines = block.lines();
        let heading = lines.next().unwrap();
        let allowed = lines.find_map(|line| line.strip_prefix("    allowed: "));
        let allowed: Vec<&str> = allowed.unwrap_or_default().split(", ").collect();
        let strangers = ["nobody", "wrong", "revoked"];
        let open = strangers.iter().filter(|name| allowed.contains(name));
        let open = open.count();
        assert!(open == 0 || open == 3, "{heading}");
        // Whoever has no key yet logs in, whoever lost it logs out, and the page that asks for it.
        let begins = heading.ends_with(" /admin/v1/session") || heading.contains(" /ui");
        if heading.contains(" /admin/") && !begins {
            for stranger in strangers.iter().chain(&["client", "other-client"]) {
                assert!(!allowed.contains(stranger), "{heading} {stranger}");
            }
            seen += 1;
        }
        if heading.contains(" /v1/registries/{registry}/") {
            // To look up is everybody's who is a client; to write is nobody's who is not granted it.
            let who = match heading.ends_with("/operations") {
                true => "",
                false => "client",
            };
            assert_eq!(allowed, [who], "{heading}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn a_change_of_the_table_is_told_by_line() {
    let told = "# head\n\nGET /a\n    allowed: x\n\nGET /b\n    allowed: x\n";
    let real = "# head\n\nGET /a\n    allowed: x, y\n\nGET /b\n    allowed: x\n";
    assert_eq!(
        difference(told, real),
        "- GET /a |     allowed: x\n+ GET /a |     allowed: x, y\n"
    );
    let more = format!("{real}\nGET /c\n    allowed: z\n");
    assert_eq!(
        difference(real, &more),
        "+ GET /c | GET /c\n+ GET /c |     allowed: z\n"
    );
}
