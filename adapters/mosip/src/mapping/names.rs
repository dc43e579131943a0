//! Names: one for each language. MOSIP has whole names; other ID systems behind eSignet have parts.

use adapter_sdk::model::{HumanName, NameUse, Unmapped};

use super::person::Claim;
use super::shape;

/// What is known so far.
#[derive(Default)]
pub(super) struct Names {
    /// Parts by language, in the order in which the languages came.
    usual: Vec<Parts>,
    others: Vec<HumanName>,
}

#[derive(Default)]
struct Parts {
    language: Option<String>,
    text: Option<String>,
    family: Option<String>,
    given: Option<String>,
    middle: Option<String>,
}

impl Names {
    /// Takes a claim that is about a name, and tells whether it was.
    pub(super) fn take(&mut self, claim: &Claim<'_>, unmapped: &mut Vec<Unmapped>) -> bool {
        let other = match claim.name {
            "name" | "given_name" | "middle_name" | "family_name" => None,
            "nickname" => Some(NameUse::Nickname),
            "birth_family_name" => Some(NameUse::Maiden),
            _ => return false,
        };
        let Some(text) = shape::text(claim.value, "names", unmapped) else {
            return true;
        };
        match other {
            // OpenID Connect for Identity Assurance, section 4.1.
            Some(NameUse::Maiden) => self.others.push(HumanName {
                use_: Some(NameUse::Maiden),
                family: Some(text),
                language: claim.language.clone(),
                ..HumanName::default()
            }),
            Some(used) => self.others.push(HumanName {
                use_: Some(used),
                text: Some(text),
                language: claim.language.clone(),
                ..HumanName::default()
            }),
            None => {
                let parts = self.parts(claim.language.as_deref());
                let place = match claim.name {
                    "given_name" => &mut parts.given,
                    "middle_name" => &mut parts.middle,
                    "family_name" => &mut parts.family,
                    _ => &mut parts.text,
                };
                // `name#fr` and `name#fra` are one language: what differs is a name of its own.
                if place.as_ref().is_some_and(|known| *known != text) {
                    self.others.push(HumanName {
                        text: Some(text),
                        language: claim.language.clone(),
                        ..HumanName::default()
                    });
                } else {
                    *place = Some(text);
                }
            }
        }
        true
    }

    fn parts(&mut self, language: Option<&str>) -> &mut Parts {
        let same = |parts: &Parts| parts.language.as_deref() == language;
        let index = match self.usual.iter().position(same) {
            Some(index) => index,
            None => {
                self.usual.push(Parts {
                    language: language.map(str::to_owned),
                    ..Parts::default()
                });
                self.usual.len() - 1
            }
        };
        #[allow(
            clippy::indexing_slicing,
            reason = "the position of one that is there, or of the last"
        )]
        &mut self.usual[index]
    }

    /// The names, whole ones first.
    pub(super) fn into_names(self) -> Vec<HumanName> {
        let usual = self.usual.into_iter().map(|parts| HumanName {
            text: parts.text,
            family: parts.family,
            given: parts.given.into_iter().chain(parts.middle).collect(),
            language: parts.language,
            ..HumanName::default()
        });
        usual.chain(self.others).collect()
    }
}
