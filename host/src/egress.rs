//! stub
use bytes::Bytes;
use std::time::*;
pub struct Endpoints;
pub struct Bounds {
    pub max_response_bytes: u64,
    pub deadline: Instant,
}
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Bytes>,
    pub timeout: Option<Duration>,
}
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}
pub enum Sent {
    NotSent,
    SentNoAnswer,
}
pub enum ProblemKind {
    EndpointNotGranted,
    RequestRefused,
    LimitReached,
    AddressRefused,
    Dns,
    Connect,
    Tls,
    Credential,
    TimedOut,
    Interrupted,
    TooLarge,
    Unreadable,
    RedirectRefused,
    Resting,
}
pub struct SendError {
    pub sent: Sent,
    pub kind: ProblemKind,
    pub message: String,
    pub retry_after_ms: Option<u32>,
}
impl Endpoints {
    pub async fn send(&self, _e: &str, _r: Request, _b: Bounds) -> Result<Response, SendError> {
        loop {}
    }
}
