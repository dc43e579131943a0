use super::*;

fn error(config: EndpointConfig) -> EgressError {
    build_with(&Egress::new(), config, Credential::None).expect_err("refused")
}

#[test]
fn base_urls_are_checked_where_they_are_built() {
    for (base_url, expected) in [
        ("", "absolute https://"),
        ("r.example", "absolute https://"),
        ("/api", "absolute https://"),
        ("ftp://r.example", "absolute https://"),
        ("file:///etc", "absolute https://"),
        ("https://", "absolute https://"),
        ("https://user@r.example", "no user"),
        ("https://u:s3cret-value@r.example", "no user"),
        ("https://r.example/a?b=c", "no query"),
        ("https://r.example/a#b", "no fragment"),
        ("https://r.example/a/../b", ". or .."),
        ("https://r.example/%2e%2e", ". or .."),
        ("https://r.example/a%2fb", "encoded slash"),
        ("https://r.example/a b", "percent-encoded"),
        ("https://r.example//a", "one /"),
        ("https://${secret:tenant}.example/", "only in its path"),
        ("https://r.example/${env:HOME}", "${secret:<name>}"),
        ("https://r.example/${secret:tenant", "${secret:<name>}"),
        ("https://r.example/${secret:other}", "name other"),
        ("http://r.example/", "plain http needs allow_networks"),
        ("http://8.8.8.8/", "plain http"),
        ("https://127.0.0.1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://10.0.0.1/", "private"),
    ] {
        let error = error(EndpointConfig::new(base_url));
        assert_eq!(
            (error.field.as_str(), error.endpoint.as_str()),
            ("base_url", "search"),
            "{base_url}"
        );
        let text = error.to_string();
        assert!(
            text.starts_with("registry crvs, endpoint search, base_url: "),
            "{text}"
        );
        assert!(text.contains(expected), "{base_url}: {text}");
        assert!(!format!("{text} {error:?}").contains(SECRET), "{text}");
    }
}

#[test]
fn plain_http_is_a_decision() {
    let mut config = EndpointConfig::new("http://r.example/");
    config.allow_plain_http = true;
    endpoints(config);
    let mut config = EndpointConfig::new("http://127.0.0.1/");
    config.allow_plain_http = true;
    assert!(
        error(config.clone()).to_string().contains("loopback"),
        "still an ungranted address"
    );
    config.allow_plain_http = false;
    config.allow_networks = vec!["127.0.0.0/8".parse().expect("network")];
    endpoints(config.clone());
    config.base_url = "http://8.8.8.8/".into();
    assert!(
        error(config).to_string().contains("allow_networks"),
        "global, but not listed"
    );
}

#[test]
fn other_fields_are_checked_too() {
    let base = || EndpointConfig::new("https://r.example");
    let header = |name: &str, value: &str| EndpointConfig {
        headers: BTreeMap::from([(name.to_owned(), value.to_owned())]),
        ..base()
    };
    for (config, field) in [
        (
            EndpointConfig {
                timeout_ms: 0,
                ..base()
            },
            "timeout_ms",
        ),
        (
            EndpointConfig {
                connect_timeout_ms: 0,
                ..base()
            },
            "connect_timeout_ms",
        ),
        (
            EndpointConfig {
                allow_networks: vec!["::ffff:10.0.0.0/104".parse().expect("net")],
                ..base()
            },
            "allow_networks",
        ),
        (
            EndpointConfig {
                allow_networks: vec!["10.1.2.3/8".parse().expect("net")],
                ..base()
            },
            "allow_networks",
        ),
        (header("host", "a"), "headers.host"),
        (header("Content-Length", "a"), "headers.Content-Length"),
        (header("a b", "a"), "headers.a b"),
        (header("x-a", "a\nb"), "headers.x-a"),
        (header("x-a", "${secret:other}"), "headers.x-a"),
        (header("x-a", "${other}"), "headers.x-a"),
    ] {
        assert_eq!(error(config).field, field);
    }
    endpoints(header("authorization", "Custom ${secret:tenant}"));
}

#[test]
fn a_network_that_was_meant_as_a_host_is_told_both_ways() {
    let config = EndpointConfig {
        allow_networks: vec!["10.1.2.3/8".parse().expect("net")],
        ..EndpointConfig::new("https://r.example")
    };
    assert_eq!(
        error(config).problem.to_string(),
        "10.1.2.3/8 is not the beginning of its network: write 10.0.0.0/8, or 10.1.2.3/32 for the \
         host alone"
    );
}

#[test]
fn credentials_are_checked() {
    let secret = || SecretString::from(SECRET);
    let line = || SecretString::from("s3cret-value\nx");
    let tries = [
        (
            Credential::Basic {
                user: "a:b".into(),
                password: secret(),
            },
            "credential.user",
        ),
        (Credential::Bearer { token: line() }, "credential.token"),
        (
            Credential::ApiKey {
                header: "x-key".into(),
                value: line(),
            },
            "credential.value",
        ),
        (
            Credential::ApiKey {
                header: "host".into(),
                value: secret(),
            },
            "credential.header",
        ),
        (
            Credential::Bearer { token: secret() },
            "headers.authorization",
        ),
    ];
    for (credential, field) in tries {
        let config = EndpointConfig {
            headers: BTreeMap::from([("authorization".into(), "x".into())]),
            ..EndpointConfig::new("https://r.example")
        };
        let error = build_with(&Egress::new(), config, credential).expect_err(field);
        assert_eq!(error.field, field);
        assert!(!format!("{error} {error:?}").contains(SECRET));
    }
    // Configured, but its secrets were not read: not sent without.
    let config = EndpointConfig {
        credential: toml::from_str("kind = 'bearer'\ntoken = 'file:t'").expect("parses"),
        ..EndpointConfig::new("https://r.example")
    };
    assert_eq!(error(config).field, "credential");
}

/// A named secret cannot lead the base path elsewhere, whatever it holds.
#[tokio::test]
async fn secrets_in_a_path_are_one_segment() {
    let peer = Peer::answering(peer::OK).await;
    let endpoints = endpoints(EndpointConfig {
        allow_plain_http: true,
        ..config(&peer.url("/t/${secret:tenant}/api"))
    });
    send(&endpoints, get("/a")).await.expect("an answer");
    assert!(peer.seen()[0].starts_with(&format!("GET /t/{SECRET}/api/a ")));
    let error = error(EndpointConfig::new("https://r.example/t/${secret:odd}/api"));
    assert!(error.to_string().contains("encoded slash"), "{error}");
}
