//! Messages to a URL that an administrator named: what callers subscribed to.
//!
//! The threat: whoever may add a subscription aims the gateway at what only the gateway can see, or
//! whoever holds the receiver's name in the DNS does. So the address is held to a policy where it is
//! connected to, a redirect is no answer, nothing of the answer is used but its status and when to come
//! again, and it is read no further than a bound.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use ipnet::IpNet;
use tokio::time::Instant;
use url::Url;

use super::address::AddressPolicy;
use super::client::{self, ClientParts, Connection};
use super::{AddressRefused, Authorities, Egress, ProblemKind, body, classify};

/// What of an answer is read, so that the connection can be used again.
const MAX_ANSWER_BYTES: u64 = 64 << 10;
/// The longest `Retry-After` that is heeded: a receiver's slip must not hold its messages for years.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The way to one URL. Its connection is kept between messages.
pub struct Outlet {
    client: reqwest::Client,
    url: Url,
    timeout: Duration,
}

/// There is no way to the URL.
#[derive(Debug, thiserror::Error)]
pub enum NoOutlet {
    /// Plain `http` goes to networks that were named, and to no other.
    #[error("it is neither https nor, with webhooks.allow_networks, http")]
    Scheme,
    /// The policy refuses the address.
    #[error("{0}; webhooks.allow_networks can name it")]
    Address(AddressRefused),
    /// No client could be made.
    #[error("no client could be made for it")]
    Client,
}

/// How a message was answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answered {
    /// Of HTTP.
    pub status: u16,
    /// When to come again, as the receiver has it.
    pub retry_after: Option<Duration>,
}

impl Egress {
    /// The way to a URL; private networks are those that are named. Of `https` these authorities vouch for
    /// who is there, or else the system's.
    ///
    /// # Errors
    /// [`NoOutlet`].
    pub fn outlet(
        &self,
        url: &Url,
        allow: &[IpNet],
        timeout: Duration,
        authorities: Option<&Authorities>,
    ) -> Result<Outlet, NoOutlet> {
        let policy = match url.scheme() {
            "https" => AddressPolicy::new(allow),
            "http" if !allow.is_empty() => AddressPolicy::listed_only(allow),
            _ => return Err(NoOutlet::Scheme),
        };
        // The resolver never sees a literal.
        policy.check_literal(url).map_err(NoOutlet::Address)?;
        let client = client::build(ClientParts {
            target: url,
            policy,
            lookup: self.lookup.clone(),
            connect_timeout: timeout,
            connection: &Connection {
                authorities: authorities.map(|it| it.0.clone()),
                ..Connection::default()
            },
        });
        Ok(Outlet {
            client: client.map_err(|_| NoOutlet::Client)?,
            url: url.clone(),
            timeout,
        })
    }
}

impl Outlet {
    /// Sends a JSON body with these headers. Any status is an answer.
    ///
    /// # Errors
    /// A word for what went wrong. It may have arrived all the same.
    pub async fn post(
        &self,
        headers: [(&'static str, String); 3],
        message: Bytes,
    ) -> Result<Answered, &'static str> {
        let deadline = Instant::now() + self.timeout;
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        let named = request.headers_mut();
        named.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        for (name, value) in headers {
            let value = HeaderValue::try_from(value).map_err(|_| "request-refused")?;
            named.insert(HeaderName::from_static(name), value);
        }
        *request.body_mut() = Some(message.into());
        let sent = client::execute(&self.client, request, deadline);
        let mut answer = match tokio::time::timeout_at(deadline, sent).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(word_of(&classify::sending(&error).kind)),
            Err(_) => return Err("timed-out"),
        };
        let answered = Answered {
            status: answer.status().as_u16(),
            retry_after: retry_after(answer.status(), answer.headers()),
        };
        // The status is the answer. What comes behind it, or does not come, changes nothing.
        let rest = body::read(&mut answer, MAX_ANSWER_BYTES);
        let _ = tokio::time::timeout_at(deadline, rest).await;
        Ok(answered)
    }
}

impl Answered {
    /// Whether the message was taken.
    pub fn is_taken(self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the receiver wants no more of them.
    pub fn is_gone(self) -> bool {
        self.status == StatusCode::GONE.as_u16()
    }
}

fn word_of(kind: &ProblemKind) -> &'static str {
    match kind {
        ProblemKind::RequestRefused => "request-refused",
        ProblemKind::AddressRefused => "address-refused",
        ProblemKind::Dns => "dns",
        ProblemKind::Connect => "connect",
        ProblemKind::Tls => "tls",
        ProblemKind::TimedOut => "timed-out",
        ProblemKind::TooLarge => "too-large",
        ProblemKind::Unreadable => "unreadable",
        _ => "interrupted",
    }
}

/// In seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if status.is_success() {
        return None;
    }
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            at.duration_since(SystemTime::now()).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_message_goes() {
        let egress = Egress::new();
        let no_networks: [IpNet; 0] = [];
        let named: [IpNet; 1] = ["127.0.0.0/8".parse().unwrap()];
        let way = |url: &str, allow: &[IpNet]| {
            let url = Url::parse(url).unwrap();
            let timeout = Duration::from_secs(1);
            egress.outlet(&url, allow, timeout, None).err()
        };
        for (url, allow) in [
            ("http://imis.example.org/", &no_networks[..]),
            ("ftp://imis.example.org/", &named[..]),
        ] {
            assert!(matches!(way(url, allow), Some(NoOutlet::Scheme)), "{url}");
        }
        for (url, allow) in [
            ("https://127.0.0.1/", &no_networks[..]),
            ("https://[::1]/", &named[..]),
            ("https://10.0.0.1/", &named[..]),
            ("http://93.184.216.34/", &named[..]),
            (
                "https://169.254.169.254/",
                &["0.0.0.0/0".parse().unwrap()][..],
            ),
        ] {
            assert!(
                matches!(way(url, allow), Some(NoOutlet::Address(_))),
                "{url}"
            );
        }
        assert!(way("http://127.0.0.1:1/", &named).is_none());
    }

    #[test]
    fn when_to_come_again_is_in_seconds_or_a_date_and_bounded() {
        let told = |status: u16, text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(StatusCode::from_u16(status).unwrap(), &headers)
        };
        assert_eq!(told(429, "7"), Some(Duration::from_secs(7)));
        assert_eq!(told(503, "999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(told(503, "soon"), None);
        assert_eq!(told(200, "7"), None);
        let at = SystemTime::now() + Duration::from_secs(60);
        let wait = told(500, &httpdate::fmt_http_date(at)).unwrap();
        assert!((50..=60).contains(&wait.as_secs()), "{wait:?}");
        let past = told(500, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(past, Some(Duration::ZERO));
    }
}
