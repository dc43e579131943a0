//! Paths below a base URL.
//!
//! The threat: servers and the proxies before them disagree about `..`, encoded slashes,
//! backslashes, path parameters and overlong UTF-8, so that a path which looks harmless here ends
//! above the base path there. Only what all of them read alike passes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// Longer URLs are refused by common servers.
pub(super) const MAX_URL_BYTES: usize = 16 * 1024;

/// Servers and proxies in a row, each of which decodes a path once more.
const MAX_DECODERS: usize = 4;

/// RFC 3986 unreserved characters stay, all else is encoded: a space as `%20`, which form and
/// path decoders read alike.
const ENCODE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The grant: an origin and a path. No `Debug`: the path may hold a secret.
#[derive(Clone)]
pub(super) struct Base {
    url: Url,
    /// Without the slash at its end: empty, or `/a/b`.
    path: String,
}

/// Which rule a path breaks. Holds nothing of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PathRefused {
    #[error("the path must begin with one /")]
    Beginning,
    #[error("the path holds a character that must be percent-encoded")]
    Character,
    #[error("the path holds a broken percent-encoding")]
    Encoding,
    #[error("the path holds an encoded slash, backslash or control character")]
    Encoded,
    #[error("the path holds a . or .. segment")]
    Dots,
    #[error("the URL is too long")]
    TooLong,
    #[error("the path leaves the base path")]
    Outside,
}

/// Encodes a value for a place in a path.
pub(super) fn encode_segment(value: &str) -> String {
    utf8_percent_encode(value, ENCODE).to_string()
}

/// Encodes names and values for a query.
pub(super) fn encode_query(query: &[(String, String)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", encode_segment(name), encode_segment(value)))
        .collect();
    pairs.join("&")
}

impl Base {
    /// `url` has been checked to be an `http` or `https` URL without query and fragment.
    pub(super) fn new(mut url: Url) -> Result<Self, PathRefused> {
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.is_empty() {
            check_path(&path)?;
        }
        url.set_path(&path);
        Ok(Self { url, path })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL of a path below the base, or why not.
    pub(super) fn join(&self, path: &str, query: &[(String, String)]) -> Result<Url, PathRefused> {
        check_path(path)?;
        let expected = format!("{}{path}", self.path);
        let mut url = self.url.clone();
        url.set_path(&expected);
        if !query.is_empty() {
            url.set_query(Some(&encode_query(query)));
        }
        // The URL library normalises. Had it changed anything, the rules above missed something.
        if url.path() != expected || !self.contains(&url) {
            return Err(PathRefused::Outside);
        }
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(PathRefused::TooLong);
        }
        Ok(url)
    }

    /// Where a `Location` leads, if that is within the grant.
    pub(super) fn redirect(&self, from: &Url, location: &str) -> Result<Url, PathRefused> {
        if location.len() > MAX_URL_BYTES {
            return Err(PathRefused::TooLong);
        }
        // Checked as it stands as well: joining would resolve `..` and turn `\` into `/`.
        let written = location.split(['?', '#']).next().unwrap_or_default();
        let unusual = |b: u8| !b.is_ascii_graphic() || b == b'\\';
        if written.bytes().any(unusual) {
            return Err(PathRefused::Character);
        }
        let mut url = from.join(location).map_err(|_| PathRefused::Character)?;
        url.set_fragment(None);
        check_path(url.path())?;
        if self.contains(&url) {
            Ok(url)
        } else {
            Err(PathRefused::Outside)
        }
    }

    /// The part of a URL of the grant that an adapter could send again, with its query.
    pub(super) fn relative(&self, url: &Url) -> Option<String> {
        let path = url.path().strip_prefix(&self.path)?;
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        Some(format!("{path}{query}"))
    }

    fn contains(&self, url: &Url) -> bool {
        let same_origin = url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default();
        let no_user = url.username().is_empty() && url.password().is_none();
        let below = url
            .path()
            .strip_prefix(&self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        same_origin && no_user && below
    }
}

/// Whether every server reads this path alike.
pub(super) fn check_path(path: &str) -> Result<(), PathRefused> {
    if path.len() > MAX_URL_BYTES {
        return Err(PathRefused::TooLong);
    }
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(PathRefused::Beginning);
    }
    if !path.bytes().all(is_path_byte) {
        return Err(PathRefused::Character);
    }
    check_percents(path)?;
    path.split('/').try_for_each(check_segment)
}

/// RFC 3986 `pchar`, `/` and `%`.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

fn check_percents(path: &str) -> Result<(), PathRefused> {
    path.split('%').skip(1).try_for_each(|rest| {
        let byte = rest
            .get(..2)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or(PathRefused::Encoding)?;
        match byte {
            b'/' | b'\\' | 0..=0x1f | 0x7f => Err(PathRefused::Encoded),
            _ => Ok(()),
        }
    })
}

fn check_segment(segment: &str) -> Result<(), PathRefused> {
    // Strict UTF-8 rules out the overlong spellings of `.` and `/`.
    let text = percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| PathRefused::Encoding)?;
    let mut text = text.into_owned();
    // A proxy that decodes and passes on makes the server behind it decode again.
    for _ in 0..MAX_DECODERS {
        if text.split(['/', '\\']).any(is_dots) {
            return Err(PathRefused::Dots);
        }
        if !text.contains('%') {
            break;
        }
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    Ok(())
}

/// Java servers cut `;…` off before they resolve dots: `/..;/` is `/../` to them.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    name == "." || name == ".."
}
