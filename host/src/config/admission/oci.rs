use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::config::endpoint::EndpointConfig;

/// An OCI registry that modules are pulled from: an endpoint, and whom it may send the gateway to.
///
/// ```toml
/// [admission.oci."registry.example.org"]
/// base_url = "https://registry.example.org/"
/// token_hosts = ["auth.example.org"]
/// blob_hosts = ["blobs.example.org"]
/// ```
#[derive(Clone, Debug)]
pub struct OciConfig {
    /// The registry itself.
    pub endpoint: EndpointConfig,
    /// Hosts that make its tokens, beside its own: they are shown its credential.
    pub token_hosts: Vec<String>,
    /// Hosts that have its blobs, beside its own: they are shown nothing.
    pub blob_hosts: Vec<String>,
}

impl From<EndpointConfig> for OciConfig {
    fn from(endpoint: EndpointConfig) -> Self {
        Self {
            endpoint,
            token_hosts: Vec::new(),
            blob_hosts: Vec::new(),
        }
    }
}

/// By hand: what is flattened would take any key for right.
impl<'de> Deserialize<'de> for OciConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(from)?;
        let mut hosts = |key: &str| {
            let Some(written) = table.remove(key) else {
                return Ok(Vec::new());
            };
            let hosts: Result<Vec<String>, _> = written.try_into();
            let hosts = hosts
                .ok()
                .filter(|hosts| hosts.iter().all(|it| is_host(it)));
            hosts.ok_or_else(|| {
                D::Error::custom(format!(
                    "{key}: is a list of hosts, like \"auth.example.org\" or \"10.0.0.8:5001\""
                ))
            })
        };
        Ok(Self {
            token_hosts: hosts("token_hosts")?,
            blob_hosts: hosts("blob_hosts")?,
            endpoint: table
                .try_into()
                .map_err(|error: toml::de::Error| D::Error::custom(error.message()))?,
        })
    }
}

/// A host, and a port where it is not the usual one.
fn is_host(text: &str) -> bool {
    let url = url::Url::parse(&format!("https://{text}/"));
    url.is_ok_and(|url| host_of(&url).as_deref() == Some(text))
}

/// A URL's host and port as they stand in `token_hosts`: without the scheme's own port.
pub fn host_of(url: &url::Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<OciConfig, String> {
        let text = format!("base_url = 'https://r.example.org/'\n{more}");
        toml::from_str(&text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn it_is_an_endpoint_and_whom_it_may_send_to() {
        let config = read("token_hosts = ['auth.example.org', '10.0.0.8:5001']\ntimeout_ms = 7");
        let config = config.unwrap();
        assert_eq!(config.token_hosts, ["auth.example.org", "10.0.0.8:5001"]);
        assert_eq!(
            (config.blob_hosts.len(), config.endpoint.timeout_ms),
            (0, 7)
        );
        for (wrong, words) in [
            ("blob_host = ['b.example.org']", "unknown field `blob_host`"),
            (
                "blob_hosts = ['https://b.example.org/']",
                "blob_hosts: is a list of hosts",
            ),
            ("blob_hosts = ['b.example.org/x']", "blob_hosts"),
            ("blob_hosts = ['me@b.example.org']", "blob_hosts"),
            ("token_hosts = ['*.example.org:443']", "token_hosts"),
            ("token_hosts = 'auth.example.org'", "token_hosts"),
        ] {
            let problem = read(wrong).unwrap_err();
            assert!(problem.contains(words), "{wrong}: {problem}");
        }
    }
}
