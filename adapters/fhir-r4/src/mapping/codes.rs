//! Code systems of FHIR and HL7 v3 beside the words of the contract.

use adapter_sdk::codes::Table;
use adapter_sdk::model::{AddressUse, MaritalStatus, NameUse, RelationRole, Sex};

use crate::json::{Notes, Object};

/// R4, `administrative-gender`.
pub static SEX: Table<Sex> = Table(&[
    ("female", Sex::Female),
    ("male", Sex::Male),
    ("other", Sex::Other),
    ("unknown", Sex::Unknown),
]);

/// HL7 v3 `MaritalStatus`, and `UNK` of `NullFlavor`. The interlocutory decree is a word of its own.
pub static MARITAL_STATUS: Table<MaritalStatus> = Table(&[
    ("S", MaritalStatus::NeverMarried),
    ("M", MaritalStatus::Married),
    ("T", MaritalStatus::Partnered),
    ("C", MaritalStatus::Partnered),
    ("L", MaritalStatus::Separated),
    ("D", MaritalStatus::Divorced),
    ("W", MaritalStatus::Widowed),
    ("A", MaritalStatus::Annulled),
    ("P", MaritalStatus::Polygamous),
    ("U", MaritalStatus::Unmarried),
    ("UNK", MaritalStatus::Unknown),
]);

/// R4, `name-use`; `temp` and `anonymous` are words of their own.
pub(super) static NAME_USE: Table<NameUse> = Table(&[
    ("usual", NameUse::Usual),
    ("official", NameUse::Official),
    ("maiden", NameUse::Maiden),
    ("nickname", NameUse::Nickname),
    ("old", NameUse::Old),
]);

/// R4, `address-use`; `billing` is a word of its own.
pub(super) static ADDRESS_USE: Table<AddressUse> = Table(&[
    ("home", AddressUse::Home),
    ("work", AddressUse::Work),
    ("temp", AddressUse::Temporary),
    ("old", AddressUse::Old),
]);

/// HL7 v3 `RoleCode`, the branch `PersonalRelationshipRoleType`: what somebody is to the patient.
static ROLE: Table<RelationRole> = Table(&[
    ("MTH", RelationRole::Mother),
    ("NMTH", RelationRole::Mother),
    ("NMTHF", RelationRole::Mother),
    ("GESTM", RelationRole::Mother),
    ("FTH", RelationRole::Father),
    ("NFTH", RelationRole::Father),
    ("NFTHF", RelationRole::Father),
    ("PRN", RelationRole::Parent),
    ("NPRN", RelationRole::Parent),
    ("SPS", RelationRole::Spouse),
    ("HUSB", RelationRole::Spouse),
    ("WIFE", RelationRole::Spouse),
    ("DOMPART", RelationRole::Partner),
    ("SIGOTHR", RelationRole::Partner),
    ("DAUC", RelationRole::Daughter),
    ("DAU", RelationRole::Daughter),
    ("SONC", RelationRole::Son),
    ("SON", RelationRole::Son),
    ("CHILD", RelationRole::Child),
    ("NCHILD", RelationRole::Child),
    ("SIS", RelationRole::Sister),
    ("NSIS", RelationRole::Sister),
    ("HSIS", RelationRole::Sister),
    ("TWINSIS", RelationRole::Sister),
    ("BRO", RelationRole::Brother),
    ("NBRO", RelationRole::Brother),
    ("HBRO", RelationRole::Brother),
    ("TWINBRO", RelationRole::Brother),
    ("SIB", RelationRole::Sibling),
    ("NSIB", RelationRole::Sibling),
    ("HSIB", RelationRole::Sibling),
    ("TWIN", RelationRole::Sibling),
    ("GRMTH", RelationRole::Grandmother),
    ("MGRMTH", RelationRole::Grandmother),
    ("PGRMTH", RelationRole::Grandmother),
    ("GRFTH", RelationRole::Grandfather),
    ("MGRFTH", RelationRole::Grandfather),
    ("PGRFTH", RelationRole::Grandfather),
    ("GRPRN", RelationRole::Grandparent),
    ("GRNDDAU", RelationRole::Granddaughter),
    ("GRNDSON", RelationRole::Grandson),
    ("GRNDCHILD", RelationRole::Grandchild),
    ("AUNT", RelationRole::AuntOrUncle),
    ("MAUNT", RelationRole::AuntOrUncle),
    ("PAUNT", RelationRole::AuntOrUncle),
    ("UNCLE", RelationRole::AuntOrUncle),
    ("MUNCLE", RelationRole::AuntOrUncle),
    ("PUNCLE", RelationRole::AuntOrUncle),
    ("NIENEPH", RelationRole::NieceOrNephew),
    ("NIECE", RelationRole::NieceOrNephew),
    ("NEPHEW", RelationRole::NieceOrNephew),
    ("COUSN", RelationRole::Cousin),
    ("PRNINLAW", RelationRole::ParentInLaw),
    ("MTHINLAW", RelationRole::ParentInLaw),
    ("FTHINLAW", RelationRole::ParentInLaw),
    ("CHLDINLAW", RelationRole::ChildInLaw),
    ("DAUINLAW", RelationRole::ChildInLaw),
    ("SONINLAW", RelationRole::ChildInLaw),
    ("SIBINLAW", RelationRole::SiblingInLaw),
    ("SISINLAW", RelationRole::SiblingInLaw),
    ("BROINLAW", RelationRole::SiblingInLaw),
    ("STPPRN", RelationRole::StepParent),
    ("STPMTH", RelationRole::StepParent),
    ("STPFTH", RelationRole::StepParent),
    ("STPCHLD", RelationRole::StepChild),
    ("STPDAU", RelationRole::StepChild),
    ("STPSON", RelationRole::StepChild),
    ("ADOPTP", RelationRole::AdoptiveParent),
    ("ADOPTM", RelationRole::AdoptiveParent),
    ("ADOPTF", RelationRole::AdoptiveParent),
    ("CHLDADOPT", RelationRole::AdoptedChild),
    ("DAUADOPT", RelationRole::AdoptedChild),
    ("SONADOPT", RelationRole::AdoptedChild),
    ("PRNFOST", RelationRole::FosterParent),
    ("MTHFOST", RelationRole::FosterParent),
    ("FTHFOST", RelationRole::FosterParent),
    ("CHLDFOST", RelationRole::FosterChild),
    ("DAUFOST", RelationRole::FosterChild),
    ("SONFOST", RelationRole::FosterChild),
    ("GUARD", RelationRole::Guardian),
    ("FAMMEMB", RelationRole::OtherRelative),
    ("EXT", RelationRole::OtherRelative),
    ("FRND", RelationRole::NotRelated),
    ("NBOR", RelationRole::NotRelated),
    ("ROOM", RelationRole::NotRelated),
]);

/// The systems under which v3 codes are met: today's, that of DSTU 2, and what openIMIS writes.
const V3_ROLE: [&str; 2] = [
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "http://hl7.org/fhir/v3/RoleCode",
];
const V3_MARITAL: [&str; 6] = [
    "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
    "http://hl7.org/fhir/v3/MaritalStatus",
    "http://hl7.org/fhir/v3/NullFlavor",
    "http://hl7.org/fhir/marital-status",
    "http://hl7.org/fhir/valueset-marital-status.html",
];

/// The codes of a CodeableConcept, of these systems or of none.
fn coded<'a>(concept: &Object<'a>, systems: &[&str]) -> Vec<&'a str> {
    let codings = concept.objects("coding").into_iter();
    let known = codings.filter(|it| it.text("system").is_none_or(|it| systems.contains(&it)));
    known.filter_map(|it| it.text("code")).collect()
}

/// What the codes of a concept say with one voice; where they say nothing that is known, or not the
/// same, the concept is noted.
fn one<T: PartialEq>(
    field: &str,
    concept: &Object<'_>,
    found: impl Iterator<Item = T>,
    notes: &mut Notes,
) -> Option<T> {
    let mut found = found;
    let first = found.next();
    if let Some(first) = first
        && found.all(|other| other == first)
    {
        return Some(first);
    }
    let codes: Vec<&str> = concept
        .objects("coding")
        .iter()
        .filter_map(|it| it.text("code"))
        .collect();
    let said = match codes.is_empty() {
        false => codes.join(" "),
        true => concept.text("text").unwrap_or_default().to_owned(),
    };
    notes.0.push(adapter_sdk::model::Unmapped::new(field, said));
    None
}

/// `Patient.maritalStatus`. `I`, the interlocutory decree, is a word of its own.
pub(super) fn marital_status(concept: &Object<'_>, notes: &mut Notes) -> Option<MaritalStatus> {
    let found = coded(concept, &V3_MARITAL);
    let found = found.into_iter().filter_map(|code| match code {
        "I" => Some(MaritalStatus::Other("I".to_owned())),
        // Of HL7 v2 and v3 alike, in capitals.
        code if code.chars().all(|c| c.is_ascii_uppercase()) => MARITAL_STATUS.value(code),
        _ => None,
    });
    one("marital-status", concept, found, notes)
}

/// A relationship: what the other one is to the patient. Several concepts stand for several codes of
/// one role (`NMTH` and `MTH`).
pub(super) fn role(
    field: &str,
    concepts: &[Object<'_>],
    notes: &mut Notes,
) -> Option<RelationRole> {
    let codes: Vec<&str> = concepts
        .iter()
        .flat_map(|concept| coded(concept, &V3_ROLE))
        .collect();
    let mut roles = codes.iter().filter_map(|code| ROLE.value(code));
    let first = roles.next();
    if let Some(first) = first
        && roles.all(|other| other == first)
    {
        return Some(first);
    }
    for concept in concepts {
        one::<RelationRole>(field, concept, std::iter::empty(), notes);
    }
    None
}

/// Whether a concept has a code, given as `system|code` or `code`.
pub(super) fn is(concept: &Object<'_>, word: &str) -> bool {
    concept
        .objects("coding")
        .iter()
        .any(|coding| match word.rsplit_once('|') {
            Some((system, code)) => {
                coding.text("system") == Some(system) && coding.text("code") == Some(code)
            }
            None => coding.text("code") == Some(word),
        })
}
