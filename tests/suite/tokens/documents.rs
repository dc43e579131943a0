//! What an issuer tells, and how long it may take.

use std::net::TcpListener;
use std::time::Duration;

use gateway_tests::issuer::{Issuer, Signer};
use serde_json::json;

use super::{but, claims, find, gateway};

/// Each would give a key that signs. None of them is looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_come_from_where_the_issuer_says_within_the_networks_and_from_nowhere_else() {
    let signer = Signer::ec();
    let keys = vec![signer.jwk("k")];
    let elsewhere = TcpListener::bind("127.0.0.2:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let stranger = format!("http://{}/keys", elsewhere.local_addr().unwrap());
    for what in [
        "another issuer",
        "no issuer",
        "moved",
        "elsewhere",
        "a file",
        "large",
    ] {
        let issuer = Issuer::start(keys.clone()).await;
        let url = issuer.url.clone();
        let jwks = format!("{url}/keys");
        match what {
            "another issuer" => {
                issuer.set_discovery(json!({ "issuer": format!("{url}/other"), "jwks_uri": jwks }))
            }
            "no issuer" => issuer.set_discovery(json!({ "jwks_uri": jwks })),
            "moved" => {
                issuer.set_discovery(json!({ "issuer": url, "jwks_uri": format!("{url}/moved") }))
            }
            "elsewhere" => issuer.set_discovery(json!({ "issuer": url, "jwks_uri": stranger })),
            "a file" => {
                issuer.set_discovery(json!({ "issuer": url, "jwks_uri": "file:///etc/passwd" }))
            }
            _ => {
                let mut keys = keys.clone();
                keys[0]["x5c"] = json!(["A".repeat(300_000)]);
                issuer.set_keys(keys);
            }
        }
        let gateway = gateway(&issuer, "").await;
        let answer = find(&gateway, &signer.token("k", &claims(&issuer))).await;
        assert_eq!(
            (answer.status, answer.code()),
            (503, "issuer-unavailable"),
            "{what}"
        );
        assert_eq!(answer.header("retry-after"), "30", "{what}");
        assert_eq!(issuer.asked(), usize::from(what == "large"), "{what}");
    }
    assert!(elsewhere.accept().is_err(), "nobody came");
}

/// Who hangs up ends nobody's waiting, and takes no turn from others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_does_not_end_the_reading_of_keys() {
    let signer = Signer::ec();
    let issuer = Issuer::start(vec![signer.jwk("k")]).await;
    issuer.set_slow(Duration::from_millis(600));
    let gateway = gateway(&issuer, "").await;
    let token = signer.token("k", &claims(&issuer));
    let hasty = tokio::time::timeout(Duration::from_millis(200), find(&gateway, &token)).await;
    assert!(hasty.is_err());
    let patient = but(&issuer, &json!({ "jti": "2" }));
    find(&gateway, &signer.token("k", &patient)).await.ok();
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_hangs_is_waited_for_so_long_and_no_longer() {
    let signer = Signer::ec();
    let issuer = Issuer::start(vec![signer.jwk("k")]).await;
    issuer.set_slow(Duration::from_secs(60));
    let gateway = gateway(&issuer, "timeout_ms = 300").await;
    let begun = std::time::Instant::now();
    let answer = find(&gateway, &signer.token("k", &claims(&issuer))).await;
    assert_eq!((answer.status, answer.code()), (503, "issuer-unavailable"));
    assert!(begun.elapsed() < Duration::from_secs(5));
}
