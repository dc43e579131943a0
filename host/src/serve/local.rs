//! The admin API without a network: for commands on the machine that holds the data.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use tokio::time::Instant;
use tower::ServiceExt;

use super::{Parts, ServeError, open};
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
        let gateway = Gateway::new(
            store,
            sandbox,
            Egress::new(),
            secrets,
            &config.data_dir,
            &config.admission,
        )
        .await?;
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

    /// Ends, once what was begun is written.
    pub async fn close(self, by: Instant) {
        self.gateway.close(by).await;
    }
}
