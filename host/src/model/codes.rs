//! The code lists. Closed in the contract, each with a way out where registries know more.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
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
