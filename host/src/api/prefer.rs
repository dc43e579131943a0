//! How a caller wants to be answered: `Prefer` (RFC 7240).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use utoipa::IntoParams;

use crate::gateway::Way;

/// The longest wait that a caller gets, in seconds.
const LONGEST_WAIT: u64 = 30;

/// What of `Prefer` is understood. What is not is no preference (RFC 7240, section 2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Preferences {
    /// `respond-async` (section 4.1).
    pub(super) responds_async: bool,
    /// `wait=5` (section 4.3), as long as it gets.
    pub(super) wait: Option<Duration>,
}

/// The header of the lookups, for the API's document alone.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "described here, read by `Preferences`")]
pub(super) struct PrefersLater {
    /// `respond-async, wait=5`: where the registry has not answered after so many seconds, at most
    /// 30, and answers later, the answer is 202. Without `respond-async` a call waits for as long as
    /// it can last.
    #[param(rename = "Prefer", required = false, value_type = String)]
    prefer: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Preferences {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Preferences {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut all = Self::default();
        let values = headers.get_all("prefer").iter();
        let values = values.filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            // Parameters say nothing of these two.
            let preference = preference.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("respond-async") {
                all.responds_async = true;
            }
            // Of two the first counts.
            if name.eq_ignore_ascii_case("wait") && all.wait.is_none() {
                let seconds: Option<u64> = value.parse().ok();
                all.wait = seconds.map(|it| Duration::from_secs(it.min(LONGEST_WAIT)));
            }
        }
        all
    }

    /// How the caller of a lookup takes an answer that is not there yet.
    pub(super) fn way(self) -> Way {
        match self.responds_async {
            true => Way::comes_back(self.wait.unwrap_or_default()),
            false => Way::default(),
        }
    }

    /// For `Preference-Applied` (section 3).
    pub(super) fn applied(self) -> HeaderValue {
        let wait = self.wait.map(|wait| format!("wait={}", wait.as_secs()));
        let words = self.responds_async.then(|| "respond-async".to_owned());
        let words: Vec<String> = words.into_iter().chain(wait).collect();
        HeaderValue::from_str(&words.join(", ")).unwrap_or(HeaderValue::from_static("wait"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_no_preference() {
        let wait = |seconds| Some(Duration::from_secs(seconds));
        for (said, responds_async, waits) in [
            ("", false, None),
            ("respond-async", true, None),
            ("Respond-Async, WAIT=5", true, wait(5)),
            ("respond-async;foo=bar; wait=9, wait=\"7\"", true, wait(7)),
            ("wait=3, wait=4", false, wait(3)),
            ("wait=3600", false, wait(30)),
            ("wait=-1", false, None),
            ("wait, respond-asynchronously", false, None),
            ("return=minimal", false, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_str(said).unwrap());
            let read = Preferences::of(&headers);
            let expected = Preferences {
                responds_async,
                wait: waits,
            };
            assert_eq!(read, expected, "{said}");
        }
    }

    #[test]
    fn headers_of_one_name_are_one() {
        let mut headers = HeaderMap::new();
        for said in ["wait=2", "respond-async"] {
            headers.append("prefer", HeaderValue::from_static(said));
        }
        let applied = Preferences::of(&headers).applied();
        assert_eq!(applied, "respond-async, wait=2");
    }
}
