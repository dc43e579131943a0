//! What is stored of callbacks and events is sealed; what it is found by are keyed hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::people::people_of;
use crate::gateway::audit::fingerprint::Fingerprint;
use crate::gateway::bodies::{Bodies, Place};
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Callback, Event, EventKind, Extra};
use crate::sandbox::PendingAnswer;
use crate::store::{KeyedHash, NewEvent};

const CALLBACK: &str = "callback";
const EVENT: &str = "event";
const CURSOR: &str = "event cursor";
const ANSWER: &str = "pending answer";

/// A callback, as it is kept.
#[derive(Deserialize, Serialize)]
struct Kept {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: String,
    extra: Vec<Extra>,
}

/// An answer, as it is kept.
#[derive(Deserialize, Serialize)]
struct KeptAnswer {
    reference: String,
    data: String,
}

/// What of a registry's words is kept as a hash: an id may be made from what is known of people.
fn hash(key: &Fingerprint, what: &str, registry: &str, word: &str) -> KeyedHash {
    key.of_word(what, registry, word)
}

impl Gateway {
    pub(super) fn seal_callback(
        &self,
        id: Uuid,
        callback: &Callback,
    ) -> Result<Vec<u8>, GatewayError> {
        let kept = Kept {
            method: callback.method.clone(),
            path: callback.path.clone(),
            query: callback.query.clone(),
            headers: callback.headers.clone(),
            body: STANDARD.encode(&callback.body),
            extra: callback.extra.clone(),
        };
        let plain = serde_json::to_vec(&kept).map_err(|_| GatewayError::Internal)?;
        seal(&self.inner.bodies, id, CALLBACK, plain)
    }

    pub(super) fn open_callback(&self, id: Uuid, sealed: &[u8]) -> Result<Callback, GatewayError> {
        let plain = self.open(id, CALLBACK, sealed)?;
        let kept: Kept = serde_json::from_slice(&plain).map_err(|_| GatewayError::Internal)?;
        let body = STANDARD.decode(&kept.body);
        Ok(Callback {
            method: kept.method,
            path: kept.path,
            query: kept.query,
            headers: kept.headers,
            body: body.map_err(|_| GatewayError::Internal)?,
            extra: kept.extra,
        })
    }

    /// An event as it is stored.
    pub(super) fn seal_event(
        &self,
        registry: &str,
        event: &Event,
    ) -> Result<NewEvent, GatewayError> {
        let key = &self.inner.fingerprint;
        let id = hash(key, EVENT, registry, &event.id);
        let amends = event.amends.as_ref().and_then(|it| it.id.as_ref());
        let plain = serde_json::to_vec(event).map_err(|_| GatewayError::Internal)?;
        Ok(NewEvent {
            id,
            kind: word_of(&event.kind),
            recorded_at: event.recorded_at.as_deref().and_then(time),
            amends: amends.map(|id| hash(key, EVENT, registry, id)),
            caused_by: event
                .caused_by
                .as_ref()
                .map(|operation| hash(key, "operation", registry, operation)),
            people: people_of(event).all_hashes(key),
            body: seal(&self.inner.bodies, place_of(&id), EVENT, plain)?,
        })
    }

    pub(super) fn open_event(&self, id: &KeyedHash, sealed: &[u8]) -> Result<Event, GatewayError> {
        let plain = self.open(place_of(id), EVENT, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| GatewayError::Internal)
    }

    pub(super) fn seal_cursor(&self, registry: &str, data: &[u8]) -> Result<Vec<u8>, GatewayError> {
        let of = self.cursor_of(registry);
        seal(&self.inner.bodies, of, CURSOR, data.to_vec())
    }

    pub(super) fn open_cursor(
        &self,
        registry: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        self.open(self.cursor_of(registry), CURSOR, sealed)
    }

    /// An answer to what waits, and what it is found by.
    pub(super) fn seal_answer(
        &self,
        registry: &str,
        reference: &str,
        data: Vec<u8>,
    ) -> Result<(KeyedHash, Vec<u8>), GatewayError> {
        let hash = self.reference_of(registry, reference);
        let kept = KeptAnswer {
            reference: reference.to_owned(),
            data: STANDARD.encode(&data),
        };
        let plain = serde_json::to_vec(&kept).map_err(|_| GatewayError::Internal)?;
        let sealed = seal(&self.inner.bodies, place_of(&hash), ANSWER, plain)?;
        Ok((hash, sealed))
    }

    /// Keyed hash of what a callback names a call by that waits.
    pub(in crate::gateway) fn reference_of(&self, registry: &str, reference: &str) -> KeyedHash {
        self.inner.fingerprint.of_reference(registry, reference)
    }

    /// The data of the answer that a callback brought for a reference, if one came: it may come before
    /// the call that waits for it is known to wait.
    ///
    /// # Errors
    /// [`GatewayError::Internal`]: the database does not give it, or it cannot be opened.
    pub async fn answer_to(
        &self,
        registry: &str,
        reference: &str,
    ) -> Result<Option<Vec<u8>>, GatewayError> {
        let reference = self.reference_of(registry, reference);
        let sealed = self.inner.store.events().answer(registry, &reference).await;
        let sealed = sealed.map_err(|_| GatewayError::Internal)?;
        let answer = sealed.map(|sealed| self.open_answer(&reference, &sealed.data));
        Ok(answer.transpose()?.map(|answer| answer.data))
    }

    pub(in crate::gateway) fn open_answer(
        &self,
        reference: &KeyedHash,
        sealed: &[u8],
    ) -> Result<PendingAnswer, GatewayError> {
        let plain = self.open(place_of(reference), ANSWER, sealed)?;
        let kept: KeptAnswer =
            serde_json::from_slice(&plain).map_err(|_| GatewayError::Internal)?;
        Ok(PendingAnswer {
            reference: kept.reference,
            data: STANDARD
                .decode(&kept.data)
                .map_err(|_| GatewayError::Internal)?,
        })
    }

    /// Where a registry's cursor is.
    pub(in crate::gateway) fn place_of_cursor(&self, registry: &str) -> Place {
        Place {
            of: self.cursor_of(registry),
            column: CURSOR,
        }
    }

    fn cursor_of(&self, registry: &str) -> Uuid {
        place_of(&hash(&self.inner.fingerprint, CURSOR, registry, ""))
    }

    fn open(&self, of: Uuid, column: &'static str, sealed: &[u8]) -> Result<Vec<u8>, GatewayError> {
        let opened = self.inner.bodies.unseal(Place { of, column }, sealed);
        opened.map_err(|error| {
            tracing::error!(%error, what = column, "what the database keeps cannot be read");
            GatewayError::Internal
        })
    }
}

fn seal(
    bodies: &Bodies,
    of: Uuid,
    column: &'static str,
    plain: Vec<u8>,
) -> Result<Vec<u8>, GatewayError> {
    let sealed = bodies.seal(Place { of, column }, plain);
    sealed.map_err(|_| GatewayError::Internal)
}

/// Where an event's body is.
pub(in crate::gateway) fn place_of_event(id: &KeyedHash) -> Place {
    Place {
        of: place_of(id),
        column: EVENT,
    }
}

/// Half of a hash names a place as well as all of it.
fn place_of(hash: &KeyedHash) -> Uuid {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(hash) {
        *to = *from;
    }
    Uuid::from_bytes(half)
}

/// The kind's word. A registry's own stays sealed: it may be any text.
pub(in crate::gateway) fn word_of(kind: &EventKind) -> String {
    if let EventKind::Other(_) = kind {
        return "other".into();
    }
    let word = serde_json::to_value(kind).ok();
    let word = word.as_ref().and_then(|word| word.as_str());
    word.unwrap_or("other").to_owned()
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
