//! A webhook, without its secret.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::gateway::{AddedWebhook, Pinged, Rotated, WebhookView};
use crate::model::cursor_of;

/// The webhooks, by name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WebhooksResponse {
    webhooks: Vec<WebhookResponse>,
}

/// A webhook, and where it stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WebhookResponse {
    name: String,
    /// Who is told.
    caller: String,
    /// Where messages go.
    url: String,
    /// What the caller states.
    purpose: Option<String>,
    /// The same.
    legal_basis: Option<String>,
    /// The same.
    user: Option<String>,
    /// The same.
    entity: Option<String>,
    /// Of these registries alone; empty: of all that the caller may read.
    registries: Vec<String>,
    /// Of these kinds alone; empty: of all.
    kinds: Vec<String>,
    /// Whether messages go.
    state: WebhookState,
    /// Why it is paused: `by-an-administrator`; `failing`, for `webhooks.pause_after_ms`; `gone`, the
    /// receiver's status 410; `caller-revoked`, `not-granted`, `missing-statement` or `not-accepted`,
    /// its caller may not read the feed; `url-not-allowed`, by the gateway's configuration.
    reason: Option<String>,
    /// What is up to here is over.
    cursor: String,
    /// How many positions of the feed, of whichever registry, are behind the cursor.
    lag: u64,
    /// Failures one after the other.
    attempts: u32,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// The last failure: `status-503`, `timed-out`, `connect`, `tls`, `dns`, `address-refused`, ….
    problem: Option<String>,
    /// When a message was last taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// Until when messages are signed with the secret before, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last paused, resumed or changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// Whether messages go.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum WebhookState {
    Active,
    Paused,
}

/// A webhook that was added.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AddedWebhookResponse {
    name: String,
    /// `whsec_…`, this once: what its receiver verifies messages with.
    secret: String,
}

/// A secret that took the place of another.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct RotatedSecretResponse {
    /// `whsec_…`, this once.
    secret: String,
    /// Until when messages are signed with the secret before, too.
    #[schema(value_type = String, format = DateTime)]
    previous_until: Timestamp,
}

/// What came of a message that tells of nobody.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PingResponse {
    /// Whether the receiver took it: its status is 2xx.
    taken: bool,
    /// The receiver's status.
    status: Option<u16>,
    /// Why there is none.
    problem: Option<&'static str>,
    /// How long it took.
    took_ms: u64,
}

impl WebhooksResponse {
    pub(super) fn of(listed: Vec<WebhookView>) -> Self {
        Self {
            webhooks: listed.into_iter().map(WebhookResponse::of).collect(),
        }
    }
}

impl WebhookResponse {
    pub(super) fn of(view: WebhookView) -> Self {
        let known = view.known;
        Self {
            name: known.name,
            caller: known.caller,
            url: known.url,
            purpose: known.purpose,
            legal_basis: known.legal_basis,
            user: known.user,
            entity: known.entity,
            registries: known.registries,
            kinds: known.kinds,
            state: match known.is_active {
                true => WebhookState::Active,
                false => WebhookState::Paused,
            },
            reason: known.reason,
            cursor: cursor_of(known.position),
            lag: view.lag,
            attempts: known.attempts,
            failing_since: known.failing_since,
            problem: known.problem,
            delivered_at: known.delivered_at,
            previous_until: view.previous_until,
            created_at: known.created_at,
            changed_at: known.changed_at,
        }
    }
}

impl AddedWebhookResponse {
    pub(super) fn of(added: AddedWebhook) -> Self {
        Self {
            name: added.name,
            secret: added.secret,
        }
    }
}

impl RotatedSecretResponse {
    pub(super) fn of(rotated: Rotated) -> Self {
        Self {
            secret: rotated.secret,
            previous_until: rotated.previous_until,
        }
    }
}

impl PingResponse {
    pub(super) fn of(pinged: Pinged) -> Self {
        Self {
            taken: pinged.is_taken,
            status: pinged.status,
            problem: pinged.problem,
            took_ms: u64::try_from(pinged.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
