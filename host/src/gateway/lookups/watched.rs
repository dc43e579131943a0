//! What metrics and traces see of one call, whoever still waits for its answer.

use std::time::Duration;

use tokio::time::Instant;

use super::audited::Asking;
use super::waiting::Spent;
use crate::gateway::metrics::{Metrics, RegistryLabels};
use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Ability, TraceContext};
use crate::store::StoreError;
use crate::telemetry::{Field, Side, Span};

/// One call. Dropped before its end, it was the gateway's own mistake.
pub(in crate::gateway) struct Watched {
    metrics: Metrics,
    ability: Ability,
    began: Instant,
    /// Without names until the call is admitted: a name that no registry has, or that the caller
    /// may not know of, would let callers make series without end.
    of: RegistryLabels,
    request_id: String,
    span: Span,
    ended: bool,
}

impl Watched {
    pub(in crate::gateway) fn begin(gateway: &Gateway, asking: &Asking, ability: Ability) -> Self {
        let call = &asking.call;
        let mut span = Span::begin(Side::Own, "call", call.trace);
        span.set(Field::RequestId, &call.request_id);
        span.set(Field::Ability, ability.as_str());
        Self {
            metrics: gateway.metrics().clone(),
            ability,
            began: Instant::now(),
            of: RegistryLabels {
                registry: String::new(),
                adapter: String::new(),
            },
            request_id: call.request_id.clone(),
            span,
            ended: false,
        }
    }

    /// Nothing is asked. A registry that the caller may know of is named all the same.
    pub(in crate::gateway) fn refused(&mut self, registry: &str, why: &GatewayError) {
        let unknown = matches!(
            why,
            GatewayError::UnknownRegistry | GatewayError::NotGranted
        );
        if !unknown {
            registry.clone_into(&mut self.of.registry);
            self.span.set(Field::Registry, registry);
        }
    }

    pub(in crate::gateway) fn admitted(&mut self, entry: &Entry) {
        self.of = RegistryLabels {
            registry: entry.name.clone(),
            adapter: entry.module.description().name.clone(),
        };
        self.span.set(Field::Registry, &entry.name);
        self.span.set(Field::Module, entry.module.digest());
    }

    /// The parent of what is done within it.
    pub(in crate::gateway) fn context(&self) -> Option<TraceContext> {
        self.span.context()
    }

    /// Waits for a row of the audit.
    pub(in crate::gateway) async fn audit(
        &self,
        phase: &'static str,
        row: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let name = match phase {
            "begin" => "audit begin",
            _ => "audit end",
        };
        let mut span = Span::begin(Side::Own, name, self.span.context());
        span.set(Field::RequestId, &self.request_id);
        let began = Instant::now();
        let written = row.await;
        match &written {
            Ok(()) => self.metrics.audit_wait(phase, began.elapsed()),
            Err(_) => span.failed(),
        }
        written
    }

    pub(in crate::gateway) fn used(&self, spent: &Spent) {
        self.metrics.used(&self.of, spent);
        self.metrics.retried(&self.of, self.ability, spent.retries);
    }

    pub(in crate::gateway) fn end<T>(mut self, answer: &Result<T, GatewayError>) {
        if let Err(GatewayError::Fault(fault)) = answer {
            self.metrics.fault(&self.of, fault.word());
        }
        self.count(answer.as_ref().map_or_else(GatewayError::word, |_| "done"));
        if let Err(GatewayError::Fault(_) | GatewayError::Audit(_) | GatewayError::Internal) =
            answer
        {
            self.span.failed();
        }
    }

    fn count(&mut self, outcome: &'static str) {
        self.ended = true;
        self.span.set(Field::Outcome, outcome);
        let took: Duration = self.began.elapsed();
        self.metrics.answered(&self.of, self.ability, outcome, took);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended {
            self.count(GatewayError::Internal.word());
            self.span.failed();
        }
    }
}
