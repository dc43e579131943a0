//! How an OCI registry is asked: with its credential, or with a token that it has made elsewhere; and
//! where its blobs are with somebody else.
//!
//! The threat: the registry says where to go with the credential, and where to fetch from. So a token
//! is asked for on its own host or one of `token_hosts`, a blob is fetched there or from one of
//! `blob_hosts` without any credential, and each address is held to the registry's own policy. What
//! comes is measured against its digest by whoever asked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use url::Url;

use super::{MANIFEST, WASM};
use crate::config::admission::{OciConfig, host_of};
use crate::config::endpoint::{Credential, EndpointConfig, EndpointSecrets};
use crate::config::secret::Secrets;
use crate::egress::{Bounds, DocumentProblem, Documents, Egress, Endpoints, Request, Response};
use crate::gateway::roster::chain;

/// As an upload may.
const TIME: Duration = Duration::from_secs(600);
/// A token is some kilobytes at most.
const MAX_TOKEN: u64 = 64 << 10;

/// What is to be pulled from where.
pub(super) struct Asked<'a> {
    pub(super) host: &'a str,
    pub(super) repository: &'a str,
    pub(super) config: &'a OciConfig,
}

pub(super) struct Registry<'a> {
    asked: Asked<'a>,
    egress: &'a Egress,
    /// With room for a module.
    config: EndpointConfig,
    secured: EndpointSecrets,
    endpoints: Endpoints,
    has_token: bool,
    deadline: Instant,
}

/// What a token server answers. Either name.
#[derive(Deserialize)]
struct Made {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Registry<'a> {
    pub(super) fn open(
        asked: Asked<'a>,
        egress: &'a Egress,
        secrets: &Secrets,
        most: u64,
    ) -> Result<Self, String> {
        let mut config = asked.config.endpoint.clone();
        config.max_response_bytes = config.max_response_bytes.max(most);
        let field = format!("admission.oci.\"{}\"", asked.host);
        let secured = config.resolve(&field, secrets).map_err(|it| chain(&it))?;
        Ok(Self {
            endpoints: endpoints(egress, asked.host, &config, &secured)?,
            asked,
            egress,
            config,
            secured,
            has_token: false,
            deadline: Instant::now() + TIME,
        })
    }

    pub(super) async fn get(&mut self, path: &str, most: u64) -> Result<Bytes, String> {
        let mut answer = self.send(path, most).await?;
        if answer.status == 401
            && !self.has_token
            && let Some(realm) = answer.header("www-authenticate").and_then(challenge)
        {
            self.take_token(&realm).await?;
            answer = self.send(path, most).await?;
        }
        match answer.status {
            200 => Ok(answer.body),
            301..=303 | 307 | 308 => self.elsewhere(&answer, path, most).await,
            401 | 403 => Err(self.refuses()),
            404 => Err("the OCI registry does not have it: check repository and digest".into()),
            status => Err(format!("the OCI registry answers with status {status}")),
        }
    }

    async fn send(&self, path: &str, most: u64) -> Result<Response, String> {
        let mut request = Request::new(Method::GET, path);
        request.only_reads = true;
        request.tells_elsewhere = true;
        let accept = format!("{MANIFEST}, {WASM}, application/octet-stream");
        request.headers.push(("accept".into(), accept));
        let bounds = Bounds {
            max_response_bytes: most,
            max_further_requests: 3,
            deadline: self.deadline,
        };
        let sent = self.endpoints.send(self.asked.host, request, bounds).await;
        sent.map_err(|error| {
            let kind = error.kind.word();
            format!("the OCI registry gave no answer ({kind}): {error}")
        })
    }

    /// Has a token made for reading this repository, and goes on with it.
    async fn take_token(&mut self, realm: &Challenge) -> Result<(), String> {
        let mut url = self.named(&realm.realm, "token_hosts", &self.asked.config.token_hosts)?;
        let login = match &self.secured.credential {
            Credential::None => None,
            Credential::Basic { user, password } => Some((user.as_str(), password)),
            // It is for the registry itself, as it is.
            _ => return Err(self.refuses()),
        };
        let scope = format!("repository:{}:pull", self.asked.repository);
        if let Some(service) = &realm.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &scope);
        let made = self.documents(MAX_TOKEN)?.get_as(&url, login).await;
        let made = made.map_err(|problem| match problem {
            DocumentProblem::Status(401 | 403) => self.refuses(),
            problem => format!("the OCI registry's token server: {problem}"),
        })?;
        let made: Option<Made> = serde_json::from_slice(&made).ok();
        let token = made.and_then(|made| made.token.or(made.access_token));
        let token = token.ok_or("the OCI registry's token server answers without a token")?;
        let secured = EndpointSecrets {
            credential: Credential::Bearer {
                token: token.into(),
            },
            ..self.secured.clone()
        };
        self.endpoints = endpoints(self.egress, self.asked.host, &self.config, &secured)?;
        self.has_token = true;
        Ok(())
    }

    /// Fetches what the registry has with somebody else, who is told nothing of who asks.
    async fn elsewhere(&self, answer: &Response, path: &str, most: u64) -> Result<Bytes, String> {
        let nowhere = "the OCI registry sends elsewhere, and does not say where";
        let location = answer.header("location").ok_or(nowhere)?;
        let base = Url::parse(&self.config.base_url).and_then(|base| base.join(path));
        let to = base.and_then(|base| base.join(location));
        let to = to.map_err(|_| nowhere)?;
        let url = self.named(to.as_str(), "blob_hosts", &self.asked.config.blob_hosts)?;
        let found = self.documents(most)?.get(&url).await;
        found.map_err(|problem| format!("where the OCI registry has its blobs: {problem}"))
    }

    /// The URL, if it is on the registry's own host or one that is named for it.
    fn named(&self, url: &str, field: &str, hosts: &[String]) -> Result<Url, String> {
        let url = Url::parse(url).map_err(|_| "the OCI registry sends to what is no URL")?;
        let own = Url::parse(&self.config.base_url).ok();
        let host = host_of(&url).unwrap_or_default();
        let is_own = own.as_ref().and_then(host_of).as_ref() == Some(&host);
        if !is_own && !hosts.contains(&host) {
            let (at, host) = (self.asked.host, shown(&host));
            return Err(format!(
                "the OCI registry sends to {host}, which is none of \
                 admission.oci.\"{at}\".{field}: an administrator adds it there"
            ));
        }
        let downgraded = url.scheme() != "https" && own.is_none_or(|own| own.scheme() == "https");
        if downgraded || !url.username().is_empty() || url.password().is_some() {
            return Err(
                "the OCI registry sends to a URL without https, or with a login in it".into(),
            );
        }
        Ok(url)
    }

    fn documents(&self, most: u64) -> Result<Documents, String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let timeout = left.min(Duration::from_millis(self.config.timeout_ms));
        let made = Documents::new(self.egress, &self.config, &self.secured, timeout, most);
        made.map_err(|(field, problem)| {
            format!("admission.oci.\"{}\".{field}: {problem}", self.asked.host)
        })
    }

    fn refuses(&self) -> String {
        format!(
            "the OCI registry refuses the gateway: check admission.oci.\"{}\".credential",
            self.asked.host
        )
    }
}

fn endpoints(
    egress: &Egress,
    host: &str,
    config: &EndpointConfig,
    secured: &EndpointSecrets,
) -> Result<Endpoints, String> {
    let built = Endpoints::build(
        egress,
        "admission.oci",
        &BTreeMap::from([(host.to_owned(), config.clone())]),
        &BTreeMap::new(),
        &BTreeMap::from([(host.to_owned(), secured.clone())]),
    );
    built.map_err(|error| chain(&error))
}

/// Where a token is made, as the registry says.
#[derive(Debug, Eq, PartialEq)]
struct Challenge {
    realm: String,
    service: Option<String>,
}

/// `Bearer realm="…",service="…"` (RFC 9110, section 11.6.1). What scope it names does not matter: it
/// is asked for what is needed.
fn challenge(written: &str) -> Option<Challenge> {
    let (scheme, mut rest) = written.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((name, value)) = rest.split_once('=') else {
            break;
        };
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_once(',').unwrap_or((value, "")),
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            _ => {}
        }
        rest = behind;
    }
    let realm = realm?;
    Some(Challenge { realm, service })
}

/// A host, as far as it is told to people.
fn shown(host: &str) -> &str {
    host.get(..64).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_names_realm_and_service() {
        let read = |text: &str| challenge(text).map(|it| (it.realm, it.service));
        let realm = "https://auth.example.org/token?a=b,c".to_owned();
        let whole =
            format!("Bearer realm=\"{realm}\",service=\"r\",scope=\"repository:a:pull,push\"");
        assert_eq!(read(&whole), Some((realm.clone(), Some("r".into()))));
        let other = format!("bearer  service=r, realm = \"{realm}\"");
        assert_eq!(read(&other), Some((realm, Some("r".into()))));
        for none in [
            "",
            "Basic realm=\"x\"",
            "Bearer",
            "Bearer service=\"r\"",
            "Bearer realm=\"x",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
