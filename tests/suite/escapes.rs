//! What an adapter, a configuration, a name server and a registry try to get a request out of its
//! grant: every try against real listeners, by the hostile guest in the sandbox. None gets out.
//!
//! A try gets out when a listener that nobody was granted sees a connection, or when the registry
//! sees a request that the grant does not allow. That it could is shown by a second run of each:
//! the same with a wider grant, or sent as a gateway without rules would send it.

mod addresses;
mod arena;
mod configuration;
mod judge;
mod names;
mod redirects;
mod requests;
mod shown;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use registry_gateway::config::endpoint::EndpointConfig;
use registry_gateway::egress::{Egress, Endpoints, Lookup, SystemLookup};

use self::arena::{Arena, Route};
use self::judge::BASE;
use crate::bench::{Bench, done};

/// A table that shrinks has lost something.
const AT_LEAST: usize = 350;
/// Those whose second run shows that a gateway without the rule would have let them out.
const SHOWN_AT_LEAST: usize = 220;

const REFUSED: &str = "rejected: http.not-sent.request-refused";
const ADDRESS_REFUSED: &str = "misconfigured: http.not-sent.address-refused";
const REDIRECT_REFUSED: &str = "unreadable: http.sent-no-answer.redirect-refused";

/// One try, under a name of its own.
struct Try {
    name: String,
    endpoint: EndpointConfig,
    /// The name server's answers, one list per question, the last one again and again. None: the
    /// system's.
    dns: Vec<Vec<IpAddr>>,
    routes: Vec<Route>,
    closes: bool,
    /// Method, path, and by threes headers and query: see `any_request` of the guest.
    request: Vec<String>,
    end: End,
    shown: Shown,
}

/// What a try must come to.
enum End {
    /// The configuration is refused, at this field.
    Configuration(&'static str),
    /// The guest's requests, one after the other, end with these.
    Answers(Vec<&'static str>),
}

/// How it is shown that the try would otherwise get out.
enum Shown {
    /// With this network granted as well, the same try gets out.
    Granted,
    /// The address leads to a listener outside.
    Connects(IpAddr),
    /// A gateway that puts base URL and path together, and writes headers as they come, sends it out.
    Naively,
    /// The registry's redirect leads out, for who follows it.
    Followed,
    /// Nothing of this machine has that address, or the try is about what never works anyway.
    NotHere,
}

/// Answers from a script.
struct Script {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Lookup for Script {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, SeqCst);
        let answer = self.answers.get(asked).or(self.answers.last());
        Ok(answer.cloned().unwrap_or_default())
    }
}

impl Try {
    /// A GET of a path, to an endpoint that is refused to it.
    fn new(name: impl Into<String>, endpoint: EndpointConfig) -> Self {
        Self {
            name: name.into(),
            endpoint,
            dns: Vec::new(),
            routes: Vec::new(),
            closes: false,
            request: vec!["GET".into(), "/a".into()],
            end: End::Answers(vec![ADDRESS_REFUSED]),
            shown: Shown::NotHere,
        }
    }

    fn built(&self) -> Result<Arc<Endpoints>, String> {
        let lookup: Arc<dyn Lookup> = match self.dns.is_empty() {
            true => Arc::new(SystemLookup),
            false => Arc::new(Script {
                answers: self.dns.clone(),
                asked: AtomicUsize::new(0),
            }),
        };
        Endpoints::build(
            &Egress::with_lookup(lookup),
            "test",
            &BTreeMap::from([("registry".into(), self.endpoint.clone())]),
            &BTreeMap::new(),
            &BTreeMap::new(),
        )
        .map(Arc::new)
        .map_err(|error| error.field)
    }

    /// What it came to, if that is not what it must.
    async fn run(&self, bench: &mut Option<Bench>, arena: &Arena) -> Option<String> {
        arena.route(&self.routes, self.closes);
        match (self.built(), &self.end) {
            (Err(field), End::Configuration(expected)) if field == *expected => None,
            (Err(field), _) => Some(format!("the configuration is refused: {field}")),
            (Ok(_), End::Configuration(_)) => Some("the configuration is accepted".into()),
            (Ok(endpoints), End::Answers(expected)) => {
                let mut ends = Vec::new();
                for _ in expected {
                    ends.push(ask(bench, endpoints.clone(), &self.request).await);
                }
                (ends != *expected).then(|| format!("{ends:?}"))
            }
        }
    }
}

/// What the guest's request ends with.
async fn ask(bench: &mut Option<Bench>, endpoints: Arc<Endpoints>, request: &[String]) -> String {
    let asked = bench.take().expect("a bench").endpoints(endpoints);
    let arguments: Vec<&str> = request.iter().map(String::as_str).collect();
    let mut ends = done(asked.find("any_request", &arguments).await).unmapped;
    *bench = Some(asked);
    ends.remove(0).value
}

/// The registry as it is granted.
fn granted(arena: &Arena) -> EndpointConfig {
    EndpointConfig {
        allow_networks: nets(&["127.0.0.1/32"]),
        timeout_ms: 5_000,
        ..EndpointConfig::new(format!("http://127.0.0.1:{}{BASE}", arena.port))
    }
}

fn nets<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts
        .iter()
        .map(|text| text.parse().expect("a network"))
        .collect()
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts
        .iter()
        .map(|text| text.parse().expect("an address"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_gets_out_of_its_grant() {
    let arena = Arena::start().await;
    let tries: Vec<Try> = [
        addresses::tries(&arena),
        configuration::tries(&arena),
        names::tries(&arena),
        redirects::tries(&arena),
        requests::tries(&arena),
    ]
    .into_iter()
    .flatten()
    .collect();
    let names: HashSet<&str> = tries.iter().map(|it| &*it.name).collect();
    assert_eq!(names.len(), tries.len(), "each try has a name of its own");
    assert!(tries.len() >= AT_LEAST, "{} tries", tries.len());

    let mut bench = Some(Bench::new().await);
    let (mut out, mut otherwise) = (Vec::new(), Vec::new());
    for it in &tries {
        let (before, verdicts) = (arena.connections_outside(), arena.verdicts().len());
        if let Some(came_to) = it.run(&mut bench, &arena).await {
            otherwise.push(format!("{}: {came_to}", it.name));
        }
        let judged = &arena.verdicts()[verdicts..];
        if arena.connections_outside() > before || !judged.is_empty() {
            out.push(format!("{}: {judged:?}", it.name));
        }
    }
    assert!(out.is_empty(), "got out:\n{}", out.join("\n"));
    assert!(
        otherwise.is_empty(),
        "ended otherwise:\n{}",
        otherwise.join("\n")
    );
    assert_eq!(arena.connections_outside(), 0);
    assert_eq!(arena.verdicts(), [""; 0]);
    let (_, requests) = arena.inside();
    assert!(requests > 0, "the registry itself was reached");

    // Each once more, to see that the listeners would have told.
    let (mut shown, mut not_shown) = (0, Vec::new());
    for it in &tries {
        match it.is_shown(&mut bench, &arena).await {
            Some(true) => shown += 1,
            Some(false) => not_shown.push(&*it.name),
            None => {}
        }
    }
    assert!(
        not_shown.is_empty(),
        "prove nothing:\n{}",
        not_shown.join("\n")
    );
    assert!(shown >= SHOWN_AT_LEAST, "{shown} of {} shown", tries.len());
    eprintln!(
        "{} tries, 0 out; {shown} shown to get out without the rule",
        tries.len()
    );
}
