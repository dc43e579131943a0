//! Messages of the PMIR feed (ITI-93) that the registry posts to us.

use adapter_sdk::model::{Callback, Reception};
use adapter_sdk::{Events, Failure, dates, ids, log};
use serde_json::Value;

use crate::FhirClientRegistry;
use crate::mapping::event;
use crate::settings::Settings;
use crate::wire::feed::{self, Message};
use crate::wire::sender::{answered, is_proven, refused};

impl Events for FhirClientRegistry {
    fn receive(callback: Callback) -> Result<Reception, Failure> {
        let settings = Settings::load()?;
        if callback.method != "POST" {
            return Ok(Reception::status(405));
        }
        if !is_proven(&callback, settings.callback_token_sha256.as_deref()) {
            if settings.callback_token_sha256.is_none() {
                log::warn!("a message is refused: callback_token_sha256 is not set");
            }
            return Ok(refused(401, "login", "the token is missing or wrong"));
        }
        let mut types = callback.headers.iter();
        let kind = types.find(|(name, _)| name == "content-type");
        if kind.is_some_and(|(_, kind)| kind.contains("xml")) {
            return Ok(refused(
                415,
                "not-supported",
                "application/fhir+json is read alone",
            ));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&callback.body) else {
            return Ok(refused(400, "structure", "the body is no JSON"));
        };
        let told = Message::read(&body).and_then(|message| {
            let events = event::events(&message, &settings, &settings.rules())?;
            Ok((message, events))
        });
        let (message, events) = match told {
            Ok(told) => told,
            Err(failure) => {
                // The code alone: it says which part of the message is missing.
                let why = failure.code().unwrap_or("message").to_owned();
                return Ok(refused(400, "invalid", &why));
            }
        };
        let mut reception = answered(200, &feed::response(&message, &ids::uuid(), &dates::now()));
        reception.events = events;
        Ok(reception)
    }
}
