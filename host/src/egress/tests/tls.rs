//! Client certificates and authorities, against peers that speak TLS.

use super::tls_peer::{Authority, Issued, TlsPeer, Valid};
use super::*;
use crate::config::endpoint::{ClientCertificate, OAuth2Client, TokenConnection, TokenForm};
use crate::egress::tests::peer::Reply;

const AUTHORITY: &str = "ca_file = 'file:a'\n";
const CERTIFICATE: &str = "client_certificate = { chain = 'file:c', key = 'file:k' }\n";

fn configured(base_url: &str, lines: &str) -> EndpointConfig {
    toml::from_str(&format!(
        "base_url = '{base_url}'\nallow_networks = ['127.0.0.1/32']\ntimeout_ms = 5000\n{lines}"
    ))
    .expect("parses")
}

fn trusting(ca: &str) -> EndpointSecrets {
    EndpointSecrets {
        ca: Some(ca.into()),
        ..EndpointSecrets::default()
    }
}

fn showing(ca: &str, issued: &Issued) -> EndpointSecrets {
    EndpointSecrets {
        client_certificate: Some(ClientCertificate {
            chain: issued.chain.as_str().into(),
            key: issued.key.as_str().into(),
        }),
        ..trusting(ca)
    }
}

fn egress() -> Egress {
    Egress::with_lookup(Script::new(&[&["127.0.0.1"]]))
}

fn both(peer: &TlsPeer, secured: EndpointSecrets) -> Endpoints {
    let config = configured(&peer.url(""), &format!("{AUTHORITY}{CERTIFICATE}"));
    build_with(&egress(), config, secured).expect("builds")
}

#[tokio::test]
async fn an_authority_of_its_own_takes_the_place_of_the_systems() {
    let (own, other) = (Authority::new(Valid::Now), Authority::new(Valid::Now));
    let peer = TlsPeer::answering(&own, None).await;
    for (lines, secured, trusted) in [
        (AUTHORITY, trusting(&own.pem), true),
        (
            AUTHORITY,
            trusting(&format!("{}\n{}", other.pem, own.pem)),
            true,
        ),
        (AUTHORITY, trusting(&other.pem), false),
        ("", EndpointSecrets::default(), false),
    ] {
        let endpoints = build_with(&egress(), configured(&peer.url(""), lines), secured);
        let result = send(&endpoints.expect("builds"), get("/a")).await;
        match trusted {
            true => assert_eq!(result.expect("an answer").status, 200),
            false => assert_error(result, Sent::NotSent, ProblemKind::Tls),
        }
    }
    assert_eq!((peer.attempts(), peer.seen().len()), (4, 2));
}

/// The authority's word counts for the name, as everywhere.
#[tokio::test]
async fn an_authority_speaks_for_names_and_not_for_whoever_it_knows() {
    let own = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&own, None).await;
    let another = format!("https://other.example:{}", peer.address.port());
    let endpoints = build_with(
        &egress(),
        configured(&another, AUTHORITY),
        trusting(&own.pem),
    );
    let result = send(&endpoints.expect("builds"), get("/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::Tls);
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn the_client_certificate_is_shown_where_it_is_asked_for() {
    let (own, clients) = (Authority::new(Valid::Now), Authority::new(Valid::Now));
    let peer = TlsPeer::answering(&own, Some(&clients)).await;
    let good = clients.issue("gateway", Valid::Now);
    let endpoints = both(&peer, showing(&own.pem, &good));
    assert_eq!(
        send(&endpoints, get("/a")).await.expect("an answer").status,
        200
    );
    assert_eq!(peer.shown(), [Some(good.der())]);
    assert!(!format!("{endpoints:?}").contains("PRIVATE"));
    // None, and one of another authority. TLS 1.3 refuses after the handshake, where our side
    // cannot tell any more whether it was sent.
    let config = configured(&peer.url(""), AUTHORITY);
    let none = build_with(&egress(), config, trusting(&own.pem)).expect("builds");
    let wrong = both(&peer, showing(&own.pem, &own.issue("gateway", Valid::Now)));
    for endpoints in [none, wrong] {
        let error = send(&endpoints, get("/a")).await.expect_err("refused");
        assert!(
            matches!(error.kind, ProblemKind::Tls | ProblemKind::Interrupted),
            "{error:?}"
        );
    }
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn the_token_endpoint_sees_the_same_certificate_unless_told_otherwise() {
    let (own, clients) = (Authority::new(Valid::Now), Authority::new(Valid::Now));
    let issuer = TlsPeer::start(&own, Some(&clients), |_| {
        let body = "{\"access_token\":\"t\"}";
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        Reply::Answer(format!("{head}{body}").into())
    })
    .await;
    let peer = TlsPeer::answering(&own, Some(&clients)).await;
    let good = clients.issue("gateway", Valid::Now);
    for (connection, works) in [
        (TokenConnection::Same, true),
        (TokenConnection::Direct, false),
    ] {
        let mut secured = showing(&own.pem, &good);
        secured.credential = Credential::OAuth2(OAuth2Client {
            token_url: issuer.url("/token"),
            client_id: "openimis".into(),
            client_secret: SECRET.into(),
            scope: None,
            audience: None,
            form: TokenForm::Form,
            connection,
        });
        let result = send(&both(&peer, secured), get("/a")).await;
        match works {
            true => assert_eq!(result.expect("an answer").status, 200),
            // The system's authorities do not know this one.
            false => assert_error(result, Sent::NotSent, ProblemKind::Credential),
        }
    }
    assert_eq!(issuer.shown(), [Some(good.der())]);
    assert_eq!((issuer.attempts(), issuer.seen().len()), (2, 1));
    assert_eq!(peer.seen().len(), 1);
}

/// Two registries at the same host and port, one connection each: a connection stands for the
/// certificate that it was opened with.
#[tokio::test]
async fn registries_share_no_connection_and_each_keeps_its_own() {
    let (own, clients) = (Authority::new(Valid::Now), Authority::new(Valid::Now));
    let peer = TlsPeer::answering(&own, Some(&clients)).await;
    let egress = egress();
    let issued = ["civil", "social"].map(|name| clients.issue(name, Valid::Now));
    let registries = ["civil", "social"].map(|name| {
        let issued = &issued[usize::from(name == "social")];
        let config = configured(
            &peer.url(""),
            &format!("{AUTHORITY}{CERTIFICATE}headers = {{ x-from = '{name}' }}"),
        );
        Endpoints::build(
            &egress,
            name,
            &BTreeMap::from([("search".to_owned(), config)]),
            &BTreeMap::new(),
            &BTreeMap::from([("search".to_owned(), showing(&own.pem, issued))]),
        )
        .expect("builds")
    });
    for _ in 0..10 {
        for registry in &registries {
            send(registry, get("/a")).await.expect("an answer");
        }
    }
    assert_eq!(peer.shown(), issued.map(|it| Some(it.der())), "one each");
    assert_eq!(peer.seen().len(), 20);
}

/// What `registry apply` says of a PEM that cannot work.
#[test]
fn a_certificate_that_cannot_work_is_refused_by_field() {
    let now = Authority::new(Valid::Now);
    let good = now.issue("gateway", Valid::Now);
    let over = now.issue("gateway", Valid::Over);
    let early = now.issue("gateway", Valid::NotYet);
    let another = now.issue("gateway", Valid::Now);
    let (old, future) = (Authority::new(Valid::Over), Authority::new(Valid::NotYet));
    let cut = &good.chain[..good.chain.len() / 2];
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let nothing = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let (ca, chain, key) = (now.pem.as_str(), good.chain.as_str(), good.key.as_str());
    let two = format!("{chain}{}", over.chain);
    for (ca, chain, key, field, words) in [
        ("words", chain, key, "ca_file", "no -----BEGIN CERTIFICATE"),
        (key, chain, key, "ca_file", "no -----BEGIN CERTIFICATE"),
        (cut, chain, key, "ca_file", "not whole PEM"),
        (broken, chain, key, "ca_file", "number 1 cannot be read"),
        (&old.pem, chain, key, "ca_file", "number 1 has expired"),
        (
            &future.pem,
            chain,
            key,
            "ca_file",
            "number 1 is not valid yet",
        ),
        (
            ca,
            "words",
            key,
            "client_certificate.chain",
            "no -----BEGIN CERTIFICATE",
        ),
        (
            ca,
            key,
            chain,
            "client_certificate.chain",
            "no -----BEGIN CERTIFICATE",
        ),
        (ca, cut, key, "client_certificate.chain", "not whole PEM"),
        (
            ca,
            &over.chain,
            &over.key,
            "client_certificate.chain",
            "number 1 has expired",
        ),
        (
            ca,
            &two,
            key,
            "client_certificate.chain",
            "number 2 has expired",
        ),
        (
            ca,
            &early.chain,
            &early.key,
            "client_certificate.chain",
            "number 1 is not valid yet",
        ),
        (
            ca,
            chain,
            "words",
            "client_certificate.key",
            "no -----BEGIN PRIVATE KEY",
        ),
        (
            ca,
            chain,
            chain,
            "client_certificate.key",
            "no -----BEGIN PRIVATE KEY",
        ),
        (
            ca,
            chain,
            encrypted,
            "client_certificate.key",
            "without a passphrase",
        ),
        (
            ca,
            chain,
            older,
            "client_certificate.key",
            "without a passphrase",
        ),
        (ca, chain, nothing, "client_certificate.key", "unknown kind"),
        (
            ca,
            chain,
            &another.key,
            "client_certificate.key",
            "not that of the chain's first",
        ),
    ] {
        let config = configured("https://r.example", &format!("{AUTHORITY}{CERTIFICATE}"));
        let issued = Issued {
            chain: chain.into(),
            key: key.into(),
        };
        let error = build_with(&egress(), config, showing(ca, &issued)).expect_err(words);
        let text = format!("{error}");
        assert!(
            error.field == field && text.contains(words),
            "{words}: {text}"
        );
        assert!(!format!("{error:?}").contains("AAAA"), "{error:?}");
    }
    // While an authority is replaced both are in the bundle, and then the old one is over.
    let config = || configured("https://r.example", AUTHORITY);
    let bundle = format!("# ours\n{}{}", old.pem, now.pem);
    build_with(&egress(), config(), trusting(&bundle)).expect("one is good");
}

/// An authority that is over vouches for nobody, beside one that is not.
#[tokio::test]
async fn an_authority_that_is_over_is_not_trusted() {
    let (old, now) = (Authority::new(Valid::Over), Authority::new(Valid::Now));
    let peer = TlsPeer::answering(&old, None).await;
    let bundle = trusting(&format!("{}{}", old.pem, now.pem));
    let endpoints = build_with(&egress(), configured(&peer.url(""), AUTHORITY), bundle);
    let result = send(&endpoints.expect("builds"), get("/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::Tls);
}

#[test]
fn keys_come_in_the_files_that_openssl_writes() {
    let now = Authority::new(Valid::Now);
    let good = now.issue("gateway", Valid::Now);
    let comments = "Bag Attributes\n    friendlyName: gateway\n";
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let issued = Issued {
        chain: format!("{comments}{}{}", good.chain, now.pem.trim_end()),
        key: format!("{parameters}{}", good.key.trim_end()),
    };
    let config = configured("https://r.example", &format!("{AUTHORITY}{CERTIFICATE}"));
    build_with(&egress(), config, showing(&now.pem, &issued)).expect("builds");
}

/// Configured, but not read: not sent without.
#[test]
fn what_was_not_read_is_not_left_out() {
    for (lines, field) in [(AUTHORITY, "ca_file"), (CERTIFICATE, "client_certificate")] {
        let config = configured("https://r.example", lines);
        let error = build_with(&egress(), config, EndpointSecrets::default()).expect_err(field);
        assert_eq!(error.field, field);
        let config = configured("http://r.example", lines);
        let error = build_with(&egress(), config, EndpointSecrets::default()).expect_err(field);
        assert!(
            error.field == field && error.to_string().contains("https"),
            "{error}"
        );
    }
}
