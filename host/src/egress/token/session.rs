//! Tokens by a login that the configuration declares.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::fetch::{Granted, Seconds};
use crate::config::endpoint::Expiry;
use crate::egress::credential::secret_value;

/// A login with its secrets put in. No `Debug`: it is one secret.
pub(in crate::egress) struct Session {
    pub(in crate::egress) method: Method,
    pub(in crate::egress) url: Url,
    pub(in crate::egress) headers: HeaderMap,
    pub(in crate::egress) body: Option<Bytes>,
    pub(in crate::egress) token: Place,
    pub(in crate::egress) expires: Option<Expiry>,
    /// What stands before the token: `Bearer `, or a cookie's `name=`.
    pub(in crate::egress) prefix: String,
    pub(in crate::egress) is_cookie: bool,
}

/// Where an answer has the token.
pub(in crate::egress) enum Place {
    Json(String),
    Header(HeaderName),
    Cookie(String),
}

impl Session {
    pub(super) fn request(
        &self,
        http: &reqwest::Client,
    ) -> Result<reqwest::Request, reqwest::Error> {
        let request = http
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone());
        match &self.body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
        .build()
    }

    pub(super) fn granted(&self, headers: &HeaderMap, body: &Bytes) -> Option<Granted> {
        // Where nothing is read from the body it may be anything.
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let at = |pointer: &String| body.as_ref()?.pointer(pointer);
        let token = match &self.token {
            Place::Json(pointer) => at(pointer)?.as_str()?,
            Place::Header(name) => headers.get(name)?.to_str().ok()?,
            Place::Cookie(name) => cookie(headers, name)?,
        };
        // Without a token there is none, and of a token with a `;` the rest would be a second cookie.
        if token.is_empty() || (self.is_cookie && !token.bytes().all(is_cookie_octet)) {
            return None;
        }
        let seconds = |pointer| {
            let seconds = Seconds::deserialize(at(pointer)?).ok()?;
            seconds.read()
        };
        let lifetime = match &self.expires {
            None => None,
            Some(Expiry::Seconds(seconds)) => Some(Duration::from_secs(*seconds)),
            Some(Expiry::After(pointer)) => seconds(pointer),
            Some(Expiry::At(pointer)) => seconds(pointer).map(until),
        };
        let header: HeaderValue = secret_value(&format!("{}{token}", self.prefix)).ok()?;
        Some(Granted { header, lifetime })
    }
}

/// What is left until so long after 1970.
fn until(end: Duration) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    end.saturating_sub(now.unwrap_or_default())
}

/// The value of a cookie that is set; of several of the name the last, as browsers have it.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(SET_COOKIE).iter();
    let mut pairs = values.filter_map(|value| {
        let pair = value.to_str().ok()?.split(';').next()?;
        pair.split_once('=')
    });
    let (_, value) = pairs.rfind(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_matches('"'))
}

/// RFC 6265, section 4.1.1.
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}
