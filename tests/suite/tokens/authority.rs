//! An issuer that the system's authorities do not vouch for.

use gateway_tests::fault_proxy::{AUTHORITY, FaultProxy, Mode};
use gateway_tests::gateway::TestGateway;
use gateway_tests::issuer::{Issuer, Signer};
use registry_gateway::config::secret::SecretSource;
use serde_json::json;

use super::{claims, config, find};

/// It is believed where its own authority vouches for it, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_may_have_an_authority_of_its_own() {
    let signer = Signer::ec();
    let mut issuer = Issuer::start(vec![signer.jwk("k")]).await;
    let behind = issuer
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/realm");
    let proxy = FaultProxy::start().await;
    proxy.forward_to(behind.parse().unwrap());
    proxy.set(Mode::Tls).await;
    issuer.url = format!("{}/realm", proxy.url("https"));
    issuer.set_discovery(json!({
        "issuer": issuer.url, "jwks_uri": format!("{}/keys", issuer.url),
    }));
    let token = signer.token("k", &claims(&issuer));
    let start = async |ca: &str| {
        let config = config(&issuer, ca);
        let builder = TestGateway::builder().secret_file("authority.pem", AUTHORITY);
        builder
            .config(move |all| drop(all.callers.issuers.insert("idp".into(), config)))
            .start()
            .await
    };
    let trusting = start("ca_file = 'file:authority.pem'").await;
    find(&trusting, &token).await.ok();
    let strange = start("").await;
    let refused = find(&strange, &token).await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "issuer-unavailable")
    );
    assert_eq!(issuer.asked(), 1);
    // Before anything is served, not with the first token.
    let refusal = trusting.not_beside(|config| {
        let idp = config.callers.issuers.get_mut("idp").unwrap();
        idp.ca_file = Some(SecretSource::parse("file:nobody.pem").unwrap());
    });
    let refusal = refusal.await;
    assert!(refusal.contains("callers.issuers.idp"), "{refusal}");
    assert!(refusal.contains("ca_file"), "{refusal}");
}
