//! The three hosts by TLS, by an authority of their own.

use gateway_tests::fault_proxy::{AUTHORITY, FaultProxy, Mode};
use gateway_tests::gateway::TestGateway;
use registry_gateway::config::secret::SecretSource;

use super::*;

/// Each host behind TLS.
struct Secured {
    hosts: Hosts,
    proxies: Vec<FaultProxy>,
}

impl Secured {
    async fn start() -> Self {
        let hosts = Hosts::start().await;
        let mut proxies = Vec::new();
        for index in 0..3 {
            let proxy = FaultProxy::start().await;
            proxy.forward_to(hosts.told.host(index).parse().unwrap());
            proxy.set(Mode::Tls).await;
            proxies.push(proxy);
        }
        let it = Self { hosts, proxies };
        it.sends_to(&it.url(1), &it.url(2));
        it
    }

    fn url(&self, index: usize) -> String {
        self.proxies[index].url("https")
    }

    fn host(&self, index: usize) -> String {
        self.url(index).replace("https://", "")
    }

    /// Where it sends for tokens, and for blobs.
    fn sends_to(&self, token: &str, blob: &str) {
        let told = &self.hosts.told;
        *told.realm.lock().unwrap() = Some(format!("{token}/token?of=it"));
        *told.place.lock().unwrap() = Some(format!("{blob}/b/1?{SIGNED}"));
    }

    fn reference(&self) -> String {
        let plain = self.hosts.told.host(0);
        self.hosts.reference.replace(&plain, &self.host(0))
    }

    async fn gateway(&self, change: impl FnOnce(&mut OciConfig)) -> TestGateway {
        let mut endpoint = EndpointConfig::new(format!("{}/", self.url(0)));
        endpoint.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        endpoint.ca_file = Some(SecretSource::parse("file:authority.pem").unwrap());
        let basic = json!({ "kind": "basic", "user": "puller", "password": "file:oci" });
        endpoint.credential = serde_json::from_value(basic).unwrap();
        let mut config = OciConfig::from(endpoint);
        config.token_hosts = vec![self.host(1), self.hosts.told.host(1)];
        config.blob_hosts = vec![self.host(2), self.hosts.told.host(2)];
        change(&mut config);
        let host = self.host(0);
        TestGateway::builder()
            .secret_file("oci", "open sesame")
            .secret_file("authority.pem", AUTHORITY)
            .config(move |all| drop(all.admission.oci.insert(host, config)))
            .start()
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_hosts_are_believed_by_the_authority_of_the_registry() {
    let secured = Secured::start().await;
    let gateway = secured.gateway(|_| {}).await;
    let pulled = pull(&gateway, "one", &secured.reference()).await;
    assert_eq!(pulled.status, 201, "{}", pulled.text);
    // Without it none is, the other hosts neither.
    for (index, words) in [
        (1, "token server: no connection"),
        (2, "blobs: no connection"),
    ] {
        let gateway = secured.gateway(|_| {}).await;
        secured.proxies[index].set(Mode::SelfSigned).await;
        let refused = pull(&gateway, "two", &secured.reference()).await;
        assert!(finding(&refused).contains(words), "{}", refused.text);
        secured.proxies[index].set(Mode::Tls).await;
    }
}

/// Named or not, and within `allow_networks`.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_by_https_sends_nobody_to_plain_http() {
    let secured = Secured::start().await;
    let gateway = secured.gateway(|_| {}).await;
    let plain = |index| format!("http://{}", secured.hosts.told.host(index));
    for (name, token, blob) in [
        ("one", plain(1), secured.url(2)),
        ("two", secured.url(1), plain(2)),
    ] {
        secured.sends_to(&token, &blob);
        let refused = pull(&gateway, name, &secured.reference()).await;
        assert!(
            finding(&refused).contains("a URL without https"),
            "{}",
            refused.text
        );
    }
    let seen = secured.hosts.seen();
    assert!(
        !seen.iter().any(|line| line.starts_with("blob")),
        "{seen:?}"
    );
    let tokens = seen.iter().filter(|line| line.starts_with("token"));
    assert_eq!(tokens.count(), 1, "the second's alone: {seen:?}");
}
