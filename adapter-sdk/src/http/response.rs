//! What came back: status to failure, body to value.

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use super::{Request, Response};
use crate::Failure;

impl Response {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(candidate, _)| candidate == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How long the registry asks us to wait: `Retry-After` in seconds or as a date (RFC 9110,
    /// section 10.2.3), in milliseconds.
    pub fn retry_after_ms(&self) -> Option<u32> {
        let value = self.header("retry-after")?.trim();
        let wait = match value.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let then = httpdate::parse_http_date(value).ok()?;
                then.duration_since(SystemTime::now()).unwrap_or_default()
            }
        };
        Some(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX))
    }

    /// This response, if its status is 2xx.
    ///
    /// # Errors
    /// By status (RFC 9110, section 15): 401 and 403 `denied`; 404 and 410 `not-found`; 409 and
    /// 412 `conflict`; 405 and 501 `unsupported`; 408, 425, 429 and other 5xx `unavailable` with
    /// Retry-After; other 4xx `rejected`; the rest, redirects too, `unreadable`. The code is
    /// `http.<status>`; the body is not in it.
    pub fn ok(self) -> Result<Self, Failure> {
        let code = format!("http.{}", self.status);
        Err(match self.status {
            200..=299 => return Ok(self),
            401 | 403 => Failure::denied(code),
            404 | 410 => Failure::not_found(),
            409 | 412 => Failure::conflict(code),
            405 | 501 => Failure::unsupported(code),
            408 | 425 | 429 | 500..=599 => {
                Failure::unavailable(code).retry_after_ms(self.retry_after_ms())
            }
            400..=499 => Failure::rejected(code),
            _ => Failure::unreadable(code),
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `unreadable` with code `json.syntax`, `json.shape` or `json.cut-short`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The body as text.
    ///
    /// # Errors
    /// `unreadable` where it is not UTF-8.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body).map_err(|_| Failure::unreadable("text.utf-8"))
    }
}

impl Request {
    /// The first header of this name, in lower case; for tests.
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |(candidate, _): &&(String, String)| candidate.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(same)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where there is none or it is not JSON. For tests.
    pub fn json(&self) -> serde_json::Value {
        let body = self.body.as_deref().unwrap_or_default();
        serde_json::from_slice(body).unwrap_or_default()
    }
}
