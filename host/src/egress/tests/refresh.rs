//! What a 401 does: a new token for whoever asks next, and once more for what only reads.

use super::peer::Reply;
use super::*;
use crate::config::endpoint::SessionConfig;

const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";

/// Hands out token 1, token 2, …; takes only those from `good` on.
struct Registry {
    peer: Peer,
    good: Arc<AtomicUsize>,
}

impl Registry {
    async fn start() -> Self {
        let good = Arc::new(AtomicUsize::new(1));
        let (issued, threshold) = (AtomicUsize::new(0), Arc::clone(&good));
        let peer = Peer::start(move |request| {
            if request.starts_with("POST /login") {
                let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
                let body = format!("{{\"t\":\"{number}\"}}");
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                return Reply::Late(Duration::from_millis(20), format!("{head}{body}").into());
            }
            let token = request.split("authorization: Bearer ").nth(1);
            let token = token.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
            let good = token >= Some(threshold.load(Ordering::SeqCst));
            Reply::Answer(if good { peer::OK } else { REFUSED }.into())
        })
        .await;
        Self { peer, good }
    }

    /// `keep` is how long a refused token is kept.
    fn endpoints(&self, keep: Duration) -> Endpoints {
        let session: SessionConfig =
            toml::from_str("login = { url = '/login' }\ntoken = { json = '/t' }").expect("parses");
        let egress = Egress {
            keep_refused: keep,
            ..Egress::new()
        };
        let credential = Credential::Session(Box::new(session));
        build_with(&egress, config(&self.peer.url("")), credential).expect("builds")
    }

    /// From now on another token is needed.
    fn revoke(&self) {
        self.good.fetch_add(1, Ordering::SeqCst);
    }

    fn logins(&self) -> usize {
        let seen = self.peer.seen();
        seen.iter()
            .filter(|it| it.starts_with("POST /login"))
            .count()
    }

    fn requests(&self) -> usize {
        self.peer.seen().len() - self.logins()
    }
}

fn post(only_reads: bool) -> Request {
    let mut request = Request::new(Method::POST, "/a");
    request.body = Some("{\"q\":1}".into());
    request.only_reads = only_reads;
    request
}

async fn status(endpoints: &Endpoints, request: Request) -> u16 {
    send(endpoints, request).await.expect("an answer").status
}

#[tokio::test]
async fn what_only_reads_is_sent_once_more_with_a_new_token() {
    for request in [post(true), get("/a")] {
        let registry = Registry::start().await;
        let endpoints = registry.endpoints(Duration::ZERO);
        assert_eq!(status(&endpoints, request.clone()).await, 200);
        registry.revoke();
        assert_eq!(status(&endpoints, request.clone()).await, 200);
        assert_eq!((registry.logins(), registry.requests()), (2, 3));
        let seen = registry.peer.seen();
        let bodies: Vec<_> = seen
            .iter()
            .filter(|it| !it.starts_with("POST /login"))
            .collect();
        assert_eq!(
            bodies[2].split("\r\n\r\n").nth(1),
            bodies[0].split("\r\n\r\n").nth(1),
            "whole"
        );
        // Once: a registry that refuses the new one too has answered.
        registry.good.store(usize::MAX, Ordering::SeqCst);
        assert_eq!(status(&endpoints, request).await, 401);
        assert_eq!((registry.logins(), registry.requests()), (3, 5));
    }
}

/// The second request is one of the call's.
#[tokio::test]
async fn a_call_without_further_requests_has_the_refusal_for_its_answer() {
    let registry = Registry::start().await;
    let endpoints = registry.endpoints(Duration::ZERO);
    assert_eq!(status(&endpoints, get("/a")).await, 200);
    for (left, expected) in [(0, 401), (1, 200)] {
        registry.revoke();
        let bounds = Bounds {
            max_further_requests: left,
            ..bounds()
        };
        let answer = endpoints.send("search", get("/a"), bounds).await;
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.status, answer.spent.further_requests),
            (expected, left)
        );
        // The token is new all the same.
        assert_eq!(status(&endpoints, get("/a")).await, 200);
    }
}

#[tokio::test]
async fn a_write_is_not_sent_again_and_the_next_one_has_a_new_token() {
    let registry = Registry::start().await;
    let endpoints = registry.endpoints(Duration::ZERO);
    assert_eq!(status(&endpoints, post(false)).await, 200);
    registry.revoke();
    assert_eq!(status(&endpoints, post(false)).await, 401);
    assert_eq!((registry.logins(), registry.requests()), (1, 2));
    assert_eq!(status(&endpoints, post(false)).await, 200);
    assert_eq!((registry.logins(), registry.requests()), (2, 3));
}

#[tokio::test]
async fn a_young_token_is_not_what_is_refused() {
    let registry = Registry::start().await;
    registry.good.store(usize::MAX, Ordering::SeqCst);
    let endpoints = registry.endpoints(crate::egress::token::KEEP_REFUSED);
    for _ in 0..20 {
        assert_eq!(status(&endpoints, post(true)).await, 401);
    }
    assert_eq!((registry.logins(), registry.requests()), (1, 20));
}

#[tokio::test]
async fn a_hundred_calls_that_are_refused_log_in_once() {
    let registry = Registry::start().await;
    let endpoints = registry.endpoints(Duration::from_millis(100));
    assert_eq!(status(&endpoints, post(true)).await, 200);
    registry.revoke();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let calls = (0..100).map(|_| status(&endpoints, post(true)));
    let statuses = futures_util::future::join_all(calls).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(registry.logins(), 2);
    assert!(registry.requests() <= 201, "each at most twice");
}

/// A token that ends at once is still one for all who waited for it.
#[tokio::test]
async fn a_hundred_calls_with_a_token_that_has_ended_log_in_once() {
    let peer = Peer::start(|request| {
        if request.starts_with("POST /login") {
            let body = "{\"t\":\"tok\",\"life\":0}";
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            return Reply::Late(Duration::from_millis(50), format!("{head}{body}").into());
        }
        Reply::Answer(peer::OK.into())
    })
    .await;
    let session: SessionConfig = toml::from_str(
        "login = { url = '/login' }\ntoken = { json = '/t' }\nexpires = { after = '/life' }",
    )
    .expect("parses");
    let credential = Credential::Session(Box::new(session));
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    for round in 1..=2 {
        let calls = (0..100).map(|_| status(&endpoints, get("/a")));
        let statuses = futures_util::future::join_all(calls).await;
        assert!(statuses.iter().all(|status| *status == 200));
        let seen = peer.seen();
        let logins = seen
            .iter()
            .filter(|it| it.starts_with("POST /login"))
            .count();
        assert_eq!(logins, round);
    }
}

/// The registry's refusal is the answer where there is no other token.
#[tokio::test]
async fn a_refusal_stands_where_the_login_fails() {
    let logins = AtomicUsize::new(0);
    let peer = Peer::start(move |request| {
        if !request.starts_with("POST /login") {
            return Reply::Answer(REFUSED.into());
        }
        if logins.fetch_add(1, Ordering::SeqCst) > 0 {
            return Reply::Answer(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n".to_vec());
        }
        Reply::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"t\":\"a\"}".to_vec())
    })
    .await;
    let registry = Registry {
        peer,
        good: Arc::default(),
    };
    let response = send(&registry.endpoints(Duration::ZERO), post(true)).await;
    let response = response.expect("an answer");
    assert_eq!((response.status, &response.body[..]), (401, &b"no"[..]));
    assert_eq!((registry.logins(), registry.requests()), (2, 1));
}

/// Credentials that never change are not tried again.
#[tokio::test]
async fn a_fixed_credential_is_refused_once() {
    let peer = Peer::answering(REFUSED).await;
    let credential = Credential::Bearer {
        token: SECRET.into(),
    };
    let endpoints = build_with(&Egress::new(), config(&peer.url("")), credential).expect("builds");
    assert_eq!(status(&endpoints, post(true)).await, 401);
    assert_eq!(peer.seen().len(), 1);
}
