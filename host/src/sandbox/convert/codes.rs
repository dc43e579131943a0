//! The code lists, both ways. The compiler finds a missing word on either side.

use crate::model;
use crate::sandbox::bindings::{abilities, types};

/// Lists with a way out: `other(string)`.
macro_rules! open {
    ($($to:ident $from:ident $name:ident { $($word:ident)* })*) => {$(
        pub(super) fn $from(code: types::$name) -> model::$name {
            match code {
                $(types::$name::$word => model::$name::$word,)*
                types::$name::Other(other) => model::$name::Other(other),
            }
        }

        pub(super) fn $to(code: &model::$name) -> types::$name {
            match code {
                $(model::$name::$word => types::$name::$word,)*
                model::$name::Other(other) => types::$name::Other(other.clone()),
            }
        }
    )*};
}

/// Closed lists.
macro_rules! closed {
    ($($from:ident $wit:path => $model:path { $($word:ident)* })*) => {$(
        pub(super) fn $from(code: $wit) -> $model {
            type Wit = $wit;
            type Model = $model;
            match code { $(Wit::$word => Model::$word,)* }
        }
    )*};
}

open! {
    name_use_out name_use NameUse { Usual Official Maiden Nickname Old }
    marital_status_out marital_status MaritalStatus {
        NeverMarried Married Partnered Separated Divorced Widowed Annulled Polygamous Unmarried
        Unknown
    }
    address_use_out address_use AddressUse { Home Work Temporary Old Birth }
    contact_system_out contact_system ContactSystem { Phone Email }
    person_status_out person_status PersonStatus { Active Deceased Merged Cancelled }
    relation_role_out relation_role RelationRole {
        Mother Father Parent Spouse Partner Daughter Son Child Sister Brother Sibling Grandmother
        Grandfather Grandparent Granddaughter Grandson Grandchild AuntOrUncle NieceOrNephew Cousin
        ParentInLaw ChildInLaw SiblingInLaw StepParent StepChild AdoptiveParent AdoptedChild
        FosterParent FosterChild Guardian Ward OtherRelative DomesticEmployee NotRelated Unknown
    }
}

closed! {
    sex types::Sex => model::Sex { Female Male Other Unknown }
    grade abilities::search::Grade => model::Grade { Certain Probable Possible }
    agreement abilities::verify::Agreement => model::Agreement { Match Close Mismatch Missing }
}

pub(super) fn sex_out(sex: model::Sex) -> types::Sex {
    match sex {
        model::Sex::Female => types::Sex::Female,
        model::Sex::Male => types::Sex::Male,
        model::Sex::Other => types::Sex::Other,
        model::Sex::Unknown => types::Sex::Unknown,
    }
}

pub(super) fn household_kind(kind: types::HouseholdKind) -> model::HouseholdKind {
    match kind {
        types::HouseholdKind::Household => model::HouseholdKind::Household,
        types::HouseholdKind::Kinship => model::HouseholdKind::Kinship,
        types::HouseholdKind::Other(other) => model::HouseholdKind::Other(other),
    }
}
