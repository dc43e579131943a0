//! `Patient.link` (R4, section 8.1.12): which record took the place of this one.

use adapter_sdk::model::Identifier;
use serde_json::Value;

use crate::Rules;
use crate::bundle::reference;
use crate::json::{Notes, Object};
use crate::rules::Carried;

/// The record that took the place of another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replacement {
    /// The id of a Patient on this server, where the link has one.
    pub id: Option<String>,
    /// The identifier that the link itself tells.
    pub identifier: Option<Identifier>,
}

/// The links of one type (`replaced-by`, `refer`, `seealso`): kind and id of what they lead to.
pub fn links<'a>(patient: &'a Value, kind: &str) -> Vec<(&'a str, &'a str)> {
    of_type(patient, kind)
        .into_iter()
        .filter_map(|other| reference(other.text("reference")?))
        .collect()
}

fn of_type<'a>(patient: &'a Value, kind: &str) -> Vec<Object<'a>> {
    let links = Object::new(patient).map(|it| it.objects("link"));
    let links = links.unwrap_or_default().into_iter();
    links
        .filter(|it| it.text("type") == Some(kind))
        .filter_map(|it| it.object("other"))
        .collect()
}

/// Whether another record took the place of this one.
pub fn is_replaced(patient: &Value) -> bool {
    !of_type(patient, "replaced-by").is_empty()
}

/// What took its place. Several are several.
pub fn replacement(patient: &Value, rules: &Rules) -> Vec<Replacement> {
    let others = of_type(patient, "replaced-by").into_iter();
    others
        .map(|other| {
            let local = other.text("reference").and_then(reference);
            let local = local.filter(|(kind, _)| *kind == "Patient");
            Replacement {
                id: local.map(|(_, id)| id.to_owned()),
                identifier: other.object("identifier").and_then(|it| scheme(&it, rules)),
            }
        })
        .collect()
}

/// References to replacements on other servers, of which no number is told: where nobody can follow.
pub(super) fn elsewhere<'a>(patient: &'a Value, rules: &Rules) -> Vec<&'a Value> {
    let others = of_type(patient, "replaced-by").into_iter();
    let told = others.filter_map(|other| {
        let identifier = other.object("identifier").and_then(|it| scheme(&it, rules));
        let to = other.get("reference").filter(|_| identifier.is_none())?;
        to.as_str().and_then(reference).is_none().then_some(to)
    });
    told.collect()
}

fn scheme(identifier: &Object<'_>, rules: &Rules) -> Option<Identifier> {
    let carried = Carried::read(identifier, &mut Notes::default(), "replaced-by")?;
    let scheme = rules.schemes.of(&carried)?;
    Some(Identifier::new(scheme, carried.value.clone()))
}

/// Whether `meta.tag` has this code: OpenCR marks its golden records so.
pub fn is_golden(patient: &Value, code: &str) -> bool {
    let meta = Object::new(patient).and_then(|it| it.object("meta"));
    let tags = meta.map(|it| it.objects("tag")).unwrap_or_default();
    tags.iter().any(|tag| tag.text("code") == Some(code))
}
