//! What is personal or secret stands in no failure, no log line, no path and no query.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_mosip::find::find;
use adapter_mosip::verify::verify;
use adapter_sdk::Failure;
use adapter_sdk::call::ProofKind;
use adapter_sdk::model::{FindQuery, HumanName, Identifier, Person};
use adapter_sdk::testing::{self, Reply, Stage};
use common::esignet::{
    CODE, NOW, SUBJECT, TOKEN, claims, encrypted, jwe_header, signed, tokens, userinfo,
};
use common::ida::{answer, of_uin, stage};
use common::{Gateway, proof};
use serde_json::{Value, json};

/// The person, their number, what they hand over, and what is made of it.
const SECRETS: &[&str] = &[
    "Amina",
    "Benali",
    "5319704826",
    "600000001",
    "482913",
    CODE,
    TOKEN,
    SUBJECT,
    "verifier-1",
    "nonce-1",
    "amina@mail.example",
];

fn tells_nothing(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn is_quiet(stage: &Stage, failure: Option<Failure>) {
    if let Some(failure) = failure {
        tells_nothing(&format!("{failure:?} {failure} {}", failure.summary()));
    }
    tells_nothing(&format!("{:?}", stage.logs()));
    for request in stage.requests() {
        tells_nothing(&format!("{} {:?}", request.path, request.query));
    }
}

#[test]
fn verify_tells_nothing() {
    let claimed = || Person {
        names: vec![HumanName::text("Amina Benali")],
        contacts: vec![adapter_sdk::model::Contact::phone("600000001")],
        ..Person::default()
    };
    let errors =
        |code: &str, message: &str| json!([{ "errorCode": code, "errorMessage": message }]);
    let words = "UIN 5319704826 of Amina Benali, OTP 482913";
    for (status, told) in [
        (false, errors("IDA-MLC-002", words)),
        (false, errors(words, words)),
        (
            false,
            errors("IDA-MLC-009", &format!("Invalid Input Parameter - {words}")),
        ),
        (
            false,
            errors(
                "IDA-DEA-001",
                &format!("Demographic data {words} did not match"),
            ),
        ),
        (false, json!(words)),
        (true, errors("IDA-DEA-001", words)),
        (false, json!([])),
    ] {
        let stage = stage(json!({}))
            .proof(proof(ProofKind::OneTimePassword, "482913", &[]))
            .on_post("/", move |request| answer(request, status, told.clone()));
        let told = verify(&Gateway, of_uin(claimed()));
        assert_eq!(stage.requests().len(), 1);
        // The sealed parts are all that holds it; the number itself is the question.
        let body = stage.requests()[0].json();
        let mut outer = body.clone();
        outer["individualId"] = Value::Null;
        tells_nothing(&outer.to_string());
        if let Ok(verification) = &told {
            tells_nothing(&format!("{verification:?}"));
        }
        is_quiet(&stage, told.err());
    }
}

fn asking(token: impl Into<Reply> + Clone + 'static, told: impl Into<Reply> + Clone + 'static) {
    let parameters = [("code-verifier", "verifier-1"), ("nonce", "nonce-1")];
    let stage = common::esignet::stage()
        .proof(proof(ProofKind::AuthorizationCode, CODE, &parameters))
        .endpoint("esignet")
        .on_post("/oauth/v2/token", move |_| token.clone())
        .endpoint("userinfo")
        .on_get("/userinfo", move |_| told.clone());
    let identifiers = vec![Identifier::new("mosip-psut", SUBJECT)];
    let failure = find(&Gateway, FindQuery { identifiers }, NOW).unwrap_err();
    is_quiet(&stage, Some(failure));
}

#[test]
fn find_tells_nothing() {
    let good = || tokens(&json!({ "nonce": "nonce-1" }));
    let body = |text: String| userinfo(text);
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    let words = format!("code {CODE} of Amina Benali");
    let refusal = json!({ "error": words, "error_description": words });
    asking(testing::json(400, refusal), body(String::new()));
    asking(
        json!({ "access_token": [TOKEN], "id_token": TOKEN }),
        body(String::new()),
    );
    asking(tokens(&json!({ "nonce": "nonce-2" })), body(String::new()));
    let challenge = format!("Bearer error=\"{words}\"");
    asking(
        good(),
        testing::status(401, &[("www-authenticate", &challenge)]),
    );
    asking(good(), body(claims().to_string()));
    asking(good(), body(signed(&with("sub", json!("Amina")))));
    asking(good(), body(signed(&with("iss", json!("Amina")))));
    asking(good(), body(signed(&json!([claims()]))));
    asking(
        good(),
        body(encrypted(&claims().to_string(), &jwe_header())),
    );
}
