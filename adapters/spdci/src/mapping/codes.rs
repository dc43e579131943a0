//! Code lists. The specification's own (`dci_Sex`, `dci_MaritalStatus` in `dr_api_v1.0.0.yaml`)
//! first, then what the official samples and registries write instead.

use adapter_sdk::codes::Table;
use adapter_sdk::model::{MaritalStatus, RelationRole, Sex};

/// `dci_Sex`, and its first letters.
pub static SEX: Table<Sex> = Table(&[
    ("male", Sex::Male),
    ("female", Sex::Female),
    ("other", Sex::Other),
    ("unknown", Sex::Unknown),
    ("M", Sex::Male),
    ("F", Sex::Female),
    ("O", Sex::Other),
    ("U", Sex::Unknown),
]);

/// `dci_MaritalStatus`: S M W A D L U; the words of the samples; the rest of HL7 v3.
pub static MARITAL_STATUS: Table<MaritalStatus> = Table(&[
    ("S", MaritalStatus::NeverMarried),
    ("M", MaritalStatus::Married),
    ("W", MaritalStatus::Widowed),
    ("A", MaritalStatus::Annulled),
    ("D", MaritalStatus::Divorced),
    ("L", MaritalStatus::Separated),
    ("U", MaritalStatus::Unmarried),
    ("T", MaritalStatus::Partnered),
    ("P", MaritalStatus::Polygamous),
    ("UNK", MaritalStatus::Unknown),
    ("never married", MaritalStatus::NeverMarried),
    ("single", MaritalStatus::NeverMarried),
    ("married", MaritalStatus::Married),
    ("widow", MaritalStatus::Widowed),
    ("widower", MaritalStatus::Widowed),
    ("widowed", MaritalStatus::Widowed),
    ("annulled", MaritalStatus::Annulled),
    ("divorced", MaritalStatus::Divorced),
    ("separated", MaritalStatus::Separated),
    ("legally separated", MaritalStatus::Separated),
    ("unmarried", MaritalStatus::Unmarried),
    ("unknown", MaritalStatus::Unknown),
]);

/// `relationship_type` and `relationship_head`, for which the specification has no list: the words
/// of the model, and some that say the same.
pub static ROLE: Table<RelationRole> = Table(&[
    ("mother", RelationRole::Mother),
    ("father", RelationRole::Father),
    ("parent", RelationRole::Parent),
    ("spouse", RelationRole::Spouse),
    ("wife", RelationRole::Spouse),
    ("husband", RelationRole::Spouse),
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
    ("aunt", RelationRole::AuntOrUncle),
    ("uncle", RelationRole::AuntOrUncle),
    ("niece", RelationRole::NieceOrNephew),
    ("nephew", RelationRole::NieceOrNephew),
    ("cousin", RelationRole::Cousin),
    ("stepchild", RelationRole::StepChild),
    ("step-child", RelationRole::StepChild),
    ("adopted child", RelationRole::AdoptedChild),
    ("foster child", RelationRole::FosterChild),
    ("guardian", RelationRole::Guardian),
    ("ward", RelationRole::Ward),
    ("other relative", RelationRole::OtherRelative),
    ("domestic employee", RelationRole::DomesticEmployee),
    ("not related", RelationRole::NotRelated),
    ("unknown", RelationRole::Unknown),
]);

/// What the one is to the other, where the other is this to the one. Without a word for it: none.
pub fn inverse(role: &RelationRole) -> Option<RelationRole> {
    use RelationRole as R;
    Some(match role {
        R::Mother | R::Father | R::Parent => R::Child,
        R::Daughter | R::Son | R::Child => R::Parent,
        R::Grandmother | R::Grandfather | R::Grandparent => R::Grandchild,
        R::Granddaughter | R::Grandson | R::Grandchild => R::Grandparent,
        R::Sister | R::Brother | R::Sibling => R::Sibling,
        R::AuntOrUncle => R::NieceOrNephew,
        R::NieceOrNephew => R::AuntOrUncle,
        R::StepChild => R::StepParent,
        R::AdoptedChild => R::AdoptiveParent,
        R::FosterChild => R::FosterParent,
        R::Guardian => R::Ward,
        R::Ward => R::Guardian,
        R::Spouse => R::Spouse,
        R::Partner => R::Partner,
        R::Cousin => R::Cousin,
        R::OtherRelative => R::OtherRelative,
        R::NotRelated => R::NotRelated,
        _ => return None,
    })
}

/// Truth values and their words. Numbers mean one thing here and another there.
pub static YES_NO: Table<bool> = Table(&[
    ("true", true),
    ("yes", true),
    ("Y", true),
    ("false", false),
    ("no", false),
    ("N", false),
]);

/// What `relationship_head` says of the head.
pub fn is_head(relationship: &str) -> bool {
    ["self", "head"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(relationship.trim()))
}
