//! What the registry can do wrong on request, and the UINs that ask for it.
//!
//! A fault is set for every request through [`Options::fault`](super::Options::fault), while it
//! runs through [`StandIn::set_fault`](super::StandIn::set_fault), or for one request by looking up
//! one of these UINs. They belong to nobody; where the fault still lets a person through, it is the
//! first one under that UIN.
//!
//! | UIN | word | what happens |
//! |---|---|---|
//! | `9900000001` | `slow`, `slow:250ms` | the answer comes late: 2 s unless told |
//! | `9900000002` | `refuse`, `refuse:rjct.filter.invalid` | the search is rejected, `rjct.search_criteria.invalid` unless told |
//! | `9900000003` | `unavailable` | 503 with `Retry-After: 7` |
//! | `9900000004` | `rate-limited` | 429 with `Retry-After: 3` |
//! | `9900000005` | `other-person` | the record of somebody else |
//! | `9900000006` | `other-reference` | an answer to a reference that nobody asked for |
//! | `9900000007` | `broken-json` | 200 whose body stops being JSON half way |
//! | `9900000008` | `truncated` | a whole `Content-Length`, half the body, then the end |
//! | `9900000009` | `html` | 200 and a page for people |
//! | `9900000010` | `empty` | 200 and no body |
//! | `9900000011` | `endless` | a body that never ends |
//! | `9900000012` | `gzip-bomb` | a few megabytes that unpack to four gigabytes |
//! | `9900000013` | `redirect`, `redirect:http://…` | 307 elsewhere, `http://169.254.169.254/latest/meta-data/` unless told |
//! | `9900000014` | `hang-up` | the connection closes without an answer |
//! | `9900000015` | `huge` | a valid answer of 64 MiB |
//! | `9900000016` | `drip` | the right answer, a byte at a time, four a second |
//! | `9900000017` | `wrong-shape` | valid JSON whose fields have the wrong types |
//! | `9900000018` | `silent` | no answer, and the connection stays open |
//! | `9900000019` | `unauthorized` | 401, as if the credential had been withdrawn |
//! | `9900000020` | `two-answers` | two records for one UIN |

use std::str::FromStr;
use std::time::Duration;

/// One thing that the registry does wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it answers as it should.
    #[default]
    None,
    /// Answers late.
    Slow(Duration),
    /// Rejects the search with this `rjct.*` code.
    Refuse(String),
    /// 503 with `Retry-After`.
    Unavailable,
    /// 429 with `Retry-After`.
    RateLimited,
    /// Answers with somebody else's record.
    OtherPerson,
    /// Answers to another `reference_id`.
    OtherReference,
    /// A body that stops being JSON half way.
    BrokenJson,
    /// Less body than `Content-Length` says.
    Truncated,
    /// A page for people, with status 200.
    Html,
    /// No body, with status 200.
    Empty,
    /// A body that never ends.
    Endless,
    /// A small body that unpacks to four gigabytes.
    GzipBomb,
    /// 307 to this address.
    Redirect(String),
    /// The connection closes without an answer.
    HangUp,
    /// A valid answer of 64 MiB.
    Huge,
    /// The right answer, a few bytes a second.
    Drip,
    /// Valid JSON with the wrong types.
    WrongShape,
    /// No answer at all on an open connection.
    Silent,
    /// 401 whatever the credential.
    Unauthorized,
    /// Two records where one was asked for.
    TwoAnswers,
}

impl Fault {
    /// The fault that a UIN asks for.
    pub fn of_uin(uin: &str) -> Option<Self> {
        let number: usize = uin.strip_prefix("99000000")?.parse().ok()?;
        let word = WORDS.get(number.checked_sub(1)?)?;
        (uin.len() == 10).then(|| word.parse().ok()).flatten()
    }

    /// The UIN that asks for the fault of this word.
    pub fn uin(word: &str) -> Option<String> {
        let at = WORDS.iter().position(|known| *known == word)?;
        Some(format!("99000000{:02}", at + 1))
    }

    /// The words that [`Fault::from_str`] reads, in the order of their UINs.
    pub fn words() -> &'static [&'static str] {
        &WORDS
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, detail) = match text.split_once(':') {
            Some((word, detail)) => (word, Some(detail)),
            None => (text, None),
        };
        let fault = match word {
            "slow" => return slow(detail),
            "refuse" => return Ok(Self::Refuse(detail.unwrap_or(REFUSAL).to_owned())),
            "redirect" => return Ok(Self::Redirect(detail.unwrap_or(ELSEWHERE).to_owned())),
            "none" => Self::None,
            "unavailable" => Self::Unavailable,
            "rate-limited" => Self::RateLimited,
            "other-person" => Self::OtherPerson,
            "other-reference" => Self::OtherReference,
            "broken-json" => Self::BrokenJson,
            "truncated" => Self::Truncated,
            "html" => Self::Html,
            "empty" => Self::Empty,
            "endless" => Self::Endless,
            "gzip-bomb" => Self::GzipBomb,
            "hang-up" => Self::HangUp,
            "huge" => Self::Huge,
            "drip" => Self::Drip,
            "wrong-shape" => Self::WrongShape,
            "silent" => Self::Silent,
            "unauthorized" => Self::Unauthorized,
            "two-answers" => Self::TwoAnswers,
            _ => {
                return Err(format!(
                    "no fault is called {word:?}: none, {}",
                    WORDS.join(", ")
                ));
            }
        };
        match detail {
            None => Ok(fault),
            Some(detail) => Err(format!("{word} takes no detail, and {detail:?} was given")),
        }
    }
}

const WORDS: [&str; 20] = [
    "slow",
    "refuse",
    "unavailable",
    "rate-limited",
    "other-person",
    "other-reference",
    "broken-json",
    "truncated",
    "html",
    "empty",
    "endless",
    "gzip-bomb",
    "redirect",
    "hang-up",
    "huge",
    "drip",
    "wrong-shape",
    "silent",
    "unauthorized",
    "two-answers",
];
const REFUSAL: &str = "rjct.search_criteria.invalid";
/// Where cloud machines keep their credentials: what a redirect of an attacker would aim at.
const ELSEWHERE: &str = "http://169.254.169.254/latest/meta-data/";

fn slow(detail: Option<&str>) -> Result<Fault, String> {
    let text = detail.unwrap_or("2s");
    let number = |digits: &str| digits.parse::<u64>().ok();
    // Not jiff's friendly durations: "2s" and "250ms" are all that is needed here.
    let millis = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => number(digits),
        (None, Some(digits)) => number(digits).map(|seconds| seconds * 1_000),
        (None, None) => None,
    };
    let millis = millis.ok_or_else(|| format!("{text:?} is no delay: write 250ms or 2s"))?;
    Ok(Fault::Slow(Duration::from_millis(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_uin_that_asks_for_it() {
        for word in Fault::words() {
            let uin = Fault::uin(word).expect(word);
            assert_eq!(Fault::of_uin(&uin), word.parse().ok(), "{word}");
        }
        assert_eq!(Fault::uin("hang-up").as_deref(), Some("9900000014"));
    }

    #[test]
    fn other_uins_ask_for_nothing() {
        for uin in [
            "9900000000",
            "9900000021",
            "990000001",
            "99000000001",
            "3829104756",
            "",
        ] {
            assert_eq!(Fault::of_uin(uin), None, "{uin}");
        }
    }

    #[test]
    fn details_are_read_and_wrong_ones_refused() {
        assert_eq!(
            "slow:250ms".parse(),
            Ok(Fault::Slow(Duration::from_millis(250)))
        );
        assert_eq!("refuse:rjct.a".parse(), Ok(Fault::Refuse("rjct.a".into())));
        assert_eq!(
            "redirect:http://a/b".parse(),
            Ok(Fault::Redirect("http://a/b".into()))
        );
        for wrong in ["", "slowly", "slow:soon", "html:x"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }
}
