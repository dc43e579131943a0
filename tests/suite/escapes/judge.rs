//! Whether a request is one that the grant allows, read as the most lenient of servers reads it.

/// Below which the registry is granted.
pub(super) const BASE: &str = "/base/path";
/// In whatever an adapter tries to put where it must not.
pub(super) const MARK: &str = "outside.example";
/// Decoders in a row: a proxy, a server, a framework.
const DECODERS: usize = 3;

/// Why the head of a request to the registry is none that the grant allows; none if it is one.
pub(super) fn out(head: &str, known: &[String]) -> Option<&'static str> {
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let [_, target, "HTTP/1.1"] = words[..] else {
        return Some("the request line has other words");
    };
    if line.chars().any(|c| c.is_control() || !c.is_ascii()) {
        return Some("the request line has other characters");
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path.contains(['#', '\\']) || query.contains('#') {
        return Some("the target has parts that servers read differently");
    }
    if leaves(path) {
        return Some("the path leaves the base path");
    }
    let names = query.split(['&', ';']).map(|pair| pair.split('=').next());
    if names.flatten().any(|name| name == "outside") {
        return Some("the query has a parameter that was a value");
    }
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    if lines.iter().any(|line| line.contains(['\r', '\n', '\0'])) || head.contains("\r\n ") {
        return Some("a header goes on where servers disagree");
    }
    let names_and_values: Vec<(String, &str)> = lines
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    let hosts: Vec<&str> = names_and_values
        .iter()
        .filter(|(name, _)| name == "host")
        .map(|(_, value)| *value)
        .collect();
    if names_and_values.len() != lines.len()
        || hosts.len() != 1
        || !known.iter().any(|host| hosts == [host])
    {
        return Some("the host is not the registry's alone");
    }
    let marked = |(_, value): &(String, &str)| value.contains(MARK);
    if names_and_values.iter().any(marked) {
        return Some("a header is the adapter's that must not be");
    }
    None
}

/// Whether some server takes the path for one outside the base path.
pub(super) fn leaves(path: &str) -> bool {
    let mut path = path.replace("%c0%ae", ".").replace("%c0%af", "/");
    for _ in 0..=DECODERS {
        if is_outside(&path) {
            return true;
        }
        path = decoded(&path);
    }
    false
}

fn is_outside(path: &str) -> bool {
    let mut left: Vec<&str> = Vec::new();
    for segment in path.split(['/', '\\']).skip(1) {
        match segment.split(';').next().unwrap_or_default() {
            ".." => drop(left.pop()),
            "." => {}
            name => left.push(name),
        }
    }
    let mut base = BASE.split('/').skip(1);
    let mut left = left.into_iter();
    !path.starts_with('/') || path.starts_with("//") || base.any(|part| left.next() != Some(part))
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn the_judge_tells_in_from_out() {
    let known = ["h:1".to_owned()];
    let head = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: h:1\r\nuser-agent: g\r\n{more}\r\n")
    };
    for good in [
        "/base/path",
        "/base/path/a/b?q=outside%3D1",
        "/base/path/a%252fb",
    ] {
        assert_eq!(out(&head(good, ""), &known), None, "{good}");
    }
    for bad in [
        "/",
        "/base/pathos",
        "/base/path/../a",
        "/base/path/%2e%2E/a",
        "/base/path/..%252f..%252fa",
        "/base/path/..;x/a",
        "/base/path/%c0%ae%c0%ae/a",
        "//base/path/a",
        "http://h:1/base/path/a",
        "/base/path/a?q=1&outside=1",
        "/base/path/a b",
    ] {
        assert!(out(&head(bad, ""), &known).is_some(), "{bad}");
    }
    for bad in ["Host: h:1\r\n", "x: outside.example\r\n", "x: a\r\n b\r\n"] {
        assert!(out(&head("/base/path/a", bad), &known).is_some(), "{bad}");
    }
    assert!(out(&head("/base/path/a", ""), &["h:2".to_owned()]).is_some());
}
