use url::Url;

use super::*;
use crate::egress::endpoint::check_literal;

/// Every spelling of a host that must not be reached without a grant, through the URL library as
/// a configuration or redirect would bring it.
#[test]
fn no_spelling_of_an_ungranted_address_passes() {
    use AddressClass::*;
    let hosts = [
        ("127.0.0.1", Loopback),
        ("127.1", Loopback),
        ("127.0.1", Loopback),
        ("2130706433", Loopback),
        ("0x7f000001", Loopback),
        ("0x7f.1", Loopback),
        ("0x7F.0.0x0.1", Loopback),
        ("0177.0.0.1", Loopback),
        ("017700000001", Loopback),
        ("127.255.255.254", Loopback),
        ("127.0.0.1.", Loopback),
        ("%31%32%37.0.0.1", Loopback),
        ("１２７.0.0.1", Loopback),
        ("127。0。0。1", Loopback),
        ("①②⑦.0.0.1", Loopback),
        ("[::1]", Loopback),
        ("[0:0:0:0:0:0:0:1]", Loopback),
        ("[::0001]", Loopback),
        ("[::ffff:127.0.0.1]", Loopback),
        ("[::ffff:7f00:1]", Loopback),
        ("[0:0:0:0:0:ffff:7f00:0001]", Loopback),
        ("10.0.0.1", Private),
        ("10.255.255.255", Private),
        ("012.1.2.3", Private),
        ("167772161", Private),
        ("0xa.1", Private),
        ("172.16.0.1", Private),
        ("172.31.255.255", Private),
        ("192.168.0.1", Private),
        ("192.168.257", Private),
        ("3232235521", Private),
        ("0xc0a80001", Private),
        ("0300.0250.0.1", Private),
        ("[::ffff:10.0.0.1]", Private),
        ("[::FFFF:C0A8:0001]", Private),
        ("[fc00::1]", Private),
        ("[fd12:3456:789a::1]", Private),
        ("[fdff:ffff::]", Private),
        ("[fec0::1]", Private),
        ("169.254.0.1", LinkLocal),
        ("169.254.255.255", LinkLocal),
        ("[fe80::1]", LinkLocal),
        ("[febf::1]", LinkLocal),
        ("169.254.169.254", Metadata),
        ("2852039166", Metadata),
        ("0xa9fea9fe", Metadata),
        ("0251.0376.0251.0376", Metadata),
        ("[::ffff:169.254.169.254]", Metadata),
        ("[::ffff:a9fe:a9fe]", Metadata),
        ("169.254.170.2", Metadata),
        ("100.100.100.200", Metadata),
        ("168.63.129.16", Metadata),
        ("[fd00:ec2::254]", Metadata),
        ("[fd20:ce::254]", Metadata),
        ("[64:ff9b::169.254.169.254]", Metadata),
        ("[2002:a9fe:a9fe::1]", Metadata),
        ("[::169.254.169.254]", Metadata),
        // Teredo: the client is inverted; 0x5601 is !0xa9fe.
        ("[2001:0:4136:e378:8000:63bf:5601:5601]", Metadata),
        ("100.64.0.1", Shared),
        ("100.127.255.255", Shared),
        ("0.0.0.0", Unspecified),
        ("0", Unspecified),
        ("0x0", Unspecified),
        ("0.1.2.3", Unspecified),
        ("[::]", Unspecified),
        ("[::ffff:0.0.0.0]", Unspecified),
        ("[64:ff9b::8.8.8.8]", Translated),
        ("[64:ff9b::10.0.0.1]", Translated),
        ("[64:ff9b::7f00:1]", Translated),
        ("[64:ff9b:1::1]", Unspecified),
        ("[64:ff9b:1:a00:0:100::]", Translated),
        ("[64:ff9b:1:a9fe:a9:fe00::]", Metadata),
        ("[64:ff9b:1::169.254.169.254]", Metadata),
        ("[64:ff9b:1:ffff::10.0.0.1]", Translated),
        ("[2002:7f00:1::1]", Translated),
        ("[2002:808:808::1]", Translated),
        ("[2001:0:808:808::1]", Translated),
        ("[::127.0.0.1]", Translated),
        ("[::7f00:1]", Translated),
        ("[::ffff:0:127.0.0.1]", Translated),
        ("192.88.99.1", Translated),
        ("192.0.2.1", Documentation),
        ("198.51.100.7", Documentation),
        ("203.0.113.255", Documentation),
        ("[2001:db8::1]", Documentation),
        ("[3fff::1]", Documentation),
        ("198.18.0.1", Benchmarking),
        ("198.19.255.255", Benchmarking),
        ("[2001:2::1]", Benchmarking),
        ("192.0.0.1", Reserved),
        ("240.0.0.1", Reserved),
        ("255.255.255.254", Reserved),
        ("[100::1]", Reserved),
        ("[5f00::1]", Reserved),
        ("[4000::1]", Reserved),
        ("[2001:10::1]", Reserved),
        ("[2001:20::1]", Reserved),
        ("224.0.0.1", Multicast),
        ("239.255.255.250", Multicast),
        ("[ff02::1]", Multicast),
        ("[ff0e::1]", Multicast),
        ("255.255.255.255", Broadcast),
        ("4294967295", Broadcast),
        ("0xffffffff", Broadcast),
        ("[::ffff:255.255.255.255]", Broadcast),
    ];
    assert!(hosts.len() >= 100, "{}", hosts.len());
    let policy = AddressPolicy::default();
    for (host, class) in hosts {
        let url =
            Url::parse(&format!("https://{host}:8443/a")).unwrap_or_else(|e| panic!("{host}: {e}"));
        let error = check_literal(&policy, &url).expect_err(host);
        assert_eq!(error.kind, ProblemKind::AddressRefused, "{host}");
        let address: IpAddr = match url.host().expect("host") {
            url::Host::Ipv4(address) => address.into(),
            url::Host::Ipv6(address) => address.into(),
            url::Host::Domain(name) => panic!("{host} stayed a name: {name}"),
        };
        assert_eq!(AddressClass::of(address), class, "{host}");
        let error = build_with(
            &Egress::new(),
            EndpointConfig::new(format!("https://{host}/")),
            Credential::None,
        )
        .expect_err(host);
        assert_eq!(error.field, "base_url");
        assert!(error.to_string().contains("allow_networks"), "{error}");
    }
}

#[test]
fn global_addresses_pass() {
    let policy = AddressPolicy::default();
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:200::1",
        "::ffff:8.8.8.8",
    ] {
        policy
            .check(address.parse().expect(address))
            .expect(address);
    }
}

#[test]
fn a_grant_opens_what_it_lists_and_never_what_nobody_may_reach() {
    let everything = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("network"));
    let policy = AddressPolicy::new(&everything);
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "fd00::1",
        "64:ff9b::10.0.0.1",
        "240.0.0.1",
    ] {
        policy
            .check(address.parse().expect(address))
            .expect(address);
    }
    for address in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "100.100.100.200",
        "64:ff9b::0.0.0.0",
        "2002:a9fe:a9fe::",
    ] {
        policy
            .check(address.parse().expect(address))
            .expect_err(address);
    }
    let one = AddressPolicy::new(&["10.1.0.0/16".parse().expect("network")]);
    one.check("10.1.2.3".parse().expect("address"))
        .expect("listed");
    one.check("::ffff:10.1.2.3".parse().expect("address"))
        .expect("the same address");
    one.check("10.2.0.1".parse().expect("address"))
        .expect_err("not listed");
    let nat64 = AddressPolicy::new(&["64:ff9b::/96".parse().expect("network")]);
    nat64
        .check("64:ff9b::8.8.8.8".parse().expect("address"))
        .expect("global, by a translator that is listed");
    for address in ["64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1"] {
        nat64
            .check(address.parse().expect(address))
            .expect_err("what the translator leads to is not listed");
    }
    let listed = AddressPolicy::listed_only(&["10.1.0.0/16".parse().expect("network")]);
    listed
        .check("10.1.2.3".parse().expect("address"))
        .expect("listed");
    listed
        .check("8.8.8.8".parse().expect("address"))
        .expect_err("global, not listed");
}

#[tokio::test]
async fn a_name_is_judged_by_its_addresses() {
    let peer = Peer::answering(peer::OK).await;
    let base = format!("https://registry.example:{}", peer.address.port());
    for list in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["::1", "10.0.0.1"],
        &["::ffff:127.0.0.1"],
    ] {
        let egress = Egress::with_lookup(Script::new(&[list]));
        let endpoints =
            build_with(&egress, EndpointConfig::new(&base), Credential::None).expect("builds");
        let result = send(&endpoints, get("/a")).await;
        assert_error(result, Sent::NotSent, ProblemKind::AddressRefused);
    }
    assert_eq!(peer.connections(), 0, "nothing was connected");
}

#[tokio::test]
async fn of_a_mixed_list_only_the_granted_part_is_connected() {
    let peer = Peer::answering(peer::OK).await;
    let base = format!("http://registry.example:{}", peer.address.port());
    let script = Script::new(&[&["169.254.169.254", "127.0.0.2", "127.0.0.1", "::1"]]);
    let egress = Egress::with_lookup(script.clone());
    let endpoints = build_with(&egress, config(&base), Credential::None).expect("builds");
    send(&endpoints, get("/a")).await.expect("an answer");
    assert_eq!(*script.names.lock().expect("names"), ["registry.example"]);
}

/// The second lookup of a name answers another address: what was checked before is of no use.
#[tokio::test]
async fn a_name_that_rebinds_gains_nothing() {
    let peer = Peer::start(|_| {
        Reply::AnswerAndClose(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
        )
    })
    .await;
    // The same server is reachable under all of 127.0.0.0/8; only 127.0.0.1 is granted.
    let base = format!("http://registry.example:{}", peer.address.port());
    let script = Script::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let egress = Egress::with_lookup(script.clone());
    let endpoints = build_with(&egress, config(&base), Credential::None).expect("builds");
    send(&endpoints, get("/a"))
        .await
        .expect("the granted address");
    let result = send(&endpoints, get("/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::AddressRefused);
    assert_eq!(
        script.asked.load(Ordering::Relaxed),
        2,
        "one lookup per connection"
    );
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_name_without_answer_is_a_dns_problem() {
    for script in [Script::new(&[]), Script::new(&[&[]])] {
        let egress = Egress::with_lookup(script);
        let endpoints = build_with(&egress, config("http://absent.example"), Credential::None);
        let result = send(&endpoints.expect("builds"), get("/a")).await;
        assert_error(result, Sent::NotSent, ProblemKind::Dns);
    }
}

#[tokio::test]
async fn plain_http_reaches_listed_networks_alone() {
    let egress = Egress::with_lookup(Script::new(&[&["8.8.8.8"]]));
    let endpoints = build_with(&egress, config("http://registry.example"), Credential::None);
    let result = send(&endpoints.expect("builds"), get("/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::AddressRefused);
}

use super::peer::Reply;
