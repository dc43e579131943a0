//! What somebody decides about an operation: its caller, or who administers.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::view::unknown;
use crate::gateway::{Act, Acting, AdminError, Gateway, GatewayError};
use crate::store::OperationDecision as Decision;

/// What a person found out about an operation of which nobody knew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resolution {
    /// The registry has it.
    Applied,
    /// It does not, and never will.
    Rejected,
}

impl Gateway {
    /// A caller takes back what was not sent.
    ///
    /// # Errors
    /// [`GatewayError::OperationState`]: it may have been sent, or it is over.
    pub async fn cancel_own_operation(&self, by: &Acting, id: Uuid) -> Result<(), AdminError> {
        self.own(&by.caller, id).await?;
        let caller = Some(by.caller.name.clone());
        self.decide(by, "operation.cancel", id, Decision::Cancel, caller)
            .await
    }

    /// Not to be sent: what was not sent, or was given up.
    ///
    /// # Errors
    /// As for any act; [`GatewayError::OperationState`].
    pub async fn cancel_operation(&self, by: &Acting, id: Uuid) -> Result<(), AdminError> {
        self.decide(by, "operation.cancel", id, Decision::Cancel, None)
            .await
    }

    /// Once more from the beginning: what was given up, or is known not to have been done.
    ///
    /// # Errors
    /// As for any act; [`GatewayError::OperationState`].
    pub async fn replay_operation(&self, by: &Acting, id: Uuid) -> Result<(), AdminError> {
        let days = i64::from(self.inner.delivery.config.give_up_days.get());
        let give_up_at = Timestamp::now().checked_add(SignedDuration::from_hours(24 * days));
        let give_up_at = give_up_at.unwrap_or(Timestamp::MAX);
        let again = Decision::Replay { give_up_at };
        self.decide(by, "operation.replay", id, again, None).await
    }

    /// Settles what nobody knew. The reason, a word for how somebody knows it, is in the audit and in
    /// the operation's history.
    ///
    /// # Errors
    /// As for any act; [`GatewayError::OperationState`].
    pub async fn resolve_operation(
        &self,
        by: &Acting,
        id: Uuid,
        resolution: Resolution,
        reason: String,
    ) -> Result<(), AdminError> {
        let decision = match resolution {
            Resolution::Applied => Decision::Applied { reason },
            Resolution::Rejected => Decision::Rejected { reason },
        };
        self.decide(by, "operation.resolve", id, decision, None)
            .await
    }

    async fn decide(
        &self,
        by: &Acting,
        word: &'static str,
        id: Uuid,
        decision: Decision,
        caller: Option<String>,
    ) -> Result<(), AdminError> {
        let operations = self.inner.store.operations();
        let operation = operations.get(id).await?.ok_or_else(|| unknown(id))?;
        let resolved = match &decision {
            Decision::Applied { reason } => Some(("applied", reason)),
            Decision::Rejected { reason } => Some(("rejected", reason)),
            Decision::Cancel | Decision::Replay { .. } => None,
        };
        let act = Act {
            word,
            registry: Some(operation.registry),
            subject: Some(id.to_string()),
            detail: resolved
                .map(|(state, reason)| serde_json::json!({ "as": state, "reason": reason })),
            ..Act::default()
        };
        let (gateway, name) = (self.clone(), by.caller.name.clone());
        let doing = async move {
            let operations = gateway.inner.store.operations();
            let done = operations.decide(id, decision, &name, caller.as_deref());
            if done.await? {
                let delivery = &gateway.inner.delivery;
                let _ = delivery.ended.send(id);
                delivery.wake.notify_one();
                return Ok(());
            }
            let stands = operations.get(id).await?.ok_or_else(|| unknown(id))?;
            Err(GatewayError::OperationState(stands.state.as_str()).into())
        };
        self.act(by, act, doing).await
    }
}
