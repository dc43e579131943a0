//! A registry of few words for the tests of this adapter.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod damaged;

use adapter_sdk::http::Request;
use adapter_sdk::model::{FindQuery, HouseholdQuery, Identifier};
use adapter_sdk::testing::{self, Reply, Stage};
use serde_json::{Value, json};

pub(crate) const PATH: &str = "/registry/sync/search";

/// The stage of a registry of this type.
pub(crate) fn stage(registry_type: &str) -> Stage {
    let settings = json!({ "registry_type": registry_type, "sender_id": "openimis" });
    testing::stage().settings(settings).endpoint("registry")
}

/// A registry that answers every search with these records.
pub(crate) fn registry(registry_type: &str, records: Value) -> Stage {
    stage(registry_type).on_post(PATH, move |request| {
        answer(request, "succ", records.clone())
    })
}

/// The same, with more settings.
pub(crate) fn registry_set(registry_type: &str, more: Value, records: Value) -> Stage {
    let mut settings = json!({ "registry_type": registry_type, "sender_id": "openimis" });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    registry(registry_type, records).settings(settings)
}

/// A registry that answers with this body, whatever is asked.
pub(crate) fn saying(body: impl Into<Reply> + Clone + 'static) -> Stage {
    stage("Civil").on_post(PATH, move |_| body.clone())
}

/// An answer to a request, with its numbers.
pub(crate) fn answer(request: &Request, status: &str, records: Value) -> Value {
    let asked = request.json();
    json!({
        "header": {
            "version": "1.0.0", "message_id": "m", "message_ts": "2026-01-02T03:04:05Z",
            "action": "on-search", "status": "succ",
        },
        "message": {
            "transaction_id": asked["message"]["transaction_id"],
            "correlation_id": "c",
            "search_response": [{
                "reference_id": asked["message"]["search_request"][0]["reference_id"],
                "timestamp": "2026-01-02T03:04:05Z",
                "status": status,
                "data": { "reg_records": records },
            }],
        },
    })
}

/// An answer whose one item is this.
pub(crate) fn item(item: Value) -> Value {
    json!({ "header": {}, "message": { "search_response": [item] } })
}

pub(crate) fn by(scheme: &str, value: &str) -> FindQuery {
    FindQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

pub(crate) fn household_of(scheme: &str, value: &str) -> HouseholdQuery {
    HouseholdQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

/// A person in the plain form of the specification.
pub(crate) fn record(uin: &str, given: &str, sex: &str) -> Value {
    json!({
        "identifier": [{ "identifier_type": "UIN", "identifier_value": uin }],
        "name": { "surname": "Rai", "given_name": given },
        "sex": sex,
    })
}

/// A member as the official samples wrap it.
pub(crate) fn member(uin: &str, given: &str, relationship: &str) -> Value {
    json!({ "household_member": {
        "member_identifier": [{ "identifier_type": "MEMBER", "identifier_value": uin }],
        "demographic_info": { "person": record(uin, given, "F") },
        "relationship_head": relationship,
    } })
}

/// A group with the number G1.
pub(crate) fn group(head: Value, members: Value) -> Value {
    json!({
        "group_identifier": [{ "identifier_type": "UIN", "identifier_value": "G1" }],
        "group_head_info": head,
        "member_list": members,
        "place": { "address": "Main road 1", "geo": { "latitude": "1.5", "longitude": "2.5" } },
        "poverty_score": "4.0",
        "group_type": "family",
    })
}
