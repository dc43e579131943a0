//! An operation as its caller and administrators see it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use uuid::Uuid;

use crate::gateway::{AdminError, Caller, Gateway, GatewayError};
use crate::model::{Ability, Receipt};
use crate::store::{Operation, OperationFilter, OperationState, OperationStep};

/// Whoever waits for an end looks by themselves so often: another gateway may bring it.
const LOOK: Duration = Duration::from_millis(250);

/// What is due at a registry that asked for a rest says so.
const RESTS: &str = "registry-resting";

/// An operation, and how it came there.
#[derive(Clone, Debug)]
pub struct OperationView {
    /// As it stands.
    pub operation: Operation,
    /// What the registry did, as far as whoever asks may see it.
    pub receipt: Option<Receipt>,
    /// Each step.
    pub history: Vec<OperationStep>,
}

impl Gateway {
    /// A caller's own operation.
    ///
    /// # Errors
    /// [`GatewayError::UnknownOperation`]; or the database does not answer.
    pub async fn operation(
        &self,
        caller: &Caller,
        id: Uuid,
    ) -> Result<OperationView, GatewayError> {
        let operation = self.own(caller, id).await?;
        let mut receipt = self.receipt(&operation).unwrap_or_default();
        if let (Some(receipt), Some(ability)) = (&mut receipt, Ability::parse(&operation.ability)) {
            // A disabled or broken registry has its policy still; of one that has none nothing is shown.
            let policies = self.inner.roster.policies().into_iter();
            let mut policies = policies.filter(|(name, _)| *name == operation.registry);
            let fields = policies.next().and_then(|(_, policy)| policy);
            let fields = fields.map(|policy| policy.fields).unwrap_or_default();
            let shown = caller.shown(&operation.registry, ability, &fields);
            let shows = |field: &str| shown.iter().any(|shown| shown == field);
            if !shows("identifiers") {
                receipt.identifiers.clear();
            }
            if !shows("version") {
                receipt.version = None;
            }
            if !shows("extra") {
                receipt.extra.clear();
                for identifier in &mut receipt.identifiers {
                    identifier.extra.clear();
                }
            }
        }
        let history = self.inner.store.operations().history(id).await;
        Ok(OperationView {
            operation: self.as_told(operation),
            receipt,
            history: history.map_err(GatewayError::Audit)?,
        })
    }

    /// The same once it has ended, or after so long.
    ///
    /// # Errors
    /// As for [`operation`](Self::operation).
    pub async fn operation_when_over(
        &self,
        caller: &Caller,
        id: Uuid,
        wait: Duration,
    ) -> Result<OperationView, GatewayError> {
        let until = Instant::now() + wait;
        let mut ends = self.inner.delivery.ended.subscribe();
        loop {
            let operation = self.own(caller, id).await?;
            let waits = matches!(
                operation.state,
                OperationState::OutcomeUnknown | OperationState::GivenUp
            );
            let over = waits || operation.state.lets_pass();
            if over || Instant::now() >= until || self.is_stopping() {
                return self.operation(caller, id).await;
            }
            let look = until.min(Instant::now() + LOOK);
            let heard = async {
                // One who missed some looks.
                while ends.recv().await.is_ok_and(|ended| ended != id) {}
            };
            let _ = tokio::time::timeout_at(look, heard).await;
        }
    }

    /// Why nothing is sent to a registry now whatever is due, and until when that is so at least.
    pub(super) fn keeps_waiting(
        &self,
        registry: &str,
    ) -> Option<(&'static str, Option<Timestamp>)> {
        let entry = match self.inner.roster.take(registry) {
            Ok(entry) => entry,
            Err(GatewayError::Disabled) => return Some(("registry-disabled", None)),
            Err(GatewayError::UnknownRegistry) => return Some(("registry-unknown", None)),
            Err(_) => return Some(("registry-not-ready", None)),
        };
        let now = Timestamp::now();
        let hours = entry.policy.hours.as_ref();
        if let Some(closed) = hours.and_then(|hours| hours.closed_for(now)) {
            let closed = SignedDuration::try_from(closed).unwrap_or(SignedDuration::MAX);
            return Some(("registry-closed", now.checked_add(closed).ok()));
        }
        // It would be in vain, and the registry has said so.
        entry.endpoints.resting().then_some((RESTS, None))
    }

    /// As whoever looks is told of it: what is to be sent and is not says why. What an attempt said
    /// stays in its history.
    fn as_told(&self, mut operation: Operation) -> Operation {
        let is_to_be_sent = matches!(
            operation.state,
            OperationState::Accepted | OperationState::Waiting | OperationState::Pending
        );
        // Of a registry that rests the last attempt tells more.
        let tells = |why: &str| why != RESTS || operation.reason.is_none();
        let waits = self.keeps_waiting(&operation.registry);
        if let Some((why, until)) = waits.filter(|(why, _)| is_to_be_sent && tells(why)) {
            operation.reason = Some(why.into());
            (operation.code, operation.field) = (None, None);
            operation.due_at = operation.due_at.and(until).max(operation.due_at);
        }
        operation
    }

    pub(super) async fn own(&self, caller: &Caller, id: Uuid) -> Result<Operation, GatewayError> {
        let operation = self.inner.store.operations().get(id).await;
        let operation = operation.map_err(GatewayError::Audit)?;
        operation
            .filter(|operation| operation.caller == caller.name)
            .ok_or(GatewayError::UnknownOperation)
    }

    /// Those that somebody wants to see, the newest first. Nothing of a person is in them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Operation>, AdminError> {
        let found = self.inner.store.operations().list(filter).await?;
        Ok(found.into_iter().map(|it| self.as_told(it)).collect())
    }

    /// One, for who administers: without what the registry told of a person.
    ///
    /// # Errors
    /// There is none of that id, or the database does not answer.
    pub async fn administered_operation(&self, id: Uuid) -> Result<OperationView, AdminError> {
        let operations = self.inner.store.operations();
        let operation = operations.get(id).await?.ok_or_else(|| unknown(id))?;
        Ok(OperationView {
            operation: self.as_told(operation),
            receipt: None,
            history: operations.history(id).await?,
        })
    }
}

pub(super) fn unknown(id: Uuid) -> AdminError {
    AdminError::Unknown {
        what: "operation",
        name: id.to_string(),
    }
}
