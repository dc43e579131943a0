//! Another gateway's admin API, for the commands.

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::Url;

/// Longer than any act: a pull over a slow line, a check of a large module.
const TIMEOUT: Duration = Duration::from_secs(600);
/// An audit of years over a slow line.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// A gateway that is there answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A file is sent in parts of so many bytes.
const PART: usize = 64 << 10;

/// A gateway by its URL, and a key of its.
pub struct Remote {
    client: reqwest::Client,
    base: Url,
    key: SecretString,
}

/// The gateway gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("the gateway at {base} does not answer: is it running, and is that its address?")]
pub struct RemoteError {
    base: String,
    #[source]
    source: reqwest::Error,
}

impl Remote {
    /// For that gateway. Redirects are not followed: the key is for nobody else. The system's
    /// proxies are ignored, as everywhere.
    ///
    /// # Errors
    /// No client could be made.
    pub fn new(base: Url, key: SecretString) -> Result<Self, RemoteError> {
        super::Egress::new();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build();
        let client = client.map_err(|source| RemoteError {
            base: base.to_string(),
            source,
        })?;
        Ok(Self { client, base, key })
    }

    /// Asks the API. Gives the status and the body.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn request(
        &self,
        method: http::Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), RemoteError> {
        let failed = |source: reqwest::Error| RemoteError {
            base: self.base.to_string(),
            source: source.without_url(),
        };
        let base = self.base.as_str().trim_end_matches('/');
        let request = self
            .client
            .request(method, format!("{base}{path}"))
            .bearer_auth(self.key.expose_secret())
            .header(http::header::CONTENT_TYPE, content_type)
            .body(body);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(failed)?;
        Ok((status, body.to_vec()))
    }

    /// Sends a body in parts; `told` hears of each how long it is, as it goes.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn upload(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
        told: impl Fn(usize) + Send + Sync + 'static,
    ) -> Result<(u16, Vec<u8>), RemoteError> {
        let failed = |source: reqwest::Error| RemoteError {
            base: self.base.to_string(),
            source: source.without_url(),
        };
        let base = self.base.as_str().trim_end_matches('/');
        let length = body.len();
        let body = Bytes::from(body);
        let parts = (0..length).step_by(PART).map(move |at| {
            let part = body.slice(at..length.min(at + PART));
            told(part.len());
            Ok::<_, std::convert::Infallible>(part)
        });
        let request = self
            .client
            .post(format!("{base}{path}"))
            .bearer_auth(self.key.expose_secret())
            .header(http::header::CONTENT_TYPE, content_type)
            .header(http::header::CONTENT_LENGTH, length)
            .body(reqwest::Body::wrap_stream(futures_util::stream::iter(
                parts,
            )));
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(failed)?;
        Ok((status, body.to_vec()))
    }

    /// Asks for what may be longer than memory is: each part of the body goes to `take` as it comes,
    /// which says whether to go on. A refusal is given as a whole.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn download(
        &self,
        path: &str,
        take: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<(u16, Vec<u8>), RemoteError> {
        let failed = |source: reqwest::Error| RemoteError {
            base: self.base.to_string(),
            source: source.without_url(),
        };
        let base = self.base.as_str().trim_end_matches('/');
        let request = self
            .client
            .get(format!("{base}{path}"))
            .timeout(DOWNLOAD_TIMEOUT)
            .bearer_auth(self.key.expose_secret());
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        if !answer.status().is_success() {
            let body = answer.bytes().await.map_err(failed)?;
            return Ok((status, body.to_vec()));
        }
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            if !take(&part) {
                break;
            }
        }
        Ok((status, Vec::new()))
    }
}
