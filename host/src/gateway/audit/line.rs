//! The audit as lines of JSON: what is exported, and verified without the database.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::statement::{Hex, SignedCheckpoint};
use crate::store::{AuditAct, AuditBegin, AuditEnd, AuditRow, ChainHead, Phase, StoredRow, Table};

/// The form of the lines.
pub(super) const FORM: u32 = 1;

/// One line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(
    tag = "line",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Line {
    /// The first.
    Audit { form: u32, at: Timestamp },
    /// All checkpoints, in order.
    Checkpoint(SignedCheckpoint),
    /// A chain; its rows follow it.
    Chain {
        chain: i64,
        began_at: Timestamp,
        rows: i64,
        hash: Hex,
    },
    /// The rows without a chain follow.
    Unchained,
    /// The beginning of a call.
    Begin(Placed<BeginLine>),
    /// Its end.
    End(Placed<EndLine>),
    /// One of the two rows of an act.
    Act(Placed<ActLine>),
    /// A row that cannot be read.
    Damaged {
        chain: Option<i64>,
        row: i64,
        table: String,
        id: String,
        column: String,
    },
    /// The last.
    Done { rows: u64 },
}

/// A row and its place.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Placed<T> {
    #[serde(default)]
    chain: Option<i64>,
    #[serde(default)]
    row: i64,
    #[serde(default)]
    hash: Option<Hex>,
    #[serde(flatten)]
    columns: T,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BeginLine {
    id: Id,
    at: Timestamp,
    request_id: String,
    caller: String,
    user: Option<String>,
    entity: Option<String>,
    purpose: Option<String>,
    legal_basis: Option<String>,
    registry: String,
    ability: String,
    module: String,
    asked: Vec<Hex>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndLine {
    id: Id,
    at: Timestamp,
    outcome: String,
    code: Option<String>,
    disclosed: Vec<Hex>,
    registry_calls: u32,
    duration_us: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActLine {
    id: Id,
    at: Timestamp,
    request_id: String,
    caller: String,
    act: String,
    registry: Option<String>,
    module: Option<String>,
    subject: Option<String>,
    outcome: Option<String>,
    detail: Option<String>,
}

impl Line {
    pub(super) fn chain(head: &ChainHead) -> Self {
        Self::Chain {
            chain: head.chain,
            began_at: head.began_at,
            rows: head.seq,
            hash: Hex(head.hash),
        }
    }

    pub(super) fn row(chain: Option<i64>, stored: StoredRow) -> Self {
        let StoredRow {
            seq: row,
            table,
            id,
            hash,
            row: read,
        } = stored;
        let hash = hash.map(Hex);
        match read {
            Ok(AuditRow::Begin(begin)) => Self::Begin(Placed {
                chain,
                row,
                hash,
                columns: (*begin).into(),
            }),
            Ok(AuditRow::End(end)) => Self::End(Placed {
                chain,
                row,
                hash,
                columns: (*end).into(),
            }),
            Ok(AuditRow::Act(act)) => Self::Act(Placed {
                chain,
                row,
                hash,
                columns: (*act).into(),
            }),
            Err(column) => Self::Damaged {
                chain,
                row,
                table: table.as_str().into(),
                id,
                column: column.into(),
            },
        }
    }

    /// A row's chain and the row, where the line is one.
    pub(super) fn stored(self) -> Option<(Option<i64>, StoredRow)> {
        let (chain, row, hash, table, read) = match self {
            Self::Begin(it) => {
                let read = AuditRow::Begin(Box::new(it.columns.into()));
                (it.chain, it.row, it.hash, Table::Begin, read)
            }
            Self::End(it) => {
                let read = AuditRow::End(Box::new(it.columns.into()));
                (it.chain, it.row, it.hash, Table::End, read)
            }
            Self::Act(it) => {
                let read = AuditRow::Act(Box::new(it.columns.into()));
                (it.chain, it.row, it.hash, Table::Act, read)
            }
            Self::Damaged {
                chain,
                row,
                table,
                id,
                ..
            } => {
                let table = Table::ALL.into_iter().find(|it| it.as_str() == table)?;
                let stored = StoredRow {
                    seq: row,
                    table,
                    id,
                    hash: None,
                    row: Err("a column"),
                };
                return Some((chain, stored));
            }
            _ => return None,
        };
        let stored = StoredRow {
            seq: row,
            table,
            id: read.id().to_string(),
            hash: hash.map(|hash| hash.0),
            row: Ok(read),
        };
        Some((chain, stored))
    }
}

/// An id as text.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Id(Uuid);

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0.to_string()
    }
}

impl TryFrom<String> for Id {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<Id> for Uuid {
    fn from(id: Id) -> Self {
        id.0
    }
}

fn hexes(hashes: Vec<[u8; 32]>) -> Vec<Hex> {
    hashes.into_iter().map(Hex).collect()
}

fn hashes(hexes: Vec<Hex>) -> Vec<[u8; 32]> {
    hexes.into_iter().map(|hex| hex.0).collect()
}

impl From<AuditBegin> for BeginLine {
    fn from(row: AuditBegin) -> Self {
        Self {
            id: row.id.into(),
            at: row.at,
            request_id: row.request_id,
            caller: row.caller,
            user: row.user,
            entity: row.entity,
            purpose: row.purpose,
            legal_basis: row.legal_basis,
            registry: row.registry,
            ability: row.ability,
            module: row.module_digest,
            asked: hexes(row.asked),
        }
    }
}

impl From<BeginLine> for AuditBegin {
    fn from(row: BeginLine) -> Self {
        Self {
            id: row.id.into(),
            at: row.at,
            request_id: row.request_id,
            caller: row.caller,
            user: row.user,
            entity: row.entity,
            purpose: row.purpose,
            legal_basis: row.legal_basis,
            registry: row.registry,
            ability: row.ability,
            module_digest: row.module,
            asked: hashes(row.asked),
        }
    }
}

impl From<AuditEnd> for EndLine {
    fn from(row: AuditEnd) -> Self {
        Self {
            id: row.id.into(),
            at: row.at,
            outcome: row.outcome,
            code: row.code,
            disclosed: hexes(row.disclosed),
            registry_calls: row.registry_calls,
            duration_us: row.duration_us,
        }
    }
}

impl From<EndLine> for AuditEnd {
    fn from(row: EndLine) -> Self {
        Self {
            id: row.id.into(),
            at: row.at,
            outcome: row.outcome,
            code: row.code,
            disclosed: hashes(row.disclosed),
            registry_calls: row.registry_calls,
            duration_us: row.duration_us,
        }
    }
}

impl From<AuditAct> for ActLine {
    fn from(row: AuditAct) -> Self {
        let outcome = match row.phase {
            Phase::Begin => None,
            Phase::End { outcome } => Some(outcome),
        };
        Self {
            id: row.id.into(),
            at: row.at,
            request_id: row.request_id,
            caller: row.caller,
            act: row.act,
            registry: row.registry,
            module: row.module_digest,
            subject: row.subject,
            outcome,
            detail: row.detail,
        }
    }
}

impl From<ActLine> for AuditAct {
    fn from(row: ActLine) -> Self {
        Self {
            id: row.id.into(),
            phase: row
                .outcome
                .map_or(Phase::Begin, |outcome| Phase::End { outcome }),
            at: row.at,
            request_id: row.request_id,
            caller: row.caller,
            act: row.act,
            registry: row.registry,
            module_digest: row.module,
            subject: row.subject,
            detail: row.detail,
        }
    }
}
