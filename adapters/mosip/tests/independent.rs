//! Both directions with cryptography that is not ours: Node opens and verifies what is sent, and makes
//! what is read. `independent/check.mjs` needs no package.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use adapter_mosip::find::find;
use adapter_mosip::verify::verify;
use adapter_sdk::dates;
use adapter_sdk::model::{HumanName, Person, Sex};
use common::Gateway;
use common::esignet::{
    CLIENT, ISSUER, NOW, SUBJECT, TOKEN, answering, claims, nobody_named, tokens, userinfo,
};
use common::ida::{agreed, of_uin, stage};
use serde_json::{Value, json};

/// What the script says, or none where there is no Node. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "whether this is a build server is told to the tests alone"
)]
fn check(input: &Value) -> Option<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let node = Command::new("node")
        .arg(format!("{folder}/independent/check.mjs"))
        .arg(format!("{folder}/keys"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut node) = node else {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "CI=true, but there is no node");
        // Straight to the terminal: `println!` in a test that passes is swallowed.
        let line = "LEFT OUT: the independent check of MOSIP's requests, since there is no node\n";
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    };
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the script refuses, see above");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn node_opens_what_is_sent_and_makes_what_is_read() {
    let to_ida = stage(json!({})).on_post("/", agreed);
    let claimed = Person {
        names: vec![HumanName::text("Amina Bénali")],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1987-11-25"),
        ..Person::default()
    };
    verify(&Gateway, of_uin(claimed)).unwrap();
    let ida = to_ida.requests().remove(0);
    let body = |request: &adapter_sdk::http::Request| {
        String::from_utf8(request.body.clone().unwrap()).unwrap()
    };
    let stage = answering(json!({}), || userinfo(String::new()));
    find(&Gateway, nobody_named(), NOW).unwrap_err();
    let token = stage.requests().remove(0);
    let id_token = json!({ "iss": ISSUER, "aud": CLIENT, "sub": SUBJECT, "exp": NOW + 60 });
    let told = check(&json!({
        "ida": { "body": body(&ida), "signature": ida.header("signature") },
        "token": { "body": body(&token) },
        "claims": claims(),
        "idToken": id_token,
    }));
    let Some(told) = told else { return };

    let mut request = told["ida"]["request"].clone();
    assert!(request["timestamp"].take().is_string());
    assert_eq!(
        request["demographics"],
        json!({
            "name": [{ "language": "eng", "value": "Amina Bénali" }],
            "gender": [{ "language": "eng", "value": "Female" }],
            "dob": "1987/11/25",
        })
    );
    assert_eq!(told["ida"]["transactionID"], ida.json()["transactionID"]);
    assert_eq!(told["token"]["claims"]["sub"], CLIENT);
    assert_eq!(told["token"]["form"]["grant_type"], "authorization_code");

    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let (id_token, nested) = (text("idToken"), text("userinfo"));
    let _stage = common::esignet::stage()
        .endpoint("esignet")
        .on_post("/oauth/v2/token", move |_| {
            let mut tokens = tokens(&json!({}));
            tokens["id_token"] = json!(id_token);
            assert_eq!(tokens["access_token"], TOKEN);
            tokens
        })
        .endpoint("userinfo")
        .on_get("/userinfo", move |_| userinfo(nested.clone()));
    let person = find(&Gateway, nobody_named(), NOW).unwrap();
    assert_eq!(person.names, [HumanName::text("Amina Benali")]);
    assert_eq!(person.identifier("mosip-psut"), Some(SUBJECT));
}
