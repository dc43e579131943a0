//! A Patient of ours as a message of the PMIR feed (ITI-93).

use adapter_sdk::dates;
use fhir_r4::bundle::is_id;
use serde_json::{Map, Value, json};

use super::write::Resource;
use crate::settings::Settings;
use crate::wire::feed::FEED;
use crate::wire::sender::digits;

/// The message's number: the operation's key, so that a registry knows a message that comes again.
pub fn id(operation: &str) -> String {
    match is_id(operation) {
        true => operation.to_owned(),
        false => digits(operation.as_bytes()).collect(),
    }
}

/// The whole message.
pub fn feed(patient: &Resource, id: Option<&str>, operation: &str, settings: &Settings) -> Value {
    let number = self::id(operation);
    let (method, url) = match id {
        Some(id) => ("PUT", format!("Patient/{id}")),
        None => ("POST", "Patient".to_owned()),
    };
    let full_url = match id {
        Some(id) => format!("Patient/{id}"),
        None => format!("urn:uuid:{number}"),
    };
    let history = format!("Bundle/{number}");
    let mut header = Map::new();
    header.insert("resourceType".to_owned(), json!("MessageHeader"));
    header.insert("id".to_owned(), json!(number));
    header.insert("eventUri".to_owned(), json!(FEED));
    let source = settings.message_source.clone().unwrap_or_default();
    header.insert("source".to_owned(), json!({ "endpoint": source }));
    if let Some(destination) = &settings.message_destination {
        header.insert(
            "destination".to_owned(),
            json!([{ "endpoint": destination }]),
        );
    }
    header.insert("focus".to_owned(), json!([{ "reference": history }]));
    json!({
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": dates::now(),
        "entry": [
            { "fullUrl": format!("MessageHeader/{number}"), "resource": header },
            { "fullUrl": history, "resource": {
                "resourceType": "Bundle",
                "id": number,
                "type": "history",
                "entry": [{
                    "fullUrl": full_url,
                    "resource": patient,
                    "request": { "method": method, "url": url },
                    "response": { "status": if id.is_some() { "200" } else { "201" } },
                }],
            } },
        ],
    })
}
