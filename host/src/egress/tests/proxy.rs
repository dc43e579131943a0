//! Through a proxy, against one on loopback.

use super::peer::Reply;
use super::tls_peer::{Authority, NAME, TlsPeer, Valid};
use super::tunnel::{Tunnel, Tunnels};
use super::*;

/// What the proxy's password is, and in its header.
const PASSWORD: &str = "pr0xy-passw0rd";
const BASIC: &str = "Basic Z2F0ZXdheTpwcjB4eS1wYXNzdzByZA==";

fn through(proxy: &str, base_url: &str) -> EndpointConfig {
    toml::from_str(&format!(
        "base_url = '{base_url}'\nallow_networks = ['127.0.0.1/32']\nca_file = 'file:a'\n\
         connect_timeout_ms = 5000\n\
         proxy = {{ url = '{proxy}', user = 'gateway', password = 'file:p' }}"
    ))
    .expect("parses")
}

fn secured(authority: &Authority) -> EndpointSecrets {
    EndpointSecrets {
        credential: Credential::Bearer {
            token: SECRET.into(),
        },
        ca: Some(authority.pem.as_str().into()),
        proxy_password: Some(PASSWORD.into()),
        ..EndpointSecrets::default()
    }
}

/// Knows the proxy's name and no other, as behind a proxy.
struct Inside;

#[async_trait]
impl Lookup for Inside {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match name {
            "proxy.internal" => Ok(vec!["127.0.0.1".parse().expect("address")]),
            "elsewhere.internal" => Ok(vec!["127.0.0.2".parse().expect("address")]),
            _ => Err(io::Error::other("no such name")),
        }
    }
}

fn inside() -> Egress {
    Egress::with_lookup(Arc::new(Inside))
}

#[tokio::test]
async fn a_request_goes_through_the_tunnel_and_each_credential_to_its_own() {
    let own = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&own, None).await;
    let tunnel = Tunnel::start(Tunnels::To(peer.address)).await;
    let proxy = format!("http://proxy.internal:{}", tunnel.address.port());
    let config = through(&proxy, &peer.url("/api"));
    let endpoints = build_with(&inside(), config, secured(&own)).expect("builds");
    for _ in 0..3 {
        let response = send(&endpoints, get("/a")).await.expect("an answer");
        assert_eq!(response.status, 200);
    }
    let asked = tunnel.asked();
    assert_eq!(asked.len(), 1, "one connection for all: {asked:?}");
    let line = format!("CONNECT {NAME}:{} HTTP/1.1\r\n", peer.address.port());
    assert!(asked[0].starts_with(&line), "{}", asked[0]);
    assert!(asked[0].to_lowercase().contains("proxy-authorization: "));
    assert!(
        asked[0].contains(BASIC) && !asked[0].contains(SECRET),
        "{}",
        asked[0]
    );
    let seen = peer.seen();
    assert_eq!(seen.len(), 3);
    for request in seen {
        assert!(request.contains(&format!("authorization: Bearer {SECRET}\r\n")));
        assert!(!request.to_lowercase().contains("proxy"), "{request}");
        assert!(
            !request.contains(BASIC) && !request.contains(PASSWORD),
            "{request}"
        );
    }
}

#[tokio::test]
async fn an_adapter_does_not_speak_to_the_proxy() {
    let own = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&own, None).await;
    let tunnel = Tunnel::start(Tunnels::To(peer.address)).await;
    let config = through(&tunnel.url(), &peer.url(""));
    let endpoints = build_with(&inside(), config, secured(&own)).expect("builds");
    let mut request = get("/a");
    request.headers = vec![("Proxy-Authorization".into(), "Basic bWU6bWU=".into())];
    let result = send(&endpoints, request).await;
    assert_error(result, Sent::NotSent, ProblemKind::RequestRefused);
    assert!(tunnel.asked().is_empty());
}

#[tokio::test]
async fn a_proxy_that_fails_is_told_and_nothing_was_sent() {
    let own = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&own, None).await;
    for (tunnels, kind, words) in [
        (
            Tunnels::Refuses("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
            ProblemKind::Connect,
            "refuses the gateway's user or password",
        ),
        (
            Tunnels::Refuses("HTTP/1.1 403 Forbidden\r\n\r\n"),
            ProblemKind::Connect,
            "opens no tunnel",
        ),
        (
            Tunnels::Refuses("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
            ProblemKind::Connect,
            "opens no tunnel",
        ),
        (
            Tunnels::Refuses("220 mail\r\n\r\n"),
            ProblemKind::Connect,
            "opens no tunnel",
        ),
        (
            Tunnels::Refuses(""),
            ProblemKind::Connect,
            "opens no tunnel",
        ),
        (
            Tunnels::Silent,
            ProblemKind::TimedOut,
            "no connection in time",
        ),
    ] {
        let tunnel = Tunnel::start(tunnels).await;
        let mut config = through(&tunnel.url(), &peer.url(""));
        if kind == ProblemKind::TimedOut {
            config.connect_timeout_ms = 100;
        }
        let endpoints = build_with(&inside(), config, secured(&own)).expect("builds");
        let result = send(&endpoints, Request::new(Method::POST, "/a")).await;
        let error = result.clone().expect_err("no tunnel");
        assert!(error.message.contains(words), "{error:?}");
        assert!(!format!("{error:?}").contains(PASSWORD));
        assert_error(result, Sent::NotSent, kind);
        assert_eq!(tunnel.asked().len(), 1);
    }
    assert_eq!(peer.attempts(), 0);
    // Nobody is there; a name that leads elsewhere; no such name.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let gone = listener.local_addr().expect("address").port();
    drop(listener);
    for (host, kind) in [
        ("127.0.0.1", ProblemKind::Connect),
        ("elsewhere.internal", ProblemKind::AddressRefused),
        ("nowhere.internal", ProblemKind::Dns),
    ] {
        let config = through(&format!("http://{host}:{gone}"), &peer.url(""));
        let endpoints = build_with(&inside(), config, secured(&own)).expect("builds");
        assert_error(send(&endpoints, get("/a")).await, Sent::NotSent, kind);
    }
}

/// The registry's name leads to someone inside the proxy's network: he sees no request.
#[tokio::test]
async fn a_name_that_the_proxy_resolves_elsewhere_gets_a_handshake_and_no_more() {
    let (own, other) = (Authority::new(Valid::Now), Authority::new(Valid::Now));
    let registry = TlsPeer::answering(&own, None).await;
    let inner = TlsPeer::answering(&other, None).await;
    let plain = Peer::start(|_| Reply::Answer(peer::OK.into())).await;
    for target in [inner.address, plain.address] {
        let tunnel = Tunnel::start(Tunnels::To(target)).await;
        let mut config = through(&tunnel.url(), &registry.url(""));
        // Who speaks no TLS waits for the end of a line that never comes.
        config.connect_timeout_ms = 500;
        let endpoints = build_with(&inside(), config, secured(&own)).expect("builds");
        let error = send(&endpoints, get("/a")).await.expect_err("no TLS");
        assert_eq!(error.sent, Sent::NotSent, "{error:?}");
        assert_eq!(tunnel.asked().len(), 1);
    }
    assert!(inner.seen().is_empty() && plain.seen().is_empty());
    assert_eq!((inner.attempts(), plain.connections()), (1, 1));
}

#[tokio::test]
async fn a_target_that_is_an_address_is_checked_before_the_proxy_is_asked() {
    let own = Authority::new(Valid::Now);
    let tunnel = Tunnel::start(Tunnels::Silent).await;
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "0x7f.2",
        "[::1]",
        "[::ffff:10.0.0.1]",
    ] {
        let config = through(&tunnel.url(), &format!("https://{host}/"));
        let error = build_with(&inside(), config, secured(&own)).expect_err(host);
        assert_eq!(error.field, "base_url");
    }
    assert!(tunnel.asked().is_empty());
}

/// Registries behind different proxies, and one behind none, at the same host and port.
#[tokio::test]
async fn proxies_share_no_connection() {
    let own = Authority::new(Valid::Now);
    let peer = TlsPeer::answering(&own, None).await;
    let egress = Egress::with_lookup(Script::new(&[&["127.0.0.1"]]));
    let tunnels = [
        Tunnel::start(Tunnels::To(peer.address)).await,
        Tunnel::start(Tunnels::To(peer.address)).await,
    ];
    let mut registries = Vec::new();
    for tunnel in &tunnels {
        let config = through(&tunnel.url(), &peer.url(""));
        registries.push(build_with(&egress, config, secured(&own)).expect("builds"));
    }
    let mut config = through(&tunnels[0].url(), &peer.url(""));
    config.proxy = None;
    registries.push(build_with(&egress, config, secured(&own)).expect("builds"));
    for _ in 0..5 {
        for registry in &registries {
            send(registry, get("/a")).await.expect("an answer");
        }
    }
    assert_eq!((peer.attempts(), peer.seen().len()), (3, 15));
    assert!(tunnels.iter().all(|tunnel| tunnel.asked().len() == 1));
}

/// The login goes through the same proxy, and only under TLS.
#[tokio::test]
async fn the_token_endpoint_is_behind_the_proxy_too() {
    let own = Authority::new(Valid::Now);
    let peer = TlsPeer::start(&own, None, |_| {
        Reply::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"t\":\"tok\"}".to_vec())
    })
    .await;
    let tunnel = Tunnel::start(Tunnels::To(peer.address)).await;
    let session = |url: &str| EndpointSecrets {
        credential: Credential::Session(
            toml::from_str(&format!(
                "login = {{ url = '{url}' }}\ntoken = {{ json = '/t' }}"
            ))
            .expect("parses"),
        ),
        ..secured(&own)
    };
    let config = || through(&tunnel.url(), &peer.url(""));
    let endpoints = build_with(&inside(), config(), session("/login")).expect("builds");
    send(&endpoints, get("/a")).await.expect("an answer");
    assert_eq!(tunnel.asked().len(), 2);
    assert!(peer.seen()[0].starts_with("POST /login "));
    assert!(peer.seen()[1].contains("authorization: Bearer tok\r\n"));
    let error = build_with(&inside(), config(), session("http://auth.example/login"))
        .expect_err("plain http");
    assert_eq!(error.field, "credential.login.url");
    assert!(error.to_string().contains("https"), "{error}");
}

#[test]
fn a_proxy_is_checked_where_it_is_built() {
    let own = Authority::new(Valid::Now);
    let base = "https://r.example";
    for (url, words) in [
        ("https://127.0.0.1:3128", "write http://"),
        ("socks5://127.0.0.1:1080", "write http://"),
        ("127.0.0.1:3128", "write http://"),
        (
            "http://me:pr0xy-passw0rd@127.0.0.1:3128",
            "keys of their own",
        ),
        ("http://127.0.0.1:3128/path", "a host and a port"),
        ("http://10.0.0.8:3128", "allow_networks"),
        ("http://8.8.8.8:3128", "allow_networks"),
    ] {
        let error = build_with(&inside(), through(url, base), secured(&own)).expect_err(url);
        assert_eq!(error.field, "proxy.url", "{url}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(words) && !text.contains(PASSWORD), "{text}");
    }
    let refused = |change: &dyn Fn(&mut EndpointConfig), secured| {
        let mut config = through("http://127.0.0.1:3128", base);
        change(&mut config);
        build_with(&inside(), config, secured)
            .expect_err("refused")
            .field
    };
    let user = |name: Option<&str>| {
        let name = name.map(str::to_owned);
        move |config: &mut EndpointConfig| {
            config.proxy.as_mut().expect("one").user.clone_from(&name)
        }
    };
    assert_eq!(refused(&user(None), secured(&own)), "proxy.user");
    assert_eq!(refused(&user(Some("a:b")), secured(&own)), "proxy.user");
    assert_eq!(
        refused(&|config| config.allow_networks.clear(), secured(&own)),
        "proxy.url"
    );
    let plain = |config: &mut EndpointConfig| {
        config.base_url = "http://127.0.0.1/".into();
        config.ca_file = None;
    };
    assert_eq!(refused(&plain, secured(&own)), "proxy");
    let six = through("http://127.0.0.1:3128", "https://[2606:4700::1111]/");
    let error = build_with(&inside(), six, secured(&own)).expect_err("IPv6");
    assert!(error.to_string().contains("no IPv6 address"), "{error}");
    let unread = EndpointSecrets {
        proxy_password: None,
        ..secured(&own)
    };
    assert_eq!(refused(&|_| (), unread), "proxy.password");
}
