//! eSignet with one citizen.

use adapter_mosip::find::find;
use adapter_sdk::Failure;
use adapter_sdk::call::ProofKind;
use adapter_sdk::http::Response;
use adapter_sdk::model::{FindQuery, Person};
use adapter_sdk::testing::{self, Stage};
use serde_json::{Value, json};

use super::{Gateway, SessionKey, oaep, private, proof, rs256, url};
use adapter_mosip::keys::Session;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://esignet.example";
pub(crate) const CLIENT: &str = "openimis-client";
pub(crate) const SUBJECT: &str = "314159265358979323846264338327950288";
pub(crate) const CODE: &str = "code-7f3a";
pub(crate) const TOKEN: &str = "access.token-1";

pub(crate) fn settings() -> Value {
    json!({ "esignet": {
        "issuer": ISSUER,
        "client_id": CLIENT,
        "redirect_uri": "https://imis.example/back",
        "encryption_key": "client",
    } })
}

/// A stage without answers, and a caller who hands over a code.
pub(crate) fn stage() -> Stage {
    testing::stage()
        .settings(settings())
        .proof(proof(ProofKind::AuthorizationCode, CODE, &[]))
}

/// eSignet that answers with these claims, signed.
pub(crate) fn telling(claims: Value) -> Stage {
    answering(json!({}), move || userinfo(signed(&claims)))
}

/// The same with more claims in the ID token, and userinfo of any form.
pub(crate) fn answering(in_id_token: Value, told: impl Fn() -> Response + 'static) -> Stage {
    stage()
        .endpoint("esignet")
        .on_post("/oauth/v2/token", move |_| tokens(&in_id_token))
        .endpoint("userinfo")
        .on_get("/userinfo", move |_| told())
}

pub(crate) fn tokens(in_id_token: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": SUBJECT,
        "iat": NOW - 1, "exp": NOW + 300, "auth_time": NOW - 60,
        "acr": "mosip:idp:acr:generated-code",
    });
    for (name, value) in in_id_token.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    json!({
        "id_token": signed(&claims),
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
    })
}

pub(crate) fn userinfo(body: String) -> Response {
    let headers = vec![("content-type".to_owned(), "application/jwt".to_owned())];
    Response {
        status: 200,
        headers,
        body: body.into_bytes(),
    }
}

/// The claims as eSignet signs them.
pub(crate) fn signed(claims: &Value) -> String {
    signed_with(&json!({ "alg": "RS256", "kid": "es-1" }), claims, "esignet")
}

pub(crate) fn signed_with(header: &Value, claims: &Value, key: &str) -> String {
    let data = format!("{}.{}", url(header.to_string()), url(claims.to_string()));
    let signature = rs256(key, data.as_bytes());
    format!("{data}.{}", url(signature))
}

/// Encrypted for the client (RFC 7516, section 3.1).
pub(crate) fn encrypted(text: &str, header: &Value) -> String {
    let protected = url(header.to_string());
    let mut key = [0; 32];
    getrandom::fill(&mut key).unwrap();
    let sealed =
        SessionKey::new(key.to_vec()).seal(&[7; 12], protected.as_bytes(), text.as_bytes());
    let sealed = sealed.unwrap();
    let for_us = oaep(&private("client").to_public_key(), &key);
    let parts = [for_us, sealed.iv, sealed.ciphertext, sealed.tag];
    let parts = parts.iter().map(url).collect::<Vec<_>>().join(".");
    format!("{protected}.{parts}")
}

pub(crate) fn jwe_header() -> Value {
    json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT" })
}

/// Claims of one citizen as MOSIP's ID system writes them: no issuer, no audience.
pub(crate) fn claims() -> Value {
    json!({
        "sub": SUBJECT,
        "name": "Amina Benali",
        "gender": "Female",
        "birthdate": "1987/11/25",
        "email": "amina@mail.example",
        "phone_number": "+212600000001",
        "address": {
            "street_address": "12 Rue des Fleurs",
            "locality": "Rabat",
            "region": "Rabat-Salé-Kénitra",
            "postal_code": "10112",
            "country": "MAR",
        },
        "picture": format!("data:image/jpeg;base64,{}", "/9j/4AAQSkZJRg=="),
    })
}

pub(crate) fn nobody_named() -> FindQuery {
    FindQuery {
        identifiers: Vec::new(),
    }
}

pub(crate) fn ask() -> Result<Person, Failure> {
    find(&Gateway, nobody_named(), NOW)
}

pub(crate) fn refused() -> String {
    ask().unwrap_err().summary()
}

/// With a claim changed, or taken away by null.
pub(crate) fn with(claims: Value, name: &str, value: Value) -> Value {
    let mut claims = claims;
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}
