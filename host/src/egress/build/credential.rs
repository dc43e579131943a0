//! From a configured credential to what puts it on requests.

use std::time::Duration;

use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use url::Url;

use super::{EndpointProblem, Fault, Parts, configurable, http_url};
use crate::config::endpoint::{Credential, CredentialConfig, OAuth2Client, TokenConnection};
use crate::egress::client::Connection;
use crate::egress::credential::{Authenticator, basic, bearer, secret_value};
use crate::egress::path::Base;
use crate::egress::token::{Fetcher, Login, OAuth2, TokenSource};

/// What a token source is built with, apart from the credential.
pub(super) struct Around<'a> {
    pub(super) base: &'a Base,
    pub(super) connection: &'a Connection,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
}

impl Parts<'_> {
    pub(super) fn authenticator(&self, around: &Around<'_>) -> Result<Authenticator, Fault> {
        let at = |field: &'static str| move |problem| (format!("credential.{field}"), problem);
        let header = |_| EndpointProblem::HeaderValue;
        let configured = self.config.credential != CredentialConfig::None {};
        let credential = match self.secured.map(|it| &it.credential) {
            // Sending without a configured credential would look like a refusal of the registry.
            None | Some(Credential::None) if configured => {
                return Err(("credential".to_owned(), EndpointProblem::Unresolved));
            }
            None => &Credential::None,
            Some(credential) => credential,
        };
        Ok(match credential {
            Credential::None => Authenticator::None,
            Credential::Basic { user, password } => {
                if user.contains(':') {
                    return Err(at("user")(EndpointProblem::Colon));
                }
                let value = basic(user, password.expose_secret()).map_err(header);
                Authenticator::Fixed(AUTHORIZATION, value.map_err(at("password"))?)
            }
            Credential::Bearer { token } => {
                let value = bearer(token.expose_secret()).map_err(header);
                Authenticator::Fixed(AUTHORIZATION, value.map_err(at("token"))?)
            }
            Credential::ApiKey {
                header: name,
                value,
            } => {
                let name = configurable(name).map_err(at("header"))?;
                let value = secret_value(value.expose_secret()).map_err(header);
                Authenticator::Fixed(name, value.map_err(at("value"))?)
            }
            Credential::OAuth2(oauth) => {
                let source = self.oauth2(oauth, around).map_err(at("token_url"))?;
                Authenticator::Token(AUTHORIZATION, source)
            }
            Credential::Session(session) => self.session(session, around)?,
        })
    }

    fn oauth2(
        &self,
        oauth: &OAuth2Client,
        around: &Around<'_>,
    ) -> Result<TokenSource, EndpointProblem> {
        let url = http_url(&oauth.token_url)?;
        let login = Login::OAuth2(OAuth2 {
            url: url.clone(),
            client: oauth.clone(),
        });
        self.token_source(&url, login, oauth.connection, around)
    }

    pub(super) fn token_source(
        &self,
        url: &Url,
        login: Login,
        connection: TokenConnection,
        around: &Around<'_>,
    ) -> Result<TokenSource, EndpointProblem> {
        // `allow_plain_http` is about the registry's data; a client's secret needs more.
        let policy = self.policy(url, false)?;
        let direct = Connection::default();
        let connection = match connection {
            TokenConnection::Same => around.connection,
            TokenConnection::Direct => &direct,
        };
        let client = self.client(url, &policy, around.connect_timeout, connection)?;
        let fetcher = Fetcher {
            client,
            login,
            timeout: around.timeout,
        };
        Ok(TokenSource::new(fetcher, self.keep_refused))
    }
}
