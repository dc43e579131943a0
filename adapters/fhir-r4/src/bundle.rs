//! What a search answers: Bundle (R4, section 2.36), and where it goes on.

use adapter_sdk::Failure;
use adapter_sdk::model::Grade;
use serde_json::Value;

use crate::json::Object;
use crate::outcome;

/// R4, `patient-match-grade`: how sure a server is of a candidate.
const MATCH_GRADE: &str = "http://hl7.org/fhir/StructureDefinition/match-grade";

/// The answer to a search.
#[derive(Debug, Default)]
pub struct Bundle<'a> {
    /// In the server's order.
    pub entries: Vec<Entry<'a>>,
    /// How many there are in all, where it is told.
    pub total: Option<u64>,
    /// `link` of the relation `next`.
    pub next: Option<&'a str>,
    /// `link` of the relation `self`.
    pub own: Option<&'a str>,
    /// What the server warns of: codes of `OperationOutcome.issue`.
    pub warnings: Vec<String>,
}

/// One resource of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// As it came.
    pub resource: &'a Value,
    /// `Patient`, `Group`.
    pub kind: &'a str,
    /// `fullUrl`
    pub full_url: Option<&'a str>,
    /// Fits the search itself (`match`), and is not only brought along (`include`).
    pub is_match: bool,
    /// `search.score`
    pub score: Option<f64>,
    /// The extension `match-grade`.
    pub grade: Option<MatchGrade>,
}

/// The code system `match-grade`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MatchGrade {
    /// A grade that the contract has.
    Grade(Grade),
    /// It is certainly not this one.
    CertainlyNot,
    /// A code that the code system does not have.
    Unknown,
}

impl<'a> Bundle<'a> {
    /// Reads the answer to a search for this kind of resource. A server may answer with the one
    /// resource itself (openIMIS does).
    ///
    /// # Errors
    /// What an OperationOutcome in its place says; `unreadable` where it is no Bundle of a search.
    pub fn read(body: &'a Value, wanted: &str) -> Result<Self, Failure> {
        let unreadable = || Failure::unreadable("answer.bundle");
        let answer = Object::new(body).ok_or_else(unreadable)?;
        match answer.text("resourceType") {
            Some("Bundle") => {}
            Some("OperationOutcome") => return Err(outcome::failure(200, Some(body), None)),
            Some(kind) if kind == wanted => {
                return Ok(Self {
                    entries: vec![Entry::bare(body, kind)],
                    ..Self::default()
                });
            }
            _ => return Err(unreadable()),
        }
        if !matches!(answer.text("type"), Some("searchset" | "collection") | None) {
            return Err(unreadable());
        }
        let mut bundle = Self {
            total: answer.get("total").and_then(Value::as_u64),
            ..Self::default()
        };
        for link in answer.objects("link") {
            match link.text("relation") {
                Some("next") => bundle.next = link.text("url"),
                Some("self") => bundle.own = link.text("url"),
                _ => {}
            }
        }
        let mut refused = None;
        for entry in answer.each("entry") {
            let entry = Object::new(entry).ok_or_else(unreadable)?;
            let Some(resource) = entry.get("resource") else {
                return Err(unreadable());
            };
            let kind = Object::new(resource).and_then(|it| it.text("resourceType"));
            let kind = kind.ok_or_else(unreadable)?;
            if kind == "OperationOutcome" {
                match outcome::error(resource) {
                    Some(_) => refused = Some(outcome::failure(200, Some(resource), None)),
                    None => bundle.warnings.extend(outcome::codes(resource)),
                }
                continue;
            }
            bundle.entries.push(Entry::read(&entry, resource, kind));
        }
        // Half an answer is none: whoever is left out might be the one who was asked for.
        match refused {
            Some(failure) => Err(failure),
            None => Ok(bundle),
        }
    }

    /// The resources of one kind that fit the search.
    pub fn matches(&self, kind: &str) -> Vec<&'a Value> {
        let fitting = self
            .entries
            .iter()
            .filter(|it| it.is_match && it.kind == kind);
        fitting.map(|it| it.resource).collect()
    }

    /// All resources of one kind, those that were only brought along too.
    pub fn all(&self, kind: &str) -> Vec<&'a Value> {
        let fitting = self.entries.iter().filter(|it| it.kind == kind);
        fitting.map(|it| it.resource).collect()
    }
}

impl<'a> Entry<'a> {
    fn bare(resource: &'a Value, kind: &'a str) -> Self {
        Self {
            resource,
            kind,
            full_url: None,
            is_match: true,
            score: None,
            grade: None,
        }
    }

    fn read(entry: &Object<'a>, resource: &'a Value, kind: &'a str) -> Self {
        let search = entry.object("search");
        let mode = search.and_then(|it| it.text("mode"));
        let score = search.and_then(|it| it.get("score")?.as_f64());
        let grade = search.and_then(|it| it.extensions().first(MATCH_GRADE));
        Self {
            full_url: entry.text("fullUrl"),
            is_match: mode != Some("include"),
            // R4: 0 to 1.
            score: score.filter(|score| (0.0..=1.0).contains(score)),
            grade: grade.map(|it| match it.text("valueCode") {
                Some("certain") => MatchGrade::Grade(Grade::Certain),
                Some("probable") => MatchGrade::Grade(Grade::Probable),
                Some("possible") => MatchGrade::Grade(Grade::Possible),
                Some("certainly-not") => MatchGrade::CertainlyNot,
                _ => MatchGrade::Unknown,
            }),
            ..Self::bare(resource, kind)
        }
    }
}

/// The kind and id of a reference to a resource of the server that told it: `Patient/7`. An absolute one
/// may lead to another server, where the same id is somebody else; those to the server itself are made
/// relative before ([`crate::local`]).
pub fn reference(text: &str) -> Option<(&str, &str)> {
    let text = text.split_once("/_history/").map_or(text, |(it, _)| it);
    let is_relative = text.matches('/').count() == 1;
    is_relative.then(|| address(text)).flatten()
}

/// The kind and id at the end of the address of a resource: `Patient/7`,
/// `https://example.org/fhir/Patient/7/_history/2`. Whose it is must be known from elsewhere.
pub fn address(text: &str) -> Option<(&str, &str)> {
    let text = text.split_once("/_history/").map_or(text, |(it, _)| it);
    let mut parts = text.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase());
    (is_kind && is_id(id)).then_some((kind, id))
}

/// R4, section 2.24.0.1, `id`: what may stand in a path as it is.
pub fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&id.len()) && id.bytes().all(allowed) && !id.bytes().all(|it| it == b'.')
}

/// The id of a resource.
pub fn id(resource: &Value) -> Option<&str> {
    Object::new(resource)?.text("id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_read_and_others_are_none() {
        assert_eq!(reference("Patient/7"), Some(("Patient", "7")));
        let whole = "https://cr.example.org/fhir/Group/a-b.1/_history/3";
        assert_eq!(address(whole), Some(("Group", "a-b.1")));
        // Whose group that is nobody says.
        assert_eq!(reference(whole), None);
        assert_eq!(reference("Group/1/_history/3"), Some(("Group", "1")));
        for wrong in [
            "urn:uuid:1-2",
            "Patient",
            "patient/7",
            "Patient/..",
            "Patient/a b",
            "#p",
            "",
        ] {
            assert_eq!(reference(wrong), None, "{wrong}");
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn scores_and_grades_are_the_servers_own() {
        let grade = |code: &str| json!([{ "url": MATCH_GRADE, "valueCode": code }]);
        let entry = |score: Value, code: &str| {
            json!({ "resource": { "resourceType": "Patient", "id": "1" },
                    "search": { "mode": "match", "score": score, "extension": grade(code) } })
        };
        let body = json!({ "resourceType": "Bundle", "type": "searchset", "total": 3, "entry": [
            entry(json!(0.9), "certain"), entry(json!(7), "certainly-not"), entry(json!("x"), "so-so"),
        ] });
        let bundle = Bundle::read(&body, "Patient").unwrap();
        let told: Vec<_> = bundle
            .entries
            .iter()
            .map(|it| (it.score, it.grade))
            .collect();
        assert_eq!(
            told,
            [
                (Some(0.9), Some(MatchGrade::Grade(Grade::Certain))),
                (None, Some(MatchGrade::CertainlyNot)),
                (None, Some(MatchGrade::Unknown)),
            ]
        );
    }

    #[test]
    fn an_outcome_among_the_entries_is_an_error_or_a_warning() {
        let with = |severity: &str, code: &str| {
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": [
                { "resource": { "resourceType": "Patient", "id": "1" } },
                { "search": { "mode": "outcome" }, "resource": { "resourceType": "OperationOutcome",
                  "issue": [{ "severity": severity, "code": code }] } },
            ] })
        };
        let warned = with("warning", "incomplete");
        let bundle = Bundle::read(&warned, "Patient").unwrap();
        assert_eq!(
            (bundle.entries.len(), bundle.warnings),
            (1, vec!["incomplete".to_owned()])
        );
        let failed = with("error", "timeout");
        let failure = Bundle::read(&failed, "Patient").unwrap_err();
        assert_eq!(failure.summary(), "unavailable: fhir.timeout");
    }

    #[test]
    fn what_is_no_answer_to_a_search_is_refused() {
        for body in [
            json!(null),
            json!([]),
            json!({ "resourceType": "Group" }),
            json!({ "resourceType": "Bundle", "type": "history" }),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": [{}] }),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": ["x"] }),
            json!({ "resourceType": "Bundle", "entry": [{ "resource": { "id": "1" } }] }),
        ] {
            let failure = Bundle::read(&body, "Patient").unwrap_err();
            assert_eq!(failure.summary(), "unreadable: answer.bundle", "{body}");
        }
    }
}
