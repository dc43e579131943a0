//! Secrets of subscriptions: made here, told once, and sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

use crate::gateway::bodies::Place;
use crate::gateway::{Gateway, GatewayError};
use crate::store::Webhook;

/// How a secret begins, by the specification. It asks for 24 to 64 bytes behind it.
const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;
/// The version of a signature, by the specification.
const VERSION: &str = "v1";
const COLUMN: &str = "webhook secret";

/// What messages are signed with: the secret, and the one before while that is valid. Has no `Debug`.
pub(super) struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// All signatures of a message, as its header has them: a receiver takes whichever it can check.
    pub(super) fn sign(
        &self,
        id: &str,
        timestamp: i64,
        message: &[u8],
    ) -> Result<String, GatewayError> {
        let signatures = self.0.iter().map(|secret| {
            let mac = Hmac::<Sha256>::new_from_slice(secret);
            let mut mac = mac.map_err(|_| GatewayError::Internal)?;
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(message);
            let signature = STANDARD.encode(mac.finalize().into_bytes());
            Ok(format!("{VERSION},{signature}"))
        });
        let signatures: Vec<String> = signatures.collect::<Result<_, GatewayError>>()?;
        Ok(signatures.join(" "))
    }
}

impl Gateway {
    /// Another one: for whoever verifies, and sealed.
    pub(super) fn make_webhook_secret(&self, id: Uuid) -> Result<(String, Vec<u8>), GatewayError> {
        let mut secret = vec![0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|_| GatewayError::Internal)?;
        let told = format!("{PREFIX}{}", STANDARD.encode(&secret));
        let sealed = self.inner.bodies.seal(place_of_secret(id), secret);
        Ok((told, sealed.map_err(|_| GatewayError::Internal)?))
    }

    pub(super) fn webhook_secrets(&self, webhook: &Webhook) -> Result<Secrets, GatewayError> {
        let previous = webhook.previous.as_ref();
        let previous = previous.filter(|(_, until)| Timestamp::now() < *until);
        let sealed = std::iter::once(&webhook.secret).chain(previous.map(|(sealed, _)| sealed));
        let opened = sealed.map(|sealed| {
            let place = place_of_secret(webhook.id);
            self.inner.bodies.unseal(place, sealed).map_err(|error| {
                tracing::error!(%error, webhook = webhook.name, "its secret cannot be read: rotate it");
                GatewayError::Internal
            })
        });
        opened.collect::<Result<_, _>>().map(Secrets)
    }
}

/// Both secrets of a subscription have it: one becomes the other.
pub(in crate::gateway) fn place_of_secret(id: Uuid) -> Place {
    Place {
        of: id,
        column: COLUMN,
    }
}
