//! A stand-in for everything that the gateway lends, so that plain `cargo test` runs a mapping.
//! Native builds only; each test thread has its own stage.
//!
//! ```
//! use adapter_sdk::{http, testing};
//! use serde_json::json;
//!
//! let stage = testing::stage()
//!     .settings(json!({ "office": "north" }))
//!     .endpoint("registry")
//!     .on_get("/citizens/7", |_| json!({ "surname": "Lima" }));
//!
//! let answer = http::endpoint("registry").get("/citizens/7").send().unwrap();
//! assert_eq!(answer.status, 200);
//! assert_eq!(stage.requests()[0].path, "/citizens/7");
//! ```

mod damage;
pub(crate) mod lent;
mod state;
mod told;

use std::rc::Rc;

use serde_json::Value;

use crate::call::{ConsentStatement, PresentedProof};
use crate::http::{Error, Method, Problem, ProblemKind, Request, Response};
use crate::log::Level;
pub use damage::Damage;
use state::{Key, Route, State, with};
pub use told::Told;

/// Sets an empty stage for this thread: no settings, no endpoints, nobody who calls. It is taken
/// down when the value is dropped, so keep it: `let stage = testing::stage()…`.
#[must_use = "the stage is taken down when it is dropped"]
pub fn stage() -> Stage {
    with(|state| *state = State::default());
    Stage {
        endpoint: String::new(),
        _this_thread_only: std::marker::PhantomData,
    }
}

/// What [`stage`] set.
#[derive(Debug)]
#[must_use = "the stage is taken down when it is dropped"]
pub struct Stage {
    endpoint: String,
    _this_thread_only: std::marker::PhantomData<Rc<()>>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        with(|state| *state = State::default());
    }
}

/// Setters of what [`crate::call`] answers.
macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident($type:ty) $make:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(self, value: $type) -> Self {
            with(|state| state.call.$name = $make(value));
            self
        }
    )*};
}

impl Stage {
    /// The registry's settings: a JSON object.
    pub fn settings(self, settings: Value) -> Self {
        with(|state| state.settings = settings);
        self
    }

    /// Grants an endpoint; the routes that follow belong to it.
    pub fn endpoint(mut self, name: &str) -> Self {
        self.endpoint = name.to_owned();
        with(|state| state.endpoints.push(name.to_owned()));
        self
    }

    /// What the endpoint answers to a GET of this path: JSON, a [`Response`] or an [`Error`].
    pub fn on_get<R: Into<Reply>>(
        self,
        path: &str,
        answer: impl Fn(&Request) -> R + 'static,
    ) -> Self {
        self.on(Method::Get, path, answer)
    }

    /// What it answers to a POST.
    pub fn on_post<R: Into<Reply>>(
        self,
        path: &str,
        answer: impl Fn(&Request) -> R + 'static,
    ) -> Self {
        self.on(Method::Post, path, answer)
    }

    /// What it answers to any method. The last route for a path counts. A request without a route
    /// is answered with 404.
    pub fn on<R: Into<Reply>>(
        self,
        method: Method,
        path: &str,
        answer: impl Fn(&Request) -> R + 'static,
    ) -> Self {
        let route = Route {
            endpoint: self.endpoint.clone(),
            method,
            path: path.to_owned(),
            answer: Rc::new(move |request| answer(request).into().0),
        };
        with(|state| state.routes.push(route));
        self
    }

    /// Grants a signing key by name: `sign` returns what `make` makes of the bytes, and `verify`
    /// holds where it makes the same.
    pub fn key(self, name: &str, make: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Self {
        with(|state| {
            state.keys.push(Key {
                name: name.to_owned(),
                make: Rc::new(make),
            })
        });
        self
    }

    callers! {
        /// The gateway's number of the request.
        request_id(&str) str::to_owned;
        /// The registry's name.
        registry(&str) str::to_owned;
        /// Why the person is looked up.
        purpose(&str) some;
        /// On what legal basis.
        legal_basis(&str) some;
        /// The caller's user.
        user(&str) some;
        /// The organisation for which the user acts.
        entity(&str) some;
        /// The person's agreement.
        consent(ConsentStatement) Some;
        /// What the person handed over.
        proof(PresentedProof) Some;
        /// The fields that the caller wants.
        wanted_fields(&[&str]) all;
        /// BCP 47, best first.
        languages(&[&str]) all;
        /// The idempotency key of a write.
        operation_key(&str) some;
        /// The number of the attempt.
        attempt(u32) std::convert::identity;
        /// The time that is left.
        remaining_ms(u32) std::convert::identity;
        /// What a later minor adds: a JSON object.
        more(Value) std::convert::identity;
    }

    /// What was sent, in order.
    pub fn requests(&self) -> Vec<Request> {
        with(|state| state.requests.clone())
    }

    /// What was logged, in order.
    pub fn logs(&self) -> Vec<(Level, String)> {
        with(|state| state.logs.clone())
    }
}

/// What an endpoint answers: from JSON (status 200), a [`Response`] or an [`Error`].
#[derive(Clone, Debug)]
pub struct Reply(Result<Response, Error>);

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self(Ok(json(200, body)))
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self(Ok(response))
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self(Err(error))
    }
}

/// A response with a JSON body.
pub fn json(status: u16, body: Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
    }
}

/// A response without a body. Header names in lower case.
pub fn status(status: u16, headers: &[(&str, &str)]) -> Response {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Response {
        status,
        headers: headers.iter().map(owned).collect(),
        body: Vec::new(),
    }
}

/// Nothing reached the registry.
pub fn not_sent(kind: ProblemKind) -> Error {
    Error::NotSent(Problem {
        kind,
        message: String::new(),
        retry_after_ms: None,
    })
}

/// The request may have reached the registry.
pub fn sent_no_answer(kind: ProblemKind) -> Error {
    Error::SentNoAnswer(Problem {
        kind,
        message: String::new(),
        retry_after_ms: None,
    })
}

fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn all(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}
