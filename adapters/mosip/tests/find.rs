//! Who somebody is by their code: what is asked, and what is taken for an answer.
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
use adapter_sdk::http::{Method, ProblemKind};
use adapter_sdk::model::{FindQuery, HumanName, Identifier, Person, Sex};
use adapter_sdk::testing::{self, Reply, Stage};
use adapter_sdk::{Failure, dates};
use common::esignet::{
    CLIENT, CODE, ISSUER, NOW, SUBJECT, TOKEN, answering, claims, encrypted, jwe_header,
    nobody_named, settings, signed, signed_with, stage, telling, tokens, userinfo,
};
use common::{Gateway, proof, rs256_holds, unurl};
use serde_json::{Value, json};

fn ask() -> Result<Person, Failure> {
    find(&Gateway, nobody_named(), NOW)
}

fn refused() -> String {
    ask().unwrap_err().summary()
}

/// With a claim changed, or taken away by null.
fn with(claims: Value, name: &str, value: Value) -> Value {
    let mut claims = claims;
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

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
