//! A base URL whose host is an address that was not granted, in all its spellings.

use std::net::{Ipv4Addr, Ipv6Addr};

use registry_gateway::config::endpoint::EndpointConfig;

use super::arena::Arena;
use super::{End, Shown, Try, nets};

/// Spellings of this machine, which a grant opens.
const LOOPBACK: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7F.0.0x0.1",
    "0177.0.0.1",
    "017700000001",
    "0x7f.0x0.1",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
];
/// Spellings of nowhere, which the system connects to itself and no grant opens.
const UNSPECIFIED: &[&str] = &[
    "0.0.0.0",
    "0",
    "0x0",
    "00000000",
    "0.0",
    "[::ffff:0.0.0.0]",
    "[::]",
];
/// Elsewhere: a grant opens them, and nothing is sent to them here.
const NOT_GLOBAL: &[&str] = &[
    "10.0.0.1",
    "012.1.2.3",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "0xc0a80001",
    "[::ffff:10.0.0.1]",
    "[fd12:3456:789a::1]",
    "[fec0::1]",
    "169.254.0.1",
    "[fe80::1]",
    "100.64.0.1",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.255",
    "[2001:db8::1]",
    "198.18.0.1",
    "[2001:2::1]",
    "192.0.0.1",
    "192.88.99.1",
    "240.0.0.1",
    "[100::1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1:a00:0:100::]",
    "[2002:7f00:1::1]",
    "[2001:0:a00:1::1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
];
/// No grant opens them, however wide.
const NEVER: &[&str] = &[
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
    "4294967295",
];

pub(super) fn tries(arena: &Arena) -> Vec<Try> {
    let port = arena.outside;
    let config = |host: &str, allow: &[&str]| EndpointConfig {
        allow_plain_http: true,
        allow_networks: nets(allow),
        ..EndpointConfig::new(format!("http://{host}:{port}"))
    };
    let refused = |kind: &str, host: &str, allow: &[&str], shown| Try {
        end: End::Configuration("base_url"),
        shown,
        ..Try::new(format!("{kind}: {host}"), config(host, allow))
    };
    let everything = ["0.0.0.0/0", "::/0"];
    let mut all = Vec::new();
    for host in LOOPBACK {
        all.push(refused("loopback", host, &[], Shown::Granted));
    }
    for host in UNSPECIFIED {
        let address = match *host {
            "[::]" => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        };
        let shown = Shown::Connects(address);
        all.push(refused(
            "unspecified, all granted",
            host,
            &everything,
            shown,
        ));
    }
    for host in NOT_GLOBAL {
        all.push(refused("not global", host, &[], Shown::NotHere));
    }
    for host in NEVER {
        all.push(refused(
            "never, all granted",
            host,
            &everything,
            Shown::NotHere,
        ));
    }
    // Grants that are near, and of the other family.
    for (host, allow) in [
        ("127.0.0.2", "127.0.0.1/32"),
        ("127.0.0.1", "126.0.0.0/8"),
        ("127.0.0.1", "::/0"),
        ("[::ffff:127.0.0.1]", "::/0"),
        ("[::1]", "0.0.0.0/0"),
        ("[::1]", "::2/127"),
    ] {
        let kind = format!("granted {allow}");
        all.push(refused(&kind, host, &[allow], Shown::Granted));
    }
    all
}
