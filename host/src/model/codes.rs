//! The code lists. Closed in the contract, each with a way out where registries know more.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// FHIR `AdministrativeGender`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither, as the registry states it.
    Other,
    /// The registry states that it does not know.
    Unknown,
}

/// What a name is for (FHIR `NameUse`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameUse {
    /// The one to use.
    Usual,
    /// As registered.
    Official,
    /// Before marriage.
    Maiden,
    /// Informal.
    Nickname,
    /// No longer in use.
    Old,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// HL7 v3 `MaritalStatus`, in words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaritalStatus {
    /// Never married (S).
    NeverMarried,
    /// Married (M).
    Married,
    /// Domestic partners, common law (T, C).
    Partnered,
    /// Legally separated (L).
    Separated,
    /// Divorced (D).
    Divorced,
    /// Widowed (W).
    Widowed,
    /// Annulled (A).
    Annulled,
    /// More than one spouse (P).
    Polygamous,
    /// Not married now (U).
    Unmarried,
    /// The registry states that it does not know.
    Unknown,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// FHIR `AddressUse`, and the place of birth.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressUse {
    /// Home.
    Home,
    /// Work.
    Work,
    /// Temporary.
    Temporary,
    /// No longer in use.
    Old,
    /// Where the person was born.
    Birth,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// FHIR `ContactPointSystem`, as far as registries fill it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactSystem {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// One person's role to another (HL7 v3 `RoleCode`, PublicSchema `group-role`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationRole {
    /// Mother.
    Mother,
    /// Father.
    Father,
    /// Parent.
    Parent,
    /// Spouse.
    Spouse,
    /// Partner.
    Partner,
    /// Daughter.
    Daughter,
    /// Son.
    Son,
    /// Child.
    Child,
    /// Sister.
    Sister,
    /// Brother.
    Brother,
    /// Sibling.
    Sibling,
    /// Grandmother.
    Grandmother,
    /// Grandfather.
    Grandfather,
    /// Grandparent.
    Grandparent,
    /// Granddaughter.
    Granddaughter,
    /// Grandson.
    Grandson,
    /// Grandchild.
    Grandchild,
    /// Aunt or uncle.
    AuntOrUncle,
    /// Niece or nephew.
    NieceOrNephew,
    /// Cousin.
    Cousin,
    /// Parent in law.
    ParentInLaw,
    /// Child in law.
    ChildInLaw,
    /// Sibling in law.
    SiblingInLaw,
    /// Step parent.
    StepParent,
    /// Step child.
    StepChild,
    /// Adoptive parent.
    AdoptiveParent,
    /// Adopted child.
    AdoptedChild,
    /// Foster parent.
    FosterParent,
    /// Foster child.
    FosterChild,
    /// Guardian.
    Guardian,
    /// Ward.
    Ward,
    /// Other relative.
    OtherRelative,
    /// Domestic employee.
    DomesticEmployee,
    /// Not related.
    NotRelated,
    /// Unknown.
    Unknown,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// Where a record stands in the registry.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonStatus {
    /// In force.
    Active,
    /// The person has died.
    Deceased,
    /// Another record took its place.
    Merged,
    /// Taken back by the registry.
    Cancelled,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// What kind of group it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HouseholdKind {
    /// People who live or are counted together.
    Household,
    /// A family as a civil registry records it, which says nothing of who lives where.
    Kinship,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// FHIR `match-grade`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The registry takes it for the person.
    Certain,
    /// Likely.
    Probable,
    /// Could be.
    Possible,
}

/// How a claim compares with the registry.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// The same.
    Match,
    /// Taken for the same though not equal.
    Close,
    /// Different.
    Mismatch,
    /// The registry has no value to compare with.
    Missing,
}

/// An open list's schema: its words, or any other. Derived, it would be an object with a field
/// `other`.
macro_rules! open_schema {
    ($($list:ident { $($word:ident)* })*) => {$(
        impl PartialSchema for $list {
            fn schema() -> RefOr<Schema> {
                let words = [$($list::$word),*].map(|word| serde_json::json!(word));
                open_list(words)
            }
        }

        impl ToSchema for $list {}
    )*};
}

pub(super) fn open_list<const N: usize>(words: [serde_json::Value; N]) -> RefOr<Schema> {
    let known = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words));
    let other = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("A value that the list lacks, as the registry has it."));
    AnyOfBuilder::new().item(known).item(other).into()
}

open_schema! {
    NameUse { Usual Official Maiden Nickname Old }
    MaritalStatus { NeverMarried Married Partnered Separated Divorced Widowed Annulled Polygamous Unmarried Unknown }
    AddressUse { Home Work Temporary Old Birth }
    ContactSystem { Phone Email }
    RelationRole { Mother Father Parent Spouse Partner Daughter Son Child Sister Brother Sibling Grandmother Grandfather Grandparent Granddaughter Grandson Grandchild AuntOrUncle NieceOrNephew Cousin ParentInLaw ChildInLaw SiblingInLaw StepParent StepChild AdoptiveParent AdoptedChild FosterParent FosterChild Guardian Ward OtherRelative DomesticEmployee NotRelated Unknown }
    PersonStatus { Active Deceased Merged Cancelled }
    HouseholdKind { Household Kinship }
}
