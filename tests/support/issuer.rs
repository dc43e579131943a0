//! A little OpenID Connect issuer: discovery, keys, and tokens, right ones and others.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// Made for this test, known to all the world. ring makes none: generating primes is slow.
const RSA: &[u8] = include_bytes!("issuer/rsa.pkcs8");

/// An issuer that listens.
pub struct Issuer {
    /// As its tokens say it.
    pub url: String,
    state: Arc<Told>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Told {
    keys: Mutex<Vec<Value>>,
    discovery: Mutex<Value>,
    slow_ms: AtomicU64,
    away: AtomicBool,
    asked: AtomicUsize,
}

/// What signs.
pub enum Signer {
    /// RS256.
    Rsa(Box<RsaKeyPair>),
    /// ES256.
    Ec(Box<EcdsaKeyPair>),
    /// EdDSA.
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// The one key for RS256.
    ///
    /// # Panics
    /// If it is damaged.
    pub fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(RSA).expect("a key")))
    }

    /// A new key for ES256.
    ///
    /// # Panics
    /// If there are no random numbers.
    pub fn ec() -> Self {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let made = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random);
        Self::Ec(Box::new(key.expect("a key")))
    }

    /// A new key for EdDSA.
    ///
    /// # Panics
    /// If there are no random numbers.
    pub fn ed() -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        Self::Ed(Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("a key"))
    }

    /// Its word in a token's head.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    /// Its public half.
    ///
    /// # Panics
    /// Never.
    pub fn jwk(&self, id: &str) -> Value {
        let mut key = match self {
            Self::Rsa(key) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
            Self::Ed(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref()) })
            }
        };
        key["kid"] = json!(id);
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm());
        key
    }

    /// A token of exactly that.
    ///
    /// # Panics
    /// If it cannot be signed.
    pub fn sign(&self, head: &Value, claims: &Value) -> String {
        let message = unsigned(head, claims);
        let bytes = message.as_bytes();
        let signature = match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let random = SystemRandom::new();
                let done = key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature);
                done.expect("a signature");
                signature
            }
            Self::Ec(key) => {
                let signed = key.sign(&SystemRandom::new(), bytes);
                signed.expect("a signature").as_ref().to_vec()
            }
            Self::Ed(key) => key.sign(bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", text(&signature))
    }

    /// A token with its key's id.
    pub fn token(&self, id: &str, claims: &Value) -> String {
        let head = json!({ "alg": self.algorithm(), "typ": "JWT", "kid": id });
        self.sign(&head, claims)
    }
}

/// Head and claims, without a signature.
pub fn unsigned(head: &Value, claims: &Value) -> String {
    let (head, claims) = (head.to_string(), claims.to_string());
    format!("{}.{}", text(head.as_bytes()), text(claims.as_bytes()))
}

/// Bytes as tokens have them.
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    /// One with these keys.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start(keys: Vec<Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!(
            "http://{}/realm",
            listener.local_addr().expect("an address")
        );
        let state = Arc::new(Told::default());
        *state.discovery.lock().expect("a lock") =
            json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        *state.keys.lock().expect("a lock") = keys;
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(discovery))
            .route("/realm/keys", get(keys_of))
            .route(
                "/realm/moved",
                get(async || Redirect::temporary("/realm/keys")),
            )
            .with_state(state.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, state, task }
    }

    /// Has these keys from now on.
    ///
    /// # Panics
    /// Never.
    pub fn set_keys(&self, keys: Vec<Value>) {
        *self.state.keys.lock().expect("a lock") = keys;
    }

    /// Says that of itself from now on.
    ///
    /// # Panics
    /// Never.
    pub fn set_discovery(&self, document: Value) {
        *self.state.discovery.lock().expect("a lock") = document;
    }

    /// Takes so long to tell its keys.
    pub fn set_slow(&self, slow: Duration) {
        let ms = u64::try_from(slow.as_millis()).unwrap_or(u64::MAX);
        self.state.slow_ms.store(ms, SeqCst);
    }

    /// Answers no more, or again.
    pub fn set_away(&self, away: bool) {
        self.state.away.store(away, SeqCst);
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.state.asked.load(SeqCst)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn discovery(State(state): State<Arc<Told>>) -> Result<Json<Value>, StatusCode> {
    if state.away.load(SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(state.discovery.lock().expect("a lock").clone()))
}

async fn keys_of(State(state): State<Arc<Told>>) -> Result<Json<Value>, StatusCode> {
    state.asked.fetch_add(1, SeqCst);
    tokio::time::sleep(Duration::from_millis(state.slow_ms.load(SeqCst))).await;
    if state.away.load(SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({ "keys": *state.keys.lock().expect("a lock") })))
}
