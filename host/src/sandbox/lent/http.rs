use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ::http::Method;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::Instant;
use wasmtime::Result;

use super::{Counters, HttpLimits, State};
use crate::egress::{self, Bounds, Endpoints, ProblemKind, SendError, Sent};
use crate::sandbox::bindings::lent::http;
use crate::sandbox::output::Output;
use crate::sandbox::progress::{Excluded, Progress};

impl http::Host for State {
    async fn send(
        &mut self,
        request: http::Request,
    ) -> Result<std::result::Result<http::Response, http::Error>> {
        let sender = self.sender(1)?;
        Ok(sender.send(request).await)
    }

    async fn send_all(
        &mut self,
        requests: Vec<http::Request>,
    ) -> Result<Vec<std::result::Result<http::Response, http::Error>>> {
        let sender = self.sender(requests.len())?;
        Ok(join_all(requests.into_iter().map(|request| sender.send(request))).await)
    }
}

/// What one host call needs, apart from the store, so that requests can run at the same time.
struct Sender {
    endpoints: Arc<Endpoints>,
    counters: Arc<Counters>,
    limits: HttpLimits,
    /// Each of the requests at the same time gets its share of what is left.
    answer_share: u64,
    deadline: Instant,
    output: Output,
    progress: Arc<Progress>,
}

impl State {
    fn sender(&self, requests: usize) -> Result<Sender> {
        let lent = self.lent()?;
        let endpoints = lent.endpoints.clone().ok_or(crate::sandbox::fault::Stop(
            crate::sandbox::Fault::CalledOut,
        ))?;
        let left = self
            .limits
            .bytes_in
            .saturating_sub(lent.counters.bytes_in.load(Relaxed));
        Ok(Sender {
            endpoints,
            counters: lent.counters.clone(),
            limits: self.limits,
            answer_share: left / u64::try_from(requests.max(1)).unwrap_or(1),
            deadline: self.deadline,
            output: self.output.clone(),
            progress: self.progress.clone(),
        })
    }
}

impl Sender {
    async fn send(&self, request: http::Request) -> Sending {
        if let Some(limit) = self.over_limit(&request) {
            return Err(not_sent(
                http::ProblemKind::LimitReached,
                &format!("this call has used up its {limit}"),
            ));
        }
        let bounds = Bounds {
            max_response_bytes: self.answer_share,
            deadline: self.deadline.into_std(),
        };
        let endpoint = request.endpoint.clone();
        let Some(request) = to_egress(request) else {
            return Err(not_sent(
                http::ProblemKind::RequestRefused,
                "the method is not one",
            ));
        };
        self.remember(&request);
        let began = Instant::now();
        let sent = Excluded {
            inner: Box::pin(self.endpoints.send(&endpoint, request, bounds)),
            progress: self.progress.clone(),
        }
        .await;
        let wait = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counters.wait_ns.fetch_add(wait, Relaxed);
        match sent {
            Ok(response) => {
                let size = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
                self.counters.bytes_in.fetch_add(size, Relaxed);
                self.output.saw(response.body.clone());
                Ok(http::Response {
                    status: response.status,
                    headers: response.headers,
                    body: response.body.into(),
                })
            }
            Err(error) => Err(from_egress(error)),
        }
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
        if self.answer_share == 0 {
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
        let mut words = request.path.clone();
        for (_, value) in request.query.iter().chain(&request.headers) {
            words.push(' ');
            words.push_str(value);
        }
        self.output.saw(Bytes::from(words));
    }
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
fn to_egress(request: http::Request) -> Option<egress::Request> {
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
