use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ::http::Method;
use bytes::Bytes;
use futures_util::future::{Either, join_all, ready};
use tokio::time::Instant;
use wasmtime::Result;

use super::{Counters, HttpLimits, State};
use crate::egress::{self, Bounds, Endpoints, ProblemKind, SendError, Sent};
use crate::model::Call;
use crate::sandbox::bindings::lent::http;
use crate::sandbox::ends;
use crate::sandbox::fault::{Fault, Limit, Stop};
use crate::sandbox::output::Output;
use crate::sandbox::progress::{Excluded, Progress};
use crate::telemetry::{Field, Side, Span};

impl http::Host for State {
    async fn send(
        &mut self,
        request: http::Request,
    ) -> Result<std::result::Result<http::Response, http::Error>> {
        let sender = self.sender()?;
        match sender.admit(request) {
            Ok(admitted) => Ok(sender.send(admitted, sender.share(1)).await),
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn send_all(
        &mut self,
        requests: Vec<http::Request>,
    ) -> Result<Vec<std::result::Result<http::Response, http::Error>>> {
        let sender = self.sender()?;
        if requests.len() > MAX_AT_ONCE {
            return Err(Stop(Fault::OverLimit(Limit::Answer)).into());
        }
        let admitted: Vec<_> = requests.into_iter().map(|it| sender.admit(it)).collect();
        let sent = admitted.iter().filter(|it| it.is_ok()).count();
        // What is refused takes no share.
        let share = sender.share(sent);
        let answers = admitted.into_iter().map(|admitted| match admitted {
            Ok(admitted) => Either::Left(sender.send(admitted, share)),
            Err(refused) => Either::Right(ready(Err(refused))),
        });
        Ok(join_all(answers).await)
    }
}

/// Requests in one list. A thousand times what calls need, and no more than a list of answers
/// should cost the gateway.
const MAX_AT_ONCE: usize = 1_000;

/// Of an answer's headers those that name nobody: masking `json` and `close` would hide too much.
const PROTOCOL: [&str; 5] = [
    "cache-control",
    "connection",
    "content-type",
    "date",
    "vary",
];

/// A request that is counted and may be sent.
struct Admitted {
    endpoint: String,
    request: egress::Request,
}

/// What one of several requests at the same time may take of what the call has left.
#[derive(Clone, Copy)]
struct Share {
    bytes_in: u64,
    further_requests: u32,
}

/// What one host call needs, apart from the store, so that requests can run at the same time.
struct Sender {
    endpoints: Arc<Endpoints>,
    counters: Arc<Counters>,
    limits: HttpLimits,
    deadline: Instant,
    /// The call has no key of an operation.
    only_reads: bool,
    output: Output,
    progress: Arc<Progress>,
    call: Arc<Call>,
}

impl State {
    fn sender(&self) -> Result<Sender> {
        let lent = self.lent()?;
        let endpoints = lent.endpoints.clone().ok_or(Stop(Fault::CalledOut))?;
        Ok(Sender {
            endpoints,
            counters: lent.counters.clone(),
            limits: self.limits,
            deadline: self.deadline,
            only_reads: lent.call.operation_key.is_none(),
            output: self.output.clone(),
            progress: self.progress.clone(),
            call: lent.call.clone(),
        })
    }
}

impl Sender {
    /// Bytes of answers that this call may still take.
    fn left(&self) -> u64 {
        let used = self.counters.bytes_in.load(Relaxed);
        self.limits.bytes_in.saturating_sub(used)
    }

    /// The share of one of so many requests, which are counted already.
    fn share(&self, requests: usize) -> Share {
        let requests = u32::try_from(requests.max(1)).unwrap_or(u32::MAX);
        let calls = self.counters.calls.load(Relaxed);
        Share {
            bytes_in: self.left() / u64::from(requests),
            further_requests: self.limits.calls.saturating_sub(calls) / requests,
        }
    }

    /// Counts the request where the call's limits allow it.
    fn admit(&self, request: http::Request) -> std::result::Result<Admitted, http::Error> {
        if let Some(limit) = self.over_limit(&request) {
            self.counters.trail.refused.store(true, Relaxed);
            return Err(not_sent(
                http::ProblemKind::LimitReached,
                &format!("this call has used up its {limit}"),
            ));
        }
        let endpoint = request.endpoint.clone();
        let Some(request) = to_egress(request, self.only_reads) else {
            return Err(not_sent(
                http::ProblemKind::RequestRefused,
                "the method is not one",
            ));
        };
        Ok(Admitted { endpoint, request })
    }

    /// Sends, and counts what it took.
    async fn send(&self, admitted: Admitted, share: Share) -> Sending {
        let Admitted {
            endpoint,
            mut request,
        } = admitted;
        let bounds = Bounds {
            max_response_bytes: share.bytes_in,
            max_further_requests: share.further_requests,
            deadline: self.deadline.into_std(),
        };
        let mut span = self.span(&endpoint);
        request.trace = span.context();
        self.remember(&request);
        let changes = !self.only_reads && !request.method.is_safe();
        if changes {
            self.counters.trail.leaves();
        }
        let began = Instant::now();
        let sent = Excluded {
            inner: Box::pin(self.endpoints.send(&endpoint, request, bounds)),
            progress: self.progress.clone(),
        }
        .await;
        if changes {
            let came_to = sent.as_ref().map(drop).map_err(|error| error.sent);
            self.counters.trail.came_to(came_to);
        }
        let wait = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counters.wait_ns.fetch_add(wait, Relaxed);
        let spent = match &sent {
            Ok(response) => response.spent,
            Err(error) => error.spent,
        };
        self.counters
            .calls
            .fetch_add(spent.further_requests, Relaxed);
        self.counters.bytes_in.fetch_add(spent.body_bytes, Relaxed);
        let end = ends::word(&sent);
        self.counters.ends.count(end);
        span.set(Field::Outcome, end);
        match &sent {
            Ok(response) => span.set_status(response.status),
            Err(_) => span.failed(),
        }
        drop(span);
        match sent {
            Ok(response) => {
                self.output.saw(response.body.clone());
                let headers = response.headers.iter();
                let telling = headers.filter(|(name, _)| !PROTOCOL.contains(&name.as_str()));
                self.output.saw(words(String::new(), telling));
                Ok(http::Response {
                    status: response.status,
                    headers: response.headers,
                    body: response.body.into(),
                })
            }
            Err(error) => {
                self.counters.trail.add(&error);
                Err(from_egress(error))
            }
        }
    }

    /// Neither path nor query: an adapter puts identifiers there. A name that is not granted is the
    /// adapter's own word.
    fn span(&self, endpoint: &str) -> Span {
        let mut span = Span::begin(Side::Client, "egress", self.call.trace);
        span.set(Field::RequestId, &self.call.request_id);
        span.set(Field::Registry, &self.call.registry);
        if self.endpoints.names().any(|granted| granted == endpoint) {
            span.set(Field::Endpoint, endpoint);
        }
        span
    }

    /// Counts the request, and names the limit that it goes over.
    fn over_limit(&self, request: &http::Request) -> Option<&'static str> {
        let size = u64::try_from(size(request)).unwrap_or(u64::MAX);
        if self.counters.calls.load(Relaxed) >= self.limits.calls {
            return Some("http_calls");
        }
        if self.counters.bytes_out.load(Relaxed).saturating_add(size) > self.limits.bytes_out {
            return Some("http_bytes_out");
        }
        if self.left() == 0 {
            return Some("http_bytes_in");
        }
        self.counters.calls.fetch_add(1, Relaxed);
        self.counters.bytes_out.fetch_add(size, Relaxed);
        None
    }

    /// The words of the request, to be masked in what the guest logs.
    fn remember(&self, request: &egress::Request) {
        if let Some(body) = &request.body {
            self.output.saw(body.clone());
        }
        let query = words(request.path.clone(), request.query.iter());
        self.output.saw(query);
        self.output
            .saw(words(String::new(), request.headers.iter()));
    }
}

/// A text and the values of some pairs.
fn words<'a>(mut text: String, pairs: impl Iterator<Item = &'a (String, String)>) -> Bytes {
    for (_, value) in pairs {
        text.push(' ');
        text.push_str(value);
    }
    Bytes::from(text)
}

/// All that the guest chose of the request: a header is as good as a body to flood with.
fn size(request: &http::Request) -> usize {
    let pairs = request.query.iter().chain(&request.headers);
    let pairs: usize = pairs.map(|(name, value)| name.len() + value.len()).sum();
    let body = request.body.as_ref().map_or(0, Vec::len);
    request.path.len() + pairs + body
}

/// What the contract answers.
type Sending = std::result::Result<http::Response, http::Error>;

fn not_sent(kind: http::ProblemKind, message: &str) -> http::Error {
    http::Error::NotSent(http::Problem {
        kind,
        message: message.into(),
        retry_after_ms: None,
    })
}

/// None: the method is not one.
fn to_egress(request: http::Request, only_reads: bool) -> Option<egress::Request> {
    let method = match request.method {
        http::Method::Get => Method::GET,
        http::Method::Head => Method::HEAD,
        http::Method::Post => Method::POST,
        http::Method::Put => Method::PUT,
        http::Method::Patch => Method::PATCH,
        http::Method::Delete => Method::DELETE,
        http::Method::Other(other) => Method::from_bytes(other.as_bytes()).ok()?,
    };
    Some(egress::Request {
        method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body.map(Bytes::from),
        timeout: request
            .timeout_ms
            .map(|ms| Duration::from_millis(ms.into())),
        only_reads,
        tells_elsewhere: false,
        trace: None,
    })
}

fn from_egress(error: SendError) -> http::Error {
    let problem = http::Problem {
        kind: match error.kind {
            ProblemKind::EndpointNotGranted => http::ProblemKind::EndpointNotGranted,
            ProblemKind::RequestRefused => http::ProblemKind::RequestRefused,
            ProblemKind::LimitReached => http::ProblemKind::LimitReached,
            ProblemKind::AddressRefused => http::ProblemKind::AddressRefused,
            ProblemKind::Dns => http::ProblemKind::Dns,
            ProblemKind::Connect => http::ProblemKind::Connect,
            ProblemKind::Tls => http::ProblemKind::Tls,
            ProblemKind::Credential => http::ProblemKind::Credential,
            ProblemKind::TimedOut => http::ProblemKind::TimedOut,
            ProblemKind::Interrupted => http::ProblemKind::Interrupted,
            ProblemKind::TooLarge => http::ProblemKind::TooLarge,
            ProblemKind::Unreadable => http::ProblemKind::Unreadable,
            ProblemKind::RedirectRefused => http::ProblemKind::RedirectRefused,
            ProblemKind::Resting => http::ProblemKind::Resting,
            ProblemKind::Other(other) => http::ProblemKind::Other(other),
        },
        message: error.message,
        retry_after_ms: error.retry_after_ms,
    };
    match error.sent {
        Sent::NotSent => http::Error::NotSent(problem),
        Sent::SentNoAnswer => http::Error::SentNoAnswer(problem),
    }
}
