//! A registry that sends the gateway elsewhere, with each status that does so.

use super::arena::{Arena, BESIDE, Route};
use super::judge::BASE;
use super::{End, REDIRECT_REFUSED, Shown, Try, granted, ips};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

pub(super) fn tries(arena: &Arena) -> Vec<Try> {
    let (port, outside) = (arena.port, arena.outside);
    let everywhere = [
        (
            "another port",
            format!("http://127.0.0.1:{outside}{BASE}/a"),
        ),
        ("another address", format!("http://{BESIDE}:{port}{BASE}/a")),
        ("a name", format!("http://localhost:{outside}{BASE}/a")),
        ("without a scheme", format!("//127.0.0.1:{outside}{BASE}/a")),
        ("above the base path", "/admin".to_owned()),
        ("dots", "../../admin".to_owned()),
    ];
    let once = [
        ("IPv6", format!("http://[::1]:{outside}{BASE}/a")),
        (
            "IPv4-mapped",
            format!("http://[::ffff:127.0.0.2]:{port}{BASE}/a"),
        ),
        ("decimal", format!("http://2130706434:{port}{BASE}/a")),
        ("unspecified", format!("http://0.0.0.0:{outside}{BASE}/a")),
        (
            "metadata",
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ),
        (
            "another scheme",
            format!("https://127.0.0.1:{port}{BASE}/a"),
        ),
        ("the scheme's own port", format!("http://127.0.0.1{BASE}/a")),
        ("a user", format!("http://user@127.0.0.1:{port}{BASE}/a")),
        (
            "user and password",
            format!("http://u:p@127.0.0.1:{port}{BASE}/a"),
        ),
        (
            "the registry as user",
            format!("http://127.0.0.1:{port}@{BESIDE}:{port}{BASE}/a"),
        ),
        ("the origin's root", "/".to_owned()),
        ("a longer base", format!("{BASE}os/a")),
        ("another case", "/BASE/path/a".to_owned()),
        ("encoded dots", format!("{BASE}/%2e%2e/%2E%2E/admin")),
        (
            "twice encoded dots",
            format!("{BASE}/%252e%252e/%252e%252e/admin"),
        ),
        ("dots and a parameter", format!("{BASE}/..;/..;/admin")),
        ("an encoded slash", format!("{BASE}/..%2f..%2fadmin")),
        ("backslashes", format!("\\\\127.0.0.1:{outside}\\a")),
        ("slash and backslash", format!("/\\127.0.0.1:{outside}/a")),
        ("a tab", format!("/\t/127.0.0.1:{outside}/a")),
        ("a file", "file:///etc/passwd".to_owned()),
        ("a script", "javascript:alert(1)".to_owned()),
    ];
    let mut all = Vec::new();
    for (what, location) in everywhere {
        for status in STATUSES {
            all.push(out(
                arena,
                &format!("{status} to {what}"),
                status,
                &location,
            ));
        }
    }
    for (what, location) in once {
        all.push(out(arena, &format!("a redirect to {what}"), 302, &location));
    }
    all.extend(chains(arena));
    all.extend(writes(arena));
    all
}

fn from(arena: &Arena, name: &str, routes: Vec<Route>) -> Try {
    Try {
        routes,
        request: vec!["GET".into(), "/from".into()],
        end: End::Answers(vec![REDIRECT_REFUSED]),
        shown: Shown::Followed,
        ..Try::new(name, granted(arena))
    }
}

fn route(path: &str, status: u16, location: &str) -> Route {
    Route {
        path: format!("{BASE}{path}"),
        status,
        location: location.to_owned(),
    }
}

fn out(arena: &Arena, name: &str, status: u16, location: &str) -> Try {
    from(arena, name, vec![route("/from", status, location)])
}

/// Within the grant first, and then out.
fn chains(arena: &Arena) -> Vec<Try> {
    let outside = format!("http://127.0.0.1:{}/a", arena.outside);
    let inner = format!("{BASE}/by");
    let chain = |name: &str, last: &str| {
        let routes = vec![
            route("/from", 307, &inner),
            route("/by", 302, &format!("{BASE}/by/again")),
            route("/by/again", 308, last),
        ];
        from(arena, name, routes)
    };
    let mut rebinds = Try {
        dns: vec![ips(&["127.0.0.1"]), vec![BESIDE.into()]],
        closes: true,
        end: End::Answers(vec!["misconfigured: http.sent-no-answer.address-refused"]),
        shown: Shown::Granted,
        ..out(
            arena,
            "a redirect within the grant, and the name leads beside",
            302,
            &inner,
        )
    };
    rebinds.endpoint.base_url = format!("http://registry.example:{}{BASE}", arena.port);
    vec![
        chain("a chain that ends outside", &outside),
        chain("a chain that ends above the base path", "../../../admin"),
        rebinds,
    ]
}

/// What was written is not written elsewhere, nor read.
fn writes(arena: &Arena) -> Vec<Try> {
    let outside = format!("http://127.0.0.1:{}/a", arena.outside);
    [301, 302, 303, 307, 308]
        .into_iter()
        .map(|status| {
            let name = format!("a POST and {status} to another port");
            let mut it = out(arena, &name, status, &outside);
            it.request[0] = "POST".into();
            it
        })
        .collect()
}
