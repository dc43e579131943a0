//! One endpoint: a request goes out, redirects within the grant are followed, an answer comes in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LOCATION, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::address::AddressPolicy;
use super::body::{self, BodyError};
use super::classify;
use super::client;
use super::credential::Authenticator;
use super::exchange::{Bounds, ProblemKind, Request, Response, SendError, Spent};
use super::guard::Guard;
use super::header::{self, ReservedNames};
use super::path::Base;
use super::token::Token;

/// How much later than the deadline the limit around the whole request fires: the connector, with
/// the same deadline, is to speak first, since it knows that nothing was sent.
const GRACE: Duration = Duration::from_millis(10);

/// A granted base URL with all that belongs to it.
pub(super) struct Endpoint {
    pub(super) base: Base,
    pub(super) policy: AddressPolicy,
    pub(super) client: reqwest::Client,
    pub(super) authenticator: Authenticator,
    pub(super) headers: HeaderMap,
    pub(super) reserved: ReservedNames,
    pub(super) limits: Limits,
    pub(super) trace_context: bool,
}

pub(super) struct Limits {
    pub(super) timeout: Duration,
    pub(super) max_request_bytes: u64,
    pub(super) max_response_bytes: u64,
    pub(super) max_redirects: u8,
}

/// A request that passed the rules.
struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    deadline: Instant,
    only_reads: bool,
    tells_elsewhere: bool,
}

/// How far an exchange has come: it may be given up at any moment.
#[derive(Default)]
struct Progress {
    begun: AtomicBool,
    further_requests: AtomicU32,
    body_bytes: AtomicU64,
}

impl Progress {
    fn spent(&self) -> Spent {
        Spent {
            further_requests: self.further_requests.load(Relaxed),
            body_bytes: self.body_bytes.load(Relaxed),
        }
    }
}

impl Endpoint {
    pub(super) async fn send(
        &self,
        guard: &Arc<Guard>,
        request: Request,
        bounds: Bounds,
    ) -> Result<Response, SendError> {
        let outgoing = self.admit(request, bounds)?;
        let deadline = outgoing.deadline;
        let pass = guard.enter(deadline).await?;
        let progress = Progress::default();
        let exchange = self.exchange(outgoing, bounds, &progress);
        let result = match tokio::time::timeout_at(deadline + GRACE, exchange).await {
            Ok(result) => result,
            Err(_) if progress.begun.load(Relaxed) => Err(SendError::sent(
                ProblemKind::TimedOut,
                "no whole answer in time",
            )),
            Err(_) => Err(SendError::not_sent(ProblemKind::TimedOut, "out of time")),
        };
        pass.settle(&result);
        let spent = progress.spent();
        result
            .map(|response| Response { spent, ..response })
            .map_err(|error| SendError { spent, ..error })
    }

    fn admit(&self, request: Request, bounds: Bounds) -> Result<Outgoing, SendError> {
        let refuse = |message: String| SendError::not_sent(ProblemKind::RequestRefused, message);
        check_method(&request.method).map_err(|message| refuse(message.to_owned()))?;
        let url = self
            .base
            .join(&request.path, &request.query)
            .map_err(|error| refuse(error.to_string()))?;
        let mut headers = self
            .reserved
            .admit(&request.headers)
            .map_err(|error| refuse(error.to_string()))?;
        headers.extend(self.headers.clone());
        header::insert_trace(&mut headers, request.trace.filter(|_| self.trace_context));
        let length = request.body.as_ref().map_or(0, Bytes::len) as u64;
        if length > self.limits.max_request_bytes {
            return Err(refuse("the body is over the endpoint's limit".to_owned()));
        }
        let now = Instant::now();
        let call_ends = Instant::from_std(bounds.deadline);
        if call_ends <= now {
            let message = "the call has no time left";
            return Err(SendError::not_sent(ProblemKind::LimitReached, message));
        }
        let timeout = request.timeout.unwrap_or(Duration::MAX);
        let deadline = call_ends.min(now + timeout.min(self.limits.timeout));
        Ok(Outgoing {
            tells_elsewhere: request.tells_elsewhere,
            only_reads: request.only_reads || request.method.is_safe(),
            method: request.method,
            url,
            headers,
            body: request.body,
            deadline,
        })
    }

    async fn exchange(
        &self,
        mut outgoing: Outgoing,
        bounds: Bounds,
        progress: &Progress,
    ) -> Result<Response, SendError> {
        let mut hops = 0;
        loop {
            let response = self
                .hop(&outgoing, bounds, progress)
                .await
                .map_err(|error| error.after_hop(hops))?;
            match self.next(&outgoing, &response, hops)? {
                Some(_) if progress.spent().further_requests >= bounds.max_further_requests => {
                    let message = "the redirect is over what is left of the call's requests";
                    return Err(SendError::sent(ProblemKind::LimitReached, message));
                }
                Some(url) => outgoing.url = url,
                None => return self.answer(&outgoing, response, bounds, progress).await,
            }
            hops += 1;
            progress.further_requests.fetch_add(1, Relaxed);
        }
    }

    /// One hop. Where the registry refuses the token (401), the next request has another; and this
    /// one is sent again with it, once, where it only reads.
    ///
    /// RFC 9110 says that a request answered 401 was not applied. That holds for the server that
    /// says so; a registry of several parts passes on what its inner part said, after another part
    /// has acted. A write that is done twice is worse than one that fails with a status which its
    /// adapter can see, so a write is never sent again here.
    async fn hop(
        &self,
        outgoing: &Outgoing,
        bounds: Bounds,
        progress: &Progress,
    ) -> Result<reqwest::Response, SendError> {
        // The resolver never sees a literal, so each hop's is checked here.
        check_literal(&self.policy, &outgoing.url)?;
        let token = self.authenticator.token(outgoing.deadline).await?;
        let response = self.once(outgoing, token.as_ref(), &progress.begun).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let renewable = self
            .authenticator
            .refused(token.as_ref(), outgoing.deadline)
            .await;
        let spent = progress.spent().further_requests >= bounds.max_further_requests;
        if !renewable || !outgoing.only_reads || spent {
            return Ok(response);
        }
        // Without another token the registry's refusal is the answer.
        let Ok(token) = self.authenticator.token(outgoing.deadline).await else {
            return Ok(response);
        };
        progress.further_requests.fetch_add(1, Relaxed);
        self.once(outgoing, token.as_ref(), &progress.begun)
            .await
            .map_err(|error| error.after_hop(1))
    }

    async fn once(
        &self,
        outgoing: &Outgoing,
        token: Option<&Token>,
        begun: &AtomicBool,
    ) -> Result<reqwest::Response, SendError> {
        let mut request = reqwest::Request::new(outgoing.method.clone(), outgoing.url.clone());
        *request.headers_mut() = outgoing.headers.clone();
        self.authenticator.apply(token, request.headers_mut());
        *request.body_mut() = outgoing.body.clone().map(Into::into);
        begun.store(true, Relaxed);
        client::execute(&self.client, request, outgoing.deadline)
            .await
            .map_err(|error| classify::sending(&error))
    }

    /// Where to go on, if the answer is a redirect.
    fn next(
        &self,
        outgoing: &Outgoing,
        response: &reqwest::Response,
        hops: u8,
    ) -> Result<Option<Url>, SendError> {
        let refuse = |message| Err(SendError::sent(ProblemKind::RedirectRefused, message));
        let status = response.status().as_u16();
        let keeps_method = matches!(status, 307 | 308);
        if !keeps_method && !matches!(status, 301..=303) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else {
            return Ok(None);
        };
        let safe = matches!(outgoing.method, Method::GET | Method::HEAD);
        if !keeps_method && !safe {
            return refuse("the redirect would turn a write into a read");
        }
        if hops >= self.limits.max_redirects {
            return refuse("too many redirects");
        }
        let target = location
            .to_str()
            .ok()
            .and_then(|location| self.base.redirect(&outgoing.url, location).ok());
        match target {
            Some(url) => Ok(Some(url)),
            // Whoever asked decides whether to go there.
            None if outgoing.tells_elsewhere => Ok(None),
            None => refuse("the redirect leaves the grant"),
        }
    }

    async fn answer(
        &self,
        outgoing: &Outgoing,
        mut response: reqwest::Response,
        bounds: Bounds,
        progress: &Progress,
    ) -> Result<Response, SendError> {
        let status = response.status();
        if status.is_informational() {
            let message = "the answer changes the protocol";
            return Err(SendError::sent(ProblemKind::Unreadable, message));
        }
        if !header::within_caps(response.headers()) {
            let message = "the answer's headers are over the limit";
            return Err(SendError::sent(ProblemKind::TooLarge, message));
        }
        let encoding = response.headers().get(CONTENT_ENCODING);
        let unknown = encoding.is_some_and(|value| !value.is_empty() && value != "identity");
        let bodiless = outgoing.method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if unknown && !bodiless {
            let message = "the answer has a compression that was not asked for";
            return Err(SendError::sent(ProblemKind::Unreadable, message));
        }
        let mut headers = self.reserved.visible(response.headers());
        match outgoing.tells_elsewhere {
            true => headers.extend(elsewhere(response.headers())),
            false => headers.extend(self.locations(&outgoing.url, response.headers())),
        }
        let body = if bodiless {
            Bytes::new()
        } else {
            self.read(&mut response, bounds, progress).await?
        };
        Ok(Response {
            status: status.as_u16(),
            headers,
            body,
            spent: progress.spent(),
        })
    }

    async fn read(
        &self,
        response: &mut reqwest::Response,
        bounds: Bounds,
        progress: &Progress,
    ) -> Result<Bytes, SendError> {
        let cap = self
            .limits
            .max_response_bytes
            .min(bounds.max_response_bytes);
        body::read_counted(response, cap, &progress.body_bytes)
            .await
            .map_err(|error| match error {
                BodyError::Broken(error) => classify::reading(&error),
                BodyError::TooLarge if cap < self.limits.max_response_bytes => {
                    let message = "the answer is over what is left of the call's limit";
                    SendError::sent(ProblemKind::LimitReached, message)
                }
                BodyError::TooLarge => {
                    let message = "the answer is over the endpoint's limit";
                    SendError::sent(ProblemKind::TooLarge, message)
                }
            })
    }

    /// FHIR servers name a new record in `Location`. The adapter gets it as a path that it can
    /// send, without the base URL, which may hold a secret.
    fn locations(&self, url: &Url, headers: &HeaderMap) -> Vec<(String, String)> {
        let relative = |name: HeaderName| {
            let written = headers.get(&name)?.to_str().ok()?;
            let target = self.base.redirect(url, written).ok()?;
            Some((name.as_str().to_owned(), self.base.relative(&target)?))
        };
        [LOCATION, CONTENT_LOCATION]
            .into_iter()
            .filter_map(relative)
            .collect()
    }
}

/// Where an answer sends, as it came.
fn elsewhere(headers: &HeaderMap) -> Vec<(String, String)> {
    let as_it_came = |name: HeaderName| {
        let written = headers.get(&name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), written.to_owned()))
    };
    [LOCATION, WWW_AUTHENTICATE]
        .into_iter()
        .filter_map(as_it_came)
        .collect()
}

/// Whether a URL whose host is an address names one that the policy allows.
pub(super) fn check_literal(policy: &AddressPolicy, url: &Url) -> Result<(), SendError> {
    policy
        .check_literal(url)
        .map_err(|error| SendError::not_sent(ProblemKind::AddressRefused, error.to_string()))
}

fn check_method(method: &Method) -> Result<(), &'static str> {
    let word = method.as_str();
    if matches!(word, "CONNECT" | "TRACE" | "TRACK") {
        return Err("this method is refused");
    }
    let allowed = |b: u8| b.is_ascii_uppercase() || b == b'-';
    if word.len() > 32 || !word.bytes().all(allowed) {
        return Err("a method is a word in capitals");
    }
    Ok(())
}
