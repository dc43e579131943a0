//! What the registry calls back with, and what is subscribed to.

use std::collections::BTreeMap;

use adapter_sdk::model::{Callback, ChangesPage, Reception};
use adapter_sdk::{Events, Failure, Opaque, dates, ids, log, settings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exchange::{later, post};
use crate::mapping::event;
use crate::settings::Settings;
use crate::wire::callback::{self, Kind, Sender};
use crate::wire::message::{Subscribe, SubscribeCriteria, SubscribeRequest, Unsubscribe};
use crate::wire::{acknowledgement, subscription};
use crate::{SUBSCRIPTIONS, Spdci};

/// The cursor: by `reg_event_type` what the registry knows of it.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Subscriptions(BTreeMap<String, Subscription>);

/// One that was asked for.
#[derive(Debug, Deserialize, Serialize)]
struct Subscription {
    transaction_id: String,
    /// The registry's, once it has told it.
    code: Option<String>,
}

impl Events for Spdci {
    fn receive(callback: Callback) -> Result<Reception, Failure> {
        let settings: Settings = settings::load()?;
        if callback.method != "POST" {
            return Ok(Reception::status(405));
        }
        let unknown = || callback::refused(401, "err.request.unauthorized", "the token is wrong");
        let sender = callback::sender(&callback, settings.callback_token_sha256.as_deref());
        if sender == Sender::Refused {
            return Ok(unknown());
        }
        let bad = |why| Ok(callback::refused(400, "err.request.bad", why));
        let Ok(body) = serde_json::from_slice::<Value>(&callback.body) else {
            return bad("the body is no JSON");
        };
        let Some(kind) = callback::kind(&callback.path, &body) else {
            return bad("neither the path nor header.action says which message this is");
        };
        let mut reception = callback::acknowledged(&body);
        match kind {
            Kind::Answer | Kind::Status => match callback::answers(&body, kind) {
                Ok(answers) => reception.answers = answers,
                Err(Failure::Rejected(_)) => return bad("message or transaction_id is missing"),
                Err(failure) => return Err(failure),
            },
            Kind::Subscription => {
                if let Some(failure) = subscription::refusal(&body) {
                    log::warn!("a subscription is refused: {}", failure.summary());
                }
            }
            // Anybody could say that somebody died.
            Kind::Notify if sender != Sender::Proven => {
                log::warn!("an event is refused: callback_token_sha256 is not set");
                return Ok(unknown());
            }
            Kind::Notify => reception.events = event::events(&body, &settings)?,
        }
        Ok(reception)
    }

    /// SPDCI tells events by callbacks only. What is done here is to have them told: each call takes
    /// the subscriptions one message nearer to the setting, and the cursor keeps what stands.
    fn changes(cursor: Option<Opaque>, _limit: u32) -> Result<ChangesPage, Failure> {
        let settings: Settings = settings::load()?;
        let mut subscriptions: Subscriptions = match &cursor {
            Some(cursor) => cursor.unpack(SUBSCRIPTIONS)?,
            None => Subscriptions::default(),
        };
        if settings.subscribe.is_empty() && subscriptions.0.is_empty() {
            return Err(Failure::unsupported("changes").message("nothing is subscribed to"));
        }
        let more = subscriptions.step(&settings)?;
        Ok(ChangesPage {
            events: Vec::new(),
            cursor: Opaque::pack(SUBSCRIPTIONS, &subscriptions)?,
            more,
        })
    }
}

impl Subscriptions {
    /// One message, so that each is on record before the next is sent. Whether there may be more.
    fn step(&mut self, settings: &Settings) -> Result<bool, Failure> {
        let wanted = &settings.subscribe;
        let unwanted = self.0.keys().find(|known| !wanted.contains(known)).cloned();
        if let Some(word) = unwanted {
            self.end(&word, settings)?;
            return Ok(true);
        }
        if let Some(word) = wanted.iter().find(|word| !self.0.contains_key(*word)) {
            let begun = begin(word, settings)?;
            self.0.insert(word.clone(), begun);
            return Ok(true);
        }
        for (word, subscription) in &mut self.0 {
            if subscription.code.is_none() {
                subscription.ask(word, settings)?;
            }
        }
        Ok(false)
    }

    fn end(&mut self, word: &str, settings: &Settings) -> Result<(), Failure> {
        if let Some(subscription) = self.0.get_mut(word) {
            if subscription.code.is_none() {
                subscription.ask(word, settings)?;
            }
            match &subscription.code {
                Some(code) => stop(code, settings)?,
                None => {
                    log::warn!("a subscription stays at the registry, which did not tell its code")
                }
            }
        }
        self.0.remove(word);
        Ok(())
    }
}

impl Subscription {
    /// Asks what became of it. A refusal is told at each poll, until the setting or the registry is
    /// mended.
    fn ask(&mut self, word: &str, settings: &Settings) -> Result<(), Failure> {
        let told = later::ask_status("subscribe", &self.transaction_id, settings);
        match told {
            Some(told) => {
                self.code = subscription::code(&told, word)?;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Subscribes. One that stands already is as good as new, but for its code.
fn begin(word: &str, settings: &Settings) -> Result<Subscription, Failure> {
    let transaction_id = ids::uuid();
    let message = Subscribe {
        transaction_id: transaction_id.clone(),
        subscribe_request: [SubscribeRequest {
            reference_id: transaction_id.clone(),
            timestamp: dates::now(),
            subscribe_criteria: SubscribeCriteria {
                version: settings.version.clone(),
                reg_type: settings.reg_type(),
                reg_event_type: word.to_owned(),
                filter_type: "predicate",
                filter: [],
                notify_record_type: settings.find_record_type(),
            },
            locale: settings.locale.clone(),
        }],
    };
    let request = post(settings.paths.subscribe(), "subscribe", message, settings)?;
    let taken = acknowledgement::of_message(request.send()?, "settings.paths.subscribe");
    match taken {
        Err(Failure::Conflict(_)) => log::info!("it is subscribed to already"),
        taken => taken?,
    }
    Ok(Subscription {
        transaction_id,
        code: None,
    })
}

fn stop(code: &str, settings: &Settings) -> Result<(), Failure> {
    let message = Unsubscribe {
        transaction_id: ids::uuid(),
        timestamp: dates::now(),
        subscription_codes: vec![code.to_owned()],
    };
    let request = post(
        settings.paths.unsubscribe(),
        "unsubscribe",
        message,
        settings,
    )?;
    let taken = acknowledgement::of_message(request.send()?, "settings.paths.unsubscribe");
    match taken {
        Err(Failure::Conflict(_)) => Ok(()),
        taken => taken,
    }
}
