//! Pages of calls and acts, the newest first. Ids are in the order of time, so that one is a cursor.

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::audit::AuditEntry;
use super::audit_acts::{AuditAct, Phase};
use super::audit_rows::{entries, entry_of};
use super::columns::{as_time, get, time, uuid};
use super::db::{Pool, Row, query};
use super::error::StoreError;

/// A page ends after so many rows that were looked at, however few are found: a question for what is
/// rare must not hold a connection for as long as the audit is.
const LOOK_MAX: i64 = 20_000;
/// An id is made beside its row's time: never so much apart.
const APART: SignedDuration = SignedDuration::from_secs(60);
/// Behind every id.
const LAST: &str = "g";

/// Which calls, or acts. What is none is any.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Begun at that time or later.
    pub since: Option<Timestamp>,
    /// Begun before that time.
    pub until: Option<Timestamp>,
    /// The caller's name.
    pub caller: Option<String>,
    /// The registry's name.
    pub registry: Option<String>,
    /// What for. Acts have none.
    pub purpose: Option<String>,
    /// The word of an act. Calls have none.
    pub act: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct AuditPage<T> {
    /// The newest first.
    pub entries: Vec<T>,
    /// Where the next one begins. None: there is none.
    pub next: Option<Uuid>,
}

/// An act of administration: both its rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActEntry {
    /// Its beginning.
    pub begin: AuditAct,
    /// When and how it ended. None: it is under way, or the gateway died in between.
    pub end: Option<(Timestamp, String)>,
}

impl AuditFilter {
    /// Ids from the first to before the second are in the time, and perhaps a few others.
    fn ids(&self, before: Option<Uuid>) -> (String, String) {
        let prefix = |time: Timestamp, by: SignedDuration| {
            let time = time.saturating_add(by).unwrap_or(time);
            let digits = format!("{:012x}", time.as_millisecond().max(0));
            let (high, low) = digits.split_at(digits.len() - 4);
            format!("{high}-{low}")
        };
        let from = self.since.map(|since| prefix(since, -APART));
        let until = self.until.map(|until| prefix(until, APART));
        let before = before.map(|id| id.to_string());
        let to = match (until, before) {
            (Some(until), Some(before)) => until.min(before),
            (until, before) => until.or(before).unwrap_or_else(|| LAST.into()),
        };
        (from.unwrap_or_default(), to)
    }

    fn has(&self, at: Timestamp, caller: &str, request_id: &str, registry: Option<&str>) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == value)
        };
        self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && is(&self.caller, Some(caller))
            && is(&self.request_id, Some(request_id))
            && is(&self.registry, registry)
    }

    fn has_call(&self, AuditEntry { begin, .. }: &AuditEntry) -> bool {
        let purpose = self.purpose.is_none() || self.purpose == begin.purpose;
        let registry = Some(&*begin.registry);
        purpose && self.has(begin.at, &begin.caller, &begin.request_id, registry)
    }

    fn has_act(&self, ActEntry { begin, .. }: &ActEntry) -> bool {
        let act = self.act.as_ref().is_none_or(|act| *act == begin.act);
        let registry = begin.registry.as_deref();
        act && self.has(begin.at, &begin.caller, &begin.request_id, registry)
    }
}

pub(super) async fn calls(
    readers: &Pool,
    filter: &AuditFilter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<AuditPage<AuditEntry>, StoreError> {
    let sql = concat!(
        entries!(),
        "WHERE b.id >= $1 AND b.id < $2 ORDER BY b.id DESC LIMIT $3"
    );
    let read = |row: &Row| {
        let entry = entry_of(row)?;
        Ok((filter.has_call(&entry), entry.begin.id, entry))
    };
    page(readers, sql, filter, before, limit, read).await
}

pub(super) async fn acts(
    readers: &Pool,
    filter: &AuditFilter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<AuditPage<ActEntry>, StoreError> {
    let sql = "SELECT b.id, b.at, b.request_id, b.caller, b.act, b.registry, b.module_digest, \
               b.subject, b.detail, e.at AS ended_at, e.outcome FROM audit_act b \
               LEFT JOIN audit_act e ON e.id = b.id AND e.phase = 'end' \
               WHERE b.phase = 'begin' AND b.id >= $1 AND b.id < $2 ORDER BY b.id DESC LIMIT $3";
    let read = |row: &Row| {
        let entry = act_entry(row)?;
        Ok((filter.has_act(&entry), entry.begin.id, entry))
    };
    page(readers, sql, filter, before, limit, read).await
}

async fn page<T>(
    readers: &Pool,
    sql: &'static str,
    filter: &AuditFilter,
    before: Option<Uuid>,
    limit: u32,
    read: impl Fn(&Row) -> Result<(bool, Uuid, T), StoreError>,
) -> Result<AuditPage<T>, StoreError> {
    let (from, to) = filter.ids(before);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rows = query(sql)
        .bind(from)
        .bind(to)
        .bind(LOOK_MAX)
        .fetch(readers)?;
    let mut entries = Vec::new();
    let mut last = None;
    let mut looked = 0;
    while let Some(row) = rows.try_next().await? {
        let (wanted, id, entry) = read(&row)?;
        looked += 1;
        if wanted && entries.len() == limit {
            return Ok(AuditPage {
                entries,
                next: last,
            });
        }
        last = Some(id);
        if wanted {
            entries.push(entry);
        }
    }
    Ok(AuditPage {
        entries,
        next: last.filter(|_| looked == LOOK_MAX),
    })
}

fn act_entry(row: &Row) -> Result<ActEntry, StoreError> {
    let ended_at: Option<i64> = get(row, "ended_at")?;
    let end = match ended_at {
        Some(at) => Some((as_time(at, "ended_at")?, get(row, "outcome")?)),
        None => None,
    };
    let begin = AuditAct {
        id: uuid(row, "id")?,
        phase: Phase::Begin,
        at: time(row, "at")?,
        request_id: get(row, "request_id")?,
        caller: get(row, "caller")?,
        act: get(row, "act")?,
        registry: get(row, "registry")?,
        module_digest: get(row, "module_digest")?,
        subject: get(row, "subject")?,
        detail: get(row, "detail")?,
    };
    Ok(ActEntry { begin, end })
}
