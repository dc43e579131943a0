use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use url::Url;

use super::Refusal;
use super::keyset::KeySet;
use crate::config::callers::{IssuerConfig, SigningAlgorithm};
use crate::config::secret::Secrets;
use crate::egress::{DocumentProblem, Documents, Egress};
use crate::gateway::callers::acts::check_grant;
use crate::gateway::chain;

/// Ten minutes: clocks that are further apart should be mended.
const MAX_LEEWAY_S: u32 = 600;
const DISCOVERY: &str = ".well-known/openid-configuration";

/// An issuer and its keys.
pub(in crate::gateway) struct Issuer {
    pub(in crate::gateway) name: String,
    pub(in crate::gateway) config: IssuerConfig,
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
    pub(in crate::gateway) fn new(
        name: &str,
        config: &IssuerConfig,
        egress: &Egress,
        secrets: &Secrets,
    ) -> Result<Self, String> {
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
        for (field, number, most) in [
            ("timeout_ms", config.timeout_ms, 60_000),
            ("max_document_bytes", config.max_document_bytes, 16 << 20),
            ("refresh_after_s", config.refresh_after_s, u32::MAX),
            ("refresh_least_s", config.refresh_least_s, u32::MAX),
            ("keep_keys_s", config.keep_keys_s, u32::MAX),
        ] {
            if number == 0 || number > most {
                return Err(format!("{field}: is a number from 1 to {most}"));
            }
        }
        if config.clock_leeway_s > MAX_LEEWAY_S {
            return Err(format!("clock_leeway_s: is at most {MAX_LEEWAY_S}"));
        }
        for (word, mapped) in &config.mapping {
            for (at, grant) in mapped.grants.iter().enumerate() {
                let checked = check_grant(&format!("mapping.{word}.grants.{at}"), grant);
                checked.map_err(|error| error.to_string())?;
            }
        }
        let url = config
            .jwks_url
            .clone()
            .map_or_else(|| discovery(config), Ok)?;
        let near = url.scheme() == "http" && !config.allow_networks.is_empty();
        if url.scheme() != "https" && !near {
            let field = config.jwks_url.as_ref().map_or("issuer", |_| "jwks_url");
            return Err(format!(
                "{field}: begins with https://, or is within allow_networks"
            ));
        }
        let endpoint = config.endpoint();
        let field = format!("callers.issuers.{name}");
        let secured = endpoint.resolve(&field, secrets);
        let documents = Documents::new(
            egress,
            &endpoint,
            &secured.map_err(|error| chain(&error))?,
            Duration::from_millis(config.timeout_ms.into()),
            config.max_document_bytes.into(),
        );
        Ok(Self {
            name: name.to_owned(),
            documents: documents.map_err(|(field, problem)| format!("{field}: {problem}"))?,
            config: config.clone(),
            keys: ArcSwapOption::empty(),
            asked: Mutex::default(),
        })
    }

    pub(in crate::gateway) fn takes(&self, algorithm: Algorithm) -> bool {
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

    /// Whether its keys are still those of that document.
    pub(in crate::gateway) fn holds(&self, document: &[u8; 32]) -> bool {
        let now = self.keys.load();
        now.as_ref()
            .is_some_and(|now| now.document == *document && self.young(now))
    }

    /// The keys that such a token is tried with, read anew where they do not have its own.
    pub(in crate::gateway) async fn keys(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<KeySet>, Refusal> {
        let before = self.keys.load_full();
        if let Some(keys) = &before
            && self.young(keys)
            && keys.find(id, algorithm).is_some()
        {
            let old = keys.age() > Duration::from_secs(self.config.refresh_after_s.into());
            // Nobody waits for it, and one that is under way is enough.
            if old
                && self
                    .asked
                    .try_lock()
                    .is_ok_and(|asked| self.may_ask(*asked))
            {
                self.refreshed(before.clone());
            }
            return Ok(keys.clone());
        }
        // In a task of its own: a caller who hangs up would else end the reading that others wait
        // for, and whose turn it was is written down already.
        let _ = self.refreshed(before).await;
        let keys = self.keys.load_full().filter(|keys| self.young(keys));
        keys.ok_or(Refusal::Away {
            retry_after_ms: self.config.refresh_least_s.saturating_mul(1_000),
        })
    }

    fn refreshed(self: &Arc<Self>, before: Option<Arc<KeySet>>) -> JoinHandle<()> {
        let issuer = self.clone();
        tokio::spawn(async move { issuer.refresh(before.as_ref()).await })
    }

    fn may_ask(&self, asked: Option<Instant>) -> bool {
        let least = Duration::from_secs(self.config.refresh_least_s.into());
        asked.is_none_or(|at| at.elapsed() >= least)
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
        if !same || !self.may_ask(*asked) {
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
        let url = match &self.config.jwks_url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        const WHAT: &str = "the key document";
        let read_at = Instant::now();
        let document = self.json(&url, WHAT).await?;
        KeySet::read(&document, read_at).ok_or(KeysProblem::Text(WHAT))
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

#[cfg(test)]
mod tests;
