//! What of an operation is sealed in the store: what was asked, by whom, and why.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ADAPTER_STATE, RECEIPT, REQUEST};
use crate::gateway::Gateway;
use crate::gateway::bodies::{Place, Sealed};
use crate::model::{Asker, Call, Consent, Opaque, Receipt, WriteRequest};
use crate::store::Operation;

/// All that an attempt needs, long after whoever asked has gone.
#[derive(Deserialize, Serialize)]
pub(in crate::gateway) struct Asked {
    pub(in crate::gateway) request: WriteRequest,
    /// The caller's own name for the person.
    pub(in crate::gateway) subject: Option<String>,
    pub(in crate::gateway) request_id: String,
    pub(in crate::gateway) user: Option<String>,
    entity: Option<String>,
    purpose: Option<String>,
    legal_basis: Option<String>,
    consent: Option<Consent>,
    languages: Vec<String>,
}

impl Asked {
    pub(super) fn new(request: WriteRequest, subject: String, call: &Call) -> Self {
        let asker = call.asker.clone();
        Self {
            request,
            subject: Some(subject),
            request_id: call.request_id.clone(),
            user: asker.user,
            entity: asker.entity,
            purpose: asker.purpose,
            legal_basis: asker.legal_basis,
            consent: call.consent.clone(),
            languages: call.languages.clone(),
        }
    }

    /// The call of an attempt, by its number. `key` is told to the registry with each of them.
    pub(super) fn call(&self, registry: &str, key: Option<Uuid>, attempt: u32) -> Call {
        Call {
            request_id: self.request_id.clone(),
            registry: registry.to_owned(),
            asker: Asker {
                user: self.user.clone(),
                entity: self.entity.clone(),
                purpose: self.purpose.clone(),
                legal_basis: self.legal_basis.clone(),
            },
            consent: self.consent.clone(),
            languages: self.languages.clone(),
            operation_key: key.map(|key| key.to_string()),
            attempt,
            ..Call::default()
        }
    }
}

impl Gateway {
    pub(super) fn seal_asked(&self, of: Uuid, asked: &Asked) -> std::io::Result<Vec<u8>> {
        self.inner
            .bodies
            .seal(place(of, REQUEST), serde_json::to_vec(asked)?)
    }

    pub(in crate::gateway) fn asked(&self, operation: &Operation) -> Result<Asked, Sealed> {
        let sealed = operation.request.as_deref().ok_or(Sealed)?;
        let plain = self
            .inner
            .bodies
            .unseal(place(operation.id, REQUEST), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| Sealed)
    }

    pub(super) fn seal_receipt(&self, of: Uuid, receipt: &Receipt) -> std::io::Result<Vec<u8>> {
        self.inner
            .bodies
            .seal(place(of, RECEIPT), serde_json::to_vec(receipt)?)
    }

    pub(super) fn receipt(&self, operation: &Operation) -> Result<Option<Receipt>, Sealed> {
        let Some(sealed) = &operation.receipt else {
            return Ok(None);
        };
        let plain = self
            .inner
            .bodies
            .unseal(place(operation.id, RECEIPT), sealed)?;
        serde_json::from_slice(&plain).map(Some).map_err(|_| Sealed)
    }

    pub(super) fn seal_state(&self, of: Uuid, state: Opaque) -> std::io::Result<(u32, Vec<u8>)> {
        let sealed = self
            .inner
            .bodies
            .seal(place(of, ADAPTER_STATE), state.data)?;
        Ok((state.schema, sealed))
    }

    pub(super) fn state_of(&self, operation: &Operation) -> Result<Option<Opaque>, Sealed> {
        let Some((schema, sealed)) = &operation.adapter_state else {
            return Ok(None);
        };
        let data = self
            .inner
            .bodies
            .unseal(place(operation.id, ADAPTER_STATE), sealed)?;
        Ok(Some(Opaque {
            schema: *schema,
            data,
        }))
    }
}

/// Where the bodies of an operation are, in the order of the store's.
pub(super) fn places(of: Uuid) -> [Place; 3] {
    [REQUEST, RECEIPT, ADAPTER_STATE].map(|column| place(of, column))
}

fn place(of: Uuid, column: &'static str) -> Place {
    Place { of, column }
}
