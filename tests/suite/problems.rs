//! README's tables of problems have every code that an endpoint can answer, with its status.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const README: &str = include_str!("../../README.md");

/// A code and its status.
type Told = BTreeSet<(String, u16)>;

/// Where a code comes from elsewhere, and how often: what is passed on there is found, or named, below.
/// A new place is looked at by whoever adds it.
const PASSED_ON: [(&str, usize); 3] = [
    // Of the gateway's refusals and conflicts.
    ("problem.rs", 2),
    ("limited.rs", 1),
    // `refused`, whose calls are looked through.
    ("body.rs", 1),
];
/// What `limited` is given, which are words of the gateway's error.
const LIMITED: [(&str, u16); 5] = [
    ("too-many-failed-keys", 429),
    ("issuer-unavailable", 503),
    ("rate-limited", 429),
    ("quota-spent", 429),
    ("quota-unknown", 503),
];
/// End an act of the audit when nobody is there who could be told.
const NEVER_TOLD: [&str; 2] = ["not-read", "clock-ahead"];

/// All sources of a room, without their tests.
fn sources(room: &str) -> Vec<(String, String)> {
    fn below(path: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                below(&path, found);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                found.push((name, text.to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    let room = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../host/src")
        .join(room);
    below(&room, &mut found);
    found
}

fn literal(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

fn status(name: &str) -> u16 {
    match name.trim().rsplit("::").next().unwrap() {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "NOT_FOUND" | "status" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "REQUEST_TIMEOUT" => 408,
        "CONFLICT" => 409,
        "GONE" => 410,
        "PAYLOAD_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "UNPROCESSABLE_ENTITY" => 422,
        "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_SERVER_ERROR" => 500,
        "NOT_IMPLEMENTED" => 501,
        "BAD_GATEWAY" => 502,
        "SERVICE_UNAVAILABLE" => 503,
        "GATEWAY_TIMEOUT" => 504,
        "INSUFFICIENT_STORAGE" => 507,
        other => panic!("a status that this test does not know: {other}"),
    }
}

/// What the API makes by itself.
fn of_the_api(told: &mut Told) {
    let mut passed_on = Vec::new();
    for (file, text) in sources("api") {
        let mut here = 0;
        let made = text.split("Problem::new(").skip(1);
        let own = text
            .split("Self::new(")
            .skip(1)
            .filter(|_| file == "problem.rs");
        for made in made.chain(own) {
            let (kind, rest) = made.split_once(',').unwrap();
            match literal(rest) {
                Some(code) => drop(told.insert((code.into(), status(kind)))),
                None => here += 1,
            }
        }
        if here > 0 {
            passed_on.push((file.clone(), here));
        }
        if file == "body.rs" {
            for made in text.split("refused(").skip(1) {
                let end = made.split(").field(").next().unwrap();
                let code = end.rsplit(", ").next().and_then(literal);
                told.insert((code.unwrap().into(), 400));
            }
        }
    }
    passed_on.sort();
    let mut known = PASSED_ON.map(|(file, places)| (file.to_owned(), places));
    known.sort();
    assert_eq!(passed_on, known);
    told.extend(LIMITED.map(|(code, status)| (code.to_owned(), status)));
}

/// What the gateway refuses, which the API passes on.
fn of_the_gateway(told: &mut Told) {
    for (_, text) in sources("gateway") {
        for made in text.split("conflict(").skip(1) {
            if let Some(code) = literal(made) {
                told.insert((code.into(), 409));
            }
        }
        for (kind, status) in [("Refused {", 422), ("Conflict {", 409)] {
            for made in text.split(kind).skip(1) {
                let field = made.trim_start().strip_prefix("code: ");
                if let Some(code) = field.and_then(literal) {
                    told.insert((code.into(), status));
                }
            }
        }
    }
    for code in NEVER_TOLD {
        assert!(told.remove(&(code.into(), 409)), "{code}");
    }
}

/// Each row has a status, and codes behind it.
fn in_the_readme() -> Told {
    let mut told = Told::new();
    for line in README.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [_, status, codes] = cells[..] else {
            continue;
        };
        let Ok(status) = status.trim().parse() else {
            continue;
        };
        if !(400..600).contains(&status) || !codes.starts_with('`') {
            continue;
        }
        // `with …` names fields and headers.
        for part in codes.split("; ") {
            let code = part
                .split(", with")
                .next()
                .unwrap()
                .split('`')
                .nth(1)
                .unwrap();
            told.insert((code.to_owned(), status));
        }
    }
    // Said in a sentence.
    assert!(README.contains("`/readyz` says 503 `not-ready`"));
    told.insert(("not-ready".into(), 503));
    told
}

#[test]
fn the_problems_in_the_readme_are_those_of_the_code() {
    let mut real = Told::new();
    of_the_api(&mut real);
    of_the_gateway(&mut real);
    assert!(real.len() > 60, "{real:?}");
    assert_eq!(in_the_readme(), real);
}
