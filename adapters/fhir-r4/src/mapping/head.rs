//! Who is the head of a Group. FHIR has no word for it, so that only what the settings name is looked
//! at; where that does not say one thing, there is none.

use serde_json::Value;

use super::codes;
use crate::Rules;
use crate::bundle::{id, reference};
use crate::json::Object;
use crate::rules::HeadMarkers;

/// The ids of the Patients whom something says to be the head, each once.
pub(super) fn heads(group: &Object<'_>, patients: &[&Value], rules: &Rules) -> Vec<String> {
    let mut heads = told_by_group(group, &rules.head);
    if let Some(url) = &rules.head.patient_extension {
        let is_head = |it: &&&Value| {
            let told = Object::new(it).and_then(|it| it.extensions().first(url));
            told.and_then(|it| it.truth("valueBoolean")) == Some(true)
        };
        let says = patients.iter().filter(is_head);
        heads.extend(says.filter_map(|it| id(it)).map(str::to_owned));
    }
    let mut once: Vec<String> = Vec::new();
    for head in heads {
        if !once.contains(&head) {
            once.push(head);
        }
    }
    once
}

/// What the Group itself says, by the ids of Patients.
pub(super) fn told_by_group(group: &Object<'_>, markers: &HeadMarkers) -> Vec<String> {
    let mut heads = Vec::new();
    let mut put = |to: Option<Object<'_>>| {
        let to = to.and_then(|it| reference(it.text("reference")?));
        heads.extend(
            to.filter(|(kind, _)| *kind == "Patient")
                .map(|(_, id)| id.to_owned()),
        );
    };
    if let Some(url) = &markers.group_extension {
        for told in group.extensions().all(url) {
            put(told.object("valueReference"));
        }
    }
    if let Some(word) = &markers.characteristic {
        for told in group.objects("characteristic") {
            // `exclude`: the one who is not.
            let excluded = told.truth("exclude") == Some(true);
            if !excluded && told.object("code").is_some_and(|it| codes::is(&it, word)) {
                put(told.object("valueReference"));
            }
        }
    }
    if let Some(url) = &markers.member_extension {
        for member in group.objects("member") {
            let told = member.extensions().first(url);
            let is_head = told.and_then(|it| it.truth("valueBoolean")) == Some(true);
            // Who has left is no head.
            if is_head && member.truth("inactive") != Some(true) {
                put(member.object("entity"));
            }
        }
    }
    heads
}
