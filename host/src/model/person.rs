use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Address, Contact, HumanName, MaritalStatus, PartialDate, PersonStatus, Photo};
use super::{RelationRole, Sex};

/// A person as a registry knows them, or as a caller claims. What is not told stays empty.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Person {
    /// Numbers and codes by which registries know the person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<HumanName>,
    /// Administrative sex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// May be partial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// May be partial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub death_date: Option<PartialDate>,
    /// As registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marital_status: Option<MaritalStatus>,
    /// Home, work, birth place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Telephone and e-mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// By reference or bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<Photo>,
    /// Parents and others that the record names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedPerson>,
    /// Where the record stands. Left out: the registry does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PersonStatus>,
    /// Identifiers of the record that this one was merged into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Identifier>,
    /// The registry's version of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
    /// What the adapter did not map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<Unmapped>,
}

impl Person {
    /// The top-level fields, as JSON names them: what `fields` in a request may list.
    pub const FIELDS: [&'static str; 15] = [
        "identifiers",
        "names",
        "sex",
        "birthDate",
        "deathDate",
        "maritalStatus",
        "addresses",
        "contacts",
        "photo",
        "related",
        "status",
        "replacedBy",
        "version",
        "extra",
        "unmapped",
    ];

    /// Keeps only the named top-level fields: data that nobody asked for does not leave.
    pub fn retain_fields(&mut self, keep: impl Fn(&str) -> bool) {
        let mut person = std::mem::take(self);
        macro_rules! keep {
            ($($json:literal $field:ident),*) => {
                $(if keep($json) { self.$field = std::mem::take(&mut person.$field); })*
            };
        }
        keep!(
            "identifiers" identifiers, "names" names, "sex" sex, "birthDate" birth_date,
            "deathDate" death_date, "maritalStatus" marital_status, "addresses" addresses,
            "contacts" contacts, "photo" photo, "related" related, "status" status,
            "replacedBy" replaced_by, "version" version, "extra" extra, "unmapped" unmapped
        );
    }
}

/// A number or code by which a registry knows somebody (FHIR `Identifier`).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identifier {
    /// The canonical scheme, as the registry's settings name it.
    #[schema(example = "national-id")]
    pub scheme: String,
    /// The number or code.
    pub value: String,
    /// The rule by which `value` was made from what the registry wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalisation: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// Somebody named in a person's record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelatedPerson {
    /// What they are to the person.
    pub role: RelationRole,
    /// Theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<HumanName>,
    /// Theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// Alive or not, where the record says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PersonStatus>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// A value that has no field of its own.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// An adapter's own begin with `x-`.
    pub key: String,
    /// Any JSON value.
    pub value: Value,
}

/// A registry's value that the adapter does not map, reported instead of guessed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmapped {
    /// Where it would have gone.
    pub field: String,
    /// As it came.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_fields_is_the_struct() {
        let schema = serde_json::to_value(<Person as utoipa::PartialSchema>::schema()).unwrap();
        let mut told: Vec<&str> = Person::FIELDS.to_vec();
        let mut real: Vec<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        told.sort_unstable();
        real.sort_unstable();
        assert_eq!(told, real);
    }

    #[test]
    fn retains_what_is_named_and_nothing_else() {
        let mut person = Person {
            sex: Some(Sex::Female),
            version: Some("3".into()),
            ..Person::default()
        };
        person.retain_fields(|field| field == "sex");
        assert_eq!(person.sex, Some(Sex::Female));
        assert_eq!(person.version, None);
    }
}
