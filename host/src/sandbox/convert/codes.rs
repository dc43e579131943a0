//! The code lists, both ways. The compiler finds a missing word on either side.

use crate::model;
use crate::sandbox::bindings::{abilities, types, vital, writing};

/// Lists with a way out: `other(string)`.
macro_rules! open {
    ($($to:ident $from:ident $wit:ident $name:ident { $($word:ident)* })*) => {$(
        pub(super) fn $from(code: $wit::$name) -> model::$name {
            match code {
                $($wit::$name::$word => model::$name::$word,)*
                $wit::$name::Other(other) => model::$name::Other(other),
            }
        }

        pub(super) fn $to(code: &model::$name) -> $wit::$name {
            match code {
                $(model::$name::$word => $wit::$name::$word,)*
                model::$name::Other(other) => $wit::$name::Other(other.clone()),
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
    name_use_out name_use types NameUse { Usual Official Maiden Nickname Old }
    marital_status_out marital_status types MaritalStatus {
        NeverMarried Married Partnered Separated Divorced Widowed Annulled Polygamous Unmarried
        Unknown
    }
    address_use_out address_use types AddressUse { Home Work Temporary Old Birth }
    contact_system_out contact_system types ContactSystem { Phone Email }
    person_status_out person_status types PersonStatus { Active Deceased Merged Cancelled }
    relation_role_out relation_role types RelationRole {
        Mother Father Parent Spouse Partner Daughter Son Child Sister Brother Sibling Grandmother
        Grandfather Grandparent Granddaughter Grandson Grandchild AuntOrUncle NieceOrNephew Cousin
        ParentInLaw ChildInLaw SiblingInLaw StepParent StepChild AdoptiveParent AdoptedChild
        FosterParent FosterChild Guardian Ward OtherRelative DomesticEmployee NotRelated Unknown
    }
    household_kind_out household_kind types HouseholdKind { Household Kinship }
    event_kind_out event_kind vital EventKind {
        Birth Death FetalDeath Marriage Divorce Annulment Separation Adoption Parentage Move
        Correction IdentifierChange Merge Split Cancellation RecordCreated RecordChanged
        RecordRemoved HouseholdChanged EnrolmentChanged
    }
    participant_role_out participant_role vital ParticipantRole {
        Child Mother Father Parent Deceased Spouse Informant Attendant Witness Subject Survivor
        Replaced Separated
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

pub(super) fn enrolment_status_out(status: &model::EnrolmentStatus) -> writing::EnrolmentStatus {
    use model::EnrolmentStatus as Model;
    use writing::EnrolmentStatus as Wit;
    match status {
        Model::Potential => Wit::Potential,
        Model::Enrolled => Wit::Enrolled,
        Model::Active => Wit::Active,
        Model::Suspended => Wit::Suspended,
        Model::Graduated => Wit::Graduated,
        Model::Ended => Wit::Ended,
        Model::Rejected => Wit::Rejected,
        Model::Other(other) => Wit::Other(other.clone()),
    }
}

pub(super) fn outcome(outcome: writing::Outcome) -> model::WriteOutcome {
    match outcome {
        writing::Outcome::Applied => model::WriteOutcome::Applied,
        writing::Outcome::Unchanged => model::WriteOutcome::Unchanged,
        writing::Outcome::AwaitsApproval => model::WriteOutcome::AwaitsApproval,
        writing::Outcome::Other(other) => model::WriteOutcome::Other(other),
    }
}
