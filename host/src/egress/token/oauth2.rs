//! Access tokens by client credentials, RFC 6749 section 4.4.

use bytes::Bytes;
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::fetch::{Granted, Seconds};
use crate::config::endpoint::{OAuth2Client, TokenForm};
use crate::egress::credential::bearer;

/// A client and its token endpoint.
pub(in crate::egress) struct OAuth2 {
    pub(in crate::egress) url: Url,
    pub(in crate::egress) client: OAuth2Client,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

impl OAuth2 {
    pub(super) fn granted(body: &Bytes) -> Option<Granted> {
        let grant: Grant = serde_json::from_slice(body).ok()?;
        Some(Granted {
            header: bearer(&grant.access_token).ok()?,
            lifetime: grant.expires_in.as_ref().and_then(Seconds::read),
        })
    }

    pub(super) fn request(
        &self,
        http: &reqwest::Client,
    ) -> Result<reqwest::Request, reqwest::Error> {
        let oauth = &self.client;
        let mut parameters = vec![("grant_type", "client_credentials")];
        if oauth.form != TokenForm::Basic {
            parameters.push(("client_id", &oauth.client_id));
            parameters.push(("client_secret", oauth.client_secret.expose_secret()));
        }
        parameters.extend(oauth.scope.iter().map(|scope| ("scope", scope.as_str())));
        parameters.extend(
            oauth
                .audience
                .iter()
                .map(|audience| ("audience", audience.as_str())),
        );
        let post = http
            .post(self.url.clone())
            .header(http::header::ACCEPT, "application/json");
        match oauth.form {
            TokenForm::Form => post.form(&parameters),
            TokenForm::Query => post.query(&parameters),
            TokenForm::Json => {
                let object: std::collections::BTreeMap<_, _> = parameters.into_iter().collect();
                post.json(&object)
            }
            TokenForm::Basic => {
                // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
                let encode = |text: &str| -> String {
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
                };
                let secret = encode(oauth.client_secret.expose_secret());
                post.basic_auth(encode(&oauth.client_id), Some(secret))
                    .form(&parameters)
            }
        }
        .build()
    }
}
