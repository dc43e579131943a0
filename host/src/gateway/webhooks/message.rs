//! What is sent: an event as the feed has it, under an id that is the same each time.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::secret::Secrets;
use crate::egress::{Answered, Outlet};
use crate::gateway::events::{FeedEvent, word_of};
use crate::gateway::{Gateway, GatewayError};
use crate::model::{FeedEntry, cursor_of};
use crate::store::Webhook;

/// A message, whole.
pub(super) struct Message {
    id: String,
    body: Bytes,
}

/// The specification's form of it.
#[derive(Serialize)]
struct Payload<D> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    data: D,
}

impl Message {
    /// Whether this gateway and this subscription reach their receiver at all.
    pub(super) fn ping(webhook: &Webhook) -> Result<Self, GatewayError> {
        let payload = Payload {
            kind: "webhook.ping".into(),
            timestamp: Timestamp::now(),
            data: json!({ "webhook": webhook.name }),
        };
        Self::of(Uuid::now_v7(), &payload)
    }

    fn of<D: Serialize>(id: Uuid, payload: &Payload<D>) -> Result<Self, GatewayError> {
        let body = serde_json::to_vec(payload).map_err(|_| GatewayError::Internal)?;
        Ok(Self {
            id: format!("msg_{}", id.simple()),
            body: body.into(),
        })
    }

    /// Signs it as of now, and sends it.
    pub(super) async fn send(
        self,
        to: &Outlet,
        secrets: &Secrets,
    ) -> Result<Result<Answered, &'static str>, GatewayError> {
        let at = Timestamp::now().as_second();
        let signature = secrets.sign(&self.id, at, &self.body)?;
        let headers = [
            ("webhook-id", self.id),
            ("webhook-timestamp", at.to_string()),
            ("webhook-signature", signature),
        ];
        Ok(to.post(headers, self.body).await)
    }
}

impl Gateway {
    /// An event for a subscription. The id is made from the registry's own, which stays when the event
    /// comes again, from a backup too; a keyed hash, since it may be made from what is known of people.
    pub(super) fn webhook_message(
        &self,
        webhook: &Webhook,
        told: FeedEvent,
    ) -> Result<Message, GatewayError> {
        let word = format!("{}/{}", webhook.id, told.event.id);
        let key = &self.inner.fingerprint;
        let hash = key.of_word("webhook message", &told.registry, &word);
        let mut half = [0; 16];
        for (to, from) in half.iter_mut().zip(hash) {
            *to = from;
        }
        let payload = Payload {
            // The specification's alphabet has no hyphen.
            kind: format!("event.{}", word_of(&told.event.kind).replace('-', "_")),
            timestamp: told.stored_at,
            data: FeedEntry::from(told),
        };
        Message::of(Uuid::from_bytes(half), &payload)
    }
}

impl From<FeedEvent> for FeedEntry {
    fn from(told: FeedEvent) -> Self {
        Self {
            cursor: cursor_of(told.position),
            registry: told.registry,
            module: told.module,
            stored_at: told.stored_at,
            event: told.event,
        }
    }
}
