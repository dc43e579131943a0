//! From where a request comes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use ipnet::IpNet;

/// Proxies that are looked behind, one after the other.
const HOPS: usize = 16;

/// The address at the other end of the connection: whoever accepts connections puts it into each
/// request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The proxies that are believed.
#[derive(Clone)]
pub(super) struct Trusted(pub(super) Arc<[IpNet]>);

/// Who asks: the peer, or whom trusted proxies say that they speak for. What anybody else writes into
/// `X-Forwarded-For` is not looked at.
pub(super) fn address(parts: &Parts) -> Option<IpAddr> {
    let Peer(peer) = parts.extensions.get::<Peer>()?;
    let mut address = peer.to_canonical();
    let trusted = parts.extensions.get::<Trusted>();
    let trusted = trusted.map_or(&[][..], |trusted| &trusted.0);
    let told = parts.headers.get_all("x-forwarded-for");
    // What cannot be read is nobody's address: behind it nothing is believed.
    let told: Vec<&str> = told.iter().map(|it| it.to_str().unwrap_or("?")).collect();
    // Each proxy writes at the end whom it saw.
    let mut told = told.iter().rev().flat_map(|line| line.rsplit(','));
    for _ in 0..HOPS {
        if !trusted.iter().any(|net| net.contains(&address)) {
            break;
        }
        match told
            .next()
            .and_then(|text| text.trim().parse::<IpAddr>().ok())
        {
            Some(before) => address = before.to_canonical(),
            None => break,
        }
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn seen(peer: &str, trusted: &[&str], told: &[&str]) -> String {
        let mut request = Request::new(());
        for line in told {
            let line = line.parse().unwrap();
            request.headers_mut().append("x-forwarded-for", line);
        }
        let nets: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        request.extensions_mut().insert(Trusted(nets.into()));
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        address(&request.into_parts().0).unwrap().to_string()
    }

    /// A client's own line stands before it: that must not be what is left.
    #[test]
    fn behind_a_line_that_cannot_be_read_nothing_is_believed() {
        let mut request = Request::new(());
        for line in [&b"203.0.113.9"[..], b"\xff, 192.0.2.7\xff"] {
            let line = axum::http::HeaderValue::from_bytes(line).unwrap();
            request.headers_mut().append("x-forwarded-for", line);
        }
        let own: IpNet = "10.0.0.0/8".parse().unwrap();
        request.extensions_mut().insert(Trusted([own].into()));
        request
            .extensions_mut()
            .insert(Peer("10.0.0.1".parse().unwrap()));
        let seen = address(&request.into_parts().0);
        assert_eq!(seen, Some("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let own = "10.0.0.0/8";
        for (peer, trusted, told, real) in [
            ("192.0.2.1", &[][..], &["203.0.113.9"][..], "192.0.2.1"),
            ("192.0.2.1", &[own], &["203.0.113.9"], "192.0.2.1"),
            ("10.0.0.1", &[own], &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &[own], &["203.0.113.9"], "203.0.113.9"),
            // What the client wrote itself stands before what the proxy saw.
            ("10.0.0.1", &[own], &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                &[own],
                &["1.1.1.1", "203.0.113.9"],
                "203.0.113.9",
            ),
            (
                "10.0.0.1",
                &[own],
                &["203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
            ),
            ("10.0.0.1", &[own], &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &[own], &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &[own], &["203.0.113.9, "], "10.0.0.1"),
            ("10.0.0.1", &[own], &[], "10.0.0.1"),
        ] {
            assert_eq!(seen(peer, trusted, told), real, "{peer} {told:?}");
        }
    }

    #[test]
    fn a_chain_without_end_is_cut() {
        let long = vec!["10.0.0.9"; 100].join(", ");
        assert_eq!(seen("10.0.0.1", &["10.0.0.0/8"], &[&long]), "10.0.0.9");
    }
}
