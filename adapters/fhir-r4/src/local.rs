//! References that lead to the server that told them (R4, section 2.26.0.1). They may be relative or
//! absolute; an absolute one of another server has ids of its own, and the same id here is a stranger.

use serde_json::Value;

use crate::bundle::{address, reference};
use crate::json::Object;
use crate::rules::OneOrMany;
use crate::server::readable;

/// Makes the references to the server itself relative, so that every other absolute one is known to be
/// of another server. What the server's base is, `link_base` says, or the answer: its link `self`, or
/// what every `fullUrl` of it begins with.
pub fn localize(answer: &mut Value, link_base: Option<&OneOrMany>) {
    let bases: Vec<String> = match link_base {
        Some(bases) => bases.all().to_vec(),
        None => told(answer).into_iter().collect(),
    };
    let bases: Vec<String> = bases
        .iter()
        .map(|it| format!("{}/", it.trim_end_matches('/')))
        .filter(|it| it.contains("://"))
        .collect();
    if !bases.is_empty() {
        rewrite(answer, &bases);
    }
}

fn rewrite(value: &mut Value, bases: &[String]) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let below = value.as_str().filter(|_| name == "reference");
                let below =
                    below.and_then(|it| bases.iter().find_map(|base| it.strip_prefix(base)));
                match below.filter(|it| reference(it).is_some()) {
                    Some(below) => *value = Value::from(below),
                    None => rewrite(value, bases),
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                rewrite(value, bases);
            }
        }
        _ => {}
    }
}

/// What an answer says its server's base is.
fn told(answer: &Value) -> Option<String> {
    let bundle = Object::new(answer).filter(|it| it.text("resourceType") == Some("Bundle"))?;
    let links = bundle.objects("link").into_iter();
    let mut own = links.filter(|it| it.text("relation") == Some("self"));
    if let Some(own) = own.find_map(|it| it.text("url")) {
        return Some(before_kind(&readable(own)));
    }
    let entries = bundle.objects("entry").into_iter();
    let mut bases = entries
        .filter_map(|it| it.text("fullUrl"))
        .filter(|it| address(it).is_some())
        .map(|it| it.rsplitn(3, '/').nth(2).unwrap_or_default());
    let first = bases.next()?;
    bases.all(|it| it == first).then(|| first.to_owned())
}

/// The address of a search without `/Patient` or `/Patient/_search`.
fn before_kind(own: &str) -> String {
    let path = own.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix("/_search").unwrap_or(path);
    match path.rsplit_once('/') {
        Some((base, kind)) if kind.starts_with(|c: char| c.is_ascii_uppercase()) => base.to_owned(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reference_of(mut answer: Value, base: Option<&str>) -> Value {
        let base = base.map(|it| OneOrMany::One(it.to_owned()));
        localize(&mut answer, base.as_ref());
        answer["entry"][0]["resource"]["link"][0]["other"]["reference"].clone()
    }

    fn bundle(own: Option<&str>, full_urls: [&str; 2], to: &str) -> Value {
        let link: Vec<Value> = own
            .map(|url| json!({ "relation": "self", "url": url }))
            .into_iter()
            .collect();
        json!({ "resourceType": "Bundle", "link": link, "entry": [
            { "fullUrl": full_urls[0], "resource": { "link": [{ "other": { "reference": to } }] } },
            { "fullUrl": full_urls[1], "resource": {} },
        ] })
    }

    #[test]
    fn references_to_the_server_itself_become_relative_and_others_stay() {
        let here = [
            "https://cr.example.org/fhir/Patient/1",
            "https://cr.example.org/fhir/Group/2",
        ];
        let mixed = [
            "https://cr.example.org/fhir/Patient/1",
            "https://other.example/fhir/Patient/2",
        ];
        let own = "https://cr.example.org/fhir/Patient/_search?identifier=1";
        let paged = "https://cr.example.org/fhir?_getpages=1";
        let to = "https://cr.example.org/fhir/Patient/7";
        for answer in [
            bundle(Some(own), mixed, to),
            bundle(Some(paged), mixed, to),
            bundle(None, here, to),
        ] {
            assert_eq!(reference_of(answer, None), "Patient/7");
        }
        // Nobody says what the base is.
        assert_eq!(reference_of(bundle(None, mixed, to), None), to);
        assert_eq!(
            reference_of(bundle(None, mixed, to), Some("https://cr.example.org/fhir")),
            "Patient/7"
        );
        for other in [
            "https://other.example/fhir/Patient/7",
            "https://cr.example.org/fhir2/Patient/7",
            "https://cr.example.org/fhir/proxy/Patient/7",
            "urn:uuid:7",
        ] {
            assert_eq!(reference_of(bundle(Some(own), here, other), None), other);
        }
    }
}
