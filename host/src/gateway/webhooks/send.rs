//! Sends what is due: one node at a time for each subscription, one event after the other. Whom an event
//! tells of is in the audit before it leaves; where to go on is durable before the next one does.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::message::Message;
use super::secret::Secrets;
use crate::egress::{Answered, Outlet};
use crate::gateway::events::{FeedQuery, Only};
use crate::gateway::{Gateway, GatewayError, Inner};
use crate::model::{Asker, Call};
use crate::store::{StoreError, Webhook, Went};

/// How often it looks by itself: another node may have stored something, and times come.
const POLL: Duration = Duration::from_millis(500);
/// How often it is counted how far each subscription is behind.
const COUNT: Duration = Duration::from_secs(10);
/// What fails is said once in so long.
const QUIET: Duration = Duration::from_secs(60);
/// What an attempt may take besides its own time before another node takes over.
const MARGIN: Duration = Duration::from_secs(30);
/// So long messages go one after the other, before others have a turn.
const TURN: Duration = Duration::from_secs(10);

/// What a turn is done with.
struct Means {
    to: Outlet,
    secrets: Secrets,
    only: Only,
}

impl Gateway {
    /// From now on it sends what is due, until it stops. A command that administers in a process of its
    /// own does not.
    pub fn send_webhooks(&self) {
        tokio::spawn(follow(Arc::downgrade(&self.inner)));
    }

    async fn send_due(&self) -> Result<(), StoreError> {
        let sending = &self.inner.sending;
        let webhooks = self.inner.store.webhooks();
        let free = sending.places.available_permits();
        if free == 0 {
            return Ok(());
        }
        for name in webhooks.due(free).await? {
            let Ok(place) = sending.places.clone().try_acquire_owned() else {
                break;
            };
            let Some(taken) = webhooks.take(&name, self.webhook_lease()).await? else {
                continue;
            };
            let gateway = self.clone();
            let turn = async move {
                gateway.webhook_turn(taken).await;
                drop(place);
                gateway.inner.sending.wake.notify_one();
            };
            self.inner.tasks.spawn(turn.in_current_span());
        }
        Ok(())
    }

    fn webhook_lease(&self) -> Duration {
        2 * self.inner.sending.timeout() + MARGIN
    }

    async fn webhook_turn(&self, mut webhook: Webhook) {
        let means = match self.means(&webhook) {
            Ok(means) => means,
            Err(went) => {
                self.webhook_went(&webhook, went).await;
                return;
            }
        };
        let began = Instant::now();
        while began.elapsed() < TURN && !self.is_stopping() {
            let went = self.send_next(&webhook, &means).await;
            let on = match &went {
                Went::On {
                    position,
                    delivered,
                    lease: Some(_),
                } => Some((*position, *delivered)),
                _ => None,
            };
            // Whoever changed it meanwhile, or has taken it over, has the last word.
            if !self.webhook_went(&webhook, went).await {
                break;
            }
            match on {
                Some((position, delivered)) => {
                    webhook.position = position;
                    if delivered {
                        webhook.attempts = 0;
                    }
                }
                None => return,
            }
        }
        if let Err(error) = self.inner.store.webhooks().release(&webhook).await {
            tracing::warn!(webhook = webhook.name, %error, "it waits until its lease is over");
        }
    }

    /// Gives whether that is how it stands now.
    async fn webhook_went(&self, webhook: &Webhook, went: Went) -> bool {
        if let Went::Stopped { reason } = &went {
            tracing::warn!(webhook = webhook.name, reason, "a webhook is paused");
        }
        match self.inner.store.webhooks().went(webhook, went).await {
            Ok(stands) => stands,
            Err(error) => {
                tracing::warn!(webhook = webhook.name, %error, "how sending went is not stored");
                false
            }
        }
    }

    fn means(&self, webhook: &Webhook) -> Result<Means, Went> {
        let to = self.inner.sending.outlet(&webhook.url).map_err(|problem| {
            tracing::warn!(webhook = webhook.name, problem, "its URL is not sent to");
            Went::Stopped {
                reason: "url-not-allowed",
            }
        })?;
        let secrets = self.webhook_secrets(webhook);
        Ok(Means {
            to,
            secrets: secrets
                .map_err(|error| self.webhook_failed(webhook, error.word().into(), None))?,
            only: Only {
                registries: webhook.registries.clone(),
                kinds: webhook.kinds.clone(),
            },
        })
    }

    /// The next event, if there is one that the caller may see now.
    async fn send_next(&self, webhook: &Webhook, means: &Means) -> Went {
        let Some(caller) = self.inner.keys.named(&webhook.caller) else {
            return Went::Stopped {
                reason: "caller-revoked",
            };
        };
        let call = statements(webhook, Uuid::now_v7());
        let query = FeedQuery {
            after: webhook.position,
            limit: 1,
            wait: Duration::ZERO,
        };
        let page = match self.feed_only(caller, &call, query, &means.only).await {
            Ok(page) => page,
            Err(error) => return self.untold(webhook, &error),
        };
        let lease = (page.next < page.newest).then(|| self.webhook_lease());
        let on = |delivered| Went::On {
            position: page.next,
            delivered,
            lease,
        };
        let Some(told) = page.events.into_iter().next() else {
            return on(false);
        };
        let position = told.position;
        let sent = match self.webhook_message(webhook, told) {
            Ok(message) => message.send(&means.to, &means.secrets).await,
            Err(error) => Err(error),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => return self.webhook_failed(webhook, error.word().into(), None),
        };
        let outcome = outcome(sent);
        self.metrics().webhooks().sent(&webhook.name, outcome);
        match sent {
            Ok(answered) if answered.is_taken() => on(true),
            Ok(answered) if answered.is_gone() => Went::Stopped { reason: "gone" },
            Ok(answered) => {
                let problem = format!("status-{}", answered.status);
                self.tell_failure(webhook, position, &problem);
                self.webhook_failed(webhook, problem, answered.retry_after)
            }
            Err(problem) => {
                self.tell_failure(webhook, position, problem);
                self.webhook_failed(webhook, problem.into(), None)
            }
        }
    }

    fn tell_failure(&self, webhook: &Webhook, position: i64, problem: &str) {
        // The first of them, and not each.
        if webhook.attempts == 0 {
            tracing::warn!(
                webhook = webhook.name,
                position,
                problem,
                "a message was not taken, and is sent again"
            );
        }
    }

    fn webhook_failed(
        &self,
        webhook: &Webhook,
        problem: String,
        retry_after: Option<Duration>,
    ) -> Went {
        let sending = &self.inner.sending;
        let wait = sending.wait(webhook.attempts);
        let since = webhook.failing_since.unwrap_or_else(Timestamp::now);
        let ago = Duration::try_from(Timestamp::now().duration_since(since));
        if webhook.attempts > 0 && ago.is_ok_and(|ago| ago >= sending.pause_after()) {
            tracing::warn!(
                webhook = webhook.name,
                problem,
                "a webhook is paused: it failed for too long"
            );
        }
        Went::Failed {
            problem,
            again_in: wait.max(retry_after.unwrap_or_default()),
            pause_after: sending.pause_after(),
        }
    }

    /// The feed tells the caller nothing.
    fn untold(&self, webhook: &Webhook, error: &GatewayError) -> Went {
        let reason = error.word();
        match error {
            // Whoever grants or states it again resumes it.
            // So does who says from where to go on, where there is no such place.
            GatewayError::NotGranted
            | GatewayError::Missing(_)
            | GatewayError::NotAccepted(_)
            | GatewayError::CursorAhead => Went::Stopped { reason },
            GatewayError::Internal | GatewayError::Fault(_) => {
                self.webhook_failed(webhook, reason.into(), None)
            }
            _ => Went::Later {
                again_in: self.inner.sending.first_wait(),
            },
        }
    }

    async fn count_webhooks(&self) -> Result<(), StoreError> {
        let newest = self.inner.store.events().newest().await?;
        let webhooks = self.inner.store.webhooks().list().await?;
        let lag = |webhook: Webhook| (webhook.name, newest.saturating_sub(webhook.position).max(0));
        let lags = webhooks.into_iter().map(lag);
        self.metrics().webhooks().lag(lags.collect());
        Ok(())
    }

    /// A message that tells of nobody.
    pub(super) async fn send_ping(
        &self,
        webhook: &Webhook,
        to: &Outlet,
    ) -> Result<Result<Answered, &'static str>, GatewayError> {
        let secrets = self.webhook_secrets(webhook)?;
        Message::ping(webhook)?.send(to, &secrets).await
    }
}

/// What the caller states when it is told, as it would when it reads.
fn statements(webhook: &Webhook, id: Uuid) -> Call {
    Call {
        request_id: format!("webhook:{}:{id}", webhook.name),
        asker: Asker {
            user: webhook.user.clone(),
            entity: webhook.entity.clone(),
            purpose: webhook.purpose.clone(),
            legal_basis: webhook.legal_basis.clone(),
        },
        ..Call::default()
    }
}

/// The word for it in metrics.
fn outcome(sent: Result<Answered, &'static str>) -> &'static str {
    match sent {
        Ok(answered) if answered.is_taken() => "delivered",
        Ok(answered) if answered.is_gone() => "gone",
        Ok(_) => "refused",
        Err(problem) => problem,
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn follow(weak: Weak<Inner>) {
    let (mut counted, mut told): (Option<Instant>, Option<Instant>) = (None, None);
    let Some((mut newer, wake)) = weak.upgrade().map(|inner| {
        let newer = inner.events.newer();
        (newer, inner.sending.wake.clone())
    }) else {
        return;
    };
    loop {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let gateway = Gateway { inner };
        if gateway.is_stopping() {
            return;
        }
        newer.mark_unchanged();
        let mut looked = gateway.send_due().await;
        if looked.is_ok() && counted.is_none_or(|at| at.elapsed() >= COUNT) {
            counted = Some(Instant::now());
            looked = gateway.count_webhooks().await;
        }
        match looked {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => {
                if told.is_none_or(|at| at.elapsed() >= QUIET) {
                    told = Some(Instant::now());
                    tracing::error!(%error, "webhooks wait");
                }
            }
        }
        drop(gateway);
        tokio::select! {
            () = wake.notified() => {}
            _ = newer.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
