//! Who somebody is by their code: what is asked, and which failure a refusal is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_mosip::find::{ASSERTION_S, find};
use adapter_sdk::call::ProofKind;
use adapter_sdk::dates;
use adapter_sdk::http::{Method, ProblemKind};
use adapter_sdk::model::{FindQuery, HumanName, Identifier, Sex};
use adapter_sdk::testing::{self, Reply};
use common::esignet::{
    CLIENT, ISSUER, NOW, SUBJECT, TOKEN, ask, claims, refused, settings, stage, telling, tokens,
    with,
};
use common::{Gateway, proof, rs256_holds, unurl};
use serde_json::{Value, json};

fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap();
    let decode = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
        decoded.unwrap().into_owned()
    };
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

#[test]
fn a_code_becomes_a_person() {
    let stage = telling(claims());
    let person = ask().unwrap();
    assert_eq!(person.identifiers, [Identifier::new("mosip-psut", SUBJECT)]);
    assert_eq!(person.names, [HumanName::text("Amina Benali")]);
    assert_eq!(person.sex, Some(Sex::Female));
    assert_eq!(person.birth_date, dates::parse("1987-11-25"));
    assert_eq!(person.unmapped, []);
    assert_eq!(person.extra, []);
    assert_eq!(stage.requests().len(), 2);
    assert_eq!(stage.logs(), []);
}

#[test]
fn the_token_request_is_private_key_jwt() {
    let stage = telling(claims()).proof(proof(
        ProofKind::AuthorizationCode,
        "a code/+",
        &[
            ("redirect-uri", "https://other.example/?a=b"),
            ("code-verifier", "v-1"),
        ],
    ));
    ask().unwrap();
    let request = &stage.requests()[0];
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.path, "/oauth/v2/token");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.header("authorization"), None);
    let mut fields = form(request.body.as_deref().unwrap());
    let index = fields
        .iter()
        .position(|(name, _)| name == "client_assertion");
    let (_, assertion) = fields.remove(index.unwrap());
    let pairs: Vec<(&str, &str)> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("grant_type", "authorization_code"),
            ("code", "a code/+"),
            ("redirect_uri", "https://other.example/?a=b"),
            ("client_id", CLIENT),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            ),
            ("code_verifier", "v-1"),
        ]
    );
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    assert!(rs256_holds("client", signed.as_bytes(), &unurl(signature)));
    let (header, payload) = signed.split_once('.').unwrap();
    assert_eq!(unurl(header), br#"{"alg":"RS256","typ":"JWT"}"#);
    let mut payload: Value = serde_json::from_slice(&unurl(payload)).unwrap();
    assert_eq!(payload["jti"].take().as_str().unwrap().len(), 36);
    assert_eq!(
        payload,
        json!({
            "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": null,
            "iat": NOW, "exp": NOW + ASSERTION_S,
        })
    );
    const { assert!(ASSERTION_S <= 300) };
}

#[test]
fn userinfo_is_asked_with_the_token_of_this_call() {
    let stage = telling(claims());
    ask().unwrap();
    let request = &stage.requests()[1];
    assert_eq!(
        (&request.method, request.endpoint.as_str()),
        (&Method::Get, "userinfo")
    );
    assert_eq!(request.path, "/userinfo");
    assert_eq!(
        request.header("authorization"),
        Some(&*format!("Bearer {TOKEN}"))
    );
    assert_eq!((request.query.len(), request.body.is_none()), (0, true));
}

#[test]
fn the_proof_is_looked_at_before_anything_is_sent() {
    let none = testing::stage().settings(settings()).endpoint("esignet");
    assert_eq!(refused(), "rejected: proof.missing (proof)");
    assert_eq!(none.requests().len(), 0);
    let _stage = stage().proof(proof(ProofKind::OneTimePassword, "1", &[]));
    assert_eq!(refused(), "unsupported: proof.kind (proof)");
    let mut without = settings();
    without["esignet"]
        .as_object_mut()
        .unwrap()
        .remove("redirect_uri");
    let _stage = stage().settings(without);
    assert_eq!(refused(), "rejected: proof.redirect-uri (proof)");
    let _stage = stage().settings(json!({ "ida": {} }));
    assert_eq!(
        refused(),
        "misconfigured: settings.missing (settings.esignet)"
    );
}

#[test]
fn the_answer_must_be_about_whom_was_named() {
    let by = |scheme: &str, value: &str| {
        let mut settings = settings();
        settings["esignet"]["individual_id_scheme"] = json!("national-id");
        let stage =
            telling(with(claims(), "individual_id", json!("5319704826"))).settings(settings);
        let identifiers = vec![Identifier::new(scheme, value)];
        let found = find(&Gateway, FindQuery { identifiers }, NOW);
        (
            found.err().map(|failure| failure.summary()),
            stage.requests().len(),
        )
    };
    let mismatch = Some("unreadable: answer.mismatch (identifiers)".to_owned());
    assert_eq!(by("mosip-psut", SUBJECT), (None, 2));
    assert_eq!(by("national-id", "5319704826"), (None, 2));
    assert_eq!(by("mosip-psut", "5319704826"), (mismatch.clone(), 2));
    assert_eq!(by("national-id", "1"), (mismatch, 2));
    // A number that userinfo never has cannot be answered: the code is not used up for it.
    let unknown = Some("rejected: identifier.scheme (identifiers)".to_owned());
    assert_eq!(by("birth-registration-number", "1"), (unknown, 0));
}

#[test]
fn reasons_of_the_token_endpoint() {
    let told = |reply: Reply| {
        let _stage = stage()
            .endpoint("esignet")
            .on_post("/oauth/v2/token", move |_| reply.clone());
        refused()
    };
    let error = |error: &str| {
        let body = json!({ "error": error, "error_description": "Amina Benali" });
        Reply::from(testing::json(400, body))
    };
    for (reply, expected) in [
        (error("invalid_grant"), "rejected: invalid_grant (proof)"),
        (
            error("invalid_redirect_uri"),
            "rejected: invalid_redirect_uri (proof)",
        ),
        (
            error("invalid_client"),
            "misconfigured: invalid_client (settings.esignet.client_key)",
        ),
        (
            error("invalid_assertion"),
            "misconfigured: invalid_assertion (settings.esignet.client_key)",
        ),
        (error("use_dpop_nonce"), "unsupported: use_dpop_nonce"),
        (error("unknown_error"), "unavailable: unknown_error"),
        (error("brand_new"), "other: brand_new"),
        (error("Amina Benali"), "other: reason.unknown"),
        (testing::status(400, &[]).into(), "rejected: http.400"),
        (testing::status(404, &[]).into(), "misconfigured: http.404"),
        (testing::status(500, &[]).into(), "unavailable: http.500"),
        (json!({}).into(), "unreadable: id-token.missing"),
        (json!([]).into(), "unreadable: json.shape"),
    ] {
        assert_eq!(told(reply), expected);
    }
}

#[test]
fn an_access_token_of_another_kind_is_not_sent() {
    for (name, value, expected) in [
        ("token_type", json!("DPoP"), "unsupported: token-type.dpop"),
        ("token_type", json!("mac"), "unreadable: token-type"),
        ("token_type", Value::Null, "unreadable: token-type"),
        (
            "access_token",
            json!("a\r\nhost: evil"),
            "unreadable: access-token",
        ),
        ("access_token", json!(""), "unreadable: access-token"),
        ("access_token", Value::Null, "unreadable: access-token"),
    ] {
        let stage = stage()
            .endpoint("esignet")
            .on_post("/oauth/v2/token", move |_| {
                with(tokens(&json!({})), name, value.clone())
            });
        assert_eq!(refused(), expected);
        assert_eq!(stage.requests().len(), 1);
    }
}

#[test]
fn reasons_of_userinfo() {
    let told = |reply: Reply| {
        let _stage = stage()
            .endpoint("esignet")
            .on_post("/oauth/v2/token", |_| tokens(&json!({})))
            .endpoint("userinfo")
            .on_get("/userinfo", move |_| reply.clone());
        refused()
    };
    let challenge = |text: &str| testing::status(401, &[("www-authenticate", text)]).into();
    for (reply, expected) in [
        (
            challenge("error=\"invalid_token\""),
            "denied: invalid_token",
        ),
        (
            challenge("Bearer error=invalid_token,  error_description=x"),
            "denied: invalid_token",
        ),
        (
            challenge("DPoP error=\"use_dpop_nonce\""),
            "unsupported: use_dpop_nonce",
        ),
        (challenge("Basic"), "denied: http.401"),
        (testing::status(404, &[]).into(), "misconfigured: http.404"),
        (
            testing::not_sent(ProblemKind::RequestRefused).into(),
            "rejected: http.not-sent.request-refused",
        ),
    ] {
        assert_eq!(told(reply), expected);
    }
}
