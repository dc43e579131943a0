//! That a try would get out: of a gateway with a wider grant, or of one without rules.

use reqwest::Url;

use super::arena::Arena;
use super::judge::{self, BASE};
use super::{End, Shown, Try, ask, nets};
use crate::bench::Bench;

impl Try {
    /// Whether it would get out otherwise; none where that cannot be shown here.
    pub(super) async fn is_shown(&self, bench: &mut Option<Bench>, arena: &Arena) -> Option<bool> {
        let before = arena.connections_outside();
        arena.route(&self.routes, self.closes);
        match self.shown {
            Shown::NotHere => return None,
            Shown::Granted => {
                let needs_v6 = self.endpoint.base_url.contains('[')
                    && !self.endpoint.base_url.contains("ffff");
                if needs_v6 && !arena.has_v6 {
                    return None;
                }
                let mut granted = Self {
                    endpoint: self.endpoint.clone(),
                    dns: self.dns.clone(),
                    request: self.request.clone(),
                    ..Self::new("", self.endpoint.clone())
                };
                granted.endpoint.allow_networks = nets(&["127.0.0.0/8", "::1/128"]);
                let endpoints = granted.built().unwrap_or_else(|field| {
                    panic!("{}: {field} is refused with the grant too", self.name)
                });
                let End::Answers(ends) = &self.end else {
                    let end = ask(bench, endpoints, &self.request).await;
                    return Some(end == "200" && arena.connections_outside() > before);
                };
                for _ in ends {
                    ask(bench, endpoints.clone(), &self.request).await;
                }
            }
            Shown::Connects(address) => {
                if address.is_ipv6() && !arena.has_v6 {
                    return None;
                }
                arena.connect(address, arena.outside).await;
            }
            Shown::Followed => {
                let base = Url::parse(&format!("http://127.0.0.1:{}{BASE}/from", arena.port));
                let last = self.routes.last().expect("a route");
                let led = base.unwrap().join(&last.location).expect("a URL");
                return Some(leads_out(&led, arena));
            }
            Shown::Naively => return Some(self.naively_out(arena).await),
        }
        Some(arena.connections_outside() > before)
    }

    async fn naively_out(&self, arena: &Arena) -> bool {
        let base = &self.endpoint.base_url;
        let (method, path) = (&self.request[0], &self.request[1]);
        let led = [
            Url::parse(&format!("{base}{path}")),
            Url::parse(&format!("{base}/")).and_then(|base| base.join(path)),
        ];
        if led.iter().flatten().any(|url| leads_out(url, arena)) {
            return true;
        }
        let (mut query, mut headers) = (Vec::new(), String::new());
        for three in self.request[2..].chunks(3) {
            match &*three[0] {
                "header" => headers.push_str(&format!("{}: {}\r\n", three[1], three[2])),
                _ => query.push(format!("{}={}", three[1], three[2])),
            }
        }
        let query = match query.is_empty() {
            true => String::new(),
            false => format!("?{}", query.join("&")),
        };
        let host = format!("127.0.0.1:{}", arena.port);
        let head =
            format!("{method} {BASE}{path}{query} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n");
        let before = arena.verdicts().len();
        arena.send_raw(head.as_bytes()).await;
        arena.verdicts().len() > before
    }
}

/// Whether a URL leads to another origin than the registry's, or out of the base path there.
fn leads_out(url: &Url, arena: &Arena) -> bool {
    let here = Url::parse(&format!("http://127.0.0.1:{}", arena.port)).unwrap();
    url.origin() != here.origin() || !url.username().is_empty() || judge::leaves(url.path())
}
