use tokio::time::Instant;
use wasmtime::Result;

use super::State;
use crate::model::ProofKind;
use crate::sandbox::bindings::lent::call;

impl call::Host for State {
    fn request_id(&mut self) -> Result<String> {
        Ok(self.lent()?.call.request_id.clone())
    }

    fn registry(&mut self) -> Result<String> {
        Ok(self.lent()?.call.registry.clone())
    }

    fn purpose(&mut self) -> Result<Option<String>> {
        Ok(self.lent()?.call.asker.purpose.clone())
    }

    fn legal_basis(&mut self) -> Result<Option<String>> {
        Ok(self.lent()?.call.asker.legal_basis.clone())
    }

    fn user(&mut self) -> Result<Option<String>> {
        Ok(self.lent()?.call.asker.user.clone())
    }

    fn entity(&mut self) -> Result<Option<String>> {
        Ok(self.lent()?.call.asker.entity.clone())
    }

    fn consent(&mut self) -> Result<Option<call::ConsentStatement>> {
        let consent = self.lent()?.call.consent.as_ref();
        Ok(consent.map(|consent| call::ConsentStatement {
            reference: consent.reference.clone(),
            given_at: consent.given_at.clone(),
            expires_at: consent.expires_at.clone(),
        }))
    }

    fn proof(&mut self) -> Result<Option<call::PresentedProof>> {
        let proof = self.lent()?.call.proof.as_ref();
        Ok(proof.map(|proof| call::PresentedProof {
            kind: match &proof.kind {
                ProofKind::AuthorizationCode => call::ProofKind::AuthorizationCode,
                ProofKind::OneTimePassword => call::ProofKind::OneTimePassword,
                ProofKind::Token => call::ProofKind::Token,
                ProofKind::Other(kind) => call::ProofKind::Other(kind.clone()),
            },
            value: proof.value.clone(),
            parameters: proof.parameters.clone().into_iter().collect(),
        }))
    }

    fn wanted_fields(&mut self) -> Result<Vec<String>> {
        Ok(self.lent()?.call.wanted_fields.clone())
    }

    fn languages(&mut self) -> Result<Vec<String>> {
        Ok(self.lent()?.call.languages.clone())
    }

    fn operation_key(&mut self) -> Result<Option<String>> {
        Ok(self.lent()?.call.operation_key.clone())
    }

    fn attempt(&mut self) -> Result<u32> {
        Ok(self.lent()?.call.attempt.max(1))
    }

    fn remaining_ms(&mut self) -> Result<u32> {
        self.lent()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(u32::try_from(left.as_millis()).unwrap_or(u32::MAX))
    }

    fn get(&mut self, _key: String) -> Result<Option<String>> {
        // Nothing is added to 1.0 yet.
        self.lent()?;
        Ok(None)
    }
}
