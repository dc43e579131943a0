//! Code tables: OpenCRVS's usual codes, and those that a country adds by the setting `codes`.

use std::collections::BTreeMap;

use adapter_sdk::codes::Table;
use adapter_sdk::model::{MaritalStatus, RelationRole, Sex, Unmapped};

use crate::settings::Codes;

/// `gender` of opencrvs-countryconfig, and FHIR's `other`. The first code of a value is written.
pub static SEX: Table<Sex> = Table(&[
    ("male", Sex::Male),
    ("female", Sex::Female),
    ("unknown", Sex::Unknown),
    ("other", Sex::Other),
]);

/// `maritalStatus` of opencrvs-countryconfig. That `SINGLE` is never married is its FHIR code, `S`
/// (opencrvs-core 1.8, commons/fhir/transformers).
pub static MARITAL_STATUS: Table<MaritalStatus> = Table(&[
    ("SINGLE", MaritalStatus::NeverMarried),
    ("MARRIED", MaritalStatus::Married),
    ("WIDOWED", MaritalStatus::Widowed),
    ("DIVORCED", MaritalStatus::Divorced),
    ("SEPARATED", MaritalStatus::Separated),
    ("NOT_STATED", MaritalStatus::Unknown),
]);

/// `informant.relation` of opencrvs-countryconfig, and the codes of FHIR's informants up to 1.8.
pub static RELATION: Table<RelationRole> = Table(&[
    ("MOTHER", RelationRole::Mother),
    ("FATHER", RelationRole::Father),
    ("GRANDFATHER", RelationRole::Grandfather),
    ("GRANDMOTHER", RelationRole::Grandmother),
    ("BROTHER", RelationRole::Brother),
    ("SISTER", RelationRole::Sister),
    ("LEGAL_GUARDIAN", RelationRole::Guardian),
    ("SPOUSE", RelationRole::Spouse),
    ("SON", RelationRole::Son),
    ("DAUGHTER", RelationRole::Daughter),
    ("SON_IN_LAW", RelationRole::ChildInLaw),
    ("DAUGHTER_IN_LAW", RelationRole::ChildInLaw),
    ("GRANDSON", RelationRole::Grandson),
    ("GRANDDAUGHTER", RelationRole::Granddaughter),
    ("OTHER_FAMILY_MEMBER", RelationRole::OtherRelative),
]);

/// `birthType`: whether the child is one of several.
pub static MULTIPLE_BIRTH: Table<bool> = Table(&[
    ("SINGLE", false),
    ("TWIN", true),
    ("TRIPLET", true),
    ("QUADRUPLET", true),
    ("HIGHER_MULTIPLE_DELIVERY", true),
]);

/// Our words of marital statuses, for the setting `codes`.
static MARITAL_WORDS: Table<MaritalStatus> = Table(&[
    ("never-married", MaritalStatus::NeverMarried),
    ("married", MaritalStatus::Married),
    ("partnered", MaritalStatus::Partnered),
    ("separated", MaritalStatus::Separated),
    ("divorced", MaritalStatus::Divorced),
    ("widowed", MaritalStatus::Widowed),
    ("annulled", MaritalStatus::Annulled),
    ("polygamous", MaritalStatus::Polygamous),
    ("unmarried", MaritalStatus::Unmarried),
    ("unknown", MaritalStatus::Unknown),
]);

/// Our words of relation roles, for the setting `codes`.
static RELATION_WORDS: Table<RelationRole> = Table(&[
    ("mother", RelationRole::Mother),
    ("father", RelationRole::Father),
    ("parent", RelationRole::Parent),
    ("spouse", RelationRole::Spouse),
    ("partner", RelationRole::Partner),
    ("daughter", RelationRole::Daughter),
    ("son", RelationRole::Son),
    ("child", RelationRole::Child),
    ("sister", RelationRole::Sister),
    ("brother", RelationRole::Brother),
    ("sibling", RelationRole::Sibling),
    ("grandmother", RelationRole::Grandmother),
    ("grandfather", RelationRole::Grandfather),
    ("grandparent", RelationRole::Grandparent),
    ("granddaughter", RelationRole::Granddaughter),
    ("grandson", RelationRole::Grandson),
    ("grandchild", RelationRole::Grandchild),
    ("aunt-or-uncle", RelationRole::AuntOrUncle),
    ("niece-or-nephew", RelationRole::NieceOrNephew),
    ("cousin", RelationRole::Cousin),
    ("parent-in-law", RelationRole::ParentInLaw),
    ("child-in-law", RelationRole::ChildInLaw),
    ("sibling-in-law", RelationRole::SiblingInLaw),
    ("step-parent", RelationRole::StepParent),
    ("step-child", RelationRole::StepChild),
    ("adoptive-parent", RelationRole::AdoptiveParent),
    ("adopted-child", RelationRole::AdoptedChild),
    ("foster-parent", RelationRole::FosterParent),
    ("foster-child", RelationRole::FosterChild),
    ("guardian", RelationRole::Guardian),
    ("ward", RelationRole::Ward),
    ("other-relative", RelationRole::OtherRelative),
    ("domestic-employee", RelationRole::DomesticEmployee),
    ("not-related", RelationRole::NotRelated),
]);

/// One list of codes: the country's own before the usual.
#[derive(Clone, Copy)]
pub struct List<'a, T: 'static> {
    own: &'a BTreeMap<String, String>,
    words: &'static Table<T>,
    usual: &'static Table<T>,
}

impl<T: Clone + PartialEq> List<'_, T> {
    /// The value of a code, whatever its case.
    pub fn value(&self, code: &str) -> Option<T> {
        let code = code.trim();
        let own = self
            .own
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(code));
        match own {
            Some((_, word)) => self.words.value(word),
            None => self.usual.value(code),
        }
    }

    /// Reads a field: a code that no table has is reported under the model's `field`.
    pub fn read(&self, field: &str, code: &str, unmapped: &mut Vec<Unmapped>) -> Option<T> {
        let value = self.value(code);
        if value.is_none() && !code.trim().is_empty() {
            unmapped.push(Unmapped::new(field, code));
        }
        value
    }

    /// The code of a value.
    pub fn code(&self, value: &T) -> Option<&str> {
        let own = self
            .own
            .iter()
            .find(|(_, word)| self.words.value(word).as_ref() == Some(value));
        own.map(|(code, _)| code.as_str())
            .or_else(|| self.usual.code(value))
    }
}

/// The sexes of this country.
pub fn sex(codes: &Codes) -> List<'_, Sex> {
    List {
        own: &codes.sex,
        words: &SEX,
        usual: &SEX,
    }
}

/// The marital statuses of this country.
pub fn marital_status(codes: &Codes) -> List<'_, MaritalStatus> {
    List {
        own: &codes.marital_status,
        words: &MARITAL_WORDS,
        usual: &MARITAL_STATUS,
    }
}

/// What an informant is to the event's subject, in this country.
pub fn relation(codes: &Codes) -> List<'_, RelationRole> {
    List {
        own: &codes.relation,
        words: &RELATION_WORDS,
        usual: &RELATION,
    }
}

/// The first entry of the setting `codes` whose word is none of ours: `sex.m`.
pub fn unknown_word(codes: &Codes) -> Option<String> {
    fn first<T: Clone + PartialEq>(name: &str, list: List<'_, T>) -> Option<String> {
        let wrong = |word: &String| list.words.value(word).is_none();
        let (code, _) = list.own.iter().find(|(_, word)| wrong(word))?;
        Some(format!("{name}.{code}"))
    }
    first("sex", sex(codes))
        .or_else(|| first("marital_status", marital_status(codes)))
        .or_else(|| first("relation", relation(codes)))
}
