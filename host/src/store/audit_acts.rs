//! Acts of administration in the audit.

use std::sync::LazyLock;

use jiff::Timestamp;
use uuid::Uuid;

use super::audit::TEXT_MAX_BYTES;
use super::chain::Link;
use super::columns::{check_size, check_text, get, time, uuid};
use super::db::{BulkInsert, Conn, Pool, Row, query};
use super::error::StoreError;

/// What an act changed, as JSON.
const DETAIL_MAX_BYTES: usize = 64 << 10;

static INSERT: LazyLock<BulkInsert> = LazyLock::new(|| {
    BulkInsert::new(
        "audit_act (id, phase, at, request_id, caller, act, registry, module_digest, subject, \
         outcome, detail, chain, seq, hash)",
    )
});

/// One of the two rows of an act.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditAct {
    /// A UUID of version 7; the same in both rows.
    pub id: Uuid,
    /// Which of the two.
    pub phase: Phase,
    /// When; kept to the microsecond.
    pub at: Timestamp,
    /// The request's id, as in the answer and the log.
    pub request_id: String,
    /// The caller's name.
    pub caller: String,
    /// What is done: `caller.add`.
    pub act: String,
    /// The registry that it is about.
    pub registry: Option<String>,
    /// The module that it is about.
    pub module_digest: Option<String>,
    /// The name of what else it is about.
    pub subject: Option<String>,
    /// What was changed, as JSON: never a secret, never a person.
    pub detail: Option<String>,
}

/// Which row of an act.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Written before it.
    Begin,
    /// Written after it.
    End {
        /// `done`, or a word for why not.
        outcome: String,
    },
}

impl Phase {
    pub(super) fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Begin => ("begin", None),
            Self::End { outcome } => ("end", Some(outcome)),
        }
    }
}

pub(super) fn check(row: &AuditAct) -> Result<(), StoreError> {
    let (_, outcome) = row.phase.parts();
    for (field, value) in [
        ("audit.request_id", Some(&*row.request_id)),
        ("audit.caller", Some(&*row.caller)),
        ("audit.act", Some(&*row.act)),
        ("audit.registry", row.registry.as_deref()),
        ("audit.module_digest", row.module_digest.as_deref()),
        ("audit.subject", row.subject.as_deref()),
        ("audit.outcome", outcome),
    ] {
        value.map_or(Ok(()), |value| check_text(field, value, TEXT_MAX_BYTES))?;
    }
    let detail = row.detail.as_ref().map_or(0, String::len);
    check_size("audit.detail", detail, DETAIL_MAX_BYTES, "bytes")
}

pub(super) async fn insert(conn: &mut Conn, acts: &[(&AuditAct, &Link)]) -> Result<(), StoreError> {
    for (mut query, part) in INSERT.parts(acts) {
        for (row, link) in part {
            let (phase, outcome) = row.phase.parts();
            query = query
                .bind(row.id.to_string())
                .bind(phase)
                .bind(row.at.as_microsecond())
                .bind(&row.request_id)
                .bind(&row.caller)
                .bind(&row.act)
                .bind(&row.registry)
                .bind(&row.module_digest)
                .bind(&row.subject)
                .bind(outcome)
                .bind(&row.detail)
                .bind(link.chain)
                .bind(link.seq)
                .bind(&link.hash[..]);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// The latest rows, the newest first.
pub(super) async fn recent(readers: &Pool, limit: u32) -> Result<Vec<AuditAct>, StoreError> {
    query(
        "SELECT id, phase, at, request_id, caller, act, registry, module_digest, subject, outcome, \
         detail FROM audit_act ORDER BY id DESC, phase DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(act_of)
    .collect()
}

pub(super) fn act_of(row: &Row) -> Result<AuditAct, StoreError> {
    let outcome: Option<String> = get(row, "outcome")?;
    Ok(AuditAct {
        id: uuid(row, "id")?,
        phase: outcome.map_or(Phase::Begin, |outcome| Phase::End { outcome }),
        at: time(row, "at")?,
        request_id: get(row, "request_id")?,
        caller: get(row, "caller")?,
        act: get(row, "act")?,
        registry: get(row, "registry")?,
        module_digest: get(row, "module_digest")?,
        subject: get(row, "subject")?,
        detail: get(row, "detail")?,
    })
}
