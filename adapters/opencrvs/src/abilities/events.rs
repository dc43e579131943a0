//! What calls back: OpenCRVS's webhooks (up to 1.9), and what country configuration forwards (from 1.9).

use adapter_sdk::model::{Callback, Reception};
use adapter_sdk::{Events, Failure};
use serde_json::{Value, json};

use crate::OpenCrvs;
use crate::mapping::event;
use crate::mapping::shape::{Object, bounded};
use crate::settings::Settings;
use crate::wire::callback;

impl Events for OpenCrvs {
    fn receive(received: Callback) -> Result<Reception, Failure> {
        let settings = Settings::load()?;
        match received.method.as_str() {
            // The check of a subscription proves nothing and brings nothing.
            "GET" if settings.webhook_key.is_some() => Ok(callback::challenge(&received)),
            "POST" => match callback::forwarded_action(&received.path) {
                Some(action) => forwarded(&received, action, &settings),
                None => delivered(&received, &settings),
            },
            _ => Ok(Reception::status(405)),
        }
    }
}

/// `POST` of a webhook. OpenCRVS does not look at the answer's status.
fn delivered(received: &Callback, settings: &Settings) -> Result<Reception, Failure> {
    let Some(key) = settings.webhook_key.as_deref() else {
        return Ok(Reception::status(401));
    };
    if !callback::is_signed(received, key)? {
        return Ok(Reception::status(401));
    }
    let Some(body) = body(received)? else {
        return Ok(Reception::status(400));
    };
    let events = event::of_delivery(&body, settings)?;
    let answer = callback::answer(200, &json!({}));
    Ok(Reception { events, ..answer })
}

/// What country configuration passes on of an action that it accepts.
fn forwarded(received: &Callback, action: &str, settings: &Settings) -> Result<Reception, Failure> {
    let hash = settings.forward_token_sha256.as_deref();
    if !hash.is_some_and(|hash| callback::has_token(received, hash)) {
        return Ok(Reception::status(401));
    }
    let Some(document) = body(received)? else {
        return Ok(Reception::status(400));
    };
    let event = event::of_forward(&document, action, settings)?;
    let answer = callback::answer(200, &json!({}));
    Ok(Reception {
        events: event.into_iter().collect(),
        ..answer
    })
}

fn body(received: &Callback) -> Result<Option<Object>, Failure> {
    let Ok(body) = serde_json::from_slice::<Value>(&received.body) else {
        return Ok(None);
    };
    bounded(&body)?;
    Ok(match body {
        Value::Object(body) => Some(body),
        _ => None,
    })
}
