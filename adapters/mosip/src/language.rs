//! MOSIP writes languages with three letters (ISO 639-2), and in eSignet with two; the model has
//! BCP 47.

use crate::settings::Settings;

/// BCP 47 and three letters, of some countries that run MOSIP and of languages that many share. The
/// terminological code where there are two.
pub(crate) const DEFAULTS: &[(&str, &str)] = &[
    ("am", "amh"),
    ("ar", "ara"),
    ("en", "eng"),
    ("es", "spa"),
    ("fr", "fra"),
    ("hi", "hin"),
    ("kn", "kan"),
    ("ne", "nep"),
    ("pt", "por"),
    ("si", "sin"),
    ("sw", "swa"),
    ("ta", "tam"),
];

/// The language of a claim, from what stands behind its `#` (OpenID Connect Core, section 5.2):
/// `fr`, `fra`, `fr-CA`. None: it is no language tag.
pub fn tag(written: &str, settings: &Settings) -> Option<String> {
    if !is_tag(written) {
        return None;
    }
    let same = |letters: &String| letters.eq_ignore_ascii_case(written);
    let known = settings
        .languages
        .0
        .iter()
        .find(|(_, letters)| same(letters));
    Some(known.map_or_else(|| written.to_owned(), |(tag, _)| tag.clone()))
}

/// The three letters for a BCP 47 tag: of the whole, or of its language. One that has three letters
/// in BCP 47, too, is sent as it is.
pub fn letters(tag: &str, settings: &Settings) -> Option<String> {
    let primary = tag.split('-').next().unwrap_or_default();
    let known = |wanted: &str| {
        let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(wanted);
        settings.languages.0.iter().find(same)
    };
    if let Some((_, letters)) = known(tag).or_else(|| known(primary)) {
        return Some(letters.clone());
    }
    let three = primary.len() == 3 && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    three.then(|| primary.to_ascii_lowercase())
}

/// Letters and digits in groups of one to eight, letters first: RFC 5646, section 2.1, as far as it
/// tells a tag from a word.
fn is_tag(text: &str) -> bool {
    let mut groups = text.split('-');
    let first = groups.next().unwrap_or_default();
    let language = (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    let rest = |group: &str| {
        (1..=8).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    language && text.len() <= 35 && groups.all(rest)
}
