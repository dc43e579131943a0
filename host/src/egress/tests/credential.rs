use super::peer::Reply;
use super::*;
use crate::config::endpoint::{OAuth2Client, TokenConnection, TokenForm};
use crate::egress::token::usable_for;

fn secret() -> SecretString {
    SecretString::from(SECRET)
}

fn oauth(token_url: String, form: TokenForm) -> Credential {
    Credential::OAuth2(OAuth2Client {
        token_url,
        client_id: "open imis".into(),
        client_secret: secret(),
        scope: Some("read write".into()),
        audience: None,
        form,
        connection: TokenConnection::Same,
    })
}

fn token_answer(token: &str, expires_in: &str) -> Vec<u8> {
    let body = format!(
        "{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":{expires_in}}}"
    );
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

/// A token endpoint that counts up: token-1, token-2.
async fn issuer(expires_in: &'static str) -> Peer {
    let issued = AtomicUsize::new(0);
    Peer::start(move |_| {
        let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
        let answer = token_answer(&format!("token-{number}"), expires_in);
        Reply::Late(Duration::from_millis(30), answer)
    })
    .await
}

async fn sent_with(credential: Credential) -> String {
    let peer = Peer::answering(peer::OK).await;
    assert!(!format!("{credential:?}").contains(SECRET));
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    send(&endpoints, get("/a")).await.expect("an answer");
    peer.seen().remove(0)
}

#[tokio::test]
async fn fixed_credentials_are_headers() {
    let seen = sent_with(Credential::Basic {
        user: "u".into(),
        password: secret(),
    })
    .await;
    assert!(
        seen.contains("authorization: Basic dTpzM2NyZXQtdmFsdWU=\r\n"),
        "{seen}"
    );
    let seen = sent_with(Credential::Bearer { token: secret() }).await;
    assert!(
        seen.contains("authorization: Bearer s3cret-value\r\n"),
        "{seen}"
    );
    let seen = sent_with(Credential::ApiKey {
        header: "X-Api-Key".into(),
        value: secret(),
    })
    .await;
    assert!(seen.contains("x-api-key: s3cret-value\r\n"), "{seen}");
}

#[tokio::test]
async fn an_adapter_cannot_set_the_credential_s_header() {
    let peer = Peer::answering(peer::OK).await;
    let credential = Credential::ApiKey {
        header: "X-Api-Key".into(),
        value: secret(),
    };
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    for name in ["x-api-key", "X-API-KEY", "x_api_key", "authorization"] {
        let mut request = get("/a");
        request.headers = vec![(name.into(), "mine".into())];
        assert_error(
            send(&endpoints, request).await,
            Sent::NotSent,
            ProblemKind::RequestRefused,
        );
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn client_credentials_travel_in_four_forms() {
    let form = "client_id=open+imis&client_secret=s3cret-value";
    for (kind, line, tail) in [
        (TokenForm::Form, "POST /token HTTP", format!("grant_type=client_credentials&{form}&scope=read+write")),
        (
            TokenForm::Query,
            "POST /token?grant_type=client_credentials&client_id=open+imis&client_secret=s3cret-value&scope=read+write HTTP",
            "\r\n\r\n".to_owned(),
        ),
        (
            TokenForm::Json,
            "POST /token HTTP",
            "{\"client_id\":\"open imis\",\"client_secret\":\"s3cret-value\",\"grant_type\":\"client_credentials\",\"scope\":\"read write\"}".to_owned(),
        ),
        (TokenForm::Basic, "POST /token HTTP", "\r\n\r\ngrant_type=client_credentials&scope=read+write".to_owned()),
    ] {
        let issuer = issuer("3600").await;
        let seen = sent_with(oauth(issuer.url("/token"), kind)).await;
        assert!(seen.contains("authorization: Bearer token-1\r\n"), "{seen}");
        let asked = issuer.seen().remove(0);
        assert!(asked.starts_with(line), "{asked}");
        assert!(asked.ends_with(&tail), "{asked}");
        let basic = asked.contains("authorization: Basic b3BlbitpbWlzOnMzY3JldC12YWx1ZQ==\r\n");
        assert_eq!(basic, kind == TokenForm::Basic, "{asked}");
    }
}

#[tokio::test]
async fn many_callers_make_one_token_request() {
    let issuer = issuer("\"3600\"").await;
    let peer = Peer::answering(peer::OK).await;
    let credential = oauth(issuer.url("/token"), TokenForm::Form);
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let endpoints = endpoints.clone();
            tokio::spawn(async move { send(&endpoints, get("/a")).await })
        })
        .collect();
    for caller in callers {
        caller.await.expect("joins").expect("an answer");
    }
    assert_eq!(issuer.seen().len(), 1);
    assert_eq!(peer.seen().len(), 50);
    assert!(
        peer.seen()
            .iter()
            .all(|seen| seen.contains("Bearer token-1\r\n"))
    );
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_fetch_to_the_others() {
    let issuer = issuer("3600").await;
    let peer = Peer::answering(peer::OK).await;
    let credential = oauth(issuer.url("/token"), TokenForm::Form);
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    let mut hasty = get("/a");
    hasty.timeout = Some(Duration::from_millis(5));
    assert_error(
        send(&endpoints, hasty).await,
        Sent::NotSent,
        ProblemKind::Credential,
    );
    send(&endpoints, get("/a")).await.expect("an answer");
    assert!(
        issuer.seen().len() <= 1 + usize::from(peer.seen().is_empty()),
        "no second fetch"
    );
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn an_expired_token_is_renewed() {
    let issuer = issuer("0.2").await;
    let peer = Peer::answering(peer::OK).await;
    let credential = oauth(issuer.url("/token"), TokenForm::Form);
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    send(&endpoints, get("/a")).await.expect("an answer");
    tokio::time::sleep(Duration::from_millis(250)).await;
    send(&endpoints, get("/a")).await.expect("an answer");
    assert!(peer.seen()[0].contains("Bearer token-1\r\n"));
    assert!(peer.seen()[1].contains("Bearer token-2\r\n"));
}

#[test]
fn a_token_is_renewed_in_time() {
    let seconds = Duration::from_secs;
    for (lifetime, usable) in [
        (3600, 3570),
        (300, 270),
        (299, 270),
        (100, 90),
        (10, 9),
        (0, 0),
    ] {
        let close = usable_for(Some(seconds(lifetime))).as_secs_f64().round() as u64;
        assert!(close.abs_diff(usable) <= 1, "{lifetime}: {close}");
    }
    assert_eq!(usable_for(None), seconds(270));
    assert_eq!(usable_for(Some(Duration::MAX)), seconds(24 * 3600 - 30));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let answers: [&[u8]; 8] = [
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\n\r\ns3cret-value",
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot json",
        b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{\"access_token\":\"a\\nb\"} ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n",
        b"",
    ];
    for answer in answers {
        let issuer = Peer::start(move |_| Reply::AnswerAndClose(answer.to_vec())).await;
        let peer = Peer::answering(peer::OK).await;
        let credential = oauth(issuer.url("/token"), TokenForm::Query);
        let endpoints =
            build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
        let begun = Instant::now();
        for _ in 0..3 {
            let error = send(&endpoints, get("/a")).await.expect_err("no token");
            assert_eq!(
                (error.sent, &error.kind),
                (Sent::NotSent, &ProblemKind::Credential)
            );
            assert!(
                error.retry_after_ms.is_none_or(|ms| ms <= 7_000),
                "{error:?}"
            );
        }
        // On a machine that stalls, the rest may be over.
        let rested = begun.elapsed() < Duration::from_millis(900);
        assert!(
            issuer.seen().len() == 1 || !rested,
            "a failure rests before the next try"
        );
        assert_eq!(peer.connections(), 0);
    }
}

#[tokio::test]
async fn the_token_endpoint_is_under_the_same_address_rules() {
    let issuer = issuer("3600").await;
    let peer = Peer::answering(peer::OK).await;
    let base = format!("http://registry.example:{}", peer.address.port());
    // The registry's name is granted, the issuer's resolves next to it.
    let egress = Egress::with_lookup(Script::new(&[&["127.0.0.2"]]));
    let token_url = format!("http://auth.example:{}/token", issuer.address.port());
    let credential = oauth(token_url, TokenForm::Form);
    let endpoints = build_with(&egress, config(&base), credential).expect("builds");
    let error = send(&endpoints, get("/a")).await.expect_err("refused");
    assert_eq!(
        (error.sent, error.kind),
        (Sent::NotSent, ProblemKind::Credential)
    );
    assert!(error.message.contains("loopback"), "{}", error.message);
    assert_eq!(issuer.connections() + peer.connections(), 0);

    for (token_url, plain) in [
        ("https://169.254.169.254/token", false),
        ("https://10.0.0.1/token", false),
        ("http://auth.example/token", true),
        ("https://u@auth.example/token", false),
        ("token", false),
    ] {
        let config = EndpointConfig {
            allow_plain_http: plain,
            ..EndpointConfig::new("https://r.example")
        };
        let credential = oauth(token_url.into(), TokenForm::Form);
        let error = build_with(&Egress::new(), config, credential).expect_err(token_url);
        assert_eq!(error.field, "credential.token_url");
    }
}

#[tokio::test]
async fn a_refusal_does_not_flood_the_token_endpoint() {
    let issuer = issuer("3600").await;
    let peer = Peer::answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let credential = oauth(issuer.url("/token"), TokenForm::Form);
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    for _ in 0..5 {
        assert_eq!(
            send(&endpoints, get("/a")).await.expect("an answer").status,
            401
        );
    }
    assert_eq!(issuer.seen().len(), 1);
}
