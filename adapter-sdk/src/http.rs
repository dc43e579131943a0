//! HTTP to the registry: an endpoint's name, a path below it, three lines per call.
//!
//! ```no_run
//! # fn main() -> Result<(), adapter_sdk::Failure> {
//! # use adapter_sdk::http;
//! # #[derive(serde::Deserialize)] struct Citizen { surname: String }
//! let citizen: Citizen = http::endpoint("registry").get("/citizens/123").send()?.ok()?.json()?;
//! # Ok(()) }
//! ```
//!
//! The gateway holds the base URL and the credential, checks and limits what is sent, and never
//! repeats a request by itself.

mod response;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;

pub use crate::bindings::lent::openimis::registry::http::{
    Error, Method, Problem, ProblemKind, Request, Response,
};
use crate::{Failure, lent};

/// What must not stand in one segment of a path as it is: RFC 3986, section 3.3, and `/`.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A request to an endpoint that the registry's configuration grants by this name.
pub fn endpoint(name: impl Into<String>) -> Endpoint {
    Endpoint { name: name.into() }
}

/// Sends all at the same time. Answers in the order of the requests, each with its own failure.
pub fn send_all(requests: impl IntoIterator<Item = Builder>) -> Vec<Result<Response, Failure>> {
    let requests: Vec<Request> = requests
        .into_iter()
        .map(|builder| builder.request)
        .collect();
    let answers = lent::http::send_all(&requests);
    answers
        .into_iter()
        .map(|answer| answer.map_err(Failure::from))
        .collect()
}

/// A value as one segment of a path: `/citizens/{}` with an identifier that may hold a slash.
pub fn segment(value: &str) -> String {
    // A segment of dots climbs: the gateway refuses it, and so does a percent-encoded one.
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// An endpoint, before the method is chosen.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: String,
}

impl Endpoint {
    /// A GET of this path, which begins with `/` and is percent-encoded (see [`segment`]).
    pub fn get(self, path: impl Into<String>) -> Builder {
        self.request(Method::Get, path)
    }

    /// A POST.
    pub fn post(self, path: impl Into<String>) -> Builder {
        self.request(Method::Post, path)
    }

    /// A PUT.
    pub fn put(self, path: impl Into<String>) -> Builder {
        self.request(Method::Put, path)
    }

    /// A PATCH.
    pub fn patch(self, path: impl Into<String>) -> Builder {
        self.request(Method::Patch, path)
    }

    /// A DELETE.
    pub fn delete(self, path: impl Into<String>) -> Builder {
        self.request(Method::Delete, path)
    }

    /// Any other method.
    pub fn request(self, method: Method, path: impl Into<String>) -> Builder {
        Builder {
            request: Request {
                endpoint: self.name,
                method,
                path: path.into(),
                query: Vec::new(),
                headers: Vec::new(),
                body: None,
                timeout_ms: None,
            },
        }
    }
}

/// A request in the making.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Builder {
    request: Request,
}

impl Builder {
    /// Adds a header. Host, Authorization and those that the configuration sets are refused.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a query parameter, as it is: the gateway encodes it.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.query.push((name.into(), value.into()));
        self
    }

    /// Bytes as they are, with their media type.
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut builder = self.header("content-type", media_type);
        builder.request.body = Some(body.into());
        builder
    }

    /// A JSON body.
    ///
    /// # Errors
    /// `unreadable` where the value has no JSON form: a map whose keys are not strings.
    pub fn json(self, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(self.body("application/json", serde_json::to_vec(body)?))
    }

    /// Shortens the endpoint's time limit, never lengthens it.
    pub fn timeout_ms(mut self, milliseconds: u32) -> Self {
        self.request.timeout_ms = Some(milliseconds);
        self
    }

    /// Sends it. Any HTTP status is an answer: [`Response::ok`] makes failures of them.
    ///
    /// # Errors
    /// `unavailable` and others, see [`Failure::from`], with a code that tells whether the request
    /// may have reached the registry.
    pub fn send(self) -> Result<Response, Failure> {
        lent::http::send(&self.request).map_err(Failure::from)
    }

    /// Sends it, for a caller that must tell what was sent from what was not.
    ///
    /// # Errors
    /// As the gateway says it.
    pub fn try_send(self) -> Result<Response, Error> {
        lent::http::send(&self.request)
    }
}
