//! Logins that the configuration declares.

use super::peer::Reply;
use super::*;

/// What a splice would break on, in JSON, forms, queries and patterns.
const AWKWARD: &str = "p\"a\\s&s=w%6f\u{e9}rd+${secret:tenant} '}";

fn named() -> BTreeMap<String, SecretString> {
    BTreeMap::from([
        ("login".to_owned(), SecretString::from(AWKWARD)),
        ("line".to_owned(), SecretString::from("a\nb")),
    ])
}

fn try_session(base_url: &str, session: &str) -> Result<Endpoints, EgressError> {
    let session: CredentialConfig =
        toml::from_str(&format!("kind = 'session'\n{session}")).expect("parses");
    let CredentialConfig::Session(credential) = session.clone() else {
        panic!("a session");
    };
    let config = EndpointConfig {
        credential: session,
        ..config(base_url)
    };
    Endpoints::build(
        &Egress::new(),
        "crvs",
        &BTreeMap::from([("search".to_owned(), config)]),
        &named(),
        &BTreeMap::from([("search".to_owned(), Credential::Session(credential).into())]),
    )
}

fn session(base_url: &str, session: &str) -> Endpoints {
    try_session(base_url, session).expect("builds")
}

fn answer(head: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Answer(format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\n\r\n{body}").into())
}

/// A registry and its login in one: what a path with `login` asks for is answered so.
async fn registry(head: &'static str, body: &'static str) -> Peer {
    Peer::start(move |request| {
        let line = request.lines().next().unwrap_or_default();
        if line.contains("login") {
            answer(head, body)
        } else {
            Reply::Answer(peer::OK.into())
        }
    })
    .await
}

/// The login and the request after it.
async fn asked(head: &'static str, body: &'static str, text: &str) -> (String, String) {
    let peer = registry(head, body).await;
    let endpoints = session(&peer.url("/api"), text);
    for _ in 0..2 {
        send(&endpoints, get("/a")).await.expect("an answer");
    }
    let seen = peer.seen();
    assert_eq!(seen.len(), 3, "one login for both: {seen:?}");
    assert!(seen[0].contains("login") && seen[1] == seen[2], "{seen:?}");
    (seen[0].clone(), seen[1].clone())
}

#[tokio::test]
async fn a_secret_is_a_value_in_json_whatever_it_holds() {
    let (login, request) = asked(
        "",
        r#"{"data":{"tokenAuth":{"token":"t-1"}}}"#,
        "login = { url = '/login/', json = { query = 'mutation ($p: String!) { x }', \
         variables = { p = '${secret:login}', list = [1, 'a ${secret:login} b'], '${secret:login}' = true } } }\n\
         token = { json = '/data/tokenAuth/token' }",
    )
    .await;
    assert!(
        login.starts_with("POST /api/login/ HTTP/1.1\r\n"),
        "{login}"
    );
    assert!(
        login.contains("content-type: application/json\r\n"),
        "{login}"
    );
    let body = login.split_once("\r\n\r\n").expect("a body").1;
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["variables"]["p"], AWKWARD);
    assert_eq!(body["variables"]["list"][1], format!("a {AWKWARD} b"));
    assert_eq!(body["variables"]["${secret:login}"], true, "names stay");
    assert_eq!(body["query"], "mutation ($p: String!) { x }");
    assert!(
        request.contains("authorization: Bearer t-1\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_secret_is_a_value_in_forms_and_queries() {
    let (login, request) = asked(
        "X-Token: t-2\r\n",
        "not json",
        "login = { url = '/login', form = { user = 'u', password = '${secret:login}' }, \
         query = { q = '${secret:login}' }, headers = { x-app = 'imis', accept = 'text/plain' } }\n\
         token = { header = 'X-Token' }\nexpires = { seconds = 600 }\n\
         send_as = { header = 'X-Session' }",
    )
    .await;
    let (head, body) = login.split_once("\r\n\r\n").expect("a body");
    let read = |text: &str| -> Vec<(String, String)> {
        url::form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(read(body), [pair("password", AWKWARD), pair("user", "u")]);
    let query = head.split_once('?').expect("a query").1;
    let query = query.split(' ').next().expect("a line");
    assert_eq!(read(query), [pair("q", AWKWARD)]);
    assert!(
        head.contains("application/x-www-form-urlencoded\r\n"),
        "{head}"
    );
    assert!(head.contains("x-app: imis\r\n") && head.contains("accept: text/plain\r\n"));
    assert!(!head.contains("application/json"));
    assert!(request.contains("x-session: t-2\r\n"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn a_cookie_goes_back_as_one() {
    let (login, request) = asked(
        "Set-Cookie: session_id=; Max-Age=0\r\nSet-Cookie: other=1\r\n\
         Set-Cookie: session_id=\"abc.123\"; Path=/; HttpOnly\r\n",
        "<html>",
        "login = { url = '/login', method = 'GET' }\ntoken = { cookie = 'session_id' }\n\
         send_as = { cookie = 'JSESSIONID' }",
    )
    .await;
    assert!(login.starts_with("GET /api/login HTTP/1.1\r\n"), "{login}");
    assert!(
        request.contains("cookie: JSESSIONID=abc.123\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_session_ends_when_it_is_said_to() {
    let past = r#"{"t":"tok","life":0.2,"exp":"1000000000"}"#;
    let future = r#"{"t":"tok","life":"3600","exp":9999999999}"#;
    for (body, expires, logins) in [
        (past, "expires = { after = '/life' }", 2),
        (past, "expires = { at = '/exp' }", 2),
        (past, "expires = { seconds = 3600 }", 1),
        // It does not say: as long as any other.
        (past, "expires = { after = '/other' }", 1),
        (past, "", 1),
        (future, "expires = { after = '/life' }", 1),
        (future, "expires = { at = '/exp' }", 1),
    ] {
        let peer = registry("", body).await;
        let text = format!("login = {{ url = '/login' }}\ntoken = {{ json = '/t' }}\n{expires}");
        let endpoints = session(&peer.url(""), &text);
        send(&endpoints, get("/a")).await.expect("an answer");
        tokio::time::sleep(Duration::from_millis(220)).await;
        send(&endpoints, get("/a")).await.expect("an answer");
        let seen = peer.seen();
        let count = seen.iter().filter(|it| it.contains("POST /login")).count();
        assert_eq!(count, logins, "{expires}");
    }
}

#[tokio::test]
async fn without_a_token_in_it_a_login_is_a_failure() {
    for (head, body, places) in [
        ("", "{}", "token = { json = '/t' }"),
        ("", "no json", "token = { json = '/t' }"),
        ("", r#"{"t":""}"#, "token = { json = '/t' }"),
        ("", r#"{"t":7}"#, "token = { json = '/t' }"),
        ("", r#"{"t":null}"#, "token = { json = '/t' }"),
        ("", r#"{"t":"a\nb"}"#, "token = { json = '/t' }"),
        (
            "",
            r#"{"t":"a; b=c"}"#,
            "token = { json = '/t' }\nsend_as = { cookie = 's' }",
        ),
        ("X-Other: t\r\n", "", "token = { header = 'x-token' }"),
        ("X-Token: \r\n", "", "token = { header = 'x-token' }"),
        (
            "Set-Cookie: session_id=\r\n",
            "",
            "token = { cookie = 'session_id' }",
        ),
        (
            "Set-Cookie: a=session_id=b\r\n",
            "",
            "token = { cookie = 'session_id' }",
        ),
    ] {
        let peer = registry(head, body).await;
        let endpoints = session(
            &peer.url(""),
            &format!("login = {{ url = '/login' }}\n{places}"),
        );
        assert_error(
            send(&endpoints, get("/a")).await,
            Sent::NotSent,
            ProblemKind::Credential,
        );
        assert_eq!(peer.seen().len(), 1, "{places}: the login alone");
    }
}

/// A login page is where a refused login leads; its cookie is nobody's.
#[tokio::test]
async fn a_login_that_leads_elsewhere_is_a_failure() {
    let peer = Peer::answering(
        "HTTP/1.1 302 Found\r\nLocation: /login?error\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let text = "login = { url = '/login' }\ntoken = { cookie = 's' }";
    let result = send(&session(&peer.url(""), text), get("/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::Credential);
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn an_adapter_cannot_set_what_carries_the_token() {
    let peer = registry("", r#"{"t":"tok"}"#).await;
    let login = "login = { url = '/login' }\ntoken = { json = '/t' }";
    for (send_as, name) in [
        ("send_as = { header = 'X-Session' }", "x_session"),
        ("send_as = { cookie = 's' }", "cookie"),
        ("", "authorization"),
    ] {
        let endpoints = session(&peer.url(""), &format!("{login}\n{send_as}"));
        let mut request = get("/a");
        request.headers = vec![(name.into(), "mine".into())];
        let result = send(&endpoints, request).await;
        assert_error(result, Sent::NotSent, ProblemKind::RequestRefused);
    }
    assert!(peer.seen().is_empty());
}

#[test]
fn a_login_is_checked_where_it_is_built() {
    let token = "token = { json = '/t' }";
    let login = "login = { url = '/login' }";
    for (text, field, words) in [
        (
            format!("login = {{ url = 'login' }}\n{token}"),
            "login.url",
            "absolute https://",
        ),
        (
            format!("login = {{ url = '/../login' }}\n{token}"),
            "login.url",
            ". or ..",
        ),
        (
            format!("login = {{ url = '/login?a=b' }}\n{token}"),
            "login.url",
            "percent-encoded",
        ),
        (
            format!("login = {{ url = 'https://10.0.0.1/login' }}\n{token}"),
            "login.url",
            "private",
        ),
        (
            format!("login = {{ url = 'http://8.8.8.8/login' }}\n{token}"),
            "login.url",
            "global",
        ),
        (
            format!("login = {{ url = '/l', form = {{}}, json = {{}} }}\n{token}"),
            "login.json",
            "one body",
        ),
        (
            format!("login = {{ url = '/l', form = {{ a = '${{secret:x}}' }} }}\n{token}"),
            "login.form.a",
            "name x",
        ),
        (
            format!("login = {{ url = '/l', query = {{ a = '${{env:x}}' }} }}\n{token}"),
            "login.query.a",
            "${secret:<name>}",
        ),
        (
            format!("login = {{ url = '/l', json = {{ a = ['${{secret:x}}'] }} }}\n{token}"),
            "login.json",
            "name x",
        ),
        (
            format!("login = {{ url = '/l', headers = {{ host = 'a' }} }}\n{token}"),
            "login.headers.host",
            "cannot be set",
        ),
        (
            format!("login = {{ url = '/l', headers = {{ x = '${{secret:line}}' }} }}\n{token}"),
            "login.headers.x",
            "cannot hold",
        ),
        (
            format!("{login}\ntoken = {{ json = 't' }}"),
            "token.json",
            "JSON pointer",
        ),
        (
            format!("{login}\ntoken = {{ json = '/a~2' }}"),
            "token.json",
            "JSON pointer",
        ),
        (
            format!("{login}\ntoken = {{ header = 'a b' }}"),
            "token.header",
            "cannot be set",
        ),
        (
            format!("{login}\ntoken = {{ cookie = 'a;b' }}"),
            "token.cookie",
            "cookie's name",
        ),
        (
            format!("{login}\n{token}\nexpires = {{ after = 'x' }}"),
            "expires.after",
            "JSON pointer",
        ),
        (
            format!("{login}\n{token}\nexpires = {{ at = 'x' }}"),
            "expires.at",
            "JSON pointer",
        ),
        (
            format!("{login}\n{token}\nexpires = {{ seconds = 0 }}"),
            "expires.seconds",
            "more than 0",
        ),
        (
            format!("{login}\n{token}\nsend_as = {{ header = 'host' }}"),
            "send_as.header",
            "cannot be set",
        ),
        (
            format!("{login}\n{token}\nsend_as = {{ header = 'x', prefix = \"a\\nb\" }}"),
            "send_as.prefix",
            "cannot hold",
        ),
        (
            format!("{login}\n{token}\nsend_as = {{ cookie = 'a=b' }}"),
            "send_as.cookie",
            "cookie's name",
        ),
    ] {
        let error = try_session("http://127.0.0.1:1/", &text).expect_err(&text);
        let shown = error.to_string();
        assert_eq!(
            error.field,
            format!("credential.{field}"),
            "{text}: {shown}"
        );
        assert!(shown.contains(words), "{text}: {shown}");
    }
}
