//! What of an event a caller may see: the fields of people, and what of the event says the same.

use crate::gateway::lookups::disclosed::Disclosed;
use crate::gateway::lookups::policy::{Visible, field_of};
use crate::model::{Event, EventKind};

/// Takes out what the caller may not see, and says whose data is left.
pub(super) fn show(visible: &Visible, event: &mut Event, disclosed: &mut Disclosed) {
    for participant in &mut event.participants {
        disclosed.person(visible, &mut participant.person);
        if !visible.shows("extra") {
            participant.extra.clear();
        }
    }
    if let Some(household) = &mut event.household {
        disclosed.household(visible, household);
    }
    if !visible.shows("identifiers") {
        event.identifiers.clear();
    }
    if !visible.shows("addresses") {
        event.place = None;
    }
    if !visible.shows("extra") {
        for identifier in &mut event.identifiers {
            identifier.extra.clear();
        }
        if let Some(place) = &mut event.place {
            place.extra.clear();
        }
    }
    if !dates_of(event).iter().all(|field| visible.shows(field)) {
        event.occurred = None;
    }
    let changed = &mut event.changed_fields;
    changed.retain(|path| visible.shows(field_of(path)));
    visible.rest(&mut event.extra, &mut event.unmapped);
}

/// The fields of a person that an event's own date tells.
fn dates_of(event: &Event) -> &'static [&'static str] {
    let amended = event.amends.as_ref().map(|it| it.kind.as_ref());
    let kind = match amended {
        // Of a correction it is not told of what.
        Some(None) => return &["birthDate", "deathDate", "maritalStatus"],
        Some(Some(kind)) => kind,
        None => &event.kind,
    };
    match kind {
        EventKind::Birth => &["birthDate"],
        EventKind::Death | EventKind::FetalDeath => &["deathDate"],
        EventKind::Marriage | EventKind::Divorce | EventKind::Annulment | EventKind::Separation => {
            &["maritalStatus"]
        }
        EventKind::Correction | EventKind::Cancellation | EventKind::Other(_) => {
            &["birthDate", "deathDate", "maritalStatus"]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::registry::PolicyConfig;
    use serde_json::json;

    fn event(kind: &str, amends: serde_json::Value) -> Event {
        let mut event = json!({
            "id": "e-1", "kind": kind, "occurred": "2026-01-02",
            "place": { "city": "Pokhara" },
            "identifiers": [{ "scheme": "registration", "value": "77" }],
            "participants": [{ "role": "deceased", "person": {
                "identifiers": [{ "scheme": "uin", "value": "1" }],
                "birthDate": "1950-01-01", "deathDate": "2026-01-02",
            }}],
            "changedFields": ["death-date", "birth-date"],
            "extra": [{ "key": "x-cause", "value": "secret" }],
        });
        if !amends.is_null() {
            event["amends"] = amends;
        }
        serde_json::from_value(event).unwrap()
    }

    fn shown(fields: &[&str], mut event: Event) -> serde_json::Value {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let visible = Visible::of(fields, &[]).unwrap();
        show(&visible, &mut event, &mut Disclosed::default());
        serde_json::to_value(event).unwrap()
    }

    #[test]
    fn what_a_policy_hides_of_a_person_is_hidden_of_the_event() {
        let hidden = shown(&["identifiers"], event("death", json!(null)));
        let text = hidden.to_string();
        assert!(!text.contains("2026-01-02") && !text.contains("1950") && !text.contains("secret"));
        assert!(
            !text.contains("Pokhara") && !text.contains("date"),
            "{text}"
        );
        assert!(text.contains("\"77\""), "{text}");
        let all: Vec<String> = PolicyConfig::default().fields;
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let seen = shown(&all, event("death", json!(null))).to_string();
        assert!(
            seen.contains("2026-01-02") && seen.contains("Pokhara") && !seen.contains("secret")
        );
    }

    #[test]
    fn the_date_of_a_correction_is_that_of_what_it_corrects() {
        let fields = ["identifiers", "birthDate"];
        let birth = shown(&fields, event("correction", json!({ "kind": "birth" })));
        assert!(birth.get("occurred").is_some(), "{birth}");
        for amends in [
            json!({ "kind": "death" }),
            json!({ "id": "e-0" }),
            json!(null),
        ] {
            let hidden = shown(&fields, event("correction", amends));
            assert!(hidden.get("occurred").is_none(), "{hidden}");
        }
    }
}
