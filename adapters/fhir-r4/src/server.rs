//! How a FHIR server is asked: search, read, and the next page.

use adapter_sdk::http::{self, Builder};
use adapter_sdk::{Failure, Opaque};
use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::local::localize;
use crate::outcome;
use crate::rules::OneOrMany;

/// What FHIR's JSON is called (R4, section 3.1.0.1.10).
pub const FHIR_JSON: &str = "application/fhir+json";

/// How a search is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchMethod {
    /// `POST [base]/Patient/_search`: what is looked for stays out of addresses and access logs.
    #[default]
    Post,
    /// `GET [base]/Patient?…`, for servers that know nothing else (OpenCR).
    Get,
}

/// A server, by the endpoint that is granted.
#[derive(Clone, Debug)]
pub struct Server {
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// How it is searched.
    pub method: SearchMethod,
    /// Headers that each request carries.
    pub headers: Vec<(&'static str, String)>,
    /// What its links begin with, where that is not what its own link tells.
    pub link_base: Option<OneOrMany>,
}

/// Names and values of a search.
pub type Parameters = Vec<(String, String)>;

/// Where a search goes on: the part of a link below the base, which the gateway alone knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct NextPage {
    /// `/Patient`, or `/` of servers that page by the base itself.
    path: String,
    query: Parameters,
}

impl Server {
    /// A search for resources of one kind.
    pub fn search(&self, kind: &str, query: &Parameters) -> Builder {
        let to = http::endpoint(self.endpoint);
        let request = match self.method {
            SearchMethod::Post => to
                .post(format!("/{kind}/_search"))
                .body("application/x-www-form-urlencoded", form(query)),
            SearchMethod::Get => with_query(to.get(format!("/{kind}")), query),
        };
        // R4, section 3.1.1.4.0.1: by default a server may ignore a parameter, and answer with more.
        self.headed(request.header("prefer", "handling=strict"))
    }

    /// A read of one resource. `id` is one (`bundle::is_id`).
    pub fn read(&self, kind: &str, id: &str) -> Builder {
        self.headed(http::endpoint(self.endpoint).get(format!("/{kind}/{}", http::segment(id))))
    }

    /// The next page of a search for resources of one kind.
    ///
    /// # Errors
    /// `rejected` with the field `page` where it is not such a page.
    pub fn next(&self, kind: &str, page: &NextPage) -> Result<Builder, Failure> {
        if !page.is_of(kind) {
            return Err(Failure::rejected("state.unreadable").field("page"));
        }
        if page.path == "/" {
            let request = http::endpoint(self.endpoint).get("/");
            return Ok(self.headed(with_query(request, &page.query)));
        }
        Ok(self.search(kind, &page.query))
    }

    /// A request with the headers of all.
    pub fn headed(&self, request: Builder) -> Builder {
        let headers = self.headers.iter();
        headers.fold(
            request.header("accept", FHIR_JSON),
            |request, (name, value)| request.header(*name, value),
        )
    }

    /// Where this answer goes on. A link is the server's own word for where to look: what leaves its
    /// base is not followed, and what is below it is asked for through the granted endpoint.
    ///
    /// # Errors
    /// `unreadable` with code `answer.next-page` where the link leaves the base, or where it cannot be
    /// told what the base is.
    pub fn next_page(&self, bundle: &Bundle<'_>, kind: &str) -> Result<Option<NextPage>, Failure> {
        let Some(next) = bundle.next else {
            return Ok(None);
        };
        let next = readable(next);
        let own = bundle.own.map(readable);
        let bases: Vec<&str> = match &self.link_base {
            Some(bases) => bases.all().iter().map(String::as_str).collect(),
            None => own
                .as_deref()
                .and_then(|own| base(own, kind))
                .into_iter()
                .collect(),
        };
        let below = bases.iter().find_map(|base| {
            let rest = next.strip_prefix(base.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
        });
        let page = below.and_then(NextPage::of).filter(|page| page.is_of(kind));
        match page {
            Some(page) => Ok(Some(page)),
            None => Err(Failure::unreadable("answer.next-page")),
        }
    }
}

impl NextPage {
    /// Of the part below the base: `/Patient?_page=2`.
    fn of(below: &str) -> Option<Self> {
        let (path, query) = below.split_once('?')?;
        let path = path.trim_end_matches('/').trim_end_matches("/_search");
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query: Option<Parameters> = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decoded(name)?, decoded(value)?))
            })
            .collect();
        Some(Self {
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: query?,
        })
    }

    fn is_of(&self, kind: &str) -> bool {
        self.path == "/" || self.path.strip_prefix('/') == Some(kind)
    }

    /// As a caller holds it.
    ///
    /// # Errors
    /// As [`Opaque::pack`].
    pub fn pack(&self, schema: u32) -> Result<Opaque, Failure> {
        Opaque::pack(schema, self)
    }
}

/// Which parameter of a search the server did not use: its link `self` tells those that it did (R4,
/// section 3.1.1.4.0.3). None where it tells no parameters at all.
pub fn ignored<'a>(bundle: &Bundle<'_>, asked: &'a Parameters) -> Option<&'a str> {
    let own = bundle.own.map(readable)?;
    let (_, query) = own.split_once('?').filter(|(_, it)| !it.is_empty())?;
    let names = query
        .split('&')
        .map(|it| it.split('=').next().unwrap_or(it));
    let used: Vec<String> = names.filter_map(decoded).collect();
    let asked = asked.iter().map(|(name, _)| name.as_str());
    // `_count` and the like change who is told first, not who fits.
    let mut criteria = asked.filter(|it| !it.starts_with('_'));
    criteria.find(|it| used.iter().all(|used| used != it))
}

/// The body of a response to a question, as JSON. References to the server itself are relative in it.
///
/// # Errors
/// What its status and its OperationOutcome say; `unreadable` where it is no JSON.
pub fn body(server: &Server, response: &http::Response) -> Result<serde_json::Value, Failure> {
    if let Some(failure) = outcome::refusal(response) {
        return Err(failure);
    }
    let mut body = response.json()?;
    localize(&mut body, server.link_base.as_ref());
    Ok(body)
}

/// What a server's own link says its base is: all before `/Patient` or `/Patient/_search`.
fn base<'a>(own: &'a str, kind: &str) -> Option<&'a str> {
    let path = own.split(['?', '#']).next()?.trim_end_matches('/');
    let path = path.strip_suffix("/_search").unwrap_or(path);
    path.strip_suffix(kind)?.strip_suffix('/')
}

/// openIMIS percent-encodes the whole of its links.
pub(crate) fn readable(link: &str) -> String {
    let whole = link
        .split_once("%3A%2F%2F")
        .filter(|(scheme, _)| !scheme.contains(':'));
    match whole.and_then(|_| decoded(link)) {
        Some(link) => link,
        None => link.to_owned(),
    }
}

fn with_query(request: Builder, query: &Parameters) -> Builder {
    query
        .iter()
        .fold(request, |request, (name, value)| request.query(name, value))
}

/// `application/x-www-form-urlencoded`: RFC 3986's unreserved characters stay, all else is encoded.
fn form(query: &Parameters) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in query {
        if !body.is_empty() {
            body.push('&');
        }
        encode(name, &mut body);
        body.push('=');
        encode(value, &mut body);
    }
    body.into_bytes()
}

fn encode(text: &str, body: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            body.push(char::from(byte));
        } else {
            body.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                body.push(digit.to_ascii_uppercase());
            }
        }
    }
}

/// A part of a query, decoded. None where it is no UTF-8 or broken.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(link_base: Option<&str>) -> Server {
        Server {
            endpoint: "registry",
            method: SearchMethod::Post,
            headers: Vec::new(),
            link_base: link_base.map(|base| OneOrMany::One(base.to_owned())),
        }
    }

    fn next(own: Option<&'static str>, next: &'static str, base: Option<&str>) -> Option<NextPage> {
        let bundle = Bundle {
            own,
            next: Some(next),
            ..Bundle::default()
        };
        match server(base).next_page(&bundle, "Patient") {
            Ok(page) => page,
            Err(failure) => {
                assert_eq!(failure.summary(), "unreadable: answer.next-page");
                None
            }
        }
    }

    fn page(path: &str, query: &[(&str, &str)]) -> Option<NextPage> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Some(NextPage {
            path: path.to_owned(),
            query: query.iter().map(owned).collect(),
        })
    }

    #[test]
    fn pages_below_the_servers_own_base_are_followed() {
        let own = Some("https://cr.example.org/fhir/Patient?family=Rai");
        let link = "https://cr.example.org/fhir/Patient?family=Rai&_page=2";
        assert_eq!(
            next(own, link, None),
            page("/Patient", &[("family", "Rai"), ("_page", "2")])
        );
        // By POST, and paged by the base itself, as HAPI does.
        let own = Some("https://cr.example.org/fhir/Patient/_search?family=Rai");
        let link = "https://cr.example.org/fhir?_getpages=a%2Fb&_getpagesoffset=20";
        let told = [("_getpages", "a/b"), ("_getpagesoffset", "20")];
        assert_eq!(next(own, link, None), page("/", &told));
        // Relative, as OpenCR rewrites them.
        let link = "/fhir/Patient?_page=2";
        assert_eq!(
            next(Some("/fhir/Patient?a=b"), link, None),
            page("/Patient", &[("_page", "2")])
        );
        // Percent-encoded as a whole, as openIMIS does.
        let own = Some("https%3A%2F%2Fdemo.example.org%2Fapi%2Ffhir%2FPatient%2F%3Fa%3Db");
        let link = "https%3A%2F%2Fdemo.example.org%2Fapi%2Ffhir%2FPatient%2F%3Fpage-offset%3D2";
        assert_eq!(
            next(own, link, None),
            page("/Patient", &[("page-offset", "2")])
        );
    }

    #[test]
    fn pages_elsewhere_are_not() {
        let own = Some("https://cr.example.org/fhir/Patient?family=Rai");
        for link in [
            "https://evil.example.org/fhir/Patient?_page=2",
            "http://cr.example.org/fhir/Patient?_page=2",
            "https://cr.example.org/fhir2/Patient?_page=2",
            "https://cr.example.org/fhir/../admin/Patient?_page=2",
            "https://cr.example.org/fhir/Observation?_page=2",
            "https://cr.example.org/fhir/Patient/$everything?_page=2",
            "https://cr.example.org@evil.example.org/fhir/Patient?_page=2",
            "https://cr.example.org/fhir/Patient",
            "https://cr.example.org/fhir/Patient?a=%zz",
            "Patient?_page=2",
        ] {
            assert_eq!(next(own, link, None), None, "{link}");
        }
        // Nobody says what the base is.
        assert_eq!(
            next(None, "https://cr.example.org/fhir/Patient?_page=2", None),
            None
        );
    }

    #[test]
    fn the_base_of_links_may_be_set() {
        let inside = "http://hapi:8080/fhir";
        let link = "http://hapi:8080/fhir?_getpages=1";
        assert_eq!(
            next(None, link, Some(inside)),
            page("/", &[("_getpages", "1")])
        );
        // Then the server's own link does not count.
        let own = Some("https://evil.example.org/Patient?a=b");
        assert_eq!(
            next(own, "https://evil.example.org/Patient?a=b", Some(inside)),
            None
        );
    }

    #[test]
    fn a_page_of_another_kind_is_no_page() {
        let page = page("/Group", &[]).unwrap();
        let failure = server(None).next("Patient", &page).unwrap_err();
        assert_eq!(failure.summary(), "rejected: state.unreadable (page)");
    }

    #[test]
    fn forms_are_encoded_byte_by_byte() {
        let query = vec![("identifier".to_owned(), "urn:x|7 a&b=सी".to_owned())];
        let body = String::from_utf8(form(&query)).unwrap();
        assert_eq!(body, "identifier=urn%3Ax%7C7%20a%26b%3D%E0%A4%B8%E0%A5%80");
        assert_eq!(decoded("urn%3Ax%7C7+a").as_deref(), Some("urn:x|7 a"));
    }
}
