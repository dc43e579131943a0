//! From a declared login to a request with its secrets put in.
//!
//! The threat: a password with a quote or an ampersand in it, that ends a string or adds a
//! parameter where it is spliced into a text. So secrets are put into values, and the body is
//! written from the values.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use url::Url;

use super::credential::Around;
use super::{EndpointProblem, Fault, Parts, configurable, http_url};
use crate::config::endpoint::{
    Expiry, LoginConfig, LoginMethod, SendAs, SessionConfig, TokenPlace,
};
use crate::egress::credential::{Authenticator, secret_value};
use crate::egress::token::{Login, Place, Session};

impl Parts<'_> {
    pub(super) fn session(
        &self,
        config: &SessionConfig,
        around: &Around<'_>,
    ) -> Result<Authenticator, Fault> {
        let at = |field: &str| {
            let field = format!("credential.{field}");
            move |problem| (field, problem)
        };
        let url = self
            .login_url(&config.login, around)
            .map_err(at("login.url"))?;
        let (url, headers, body) = self
            .login(&config.login, url)
            .map_err(|(field, problem)| at(&format!("login.{field}"))(problem))?;
        let token = match &config.token {
            TokenPlace::Json(pointer) => Place::Json(checked(pointer).map_err(at("token.json"))?),
            TokenPlace::Header(name) => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| EndpointProblem::HeaderName(name.clone()));
                Place::Header(name.map_err(at("token.header"))?)
            }
            TokenPlace::Cookie(name) => {
                Place::Cookie(cookie_name(name).map_err(at("token.cookie"))?)
            }
        };
        check_expiry(config.expires.as_ref()).map_err(|(field, problem)| at(field)(problem))?;
        let (name, prefix, is_cookie) = match &config.send_as {
            SendAs::Header { header, prefix } => {
                let name = configurable(header).map_err(at("send_as.header"))?;
                secret_value(prefix)
                    .map_err(|_| at("send_as.prefix")(EndpointProblem::HeaderValue))?;
                (name, prefix.clone(), false)
            }
            SendAs::Cookie { cookie } => {
                let cookie = cookie_name(cookie).map_err(at("send_as.cookie"))?;
                (COOKIE, format!("{cookie}="), true)
            }
        };
        let session = Session {
            method: match config.login.method {
                LoginMethod::Get => Method::GET,
                LoginMethod::Post => Method::POST,
                LoginMethod::Put => Method::PUT,
            },
            url: url.clone(),
            headers,
            body,
            token,
            expires: config.expires.clone(),
            prefix,
            is_cookie,
        };
        let source = self
            .token_source(&url, Login::Session(session), config.connection, around)
            .map_err(at("login.url"))?;
        Ok(Authenticator::Token(name, source))
    }

    fn login_url(&self, login: &LoginConfig, around: &Around<'_>) -> Result<Url, EndpointProblem> {
        if login.url.starts_with('/') {
            let joined = around.base.join(&login.url, &[]);
            return joined.map_err(|error| EndpointProblem::Path(error.to_string()));
        }
        http_url(&login.url)
    }

    /// URL, headers and body with the secrets put in, or the field that is wrong.
    fn login(
        &self,
        login: &LoginConfig,
        mut url: Url,
    ) -> Result<(Url, HeaderMap, Option<Bytes>), Fault> {
        for (name, value) in self.values("query", &login.query)? {
            url.query_pairs_mut().append_pair(&name, &value);
        }
        let (kind, body) = match (&login.form, &login.json) {
            (Some(_), Some(_)) => return Err(("json".to_owned(), EndpointProblem::TwoBodies)),
            (Some(form), None) => {
                let mut text = url::form_urlencoded::Serializer::new(String::new());
                text.extend_pairs(self.values("form", form)?);
                let kind = "application/x-www-form-urlencoded";
                (Some(kind), Some(text.finish()))
            }
            (None, Some(json)) => {
                let json = self
                    .json(json)
                    .map_err(|problem| ("json".to_owned(), problem))?;
                (Some("application/json"), Some(json.to_string()))
            }
            (None, None) => (None, None),
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in self.values("headers", &login.headers)? {
            let at = |problem| (format!("headers.{name}"), problem);
            let parsed = configurable(&name).map_err(at)?;
            let value = secret_value(&value).map_err(|_| at(EndpointProblem::HeaderValue))?;
            headers.insert(parsed, value);
        }
        Ok((url, headers, body.map(Bytes::from)))
    }

    fn values(
        &self,
        field: &str,
        templates: &BTreeMap<String, String>,
    ) -> Result<Vec<(String, String)>, Fault> {
        let expand = |(name, template): (&String, &String)| {
            self.expand(template, str::to_owned)
                .map(|value| (name.clone(), value))
                .map_err(|problem| (format!("{field}.{name}"), problem))
        };
        templates.iter().map(expand).collect()
    }

    /// Secrets go into texts, never into names.
    fn json(&self, template: &Value) -> Result<Value, EndpointProblem> {
        Ok(match template {
            Value::String(text) => Value::String(self.expand(text, str::to_owned)?),
            Value::Array(list) => {
                let list: Result<_, _> = list.iter().map(|item| self.json(item)).collect();
                Value::Array(list?)
            }
            Value::Object(fields) => {
                let fields: Result<_, _> = fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.json(value)?)))
                    .collect();
                Value::Object(fields?)
            }
            other => other.clone(),
        })
    }
}

fn check_expiry(expires: Option<&Expiry>) -> Result<(), (&'static str, EndpointProblem)> {
    match expires {
        Some(Expiry::Seconds(0)) => Err(("expires.seconds", EndpointProblem::Zero)),
        Some(Expiry::After(pointer)) => {
            let checked = checked(pointer).map_err(|problem| ("expires.after", problem));
            checked.map(drop)
        }
        Some(Expiry::At(pointer)) => {
            let checked = checked(pointer).map_err(|problem| ("expires.at", problem));
            checked.map(drop)
        }
        Some(Expiry::Seconds(_)) | None => Ok(()),
    }
}

/// RFC 6901, section 3.
fn checked(pointer: &str) -> Result<String, EndpointProblem> {
    let begins = pointer.is_empty() || pointer.starts_with('/');
    let escapes = pointer
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    match begins && escapes {
        true => Ok(pointer.to_owned()),
        false => Err(EndpointProblem::Pointer),
    }
}

/// A token of RFC 9110, as a header's name is.
fn cookie_name(name: &str) -> Result<String, EndpointProblem> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(EndpointProblem::CookieName),
    }
}
