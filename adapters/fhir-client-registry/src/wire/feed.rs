//! ITI-93, the PMIR feed: messages (R4, section 2.4) and what they are answered.

use adapter_sdk::Failure;
use fhir_r4::json::Object;
use fhir_r4::outcome;
use fhir_r4::rules::OneOrMany;
use serde_json::{Value, json};

/// `MessageHeader.eventUri` of a feed.
pub const FEED: &str = "urn:ihe:iti:pmir:2019:patient-feed";
/// Of its answer.
pub const RESPONSE: &str = "urn:ihe:iti:pmir:2019:patient-feed-response";

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The outer Bundle.
    pub bundle: Object<'a>,
    /// Its first entry.
    pub header: Object<'a>,
    /// Its second entry, a Bundle of the type `history`; none in an answer.
    pub history: Option<Object<'a>>,
}

impl<'a> Message<'a> {
    /// Reads a message of the feed, or an answer to one of ours.
    ///
    /// # Errors
    /// `rejected` with what is missing.
    pub fn read(body: &'a Value) -> Result<Self, Failure> {
        let rejected = |code: &str| Failure::rejected(code);
        let bundle = Object::new(body).filter(|it| it.text("resourceType") == Some("Bundle"));
        let bundle = bundle.ok_or_else(|| rejected("message.bundle"))?;
        if bundle.text("type") != Some("message") {
            return Err(rejected("message.type"));
        }
        let resources: Vec<Object<'a>> = bundle
            .objects("entry")
            .iter()
            .filter_map(|it| it.object("resource"))
            .collect();
        let of = |kind: &str| {
            let mut found = resources.iter();
            found
                .find(|it| it.text("resourceType") == Some(kind))
                .copied()
        };
        let header = of("MessageHeader").ok_or_else(|| rejected("message.header"))?;
        if !matches!(header.text("eventUri"), Some(FEED | RESPONSE)) {
            return Err(rejected("message.event"));
        }
        let history = of("Bundle").filter(|it| it.text("type") == Some("history"));
        if history.is_none() && header.get("response").is_none() {
            return Err(rejected("message.history"));
        }
        Ok(Self {
            bundle,
            header,
            history,
        })
    }

    /// The message's own number: the same when it is sent again.
    pub fn id(&self) -> Option<&'a str> {
        self.header.text("id").or_else(|| self.bundle.text("id"))
    }
}

/// Makes references to the registry itself relative: what its base is, the addresses of the history's
/// entries say.
pub fn localize(body: &mut Value, link_base: Option<&OneOrMany>) {
    let entries = body.get_mut("entry").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        if let Some(resource) = entry.get_mut("resource") {
            fhir_r4::local::localize(resource, link_base);
        }
    }
}

/// The answer to a message: that it was taken.
pub fn response(message: &Message<'_>, id: &str, now: &str) -> Value {
    let answered = message.id().unwrap_or_default();
    let mut header = json!({
        "resourceType": "MessageHeader",
        "id": id,
        "eventUri": RESPONSE,
        "source": { "endpoint": "urn:openimis:registry-gateway" },
        "response": { "identifier": answered, "code": "ok" },
    });
    let source = message
        .header
        .object("source")
        .and_then(|it| it.text("endpoint"));
    if let (Some(source), Some(header)) = (source, header.as_object_mut()) {
        header.insert("destination".to_owned(), json!([{ "endpoint": source }]));
    }
    json!({
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": now,
        "entry": [{ "fullUrl": format!("urn:uuid:{id}"), "resource": header }],
    })
}

/// What a registry says of a message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// `MessageHeader.response.code` `ok`: it is done.
    Done,
    /// It has it, and does not say what it made of it.
    Acknowledged,
}

/// Reads the answer to a message of ours.
///
/// # Errors
/// `unavailable` after a `transient-error`, `rejected` after a `fatal-error`, `unreadable` where it
/// answers another message.
pub fn taken(body: Option<&Value>, sent: &str) -> Result<Taken, Failure> {
    let Some(body) = body else {
        return Ok(Taken::Acknowledged);
    };
    if let Some(issue) = outcome::error(body) {
        return Err(Failure::rejected(format!(
            "fhir.{}",
            issue.text("code").unwrap_or_default()
        )));
    }
    let Ok(message) = Message::read(body) else {
        return Ok(Taken::Acknowledged);
    };
    let Some(response) = message.header.object("response") else {
        return Ok(Taken::Acknowledged);
    };
    if response.text("identifier").is_some_and(|it| it != sent) {
        return Err(Failure::unreadable("answer.mismatch"));
    }
    match response.text("code") {
        Some("ok") => Ok(Taken::Done),
        Some("transient-error") => Err(Failure::unavailable("message.transient-error")),
        Some("fatal-error") => Err(Failure::rejected("message.fatal-error")),
        _ => Ok(Taken::Acknowledged),
    }
}

/// A value in the query of a header: R4's own example has `:`, `/` and `|` as they are, all that could
/// end the value or the header is percent-encoded.
pub fn query_value(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/|".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
