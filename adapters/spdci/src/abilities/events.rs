//! What the registry calls back with, and what is subscribed to.

use adapter_sdk::model::{Callback, ChangesPage, Reception};
use adapter_sdk::{Events, Failure, Opaque, log, settings};
use serde_json::Value;

use super::subscriptions::Subscriptions;
use crate::mapping::event;
use crate::settings::Settings;
use crate::wire::callback::{self, Kind, Sender};
use crate::wire::subscription;
use crate::{SUBSCRIPTIONS, Spdci};

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
        if sender == Sender::Unproven && !settings.trust_transaction_ids {
            log::warn!("a callback is refused: callback_token_sha256 is not set");
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
            // There is no number of ours to know: anybody could say that somebody died.
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
        if settings.subscribe.is_empty() && subscriptions.is_empty() {
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
