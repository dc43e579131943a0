//! The admin API without a network: for commands on the machine that holds the data.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use futures_util::StreamExt;
use tokio::time::Instant;
use tower::ServiceExt;

use super::{Parts, ServeError, open, sections};
use crate::api;
use crate::config::Config;
use crate::egress::Egress;
use crate::gateway::Gateway;

/// Longest answer that a command takes: an export is the longest.
const MAX_ANSWER: usize = 1 << 30;

/// A gateway that nobody else can ask: its caller is whoever can open the database.
pub struct Local {
    gateway: Gateway,
    router: Router,
}

impl Local {
    /// Opens what the configuration names, and loads it as a gateway does.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn open(config: &Config) -> Result<Self, ServeError> {
        let Parts {
            store,
            sandbox,
            secrets,
        } = open(config).await?;
        let sections = sections(config);
        let gateway = Gateway::new(store, sandbox, Egress::new(), secrets, sections).await?;
        gateway.load().await?;
        let router = api::local(gateway.clone(), &config.api);
        Ok(Self { gateway, router })
    }

    /// Asks the API. Gives the status and the body.
    ///
    /// # Errors
    /// The method or path is none, or the answer ended early.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), axum::Error> {
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).map_err(axum::Error::new)?)
            .uri(path)
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body))
            .map_err(axum::Error::new)?;
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.map_err(axum::Error::new)?;
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), MAX_ANSWER).await?;
        Ok((status, body.to_vec()))
    }

    /// Asks for what may be longer than memory is: each part of the body goes to `take` as it comes,
    /// which says whether to go on. A refusal is given as a whole.
    ///
    /// # Errors
    /// The path is none, or the answer ended early.
    pub async fn download(
        &self,
        path: &str,
        take: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<(u16, Vec<u8>), axum::Error> {
        let request = Request::builder().uri(path).body(Body::empty());
        let request = request.map_err(axum::Error::new)?;
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.map_err(axum::Error::new)?;
        let status = answer.status();
        if !status.is_success() {
            let body = to_bytes(answer.into_body(), MAX_ANSWER).await?;
            return Ok((status.as_u16(), body.to_vec()));
        }
        let mut parts = answer.into_body().into_data_stream();
        while let Some(part) = parts.next().await {
            if !take(&part?) {
                break;
            }
        }
        Ok((status.as_u16(), Vec::new()))
    }

    /// Ends, once what was begun is written.
    pub async fn close(self, by: Instant) {
        self.gateway.close(by).await;
    }
}
