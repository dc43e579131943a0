//! The audit read by auditors. Each reading is an act in it; what was asked for is there only as far
//! as it is no value of theirs.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Audit;
use super::export::{self, Ended};
use super::find::{FindPage, Found};
use super::prune::{Age, PruneError};
use super::statement::Hex;
use crate::gateway::{Act, Acting, AdminError, Caller, Gateway};
use crate::store::{ActEntry, AuditEntry, AuditFilter, AuditPage};

/// Lines of an export that wait for their reader.
const LINES: usize = 64;

impl Gateway {
    /// A page of calls, the newest first.
    ///
    /// # Errors
    /// As for any act.
    pub async fn audit_calls(
        &self,
        by: &Acting,
        filter: AuditFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<AuditPage<AuditEntry>, AdminError> {
        let store = self.inner.store.clone();
        self.act(by, read("audit.calls", &filter), async move {
            Ok(store.audit().calls(&filter, before, limit).await?)
        })
        .await
    }

    /// A page of acts of administration, the newest first.
    ///
    /// # Errors
    /// As for any act.
    pub async fn audit_acts(
        &self,
        by: &Acting,
        filter: AuditFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<AuditPage<ActEntry>, AdminError> {
        let store = self.inner.store.clone();
        self.act(by, read("audit.acts", &filter), async move {
            Ok(store.audit().acts(&filter, before, limit).await?)
        })
        .await
    }

    /// Who asked about a person, or was told of one. Identifiers are scheme and value, of one person;
    /// the act has their keyed hashes.
    ///
    /// # Errors
    /// As for any act.
    pub async fn find_in_audit(
        &self,
        by: &Acting,
        identifiers: &[(String, String)],
        page: FindPage,
    ) -> Result<Found, AdminError> {
        let people: Vec<_> = identifiers
            .iter()
            .map(|(scheme, value)| self.inner.fingerprint.of(scheme, value))
            .collect();
        let hashes: Vec<Hex> = people.iter().copied().map(Hex).collect();
        let act = Act {
            word: "audit.find",
            detail: Some(json!({ "people": hashes })),
            ..Act::default()
        };
        let store = self.inner.store.clone();
        self.act(by, act, async move {
            Ok(Audit::find(&store, &people, page).await?)
        })
        .await
    }

    /// The whole audit: its first line, and the others as they are read. It ends when nobody reads it
    /// any more.
    ///
    /// # Errors
    /// As for any act; `Busy` where as many are under way as there may be.
    pub async fn export_audit(
        &self,
        by: &Acting,
    ) -> Result<(Bytes, mpsc::Receiver<Bytes>), AdminError> {
        let (to, mut from) = mpsc::channel(LINES);
        let act = Act {
            word: "audit.export",
            ..Act::default()
        };
        let (gateway, by, store) = (self.clone(), by.clone(), self.inner.store.clone());
        let place = self.inner.audit.exports.clone().try_acquire_owned();
        let doing = async move {
            let _place = place.map_err(|_| {
                AdminError::Busy(
                    "as many exports as there may be are under way: try again when one has ended",
                )
            })?;
            export::export(&store, &to)
                .await
                .map_err(|ended| match ended {
                    Ended::Store(error) => error.into(),
                    Ended::Unread => AdminError::Conflict {
                        code: "not-read",
                        detail: ended.to_string(),
                    },
                })
        };
        let mut exporting = tokio::spawn(async move { gateway.act(&by, act, doing).await });
        // Until its act has begun nothing is told.
        let began = tokio::select! {
            biased;
            line = from.recv() => line,
            ended = &mut exporting => {
                ended.map_err(|_| AdminError::Internal)??;
                from.recv().await
            }
        };
        let Some(began) = began else {
            exporting.await.map_err(|_| AdminError::Internal)??;
            return Err(AdminError::Internal);
        };
        Ok((began, from))
    }

    /// Removes now what was kept for as long as configured. Gives how many rows.
    ///
    /// # Errors
    /// As for any act; a conflict where the audit is not what was written, or where it is kept for ever.
    pub async fn prune_audit(&self, by: &Acting) -> Result<u64, AdminError> {
        let inner = self.inner.clone();
        let age = inner.audit.age(&inner.store).await?;
        self.act(by, prune(age), async move {
            let age = age.ok_or_else(|| AdminError::Conflict {
                code: "kept-for-ever",
                detail: "set [audit] retention_days: without it all rows are kept".into(),
            })?;
            Ok(inner.audit.prune(&inner.store, age).await?)
        })
        .await
    }

    /// The same by itself, where the clock was right for long enough. In the audit nevertheless.
    pub(super) async fn prune_by_itself(&self, age: Age) -> Result<u64, AdminError> {
        let inner = self.inner.clone();
        let doing = async move { Ok(inner.audit.prune_by_clock(&inner.store, age).await?) };
        self.act(&itself(), prune(Some(age)), doing).await
    }

    /// The same with another time than the configuration's: for tests, which cannot wait for days. In
    /// the audit too.
    ///
    /// # Errors
    /// As [`prune_audit`](Self::prune_audit).
    #[doc(hidden)]
    pub async fn prune_audit_before(&self, time: Timestamp) -> Result<u64, AdminError> {
        let inner = self.inner.clone();
        let age = Age {
            now: Timestamp::now(),
            cutoff: time,
        };
        let doing = async move { Ok(inner.audit.prune(&inner.store, age).await?) };
        self.act(&itself(), prune(Some(age)), doing).await
    }
}

/// What exactly is removed stands in the checkpoint that is made for it.
fn prune(age: Option<Age>) -> Act {
    Act {
        word: "audit.prune",
        detail: age.map(|age| json!({ "before": age.cutoff })),
        ..Act::default()
    }
}

/// Nobody asked for it.
fn itself() -> Acting {
    Acting {
        caller: Arc::new(Caller::local()),
        request_id: Uuid::now_v7().to_string(),
    }
}

/// By what was searched, not for what: an auditor may have typed a person's number.
fn read(word: &'static str, filter: &AuditFilter) -> Act {
    let by = [
        ("since", filter.since.is_some()),
        ("until", filter.until.is_some()),
        ("caller", filter.caller.is_some()),
        ("registry", filter.registry.is_some()),
        ("purpose", filter.purpose.is_some()),
        ("act", filter.act.is_some()),
        ("requestId", filter.request_id.is_some()),
    ];
    let by: Vec<&str> = by.iter().filter(|it| it.1).map(|it| it.0).collect();
    Act {
        word,
        detail: Some(json!({ "by": by })),
        ..Act::default()
    }
}

impl From<PruneError> for AdminError {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Store(error) => error.into(),
            PruneError::Seal(error) => error.into(),
            PruneError::ClockAhead => Self::Conflict {
                code: "clock-ahead",
                detail: error.to_string(),
            },
            PruneError::Bad(_) => Self::Conflict {
                code: "audit-not-whole",
                detail: error.to_string(),
            },
        }
    }
}
