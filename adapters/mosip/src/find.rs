//! Who somebody is, by the authorization code that eSignet gave them: the code becomes tokens
//! (`private_key_jwt`), the access token becomes userinfo. What is signed is checked, and both are
//! about the same `sub`.

mod claims;

use std::time::{SystemTime, UNIX_EPOCH};

use adapter_sdk::call::{self, ProofKind};
use adapter_sdk::http::{self, Response};
use adapter_sdk::model::{FindQuery, Person};
use adapter_sdk::{Answer, Failure, Find, ids};
use serde_json::{Map, Value, json};

use crate::keys::{Keys, Lent};
use crate::settings::{Esignet, Settings};
use crate::wire::esignet::{self, ASSERTION_TYPE, Tokens, challenge, form};
use crate::{ESIGNET, Mosip, USERINFO, jose, mapping, reasons};

pub use claims::{id_token, userinfo};

/// How long a client assertion holds, in seconds. eSignet takes it at once.
pub const ASSERTION_S: u64 = 120;

impl Find for Mosip {
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        find(&Lent, query, now()).map(Into::into)
    }
}

/// What the caller hands over. No `Debug`: it is good for one look at the person.
struct Code {
    code: String,
    redirect_uri: String,
    verifier: Option<String>,
    nonce: Option<String>,
}

/// Finds with these keys, at this time in seconds since 1970.
///
/// # Errors
/// As [`Find::find`].
pub fn find(keys: &impl Keys, query: FindQuery, now: u64) -> Result<Person, Failure> {
    let settings = Settings::load()?;
    let esignet = settings.esignet()?;
    mapping::known_schemes(&query.identifiers, esignet)?;
    let code = code(esignet)?;
    let tokens = tokens(keys, &code, esignet, now)?;
    let id_token = tokens
        .id_token
        .as_deref()
        .ok_or_else(|| Failure::unreadable("id-token.missing"))?;
    let id_token = payload(keys, id_token, esignet)?;
    let subject = claims::id_token(&id_token, code.nonce.as_deref(), esignet, now)?;
    let told = told(keys, &access_token(&tokens)?, esignet)?;
    claims::userinfo(&told, &subject, esignet, now)?;
    let person = mapping::person(&told, &settings, esignet);
    mapping::check_asked(&query.identifiers, &person, esignet)?;
    Ok(person)
}

fn code(esignet: &Esignet) -> Result<Code, Failure> {
    let refused = |code: &str| Failure::rejected(code).field("proof");
    let proof = call::proof().ok_or_else(|| refused("proof.missing"))?;
    if proof.kind != ProofKind::AuthorizationCode {
        return Err(Failure::unsupported("proof.kind").field("proof"));
    }
    let parameter = |wanted: &str| {
        let found = proof.parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone())
    };
    Ok(Code {
        redirect_uri: parameter("redirect-uri")
            .or_else(|| esignet.redirect_uri.clone())
            .ok_or_else(|| refused("proof.redirect-uri"))?,
        verifier: parameter("code-verifier"),
        nonce: parameter("nonce"),
        code: proof.value.clone(),
    })
}

/// `private_key_jwt` (OpenID Connect Core, section 9).
fn assertion(keys: &impl Keys, esignet: &Esignet, now: u64) -> Result<String, Failure> {
    let claims = json!({
        "iss": esignet.client_id,
        "sub": esignet.client_id,
        "aud": esignet.audience.as_ref().unwrap_or(&esignet.issuer),
        "jti": ids::uuid(),
        "iat": now,
        "exp": now + ASSERTION_S,
    });
    jose::token(
        keys,
        &esignet.client_key,
        &claims,
        "settings.esignet.client_key",
    )
}

fn tokens(keys: &impl Keys, code: &Code, esignet: &Esignet, now: u64) -> Result<Tokens, Failure> {
    let assertion = assertion(keys, esignet, now)?;
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", &code.code),
        ("redirect_uri", &code.redirect_uri),
        ("client_id", &esignet.client_id),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion),
    ];
    if let Some(verifier) = &code.verifier {
        fields.push(("code_verifier", verifier));
    }
    let response = http::endpoint(ESIGNET)
        .post(&esignet.token_path)
        .body("application/x-www-form-urlencoded", form(&fields))
        .send()?;
    if let Some(error) = oauth_error(&response) {
        return Err(reasons::oauth(&error));
    }
    Tokens::read(&there(response)?.json()?)
}

/// The reason in the body of an answer that is none.
fn oauth_error(response: &Response) -> Option<String> {
    if !(400..500).contains(&response.status) {
        return None;
    }
    esignet::error(&response.json().ok()?).map(str::to_owned)
}

fn access_token(tokens: &Tokens) -> Result<String, Failure> {
    let kind = tokens.token_type.as_deref().unwrap_or_default();
    if kind.eq_ignore_ascii_case("DPoP") {
        return Err(Failure::unsupported("token-type.dpop"));
    }
    if !kind.eq_ignore_ascii_case("Bearer") {
        return Err(Failure::unreadable("token-type"));
    }
    // RFC 6750, section 2.1: what else would be no header.
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let token = tokens.access_token.as_deref().unwrap_or_default();
    if token.is_empty() || !token.bytes().all(letter) {
        return Err(Failure::unreadable("access-token"));
    }
    Ok(token.to_owned())
}

/// The claims of userinfo: a JWS, or one in a JWE.
fn told(
    keys: &impl Keys,
    access_token: &str,
    esignet: &Esignet,
) -> Result<Map<String, Value>, Failure> {
    let response = http::endpoint(USERINFO)
        .get(&esignet.userinfo_path)
        .header("authorization", format!("Bearer {access_token}"))
        .header("accept", "application/jwt")
        .send()?;
    let reason = response.header("www-authenticate").and_then(challenge);
    if let (401 | 403, Some(reason)) = (response.status, reason) {
        return Err(reasons::oauth(reason));
    }
    let response = there(response)?;
    let text = response.text()?.trim();
    if text.split('.').count() != 5 {
        return payload(keys, text, esignet);
    }
    let Some(key) = &esignet.encryption_key else {
        return Err(
            Failure::misconfigured("userinfo.encrypted").field("settings.esignet.encryption_key")
        );
    };
    let nested = jose::opened(keys, key, text)?;
    let nested = std::str::from_utf8(&nested).map_err(|_| Failure::unreadable("jwe.content"))?;
    payload(keys, nested.trim(), esignet)
}

fn payload(keys: &impl Keys, text: &str, esignet: &Esignet) -> Result<Map<String, Value>, Failure> {
    let payload = jose::verified(keys, &esignet.jwks, &esignet.algorithms, text)?;
    let payload: Value = serde_json::from_slice(&payload)?;
    match payload {
        Value::Object(claims) => Ok(claims),
        _ => Err(Failure::unreadable("json.shape")),
    }
}

/// The paths are the same for every question: where they are not, nobody is looked for.
fn there(response: Response) -> Result<Response, Failure> {
    match response.status {
        404 | 405 | 410 => Err(Failure::misconfigured(format!("http.{}", response.status))),
        _ => response.ok(),
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}
