use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::Refusal;
use super::keyset::KeySet;
use crate::config::callers::{IssuerConfig, SigningAlgorithm};
use crate::egress::{DocumentProblem, Documents, Egress};

const DISCOVERY: &str = ".well-known/openid-configuration";

/// An issuer and its keys.
pub(super) struct Issuer {
    pub(super) name: String,
    pub(super) config: IssuerConfig,
    documents: Documents,
    keys: ArcSwapOption<KeySet>,
    /// When they were last asked for: whoever holds it asks.
    asked: Mutex<Option<Instant>>,
}

/// Why its keys are not known.
#[derive(Debug, thiserror::Error)]
enum KeysProblem {
    #[error("{0} cannot be read: {1}")]
    Document(&'static str, #[source] DocumentProblem),
    #[error("{0} is not what it should be")]
    Text(&'static str),
    #[error("the discovery document is of another issuer")]
    Other,
}

impl Issuer {
    pub(super) fn new(name: &str, config: &IssuerConfig, egress: &Egress) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            return Err("its name has lower-case letters, digits and `-`, at most 32".into());
        }
        for (field, empty) in [
            ("issuer", config.issuer.is_empty()),
            ("audiences", config.audiences.is_empty()),
            ("algorithms", config.algorithms.is_empty()),
        ] {
            if empty {
                return Err(format!(
                    "{field}: is empty, so that no token would be taken"
                ));
            }
        }
        let url = config
            .jwks_url
            .clone()
            .map_or_else(|| discovery(config), Ok)?;
        let near = url.scheme() == "http" && !config.allow_networks.is_empty();
        if url.scheme() != "https" && !near {
            return Err("issuer: begins with https://, or is within allow_networks".into());
        }
        Ok(Self {
            name: name.to_owned(),
            documents: Documents::new(
                egress,
                &config.allow_networks,
                Duration::from_millis(config.timeout_ms.into()),
                config.max_document_bytes.into(),
            ),
            config: config.clone(),
            keys: ArcSwapOption::empty(),
            asked: Mutex::default(),
        })
    }

    pub(super) fn takes(&self, algorithm: Algorithm) -> bool {
        let taken = |one: &SigningAlgorithm| match one {
            SigningAlgorithm::RS256 => algorithm == Algorithm::RS256,
            SigningAlgorithm::RS384 => algorithm == Algorithm::RS384,
            SigningAlgorithm::RS512 => algorithm == Algorithm::RS512,
            SigningAlgorithm::PS256 => algorithm == Algorithm::PS256,
            SigningAlgorithm::ES256 => algorithm == Algorithm::ES256,
            SigningAlgorithm::ES384 => algorithm == Algorithm::ES384,
            SigningAlgorithm::EdDSA => algorithm == Algorithm::EdDSA,
        };
        self.config.algorithms.iter().any(taken)
    }

    /// Whether these are still its keys.
    pub(super) fn holds(&self, keys: &Arc<KeySet>) -> bool {
        let now = self.keys.load();
        now.as_ref().is_some_and(|now| Arc::ptr_eq(now, keys)) && self.young(keys)
    }

    /// The keys that such a token is tried with, read anew where they do not have its own.
    pub(super) async fn keys(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<KeySet>, Refusal> {
        let before = self.keys.load_full();
        if let Some(keys) = &before
            && self.young(keys)
            && keys.find(id, algorithm).is_some()
        {
            if keys.age() > Duration::from_secs(self.config.refresh_after_s.into()) {
                let (issuer, keys) = (self.clone(), keys.clone());
                // Nobody waits for it.
                tokio::spawn(async move { issuer.refresh(Some(&keys)).await });
            }
            return Ok(keys.clone());
        }
        self.refresh(before.as_ref()).await;
        let keys = self.keys.load_full().filter(|keys| self.young(keys));
        keys.ok_or(Refusal::Away)
    }

    fn young(&self, keys: &KeySet) -> bool {
        keys.age() < Duration::from_secs(self.config.keep_keys_s.into())
    }

    /// Reads the keys anew, unless somebody just did.
    async fn refresh(&self, before: Option<&Arc<KeySet>>) {
        let mut asked = self.asked.lock().await;
        let now = self.keys.load();
        let same = match (now.as_ref(), before) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (None, None) => true,
            _ => false,
        };
        let least = Duration::from_secs(self.config.refresh_least_s.into());
        if !same || asked.is_some_and(|at| at.elapsed() < least) {
            return;
        }
        *asked = Some(Instant::now());
        match self.read().await {
            Ok(keys) => self.keys.store(Some(Arc::new(keys))),
            // What was known before goes on.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    issuer = self.name,
                    error,
                    "the issuer's keys cannot be read"
                );
            }
        }
    }

    async fn read(&self) -> Result<KeySet, KeysProblem> {
        let read_at = Instant::now();
        let url = match &self.config.jwks_url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let document = self.json(&url, "the key document").await?;
        KeySet::read(&document, read_at).ok_or(KeysProblem::Text("the key document"))
    }

    async fn discover(&self) -> Result<Url, KeysProblem> {
        const WHAT: &str = "the discovery document";
        let url = discovery(&self.config).map_err(|_| KeysProblem::Text(WHAT))?;
        let document = self.json(&url, WHAT).await?;
        // As OpenID Connect Discovery says: else any document at that place would do.
        if document.get("issuer").and_then(Value::as_str) != Some(&self.config.issuer) {
            return Err(KeysProblem::Other);
        }
        let keys = document.get("jwks_uri").and_then(Value::as_str);
        keys.and_then(|url| Url::parse(url).ok())
            .ok_or(KeysProblem::Text(WHAT))
    }

    async fn json(&self, url: &Url, what: &'static str) -> Result<Value, KeysProblem> {
        let bytes = self.documents.get(url).await;
        let bytes = bytes.map_err(|problem| KeysProblem::Document(what, problem))?;
        serde_json::from_slice(&bytes).map_err(|_| KeysProblem::Text(what))
    }
}

fn discovery(config: &IssuerConfig) -> Result<Url, String> {
    let base = config.issuer.trim_end_matches('/');
    Url::parse(&format!("{base}/{DISCOVERY}")).map_err(|_| "issuer: is no URL".into())
}
