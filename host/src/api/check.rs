//! What the types cannot see of a request's values. A problem names the field, never the value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::problem::Problem;
use crate::gateway::GatewayError;
use crate::model::{Consent, GeoPoint, Identifier, Person, Photo, Proof, ProofKind};

/// The most identifiers, criteria, sort keys, languages or parameters in one request.
pub(super) const MAX_ITEMS: usize = 32;
/// The longest identifier, name or code, in bytes.
const MAX_TEXT: usize = 512;
/// The longest word for why, in bytes.
const MAX_WORD: usize = 64;
/// The longest proof, in bytes: a signed token with its certificates fits.
const MAX_PROOF: usize = 64 << 10;
/// The longest language tag: RFC 5646, section 4.4.1, finds 35 enough; private ones are longer.
const MAX_LANGUAGE: usize = 64;
/// The longest part of a language tag (RFC 5646, section 2.1).
const MAX_SUBTAG: usize = 8;

/// A mistake that the types cannot see.
pub(super) fn invalid(field: impl Into<String>, problem: &'static str) -> Problem {
    GatewayError::Invalid {
        field: field.into(),
        problem,
    }
    .into()
}

/// At least one identifier, unless the person's proof says who it is; none of them empty.
pub(super) fn identifiers(identifiers: &[Identifier], has_proof: bool) -> Result<(), Problem> {
    if identifiers.is_empty() && !has_proof {
        return Err(invalid("identifiers", "at least one is needed"));
    }
    if identifiers.len() > MAX_ITEMS {
        return Err(invalid("identifiers", "too many: at most 32"));
    }
    for (at, identifier) in identifiers.iter().enumerate() {
        let parts = [("scheme", &identifier.scheme), ("value", &identifier.value)];
        for (name, value) in parts {
            text(&format!("identifiers.{at}.{name}"), value)?;
        }
    }
    Ok(())
}

/// Neither empty nor longer than anything real, and on one line.
pub(super) fn text(field: &str, text: &str) -> Result<(), Problem> {
    if text.len() > MAX_TEXT {
        return Err(invalid(field, "too long: at most 512 bytes"));
    }
    line(field, text)
}

/// A word for why: a sentence could tell of the person.
pub(super) fn word(field: &str, word: &str) -> Result<(), Problem> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match (1..=MAX_WORD).contains(&word.len()) && word.bytes().all(letter) {
        true => Ok(()),
        false => Err(invalid(
            field,
            "a word of lower-case letters, digits and hyphens, 1 to 64 bytes, such as `wrong-person`",
        )),
    }
}

fn line(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(invalid(field, "must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// Tags as BCP 47 forms them. Whether a tag is registered is the adapter's question.
pub(super) fn languages(languages: &[String]) -> Result<(), Problem> {
    if languages.len() > MAX_ITEMS {
        return Err(invalid("languages", "too many: at most 32"));
    }
    let subtag = |part: &str| {
        (1..=MAX_SUBTAG).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let bad = languages
        .iter()
        .position(|tag| tag.len() > MAX_LANGUAGE || !tag.split('-').all(subtag));
    match bad {
        Some(at) => Err(invalid(
            format!("languages.{at}"),
            "a BCP 47 tag such as `en` or `ne-NP`",
        )),
        None => Ok(()),
    }
}

/// A reference, and times that are times. A consent that has ended is none.
pub(super) fn consent(consent: &Consent, now: Timestamp) -> Result<(), Problem> {
    text("consent.reference", &consent.reference)?;
    time("consent.givenAt", consent.given_at.as_deref())?;
    let ends = time("consent.expiresAt", consent.expires_at.as_deref())?;
    if ends.is_some_and(|ends| ends <= now) {
        return Err(invalid("consent.expiresAt", "the consent has expired"));
    }
    Ok(())
}

fn time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    let time = rfc3339(text);
    let problem = "a time by RFC 3339, such as 2026-01-02T03:04:05Z";
    time.map(Some).ok_or_else(|| invalid(field, problem))
}

/// jiff takes more than RFC 3339: registries get the text as it is, so that it must be that.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let is = |at: usize, marks: &[u8]| bytes.get(at).is_some_and(|byte| marks.contains(byte));
    let marks: [(usize, &[u8]); 5] = [(4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];
    let offset = bytes.len().checked_sub(1).is_some_and(|at| is(at, b"Zz"))
        || bytes.len().checked_sub(3).is_some_and(|at| is(at, b":"));
    let formed = marks.into_iter().all(|(at, marks)| is(at, marks)) && offset;
    if !formed || text.contains(['[', ',']) {
        return None;
    }
    text.parse().ok()
}

/// Something in each part, on one line. Parameters are the caller's own words: none is repeated.
pub(super) fn proof(proof: &Proof) -> Result<(), Problem> {
    if let ProofKind::Other(kind) = &proof.kind {
        text("proof.kind", kind)?;
    }
    if proof.value.len() > MAX_PROOF {
        return Err(invalid("proof.value", "too long: at most 64 KiB"));
    }
    line("proof.value", &proof.value)?;
    if proof.parameters.len() > MAX_ITEMS {
        return Err(invalid("proof.parameters", "too many: at most 32"));
    }
    for (name, value) in &proof.parameters {
        text("proof.parameters", name)?;
        text("proof.parameters", value)?;
    }
    Ok(())
}

/// What is claimed can be compared: an adapter never sees half of a claim.
pub(super) fn claimed(claimed: &Person) -> Result<(), Problem> {
    if *claimed == Person::default() {
        return Err(invalid("claimed", "claim at least one thing"));
    }
    if !claimed.unmapped.is_empty() {
        let problem = "answers alone have it: leave it out, or claim the value as `extra`";
        return Err(invalid("claimed.unmapped", problem));
    }
    match &claimed.photo {
        Some(Photo::Reference(reference)) => text("claimed.photo.reference", reference)?,
        Some(Photo::Content { media_type, data }) => {
            text("claimed.photo.content.mediaType", media_type)?;
            if STANDARD.decode(data).map_or(true, |bytes| bytes.is_empty()) {
                let problem = "the picture in Base64 with padding (RFC 4648, section 4)";
                return Err(invalid("claimed.photo.content.data", problem));
            }
        }
        None => {}
    }
    for (at, address) in claimed.addresses.iter().enumerate() {
        if address.position.is_some_and(|point| !on_earth(point)) {
            let problem = "latitude from -90 to 90 and longitude from -180 to 180";
            return Err(invalid(format!("claimed.addresses.{at}.position"), problem));
        }
    }
    Ok(())
}

fn on_earth(point: GeoPoint) -> bool {
    (-90.0..=90.0).contains(&point.latitude) && (-180.0..=180.0).contains(&point.longitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_is_a_time() {
        for good in [
            "2026-01-02T03:04:05Z",
            "2026-01-02t03:04:05.5z",
            "2026-01-02T03:04:05+05:45",
            "2026-01-02 03:04:05-00:30",
        ] {
            assert!(rfc3339(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04Z",
            "20260102T030405.000000Z",
            "2026-02-30T03:04:05Z",
            "2026-01-02T03:04:05+0545",
            "2026-01-02T03:04:05+05:45[Asia/Kathmandu]",
            "२०२६-01-02T03:04:05Z",
        ] {
            assert!(rfc3339(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_consent_ends_at_its_time() {
        let ends = "2026-01-02T03:04:05Z";
        let given = Consent {
            reference: "c-1".into(),
            given_at: None,
            expires_at: Some(ends.into()),
        };
        let end: Timestamp = ends.parse().unwrap();
        assert!(consent(&given, end).is_err());
        assert!(consent(&given, end - jiff::SignedDuration::from_secs(1)).is_ok());
    }

    #[test]
    fn a_long_token_is_a_proof() {
        let mut long = Proof {
            kind: ProofKind::Token,
            value: "t".repeat(MAX_PROOF),
            parameters: [("redirect-uri".into(), "https://x.example/".into())].into(),
        };
        assert!(proof(&long).is_ok());
        long.value.push('t');
        assert!(proof(&long).is_err());
    }

    #[test]
    fn languages_are_tags() {
        let one = |tag: &str| languages(&[tag.to_owned()]).is_ok();
        assert!(one("en") && one("ne-NP") && one("zh-Hant-TW") && one("x-whatever"));
        assert!(!one("") && !one("en_GB") && !one("en-") && !one("ninechars") && !one("é"));
    }
}
