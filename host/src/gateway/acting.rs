//! Acts of administration: who may, a durable row before, a durable row after.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Caller, Gateway, GatewayError};
use crate::model::Role;
use crate::store::{AuditAct, Phase, StoreError};

/// Who administers.
#[derive(Clone)]
pub struct Acting {
    /// Whose key it was.
    pub caller: Arc<Caller>,
    /// The request's number, as in the answer and the log.
    pub request_id: String,
}

/// What is done, as the audit has it.
#[derive(Clone, Debug, Default)]
pub struct Act {
    /// `caller.add`.
    pub word: &'static str,
    /// The registry that it is about.
    pub registry: Option<String>,
    /// The digest of the module that it is about.
    pub module: Option<String>,
    /// The name of what else it is about.
    pub subject: Option<String>,
    /// What is changed. Never a secret, never a person.
    pub detail: Option<serde_json::Value>,
}

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// `registries.social`, `imports.wasi:http/types`.
    pub place: String,
    /// What is wrong, with the remedy. None: nothing.
    pub problem: Option<String>,
}

/// Why an act of administration, or a look at what is administered, is not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// As for any call: starting, no known key.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The caller has none of the roles that may.
    #[error("the caller has none of the roles that may do this")]
    NotAllowed(&'static [Role]),
    /// There is no such thing.
    #[error("there is no {what} {name}")]
    Unknown {
        /// A registry, a module, a caller.
        what: &'static str,
        /// Its name or digest, as asked.
        name: String,
    },
    /// A value of the request is not valid.
    #[error("{field}: {problem}")]
    Invalid {
        /// Path in the body.
        field: String,
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// It would not work, for these reasons.
    #[error("{detail}")]
    Refused {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        detail: String,
        /// What, where, and the remedy.
        findings: Vec<Finding>,
    },
    /// It does not fit what is there now.
    #[error("{detail}")]
    Conflict {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        detail: String,
    },
    /// Too many do the same: it may succeed later.
    #[error("{0}")]
    Busy(&'static str),
    /// Without a durable audit row nothing is done.
    #[error("the audit row could not be written")]
    Audit(#[source] StoreError),
    /// The database does not take or give it.
    #[error("the database does not answer")]
    Store(#[source] StoreError),
    /// The gateway's own mistake.
    #[error("the act ended unexpectedly")]
    Internal,
}

impl AdminError {
    /// The word for it in the audit.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Gateway(error) => error.word(),
            Self::NotAllowed(_) => "not-allowed",
            Self::Unknown { .. } => "unknown",
            Self::Invalid { .. } => "invalid",
            Self::Refused { code, .. } | Self::Conflict { code, .. } => code,
            Self::Busy(_) => "busy",
            Self::Audit(_) => "audit-unavailable",
            Self::Store(_) => "store-unavailable",
            Self::Internal => "internal",
        }
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown { what, name } => Self::Unknown { what, name },
            StoreError::Taken { field, .. } => Self::Conflict {
                code: "taken",
                detail: format!("{field} is taken already, for ever: choose another"),
            },
            StoreError::Stale { what } => Self::Conflict {
                code: "stale",
                detail: format!(
                    "the {what} were changed since they were looked at: look again, and then apply"
                ),
            },
            StoreError::InUse { what, by } => Self::Conflict {
                code: "in-use",
                detail: format!("the {what} is in use by {by}: give them another first"),
            },
            StoreError::OperationsOpen { registry, count } => Self::Conflict {
                code: "operations-open",
                detail: format!(
                    "{count} operations of {registry} are open: cancel or resolve them, or wait for \
                     their ends (registry-gateway operation list --registry {registry}), or disable it"
                ),
            },
            StoreError::Invalid { field, problem } => Self::Invalid {
                field: field.into(),
                problem,
            },
            StoreError::Moved { is, .. } => super::swap::moved(&is),
            other => Self::Store(other),
        }
    }
}

impl Act {
    /// What cannot be a name is nobody's: it is not found, and does not go into the audit.
    fn check(&self) -> Result<(), AdminError> {
        let names = [
            ("registry", &self.registry),
            ("module", &self.module),
            ("name", &self.subject),
        ];
        for (what, name) in names {
            let is_name = |name: &String| {
                (1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
            };
            if name.as_ref().is_some_and(|name| !is_name(name)) {
                return Err(AdminError::Unknown {
                    what,
                    name: String::new(),
                });
            }
        }
        Ok(())
    }
}

impl Acting {
    /// Whether the caller has one of the roles.
    ///
    /// # Errors
    /// [`AdminError::NotAllowed`].
    pub fn allowed(&self, roles: &'static [Role]) -> Result<(), AdminError> {
        if roles.iter().any(|role| self.caller.is(*role)) {
            Ok(())
        } else {
            Err(AdminError::NotAllowed(roles))
        }
    }
}

impl Gateway {
    /// Does it between its two audit rows, as a task of its own: whoever hangs up does not leave it
    /// half done. What is done is not undone because its end could not be written.
    ///
    /// # Errors
    /// [`AdminError::Audit`] where it was not begun, or what `doing` says.
    pub async fn act<T: Send + 'static>(
        &self,
        by: &Acting,
        act: Act,
        doing: impl Future<Output = Result<T, AdminError>> + Send + 'static,
    ) -> Result<T, AdminError> {
        act.check()?;
        let gateway = self.clone();
        let begin = row(by, act);
        let (tell, told) = oneshot::channel();
        let line = async move {
            let audit = gateway.inner.store.audit();
            if let Err(error) = audit.act(begin.clone()).await {
                let _ = tell.send(Err(AdminError::Audit(error)));
                return;
            }
            let done = doing.await;
            let outcome = done.as_ref().map_or_else(AdminError::word, |_| "done");
            let end = AuditAct {
                phase: Phase::End {
                    outcome: outcome.into(),
                },
                at: Timestamp::now(),
                ..begin
            };
            let unwritten = audit.act(end.clone()).await.is_err();
            let _ = tell.send(done);
            if unwritten {
                gateway.act_ends_later(end).await;
            }
        };
        self.inner.tasks.spawn(line.in_current_span());
        told.await.unwrap_or(Err(AdminError::Internal))
    }

    async fn act_ends_later(&self, end: AuditAct) {
        for wait in RETRIES {
            tokio::time::sleep(wait).await;
            match self.inner.store.audit().act(end.clone()).await {
                Err(StoreError::Busy | StoreError::Unavailable(_)) => {}
                Ok(()) | Err(StoreError::Refused(_)) => return,
                Err(_) => break,
            }
        }
        tracing::error!(row = %end.id, act = end.act, "an act's audit row stays without its end");
    }
}

/// Of what an act is about: names of callers and registries, digests, references of OCI registries.
const LONGEST_NAME: usize = 512;

/// Waits before each further try to write an end.
const RETRIES: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

fn row(by: &Acting, act: Act) -> AuditAct {
    AuditAct {
        id: Uuid::now_v7(),
        phase: Phase::Begin,
        at: Timestamp::now(),
        request_id: by.request_id.clone(),
        caller: by.caller.name.clone(),
        act: act.word.into(),
        registry: act.registry,
        module_digest: act.module,
        subject: act.subject,
        detail: act.detail.map(|detail| detail.to_string()),
    }
}
