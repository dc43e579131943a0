//! What administrators do with subscriptions.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::WebhookView;
use super::add::invalid;
use crate::gateway::{Act, Acting, AdminError, Gateway};
use crate::store::{Webhook, WebhookChange};

/// An old secret goes on for so long at most beside the one that takes its place.
const MAX_OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A secret that took the place of another. Has no `Debug`.
pub struct Rotated {
    /// What messages are signed with, this once.
    pub secret: String,
    /// Until when they are signed with the one before, too.
    pub previous_until: Timestamp,
}

/// What came of a message that tells of nobody.
#[derive(Clone, Debug)]
pub struct Pinged {
    /// Whether the receiver took it.
    pub is_taken: bool,
    /// The receiver's status.
    pub status: Option<u16>,
    /// A word for why there was none.
    pub problem: Option<&'static str>,
    /// From connecting to the answer.
    pub took: Duration,
}

impl Gateway {
    /// All subscriptions, by name.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn webhooks(&self) -> Result<Vec<WebhookView>, AdminError> {
        let newest = self.inner.store.events().newest().await?;
        let listed = self.inner.store.webhooks().list().await?.into_iter();
        Ok(listed.map(|it| WebhookView::of(it, newest)).collect())
    }

    /// One subscription.
    ///
    /// # Errors
    /// [`AdminError::Unknown`], [`AdminError::Store`].
    pub async fn webhook(&self, name: &str) -> Result<WebhookView, AdminError> {
        let newest = self.inner.store.events().newest().await?;
        Ok(WebhookView::of(self.kept_webhook(name).await?, newest))
    }

    /// No more messages go, once the one under way has ended.
    ///
    /// # Errors
    /// As for any act.
    pub async fn pause_webhook(&self, by: &Acting, name: &str) -> Result<(), AdminError> {
        let change = WebhookChange::Pause;
        self.change_webhook(by, "webhook.pause", name, change, None)
            .await
    }

    /// Messages go again, at once, from where they stopped.
    ///
    /// # Errors
    /// As for any act.
    pub async fn resume_webhook(&self, by: &Acting, name: &str) -> Result<(), AdminError> {
        let change = WebhookChange::Resume;
        self.change_webhook(by, "webhook.resume", name, change, None)
            .await
    }

    /// Messages go from behind a position on, those that went already too.
    ///
    /// # Errors
    /// As for any act; a position that there is not.
    pub async fn replay_webhook(
        &self,
        by: &Acting,
        name: &str,
        after: i64,
    ) -> Result<(), AdminError> {
        let after = self.checked_position(Some(after)).await?;
        let change = WebhookChange::Replay(after);
        let detail = json!({ "after": after });
        self.change_webhook(by, "webhook.replay", name, change, Some(detail))
            .await
    }

    /// Gives it another secret. Messages are signed with both for a while.
    ///
    /// # Errors
    /// As for any act.
    pub async fn rotate_webhook_secret(
        &self,
        by: &Acting,
        name: &str,
        overlap: SignedDuration,
    ) -> Result<Rotated, AdminError> {
        if overlap > MAX_OVERLAP || overlap.is_negative() {
            let problem = format!("from 0 to {}", MAX_OVERLAP.as_secs());
            return Err(invalid("overlapSeconds", problem));
        }
        let now = Timestamp::now();
        let until = now.checked_add(overlap).map_err(|_| AdminError::Internal)?;
        let known = self.kept_webhook(name).await?;
        let (secret, sealed) = self.make_webhook_secret(known.id)?;
        let change = WebhookChange::Rotate(sealed, until);
        let detail = json!({ "previousUntil": until });
        self.change_webhook(by, "webhook.rotate", name, change, Some(detail))
            .await?;
        Ok(Rotated {
            secret,
            previous_until: until,
        })
    }

    /// Removes it. A message under way may still arrive.
    ///
    /// # Errors
    /// As for any act.
    pub async fn remove_webhook(&self, by: &Acting, name: &str) -> Result<(), AdminError> {
        let change = WebhookChange::Remove;
        self.change_webhook(by, "webhook.remove", name, change, None)
            .await
    }

    /// Sends a message that tells of nobody, now, a paused one's too.
    ///
    /// # Errors
    /// As for any act. That the receiver does not take it is none.
    pub async fn ping_webhook(&self, by: &Acting, name: &str) -> Result<Pinged, AdminError> {
        let act = Act {
            word: "webhook.ping",
            subject: Some(name.to_owned()),
            ..Act::default()
        };
        let (gateway, name) = (self.clone(), name.to_owned());
        self.act(by, act, async move {
            let known = gateway.kept_webhook(&name).await?;
            let outlet = gateway.inner.sending.outlet(&known.url);
            let outlet = outlet.map_err(|problem| invalid("url", problem))?;
            let began = Instant::now();
            let sent = gateway.send_ping(&known, &outlet).await?;
            let answered = sent.ok();
            Ok(Pinged {
                is_taken: answered.is_some_and(|it| it.is_taken()),
                status: answered.map(|it| it.status),
                problem: sent.err(),
                took: began.elapsed(),
            })
        })
        .await
    }

    async fn kept_webhook(&self, name: &str) -> Result<Webhook, AdminError> {
        let known = self.inner.store.webhooks().one(name).await?;
        known.ok_or_else(|| AdminError::Unknown {
            what: "webhook",
            name: name.to_owned(),
        })
    }

    async fn change_webhook(
        &self,
        by: &Acting,
        word: &'static str,
        name: &str,
        change: WebhookChange,
        detail: Option<Value>,
    ) -> Result<(), AdminError> {
        let act = Act {
            word,
            subject: Some(name.to_owned()),
            detail,
            ..Act::default()
        };
        let (gateway, name) = (self.clone(), name.to_owned());
        self.act(by, act, async move {
            gateway.inner.store.webhooks().change(&name, change).await?;
            gateway.inner.sending.wake.notify_one();
            Ok(())
        })
        .await
    }
}

impl WebhookView {
    fn of(known: Webhook, newest: i64) -> Self {
        let previous_until = known.previous.as_ref().map(|(_, until)| *until);
        Self {
            lag: u64::try_from(newest.saturating_sub(known.position)).unwrap_or(0),
            previous_until: previous_until.filter(|until| Timestamp::now() < *until),
            known,
        }
    }
}
