//! The section `[telemetry]`: where spans go.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use super::secret::{SecretError, SecretSource, Secrets};

/// Where spans go. Without an endpoint none are made.
///
/// ```toml
/// [telemetry]
/// otlp_endpoint = "http://127.0.0.1:4318"
/// service_name = "registry-gateway"
/// sample_ratio = 0.1
/// headers = { "authorization" = "env:REGISTRY_SECRET_OTLP" }
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// The collector's base URL, to which OTLP's own `v1/traces` is added. OTLP over HTTP with
    /// protobuf is spoken.
    pub otlp_endpoint: Option<Url>,
    /// What the traces call this process.
    pub service_name: String,
    /// Of the traces that begin here, so many are kept: 0 none, 1 all. Where the caller began the
    /// trace, it has decided.
    pub sample_ratio: f64,
    /// Headers of each export, by name, with the place of their value.
    pub headers: BTreeMap<String, SecretSource>,
    /// How long one export may take, in milliseconds.
    pub timeout_ms: u32,
    /// Ended spans that wait for their export; the one too many is dropped.
    pub queue_spans: NonZeroU32,
}

/// What of the section does not go together. Holds no value.
#[derive(Debug, thiserror::Error)]
pub enum BadTelemetry {
    /// Not `http` or `https`, or with parts that a base URL does not have.
    #[error(
        "telemetry.otlp_endpoint: write an http:// or https:// URL without user, query or fragment"
    )]
    Endpoint,
    /// A secret would be readable on the way.
    #[error("telemetry.headers: they hold secrets: use https, or a collector on this machine")]
    PlainHttp,
    /// Not between 0 and 1.
    #[error("telemetry.sample_ratio: write a number from 0 to 1")]
    Ratio,
    /// Nothing is exported in no time.
    #[error("telemetry.timeout_ms: must be more than 0")]
    Timeout,
    /// A header's value cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl TelemetryConfig {
    /// Long enough for a slow collector, short enough to end while the gateway stops.
    pub const TIMEOUT_MS: u32 = 5_000;
    /// Some hundred lookups.
    pub const QUEUE_SPANS: u32 = 2_048;

    /// Where spans are sent, if anywhere.
    ///
    /// # Errors
    /// [`BadTelemetry`] names the key and the remedy.
    pub fn traces_url(&self) -> Result<Option<Url>, BadTelemetry> {
        let Some(base) = &self.otlp_endpoint else {
            return Ok(None);
        };
        let plain = matches!(base.scheme(), "http" | "https")
            && base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain {
            return Err(BadTelemetry::Endpoint);
        }
        let here = match base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(BadTelemetry::Endpoint),
        };
        if base.scheme() == "http" && !here && !self.headers.is_empty() {
            return Err(BadTelemetry::PlainHttp);
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return Err(BadTelemetry::Ratio);
        }
        if self.timeout_ms == 0 {
            return Err(BadTelemetry::Timeout);
        }
        let mut url = base.clone();
        let path = format!("{}/v1/traces", base.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Some(url))
    }

    /// The headers, read.
    ///
    /// # Errors
    /// [`BadTelemetry::Secret`] names the header.
    pub fn headers(&self, secrets: &Secrets) -> Result<Vec<(String, SecretString)>, BadTelemetry> {
        let all = self.headers.iter().map(|(name, source)| {
            let value = secrets.resolve(&format!("telemetry.headers.{name}"), source)?;
            Ok((name.clone(), value))
        });
        all.collect()
    }
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            service_name: "registry-gateway".into(),
            sample_ratio: 1.0,
            headers: BTreeMap::new(),
            timeout_ms: Self::TIMEOUT_MS,
            queue_spans: NonZeroU32::new(Self::QUEUE_SPANS).unwrap_or(NonZeroU32::MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, String> {
        let config: TelemetryConfig = toml::from_str(text).expect(text);
        let url = config.traces_url();
        url.map(|url| url.map_or_else(String::new, |url| url.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn otlps_own_path_is_added() {
        for (base, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://c.example/otlp/",
                "https://c.example/otlp/v1/traces",
            ),
        ] {
            assert_eq!(url(&format!("otlp_endpoint = '{base}'")).unwrap(), expected);
        }
        assert_eq!(url("").unwrap(), "");
    }

    #[test]
    fn what_does_not_go_together_names_its_key() {
        let headers = "headers = { authorization = 'env:REGISTRY_SECRET_OTLP' }";
        for (text, key) in [
            ("otlp_endpoint = 'grpc://c.example'", "otlp_endpoint"),
            (
                "otlp_endpoint = 'https://u:hunter2@c.example'",
                "otlp_endpoint",
            ),
            (
                "otlp_endpoint = 'https://c.example?k=hunter2'",
                "otlp_endpoint",
            ),
            (
                &format!("otlp_endpoint = 'http://c.example'\n{headers}"),
                "headers",
            ),
            (
                "otlp_endpoint = 'https://c.example'\nsample_ratio = 2.0",
                "sample_ratio",
            ),
            (
                "otlp_endpoint = 'https://c.example'\ntimeout_ms = 0",
                "timeout_ms",
            ),
        ] {
            let told = url(text).unwrap_err();
            assert!(told.starts_with(&format!("telemetry.{key}: ")), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        for fine in [
            "http://127.0.0.1",
            "http://[::1]",
            "http://localhost",
            "https://c.example",
        ] {
            assert!(url(&format!("otlp_endpoint = '{fine}'\n{headers}")).is_ok());
        }
        let config: TelemetryConfig = toml::from_str(headers).unwrap();
        let none = Secrets::with_environment(None, |_| None);
        let told = config.headers(&none).unwrap_err().to_string();
        assert!(
            told.starts_with("telemetry.headers.authorization: set env:"),
            "{told}"
        );
    }
}
