//! Who calls back in the tests: with a key and a token that are set.
#![allow(dead_code, reason = "each test file uses its part")]

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::Events;
use adapter_sdk::model::{Callback, Event, Reception};
use adapter_sdk::testing::Stage;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::common::stage;

/// The client's SHA secret.
pub(crate) const SECRET: &str = "s3cr3t-für-gateway";

/// Where country configuration forwards a registration.
pub(crate) const FORWARD: &str = "/trigger/events/birth/actions/REGISTER";

pub(crate) fn mac(data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn hooks() -> Stage {
    let more = json!({
        "webhook_key": "hook", "forward_token_sha256": hex(&Sha256::digest("right")),
    });
    stage("1.8", more).key("hook", mac)
}

pub(crate) fn callback(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Callback {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Callback {
        method: method.to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: headers.iter().map(owned).collect(),
        body: body.as_bytes().to_vec(),
        extra: Vec::new(),
    }
}

pub(crate) fn forwarded(path: &str, token: &str, body: &Value) -> Reception {
    let token = format!("Bearer {token}");
    let callback = callback(
        "POST",
        path,
        &[("authorization", &token)],
        &body.to_string(),
    );
    OpenCrvs::receive(callback).unwrap()
}

pub(crate) fn one(reception: Reception) -> Event {
    assert_eq!(
        (reception.response.status, reception.events.len()),
        (200, 1)
    );
    reception.events.into_iter().next().unwrap()
}
