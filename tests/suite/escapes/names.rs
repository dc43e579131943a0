//! A name that leads where it was not granted: at once, among others, or the second time.

use std::net::IpAddr;

use registry_gateway::config::endpoint::EndpointConfig;

use super::arena::Arena;
use super::judge::BASE;
use super::{ADDRESS_REFUSED, End, Shown, Try, ips, nets};

const CONNECT: &str = "unavailable: http.not-sent.connect";
/// Nobody listens there.
const NOBODY: &str = "127.0.0.3";

pub(super) fn tries(arena: &Arena) -> Vec<Try> {
    let mut all = answers(arena);
    all.extend(of_the_system(arena));
    all.extend(telling(arena));
    all.extend(mixed(arena));
    all.extend(rebinding(arena));
    all
}

/// A name with one address. Public names may not lead to what only the gateway can see.
fn answers(arena: &Arena) -> Vec<Try> {
    let config = |allow: &[&str]| EndpointConfig {
        allow_plain_http: true,
        allow_networks: nets(allow),
        ..EndpointConfig::new(format!("http://registry.example:{}", arena.outside))
    };
    let here = ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"];
    let elsewhere = [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "fd12::1",
        "169.254.0.1",
        "fe80::1",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::127.0.0.1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
        "::127.0.0.1",
    ];
    let never = [
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "64:ff9b::a9fe:a9fe",
    ];
    let one = |kind: &str, address: &str, allow: &[&str], shown| Try {
        dns: vec![ips(&[address])],
        shown,
        ..Try::new(format!("a name with {address}{kind}"), config(allow))
    };
    let mut all = Vec::new();
    for address in here {
        let shown = match (address, arena.has_v6) {
            ("::1", false) => Shown::NotHere,
            _ => Shown::Granted,
        };
        all.push(one("", address, &[], shown));
    }
    for address in elsewhere {
        all.push(one("", address, &[], Shown::NotHere));
    }
    for address in never {
        let shown = match address.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => Shown::Connects(address),
            _ => Shown::NotHere,
        };
        all.push(one(", all granted", address, &["0.0.0.0/0", "::/0"], shown));
    }
    // A translator was granted, not what it leads to.
    for (network, address) in [
        ("64:ff9b::/96", "64:ff9b::127.0.0.1"),
        ("64:ff9b::/96", "64:ff9b::10.0.0.1"),
        ("64:ff9b:1::/48", "64:ff9b:1:a00:0:100::"),
        ("2002::/16", "2002:7f00:1::1"),
        ("2001::/32", "2001:0:7f00:1::1"),
    ] {
        let kind = format!(", granted {network}");
        all.push(one(&kind, address, &[network], Shown::NotHere));
    }
    all
}

/// Names that the system itself knows for this machine.
fn of_the_system(arena: &Arena) -> Vec<Try> {
    let names = ["localhost", "LOCALHOST", "ｌocalhost", "%6cocalhost"];
    names
        .into_iter()
        .map(|name| Try {
            shown: Shown::Granted,
            ..Try::new(
                format!("the system's {name}"),
                EndpointConfig {
                    allow_plain_http: true,
                    ..EndpointConfig::new(format!("http://{name}:{}", arena.outside))
                },
            )
        })
        .collect()
}

/// Names that say where they lead, and names in other spellings: only the address counts.
fn telling(arena: &Arena) -> Vec<Try> {
    let rows = [
        ("127.0.0.1.nip.example", "127.0.0.1"),
        ("registry.example.", "127.0.0.1"),
        ("registry。example", "127.0.0.1"),
        ("ｒｅｇｉｓｔｒｙ.example", "127.0.0.1"),
        ("%72egistry.example", "127.0.0.1"),
        ("xn--bcher-kva.example", "127.0.0.2"),
        ("foo.localhost", "127.0.0.2"),
        ("metadata", "169.254.169.254"),
        ("metadata.google.internal", "169.254.169.254"),
        ("metadata.google.internal.", "::ffff:169.254.169.254"),
        ("instance-data.ec2.internal", "fd00:ec2::254"),
        ("kubernetes.default.svc", "10.96.0.1"),
    ];
    rows.into_iter()
        .map(|(name, address)| Try {
            dns: vec![ips(&[address])],
            shown: match address.starts_with("127.") {
                true => Shown::Granted,
                false => Shown::NotHere,
            },
            ..Try::new(
                format!("the name {name}, which is {address}"),
                EndpointConfig {
                    allow_plain_http: true,
                    ..EndpointConfig::new(format!("http://{name}:{}", arena.outside))
                },
            )
        })
        .collect()
}

/// Name, addresses, port, granted networks, end.
type Mixed<'a> = (&'a str, &'a [&'a str], u16, &'a [&'a str], &'static str);
/// Name, endpoint, answers of the name server, ends.
type Rebinding = (
    &'static str,
    EndpointConfig,
    Vec<Vec<IpAddr>>,
    Vec<&'static str>,
);

/// Several addresses at once: what is not granted is not even the last resort.
fn mixed(arena: &Arena) -> Vec<Try> {
    let config = |port: u16, allow: &[&str]| EndpointConfig {
        allow_networks: nets(allow),
        ..EndpointConfig::new(format!("http://registry.example:{port}{BASE}"))
    };
    let (inside, nobody) = (["127.0.0.1/32"], ["127.0.0.3/32"]);
    let rows: [Mixed<'_>; 7] = [
        (
            "outside first",
            &["127.0.0.2", "127.0.0.1"],
            arena.port,
            &inside,
            "200",
        ),
        (
            "outside last",
            &["127.0.0.1", "127.0.0.2"],
            arena.port,
            &inside,
            "200",
        ),
        (
            "metadata among others",
            &["169.254.169.254", "127.0.0.2", "127.0.0.1", "0.0.0.0"],
            arena.port,
            &inside,
            "200",
        ),
        (
            "nobody first",
            &[NOBODY, "127.0.0.2"],
            arena.outside,
            &nobody,
            CONNECT,
        ),
        (
            "nobody last",
            &["127.0.0.2", NOBODY],
            arena.outside,
            &nobody,
            CONNECT,
        ),
        (
            "nobody and ::1",
            &[NOBODY, "::1"],
            arena.outside,
            &nobody,
            CONNECT,
        ),
        (
            "all outside",
            &["127.0.0.1", "127.0.0.2"],
            arena.outside,
            &nobody,
            ADDRESS_REFUSED,
        ),
    ];
    rows.into_iter()
        .map(|(name, addresses, port, allow, end)| Try {
            dns: vec![ips(addresses)],
            end: End::Answers(vec![end]),
            shown: match name {
                "nobody and ::1" if !arena.has_v6 => Shown::NotHere,
                // Granted, the first that answers is the registry itself.
                "outside last" | "metadata among others" => Shown::NotHere,
                _ => Shown::Granted,
            },
            ..Try::new(format!("a mixed list: {name}"), config(port, allow))
        })
        .collect()
}

/// The answer changes between one look and the next.
fn rebinding(arena: &Arena) -> Vec<Try> {
    let name = EndpointConfig {
        allow_networks: nets(&["127.0.0.1/32"]),
        ..EndpointConfig::new(format!("http://registry.example:{}{BASE}", arena.port))
    };
    let nobody = EndpointConfig {
        allow_networks: nets(&["127.0.0.3/32"]),
        ..name.clone()
    };
    let beside = ips(&["127.0.0.2"]);
    let twice = vec!["200", ADDRESS_REFUSED];
    let rows: Vec<Rebinding> = vec![
        (
            "the second connection leads beside",
            name.clone(),
            vec![ips(&["127.0.0.1"]), beside.clone()],
            twice.clone(),
        ),
        (
            "the second connection leads to an IPv4-mapped one",
            name.clone(),
            vec![ips(&["127.0.0.1"]), ips(&["::ffff:127.0.0.2"])],
            twice.clone(),
        ),
        (
            "refused first, granted later, refused again",
            name.clone(),
            vec![beside.clone(), ips(&["127.0.0.1"]), beside.clone()],
            vec![ADDRESS_REFUSED, "200", ADDRESS_REFUSED],
        ),
        (
            "the checked address is dead and the next look leads beside",
            nobody,
            vec![ips(&[NOBODY]), beside],
            vec![CONNECT, ADDRESS_REFUSED],
        ),
    ];
    rows.into_iter()
        .map(|(what, endpoint, dns, ends)| Try {
            dns,
            closes: true,
            end: End::Answers(ends),
            shown: Shown::Granted,
            ..Try::new(format!("rebinding: {what}"), endpoint)
        })
        .collect()
}
