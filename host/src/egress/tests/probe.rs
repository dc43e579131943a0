//! Each step of the way fails once, against real listeners.

use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::peer::{OK, Reply};
use super::tls_peer::{Authority, NAME, TlsPeer, Valid};
use super::*;
use crate::config::endpoint::OAuth2Client;

/// `tls: fails: …; remedy`, and which steps were not reached.
async fn probed(config: EndpointConfig, secured: impl Into<EndpointSecrets>) -> Vec<String> {
    let egress = Egress::with_lookup(Script::new(&[&["127.0.0.1"]]));
    probed_with(&egress, config, secured).await
}

async fn probed_with(
    egress: &Egress,
    config: EndpointConfig,
    secured: impl Into<EndpointSecrets>,
) -> Vec<String> {
    let endpoints = build_with(egress, config.clone(), secured).expect("builds");
    let steps = endpoints.probe(egress, "search", &config).await;
    let steps = steps.expect("the endpoint");
    assert_eq!(steps.len(), 6);
    let told: Vec<String> = steps
        .iter()
        .map(|it| match &it.end {
            ProbeEnd::Works(told) => format!("{} works: {told}", it.step),
            ProbeEnd::Fails { problem, remedy } => {
                assert!(!remedy.is_empty());
                format!("{} fails: {problem}; {remedy}", it.step)
            }
            ProbeEnd::NotReached => format!("{} not reached", it.step),
        })
        .collect();
    assert!(!told.concat().contains(SECRET), "{told:?}");
    told
}

/// That it fails first at that step, so, with that remedy.
fn fails(told: &[String], step: usize, problem: &str, remedy: &str) {
    for (at, line) in told.iter().enumerate() {
        match at.cmp(&step) {
            std::cmp::Ordering::Less => assert!(line.contains(" works: "), "{told:?}"),
            std::cmp::Ordering::Equal => {
                let (what, why) = line.split_once("; ").unwrap_or((line, ""));
                assert!(
                    what.contains(" fails: ") && what.contains(problem),
                    "{told:?}"
                );
                assert!(why.contains(remedy), "{told:?}");
            }
            std::cmp::Ordering::Greater => assert!(line.ends_with(" not reached"), "{told:?}"),
        }
    }
}

fn trusting(peer: &TlsPeer, authority: &Authority) -> (EndpointConfig, EndpointSecrets) {
    let config = EndpointConfig {
        ca_file: serde_json::from_str("\"file:ca.pem\"").expect("a place"),
        ..config(&peer.url("/"))
    };
    let secured = EndpointSecrets {
        ca: Some(authority.pem.clone().into()),
        ..EndpointSecrets::default()
    };
    (config, secured)
}

#[tokio::test]
async fn a_way_that_works() {
    let authority = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&authority, None).await;
    let (config, secured) = trusting(&peer, &authority);
    let told = probed(config, secured).await;
    assert!(
        told.iter().all(|line| line.contains(" works: ")),
        "{told:?}"
    );
    assert!(told.last().is_some_and(|line| line.ends_with("status 200")));
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn a_name_that_is_none() {
    let egress = Egress::with_lookup(Script::new(&[]));
    let config = config("https://no.example/");
    let told = probed_with(&egress, config, Credential::None).await;
    fails(&told, 0, "no.example does not resolve", "DNS");
}

#[tokio::test]
async fn an_address_that_is_not_granted() {
    for (address, remedy) in [
        ("10.1.2.3", "\"10.1.2.3/32\" to allow_networks"),
        ("169.254.169.254", "no grant opens it"),
    ] {
        let egress = Egress::with_lookup(Script::new(&[&[address]]));
        let told = probed_with(&egress, config("https://r.example/"), Credential::None).await;
        fails(&told, 1, address, remedy);
    }
}

#[tokio::test]
async fn a_port_where_nobody_is() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("address");
    drop(listener);
    let told = probed(config(&format!("http://{address}/")), Credential::None).await;
    fails(&told, 2, "refused", "firewall");
}

#[tokio::test]
async fn certificates_that_are_not_right() {
    let authority = Authority::new(Valid::Now);
    let reply = |_: &str| Reply::Answer(OK.into());
    for (issued, problem, remedy) in [
        (authority.issue(NAME, Valid::Over), "has expired", "new one"),
        (
            authority.issue(NAME, Valid::NotYet),
            "not valid yet",
            "clock",
        ),
        (
            authority.issue("other.example", Valid::Now),
            "another name",
            "write the name",
        ),
        (
            Authority::new(Valid::Now).issue(NAME, Valid::Now),
            "not trusted",
            "ca_file",
        ),
    ] {
        let peer = TlsPeer::with(issued, None, reply).await;
        let (config, secured) = trusting(&peer, &authority);
        fails(&probed(config, secured).await, 3, problem, remedy);
        assert!(peer.seen().is_empty());
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_wanted() {
    let authority = Authority::new(Valid::Now);
    let clients = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&authority, Some(&clients)).await;
    let (config, secured) = trusting(&peer, &authority);
    let told = probed(config, secured).await;
    fails(&told, 3, "client certificate", "client_certificate");
}

/// One that speaks first, and one that waits for what it understands.
#[tokio::test]
async fn no_tls_where_https_is_written() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("bind");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bad = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            let _ = stream.write_all(bad).await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    let told = probed(config(&format!("https://{NAME}:{port}/")), Credential::None).await;
    fails(&told, 3, "does not speak TLS", "http://");

    let silent = Peer::answering(OK).await;
    let mut config = config(&format!("https://{NAME}:{}/", silent.address.port()));
    config.connect_timeout_ms = 300;
    let told = probed(config, Credential::None).await;
    fails(&told, 3, "came to no end", "base_url");
}

#[tokio::test]
async fn a_credential_that_is_refused() {
    let tokens = Peer::answering("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").await;
    let peer = Peer::answering(OK).await;
    let oauth = OAuth2Client {
        token_url: tokens.url("/token"),
        client_id: "openimis".into(),
        client_secret: SECRET.into(),
        scope: None,
        audience: None,
        form: Default::default(),
        connection: Default::default(),
    };
    let told = probed(config(&peer.url("/")), Credential::OAuth2(oauth)).await;
    fails(&told, 4, "the token endpoint answered 401", "credential");
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn answers_that_are_none() {
    for (answer, problem, remedy) in [
        ("SSH-2.0-OpenSSH_9\r\n", "not HTTP", "base_url"),
        (
            "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
            "status 401",
            "credential",
        ),
        (
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            "status 503",
            "owner",
        ),
    ] {
        let answer = answer.to_owned();
        let peer = Peer::start(move |_| Reply::AnswerAndClose(answer.clone().into())).await;
        let token = SECRET.into();
        let told = probed(config(&peer.url("/")), Credential::Bearer { token }).await;
        fails(&told, 5, problem, remedy);
    }
    let peer = Peer::answering("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n").await;
    let told = probed(config(&peer.url("/")), Credential::None).await;
    assert!(
        told.last().is_some_and(|line| line.ends_with("status 404")),
        "{told:?}"
    );
}
