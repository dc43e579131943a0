//! The admin page's files, headers and sessions, without a browser. `host/tests/browser.rs` has one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_tests::ask::{Answer, Ask};
use gateway_tests::components::workspace;
use gateway_tests::gateway::TestGateway;
use registry_gateway::model::Role;
use reqwest::Method;
use serde_json::json;

const STAFF: [Role; 3] = [Role::Implementer, Role::Administrator, Role::Auditor];
const CALLERS: &str = "/admin/v1/callers";
const SESSION: &str = "/admin/v1/session";

/// The page's files: a folder, and one of views in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    files.collect()
}

/// What a browser holds of a session.
struct Browser {
    cookie: String,
    csrf: String,
}

async fn log_in(gateway: &TestGateway, key: &str) -> Answer {
    let asked = gateway.post(SESSION, &json!({ "key": key }));
    asked.without("authorization").send().await
}

fn set_cookie(answer: &Answer) -> &str {
    answer.headers["set-cookie"].to_str().unwrap()
}

impl Browser {
    async fn of(gateway: &TestGateway, key: &str) -> Self {
        let answer = log_in(gateway, key).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        Self {
            cookie: set_cookie(&answer).split(';').next().unwrap().into(),
            csrf: answer.json["csrfToken"].as_str().unwrap().into(),
        }
    }

    /// As its page asks.
    fn ask(&self, gateway: &TestGateway, method: Method, path: &str) -> Ask {
        self.forged(gateway, method, path)
            .header("sec-fetch-site", "same-origin")
            .header("x-csrf-token", &self.csrf)
    }

    /// As another page can make it ask: the cookie comes along.
    fn forged(&self, gateway: &TestGateway, method: Method, path: &str) -> Ask {
        let asked = gateway.ask(method, path).without("authorization");
        asked.header("cookie", &self.cookie)
    }

    async fn status(&self, gateway: &TestGateway) -> u16 {
        let asked = self.ask(gateway, Method::GET, CALLERS);
        asked.send().await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_the_page_is_served_and_guarded() {
    let gateway = TestGateway::start().await;
    let folder = workspace().join("host/ui");
    let mut seen = 0;
    for file in files(&folder) {
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        let page = gateway.get(&format!("/ui/{name}")).without("authorization");
        let page = page.send().await;
        assert_eq!(
            page.status, 200,
            "{name}: is it in host/src/api/ui/files.rs?"
        );
        assert_eq!(page.text, std::fs::read_to_string(&file).unwrap(), "{name}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        let tag = page.headers["etag"].to_str().unwrap();
        let again = gateway.get(&format!("/ui/{name}"));
        let again = again.header("if-none-match", tag).send().await;
        assert_eq!((again.status, &*again.text), (304, ""), "{name}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    let root = gateway.get("/ui/").send().await;
    assert!(root.text.starts_with("<!doctype html>"));
    for none in ["/ui/none.js", "/ui/..%2fCargo.toml", "/ui/views"] {
        assert_eq!(gateway.get(none).send().await.status, 404, "{none}");
    }
    let api = gateway.get("/v1/registries").send().await;
    assert_eq!(api.headers["cache-control"], "no-store");
    assert_eq!(
        api.headers["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'"
    );
}

/// What would read markup, run text or load from elsewhere is nowhere in the page.
#[test]
fn the_page_makes_no_markup_from_text_and_loads_nothing_from_elsewhere() {
    let forbidden = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "eval(",
        "new Function",
        "setHTML",
        "srcdoc",
        "style=",
        "localStorage",
        "sessionStorage",
        "http://",
        "https://",
        "//cdn",
        "@import",
        "url(",
    ];
    for file in files(&workspace().join("host/ui")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for word in forbidden {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stands_for_its_key_until_that_is_revoked() {
    let gateway = TestGateway::start().await;
    let key = gateway.staff("ada", &STAFF).await;
    let answer = log_in(&gateway, &key).await;
    let cookie = set_cookie(&answer);
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for part in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Secure",
        "; Max-Age=28800",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(&key) && !answer.text.contains(&key));
    let loopback = gateway.post(SESSION, &json!({ "key": key }));
    let host = gateway.serving.address;
    let loopback = loopback.header("origin", &format!("http://{host}"));
    let loopback = loopback.send().await;
    assert!(!set_cookie(&loopback).contains("Secure"));

    let browser = Browser::of(&gateway, &key).await;
    assert_eq!(browser.status(&gateway).await, 200);
    let current = browser
        .ask(&gateway, Method::GET, SESSION)
        .send()
        .await
        .ok();
    assert_eq!(current.json["name"], "ada");
    assert_eq!(current.json["csrfToken"], browser.csrf);
    // It asks no registry: a lookup takes keys alone.
    let asked = browser.ask(&gateway, Method::GET, "/v1/registries");
    assert_eq!(asked.send().await.status, 401);

    let other = gateway.staff("other", &STAFF).await;
    let revoked = gateway.ask(Method::DELETE, "/admin/v1/callers/ada");
    assert_eq!(revoked.key(&other).send().await.status, 204);
    assert_eq!(browser.status(&gateway).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_begins_without_a_key_of_the_staff() {
    let gateway = TestGateway::start().await;
    let wrong = log_in(&gateway, "rgw_wrong").await;
    assert_eq!(
        (wrong.status, wrong.json["field"].as_str()),
        (401, Some("key"))
    );
    let client = log_in(&gateway, &gateway.key).await;
    assert_eq!((client.status, client.code()), (403, "not-allowed"));
    assert!(!client.headers.contains_key("set-cookie"));
    let key = gateway.staff("ada", &STAFF).await;
    let elsewhere = gateway.post(SESSION, &json!({ "key": key }));
    let elsewhere = elsewhere.header("origin", "https://elsewhere.example");
    let elsewhere = elsewhere.send().await;
    assert_eq!((elsewhere.status, elsewhere.code()), (403, "other-origin"));
    let none = gateway.get(SESSION).without("authorization").send().await;
    assert_eq!(
        (none.status, none.json["field"].as_str()),
        (401, Some("Cookie"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_changes_and_reads_nothing() {
    let gateway = TestGateway::start().await;
    let key = gateway.staff("ada", &STAFF).await;
    let browser = Browser::of(&gateway, &key).await;
    let another = Browser::of(&gateway, &key).await;
    let add = |ask: Ask| ask.json(&json!({ "name": "forged" })).send();
    let post = || browser.forged(&gateway, Method::POST, CALLERS);
    for (asked, code) in [
        (post(), "no-csrf-token"),
        (post().header("x-csrf-token", ""), "no-csrf-token"),
        (
            post().header("x-csrf-token", &another.csrf),
            "no-csrf-token",
        ),
        (
            post()
                .header("x-csrf-token", &browser.csrf)
                .header("sec-fetch-site", "cross-site"),
            "other-origin",
        ),
        (
            post()
                .header("x-csrf-token", &browser.csrf)
                .header("origin", "https://elsewhere.example"),
            "other-origin",
        ),
    ] {
        let refused = add(asked).await;
        assert_eq!((refused.status, refused.code()), (403, code));
    }
    let read = browser.forged(&gateway, Method::GET, CALLERS);
    let read = read.header("sec-fetch-site", "same-site").send().await;
    assert_eq!(read.status, 403);
    // A key needs none of it, whatever cookie comes along.
    let keyed = post()
        .key(&key)
        .header("origin", "https://elsewhere.example");
    assert_eq!(add(keyed).await.status, 201);
    let own = browser.ask(&gateway, Method::POST, CALLERS);
    let own = own.json(&json!({ "name": "own" })).send().await;
    assert_eq!(own.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_idle_and_after_its_whole_time() {
    let gateway = TestGateway::builder()
        .config(|config| {
            config.api.session_idle_ms = 2_000;
            config.api.session_max_ms = 4_000;
        })
        .start()
        .await;
    let key = gateway.staff("ada", &STAFF).await;
    let mut browser = Browser::of(&gateway, &key).await;
    let began = std::time::Instant::now();
    let renewed = loop {
        let asked = browser.ask(&gateway, Method::GET, SESSION).send().await;
        if asked.status != 200 {
            break began.elapsed();
        }
        browser.cookie = set_cookie(&asked).split(';').next().unwrap().into();
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert!(renewed > Duration::from_millis(3_500), "{renewed:?}");

    let browser = Browser::of(&gateway, &key).await;
    let began = std::time::Instant::now();
    // What the page looks at by itself does not keep it.
    while browser.status(&gateway).await == 200 {
        assert!(began.elapsed() < Duration::from_millis(3_900));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() > Duration::from_millis(1_900));
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_and_closing_are_in_the_audit_and_closing_forgets_the_cookie() {
    let gateway = TestGateway::start().await;
    let key = gateway.staff("ada", &STAFF).await;
    let browser = Browser::of(&gateway, &key).await;
    let forged = browser.forged(&gateway, Method::DELETE, SESSION);
    assert_eq!(forged.send().await.status, 403);
    let closed = browser.ask(&gateway, Method::DELETE, SESSION).send().await;
    assert_eq!(closed.status, 204);
    assert!(set_cookie(&closed).contains("Max-Age=0"));
    let store = gateway.store().await;
    let acts = store.audit().recent_acts(10).await.unwrap();
    store.close().await;
    let told: Vec<_> = acts
        .iter()
        .rev()
        .map(|row| (&*row.caller, &*row.act))
        .collect();
    let (open, close) = (("ada", "session.open"), ("ada", "session.close"));
    assert_eq!(told, [open, open, close, close]);
}
