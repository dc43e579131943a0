//! What eSignet signs and encrypts: what is taken for its answer, and what is not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::call::ProofKind;
use adapter_sdk::model::Sex;
use adapter_sdk::testing::Stage;
use common::esignet::{
    CLIENT, CODE, ISSUER, NOW, SUBJECT, answering, ask, claims, encrypted, jwe_header, refused,
    settings, signed, signed_with, stage, telling, userinfo, with,
};
use common::proof;
use serde_json::{Value, json};

#[test]
fn userinfo_may_be_encrypted() {
    let nested = encrypted(&signed(&claims()), &jwe_header());
    let _stage = answering(json!({}), move || userinfo(nested.clone()));
    assert_eq!(ask().unwrap().sex, Some(Sex::Female));
    let _stage = testing_without_key();
    assert_eq!(
        refused(),
        "misconfigured: userinfo.encrypted (settings.esignet.encryption_key)"
    );
}

fn testing_without_key() -> Stage {
    let mut settings = settings();
    settings["esignet"]
        .as_object_mut()
        .unwrap()
        .remove("encryption_key");
    let nested = encrypted(&signed(&claims()), &jwe_header());
    answering(json!({}), move || userinfo(nested.clone())).settings(settings)
}

#[test]
fn only_what_is_signed_by_esignet_is_taken() {
    let body = |text: String| {
        let _stage = answering(json!({}), move || userinfo(text.clone()));
        refused()
    };
    let good = signed(&claims());
    let (signed_part, _) = good.rsplit_once('.').unwrap();
    let header = |header: Value| signed_with(&header, &claims(), "esignet");
    for (text, expected) in [
        (claims().to_string(), "unreadable: jws.form"),
        (String::new(), "unreadable: jws.form"),
        (format!("{signed_part}."), "unreadable: jws.signature"),
        (format!("{signed_part}.!"), "unreadable: jws.signature"),
        (
            signed_with(&json!({ "alg": "RS256" }), &claims(), "client"),
            "unreadable: jws.signature",
        ),
        (
            header(json!({ "alg": "none" })),
            "unreadable: jws.algorithm",
        ),
        (
            header(json!({ "alg": "HS256" })),
            "unreadable: jws.algorithm",
        ),
        (
            header(json!({ "alg": "PS256" })),
            "unreadable: jws.algorithm",
        ),
        (
            header(json!({ "alg": "RS256", "crit": ["b64"], "b64": false })),
            "unreadable: jws.header",
        ),
        (header(json!({ "alg": 1 })), "unreadable: jws.header"),
        (
            header(json!({ "alg": "RS256", "kid": "es-2" })),
            "unavailable: signing.key-not-found",
        ),
    ] {
        assert_eq!(body(text), expected);
    }
    // A key that the sender brings along is not looked at.
    let own = json!({ "alg": "RS256", "jku": "https://evil.example", "jwk": {}, "x5c": ["AA=="] });
    assert_eq!(
        body(signed_with(&own, &claims(), "client")),
        "unreadable: jws.signature"
    );
}

#[test]
fn only_what_is_encrypted_as_agreed_is_opened() {
    let body = |text: String| {
        let _stage = answering(json!({}), move || userinfo(text.clone()));
        refused()
    };
    let good = encrypted(&signed(&claims()), &jwe_header());
    let part = |index: usize, value: &str| {
        let mut parts: Vec<&str> = good.split('.').collect();
        parts[index] = value;
        parts.join(".")
    };
    let header = |more: (&str, Value)| {
        let header = with(jwe_header(), more.0, more.1);
        encrypted(&signed(&claims()), &header)
    };
    for (text, expected) in [
        (part(1, "AAAA"), "unreadable: jwe.key"),
        (part(2, "AAAA"), "unreadable: jwe.content"),
        (part(3, "AAAA"), "unreadable: jwe.content"),
        (part(4, "AAAAAAAAAAAAAAAAAAAAAA"), "unreadable: jwe.content"),
        (part(0, "e30"), "unreadable: jwe.header"),
        (
            header(("enc", json!("A128CBC-HS256"))),
            "unreadable: jwe.algorithm",
        ),
        (
            header(("alg", json!("RSA1_5"))),
            "unreadable: jwe.algorithm",
        ),
        (header(("zip", json!("DEF"))), "unreadable: jwe.algorithm"),
        (header(("crit", json!(["exp"]))), "unreadable: jwe.header"),
        (
            encrypted(&claims().to_string(), &jwe_header()),
            "unreadable: jws.form",
        ),
    ] {
        assert_eq!(body(text), expected);
    }
}

#[test]
fn the_id_token_is_for_us_from_whom_we_asked_and_good() {
    for (name, value, expected) in [
        (
            "iss",
            json!("https://other.example"),
            "unreadable: id-token.iss",
        ),
        ("aud", json!("other"), "unreadable: id-token.aud"),
        ("aud", json!(["other"]), "unreadable: id-token.aud"),
        ("aud", json!(["other", CLIENT]), ""),
        ("azp", json!("other"), "unreadable: id-token.azp"),
        ("azp", json!(CLIENT), ""),
        ("exp", json!(NOW - 60), "unreadable: id-token.exp"),
        ("exp", json!(NOW - 59), ""),
        ("exp", json!((NOW as f64) + 0.5), ""),
        ("exp", json!("soon"), "unreadable: id-token.exp"),
        ("nbf", json!(NOW + 61), "unreadable: id-token.nbf"),
        ("iat", json!(NOW + 61), "unreadable: id-token.iat"),
        ("iat", json!(NOW + 60), ""),
        ("sub", json!(" "), "unreadable: id-token.sub"),
        ("sub", json!(7), "unreadable: id-token.sub"),
        ("sub", json!("another"), "unreadable: userinfo.sub"),
    ] {
        let told = signed(&claims());
        let _stage = answering(json!({ name: value }), move || userinfo(told.clone()));
        let answer = ask().err().map(|failure| failure.summary());
        assert_eq!(answer.unwrap_or_default(), expected, "{name}");
    }
}

#[test]
fn a_token_without_its_claims_is_refused() {
    for claim in ["iss", "aud", "exp"] {
        let _stage = stage()
            .endpoint("esignet")
            .on_post("/oauth/v2/token", move |_| {
                let all = json!({ "iss": ISSUER, "aud": CLIENT, "sub": SUBJECT, "exp": NOW + 60 });
                let id_token = signed(&with(all, claim, Value::Null));
                json!({ "id_token": id_token, "access_token": "a", "token_type": "Bearer" })
            });
        assert_eq!(refused(), format!("unreadable: id-token.{claim}"));
    }
}

#[test]
fn a_nonce_that_the_caller_sent_must_come_back() {
    let asked = |sent: &str, came: Value| {
        let told = signed(&claims());
        let _stage = answering(came, move || userinfo(told.clone())).proof(proof(
            ProofKind::AuthorizationCode,
            CODE,
            &[("nonce", sent)],
        ));
        ask().err().map(|failure| failure.summary())
    };
    assert_eq!(asked("n-1", json!({ "nonce": "n-1" })), None);
    let other = Some("rejected: proof.nonce (proof)".to_owned());
    assert_eq!(asked("n-1", json!({ "nonce": "n-2" })), other);
    assert_eq!(asked("n-1", json!({})), other);
}

#[test]
fn what_userinfo_says_of_itself_must_be_right() {
    for (name, value, expected) in [
        ("iss", json!(ISSUER), ""),
        (
            "iss",
            json!("https://other.example"),
            "unreadable: userinfo.iss",
        ),
        ("aud", json!("other"), "unreadable: userinfo.aud"),
        ("exp", json!(NOW - 3600), "unreadable: userinfo.exp"),
        ("sub", json!("another"), "unreadable: userinfo.sub"),
        ("sub", Value::Null, "unreadable: userinfo.sub"),
    ] {
        let _stage = telling(with(claims(), name, value));
        let answer = ask().err().map(|failure| failure.summary());
        assert_eq!(answer.unwrap_or_default(), expected, "{name}");
    }
}
