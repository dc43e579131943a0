//! Callbacks: signed, sent in order, again until they are taken, and what goes wrong with them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use super::mishap::{Schedule, hash};
use crate::outgoing;
use crate::server::{Shared, lock};
use crate::shuffle::mix;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(200);
/// A registry gives up some day: after twenty seconds where nobody listens.
const ATTEMPTS: u32 = 100;

/// Where callbacks go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// `http://…`
    pub url: Url,
    /// Of the signature.
    pub secret: String,
}

impl Hook {
    /// What stands in `X-Signature`.
    pub fn signature(&self, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        let mut mac = mac.expect("a key of any length will do");
        mac.update(body);
        let bytes = mac.finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// In which order callbacks that were kept back are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As it happened.
    AsIs,
    /// The last one first.
    Reversed,
}

/// One callback to send.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    body: String,
    after: Duration,
}

#[derive(Debug)]
pub(super) struct Hooks {
    hook: Option<Hook>,
    held: Option<Vec<Callback>>,
    schedule: Option<Schedule>,
    taken: u64,
    refused: u64,
}

impl Hooks {
    pub(super) fn new(hook: Option<Hook>, schedule: Option<Schedule>) -> Self {
        Self {
            hook,
            held: None,
            schedule,
            taken: 0,
            refused: 0,
        }
    }

    pub(super) fn set(&mut self, hook: Option<Hook>) {
        self.hook = hook;
    }

    pub(super) fn set_schedule(&mut self, schedule: Option<Schedule>) {
        self.schedule = schedule;
    }

    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    pub(super) fn release(&mut self, order: Order, copies: usize) -> Vec<Callback> {
        let mut held = self.held.take().unwrap_or_default();
        if order == Order::Reversed {
            held.reverse();
        }
        let many = |callback| std::iter::repeat_n(callback, copies);
        held.into_iter().flat_map(many).collect()
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.taken, self.refused)
    }

    /// The callback, unless it is kept back, or there is nobody to call.
    pub(super) fn keep_or_pass(&mut self, callback: Value) -> Option<Callback> {
        let callback = Callback {
            body: callback.to_string(),
            after: Duration::ZERO,
        };
        match &mut self.held {
            Some(held) => held.push(callback),
            None if self.hook.is_some() => return Some(callback),
            None => {}
        }
        None
    }

    /// What is really sent: twice, or later than what comes after it, by the schedule.
    fn twisted(&self, callback: Callback) -> Vec<Callback> {
        let Some(schedule) = &self.schedule else {
            return vec![callback];
        };
        let chance = mix(&[schedule.seed, hash(&callback.body)]);
        let mut sent = vec![callback];
        if chance % 100 < schedule.callbacks_percent {
            sent.extend_from_within(..);
        }
        if (chance >> 16) % 100 < schedule.callbacks_percent {
            let last = sent.last_mut().expect("one at least");
            last.after = Duration::from_millis((chance >> 32) % 300 + 1);
        }
        sent
    }
}

/// Sends callbacks one after the other until nobody makes any more.
pub(crate) async fn deliver(mut to_send: UnboundedReceiver<Callback>, shared: Arc<Shared>) {
    let mut delayed = tokio::task::JoinSet::new();
    while let Some(callback) = to_send.recv().await {
        let sent = lock(&shared.records.hooks).twisted(callback);
        for callback in sent {
            let sending = send(callback.clone(), Arc::clone(&shared));
            match callback.after.is_zero() {
                true => sending.await,
                false => drop(delayed.spawn(sending)),
            }
        }
    }
}

async fn send(callback: Callback, shared: Arc<Shared>) {
    tokio::time::sleep(callback.after).await;
    for _ in 0..ATTEMPTS {
        let hook = lock(&shared.records.hooks).hook.clone();
        let status = match hook {
            Some(hook) => tokio::time::timeout(PATIENCE, post(&hook, &callback.body)).await,
            None => return,
        };
        match status {
            Ok(Ok(200..=299)) => {
                lock(&shared.records.hooks).taken += 1;
                return;
            }
            // A refusal is final; all else is worth another attempt.
            Ok(Ok(status @ 400..=499)) if status != 429 => break,
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
    lock(&shared.records.hooks).refused += 1;
}

/// The status of one attempt.
async fn post(hook: &Hook, body: &str) -> io::Result<u16> {
    let signature = hook.signature(body.as_bytes());
    let answered = outgoing::post(&hook.url, ("x-signature", &signature), body).await?;
    Ok(answered.0)
}
