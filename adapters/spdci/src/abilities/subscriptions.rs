//! What is subscribed to. Each message is on record in the gateway's cursor before the next is sent, and
//! what the registry says no to waits by itself: the others go on.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use adapter_sdk::{Failure, dates, ids, log};
use serde::{Deserialize, Serialize};

use crate::exchange::{later, post};
use crate::settings::Settings;
use crate::wire::message::{Subscribe, SubscribeCriteria, SubscribeRequest, Unsubscribe};
use crate::wire::{acknowledgement, subscription};

/// The longest wait before what was refused is asked for again: a day, in seconds.
const LONGEST_S: u64 = 24 * 60 * 60;

/// The cursor: by `reg_event_type` what the registry knows of it.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Subscriptions(BTreeMap<String, Subscription>);

/// One that was asked for.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Subscription {
    /// Under which it was asked for. None: that was refused at once.
    transaction_id: Option<String>,
    /// The registry's, once it has told it.
    code: Option<String>,
    /// How often it was refused in a row.
    #[serde(default)]
    refusals: u32,
    /// Without a code it was not begun, with one it was not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// What the registry said, and when it is asked again.
#[derive(Debug, Deserialize, Serialize)]
struct Refused {
    kind: String,
    code: Option<String>,
    field: Option<String>,
    /// Seconds since 1970.
    again_at: u64,
}

impl Subscriptions {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One message nearer to what is wanted. Whether there may be more.
    ///
    /// # Errors
    /// There is nothing to do now, but the registry refuses something: what it said. Or it gave no
    /// answer.
    pub(super) fn step(&mut self, settings: &Settings) -> Result<bool, Failure> {
        let wanted = &settings.subscribe;
        let due = |it: &Subscription| it.refused.as_ref().is_none_or(Refused::is_due);
        let mut known = self.0.iter();
        let is_to_end = |it: &Subscription| it.code.is_none() || due(it);
        let unwanted = known.find(|(word, it)| !wanted.contains(word) && is_to_end(it));
        if let Some((word, _)) = unwanted {
            let word = word.clone();
            self.end(word, settings)?;
            return Ok(true);
        }
        let is_to_begin = |it: &Subscription| it.code.is_none() && it.refused.is_some() && due(it);
        let mut words = wanted.iter();
        if let Some(word) = words.find(|word| self.0.get(*word).is_none_or(is_to_begin)) {
            let known = self.0.entry(word.clone()).or_default();
            known.begin(word, settings)?;
            return Ok(true);
        }
        let mut learnt = false;
        for (word, it) in &mut self.0 {
            if it.code.is_none() && it.refused.is_none() {
                learnt |= it.ask(word, settings);
            }
        }
        let is_wanted = |word: &String| wanted.contains(word);
        let mut refused = self.0.iter().filter_map(|(word, it)| {
            let refused = it.refused.as_ref()?;
            // One that should have ended, and is wanted again, is as it should be.
            (it.code.is_none() || !is_wanted(word)).then_some(refused)
        });
        match refused.next() {
            // Nothing is kept of a failure: what was learnt is kept first.
            Some(_) if learnt => Ok(true),
            Some(refused) => Err(refused.failure()),
            None => Ok(false),
        }
    }

    fn end(&mut self, word: String, settings: &Settings) -> Result<(), Failure> {
        let Some(mut known) = self.0.remove(&word) else {
            return Ok(());
        };
        if known.code.is_none() && known.refused.is_none() {
            known.ask(&word, settings);
        }
        let Some(code) = known.code.as_deref() else {
            if known.refused.is_none() {
                log::warn!("a subscription stays at the registry, which did not tell its code");
            }
            return Ok(());
        };
        if let Err(failure) = stop(code, settings)? {
            known.refuse(&word, &failure, settings);
            self.0.insert(word, known);
        }
        Ok(())
    }
}

impl Subscription {
    /// Subscribes. One that stands already is as good as new, but for its code.
    fn begin(&mut self, word: &str, settings: &Settings) -> Result<(), Failure> {
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
            Ok(()) => {}
            Err(Failure::Conflict(_)) => log::info!("it is subscribed to already"),
            Err(failure) => {
                self.refuse(word, &failure, settings);
                return Ok(());
            }
        }
        (self.transaction_id, self.refused) = (Some(transaction_id), None);
        Ok(())
    }

    /// Asks what became of it. Whether something was learnt.
    fn ask(&mut self, word: &str, settings: &Settings) -> bool {
        let Some(transaction_id) = &self.transaction_id else {
            return false;
        };
        let Some(told) = later::ask_status("subscribe", transaction_id, settings) else {
            return false;
        };
        match subscription::code(&told, word) {
            Ok(Some(code)) => {
                (self.code, self.refusals) = (Some(code), 0);
                true
            }
            // It stands already, or is not looked at yet.
            Ok(None) | Err(Failure::Conflict(_)) => false,
            Err(failure) => {
                self.refuse(word, &failure, settings);
                true
            }
        }
    }

    /// Puts it off, twice as long as the last time.
    fn refuse(&mut self, word: &str, failure: &Failure, settings: &Settings) {
        log::warn!("the registry refuses about {word}: {}", failure.summary());
        let first = u64::from(settings.subscribe_again_ms)
            .div_ceil(1_000)
            .max(1);
        let wait = first.saturating_mul(1 << self.refusals.min(20));
        self.refusals = self.refusals.saturating_add(1);
        self.refused = Some(Refused {
            kind: failure.kind().to_owned(),
            code: failure.code().map(str::to_owned),
            field: failure.refusal().and_then(|it| it.field.clone()),
            again_at: now().saturating_add(wait.min(LONGEST_S)),
        });
    }
}

impl Refused {
    fn is_due(&self) -> bool {
        self.again_at <= now()
    }

    /// As it was.
    fn failure(&self) -> Failure {
        let code = self.code.as_deref().unwrap_or_default();
        let failure = match self.kind.as_str() {
            "denied" => Failure::denied(code),
            "unsupported" => Failure::unsupported(code),
            "unavailable" => Failure::unavailable(code),
            "unreadable" => Failure::unreadable(code),
            "misconfigured" => Failure::misconfigured(code),
            "other" => Failure::other(code),
            _ => Failure::rejected(code),
        };
        match &self.field {
            Some(field) => failure.field(field),
            None => failure,
        }
    }
}

/// Ends one. Inside, what the registry says no to.
fn stop(code: &str, settings: &Settings) -> Result<Result<(), Failure>, Failure> {
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
    Ok(match taken {
        Err(Failure::Conflict(_)) => Ok(()),
        // What the registry does not know does not stand.
        Err(failure) if failure.code() == Some("rjct.subscription_code.invalid") => {
            log::warn!("the registry does not know the subscription that was to end");
            Ok(())
        }
        taken => taken,
    })
}

/// Seconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}
