//! Which registry's person is which of a caller's people. A link is ended and never removed: what
//! stood when stays known.

mod step;

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit::KeyedHash;
use super::columns::{as_time, check_size, check_text, get, time, uuid};
use super::db::{Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};

pub(super) use step::{add, end, link_all, lock_of};

const TEXT_MAX_BYTES: usize = 512;
/// Names of fields and words of how they compare.
const EVIDENCE_MAX_BYTES: usize = 8 << 10;
/// Most that one reading returns: of one person or one identifier, ended ones too.
const READ_MAX: i64 = 1_000;

/// A link, as it stands or stood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Its name.
    pub id: Uuid,
    /// Whose person it is.
    pub caller: String,
    /// Whose identifier it is.
    pub registry: String,
    /// Keyed hash of the caller's name for the person.
    pub subject: KeyedHash,
    /// Keyed hash of the identifier.
    pub identifier: KeyedHash,
    /// The identifier's scheme.
    pub scheme: String,
    /// The registry's person: links of one record share it.
    pub record: Uuid,
    /// JSON: what agreed and what did not, by field.
    pub evidence: String,
    /// The ability that told: of a lookup, or of the operation that was applied.
    pub ability: String,
    /// The module that answered.
    pub module_digest: String,
    /// The number of the request that asked.
    pub request_id: String,
    /// The operation that was applied, where one was.
    pub operation: Option<Uuid>,
    /// The caller's user, as it stated.
    pub by_user: Option<String>,
    /// Since when.
    pub linked_at: Timestamp,
    /// None: it stands.
    pub unlinked: Option<Unlinked>,
    /// The caller's name and the identifier, sealed.
    pub sealed: Vec<u8>,
}

/// How a link ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unlinked {
    /// When.
    pub at: Timestamp,
    /// A word for why.
    pub why: String,
    /// Who ended it.
    pub by: String,
}

/// Links to be made in one step, all of one person and one record.
#[derive(Clone, Debug)]
pub struct NewLinks {
    /// One for each identifier of the record.
    pub links: Vec<Link>,
    /// Whether a person has one record of the registry at a time.
    pub one_record: bool,
}

/// Which links somebody wants to see.
#[derive(Clone, Debug, Default)]
pub struct LinkFilter {
    /// Of this registry.
    pub registry: Option<String>,
    /// Of this caller.
    pub caller: Option<String>,
    /// Those that ended, too.
    pub ended: bool,
    /// Made before this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

/// What became of links that were to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Linked {
    /// They stand, those that stood before too.
    Done(Vec<Link>),
    /// One of the identifiers is another person's of this caller.
    OtherSubject(Box<Link>),
    /// The person is linked to another person of the registry.
    OtherRecord(Box<Link>),
}

/// The links of a store.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    store: &'a Store,
}

/// Links to be made, and what came of it.
#[derive(Debug)]
pub(super) struct Linking {
    new: NewLinks,
    came: std::sync::Arc<std::sync::OnceLock<Linked>>,
}

/// What every reading selects. A macro, since a query's text must be known when compiling.
macro_rules! columns {
    () => {
        "id, caller, registry, subject, identifier, scheme, record, evidence, ability, module_digest, \
         request_id, operation, by_user, linked_at, unlinked_at, unlinked_why, unlinked_by, sealed "
    };
}
use columns;

impl<'a> Links<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes links of one person and one record of the registry, or none of them.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn add(self, new: NewLinks) -> Result<Linked, StoreError> {
        for link in &new.links {
            check_text("link.scheme", &link.scheme, TEXT_MAX_BYTES)?;
            check_size(
                "link.evidence",
                link.evidence.len(),
                EVIDENCE_MAX_BYTES,
                "bytes",
            )?;
        }
        let came = std::sync::Arc::default();
        let linking = Linking {
            new,
            came: std::sync::Arc::clone(&came),
        };
        let change = Change::Link(Box::new(linking));
        self.store.writer.write(Work::Change(change)).await?;
        came.get()
            .cloned()
            .ok_or(StoreError::Damaged { what: "link" })
    }

    /// Ends one. False: there is no such one that stands.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn end(self, id: Uuid, why: &str, by: &str) -> Result<bool, StoreError> {
        check_text("link.why", why, TEXT_MAX_BYTES)?;
        let change = Change::Unlink {
            id,
            why: why.to_owned(),
            by: by.to_owned(),
        };
        Ok(self.store.writer.write(Work::Change(change)).await? > 0)
    }

    /// One.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn get(self, id: Uuid) -> Result<Option<Link>, StoreError> {
        let row = query(concat!("SELECT ", columns!(), "FROM links WHERE id = $1"))
            .bind(id.to_string())
            .fetch_optional(&self.store.readers)
            .await?;
        row.as_ref().map(link_of).transpose()
    }

    /// Those that somebody wants to see, the newest first.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn list(self, filter: &LinkFilter) -> Result<Vec<Link>, StoreError> {
        let before = filter.before.unwrap_or(Uuid::max()).to_string();
        query(concat!(
            "SELECT ",
            columns!(),
            "FROM links WHERE ($1 IS NULL OR registry = $1) AND ($2 IS NULL OR caller = $2) \
             AND ($3 OR unlinked_at IS NULL) AND id < $4 ORDER BY id DESC LIMIT $5"
        ))
        .bind(filter.registry.as_deref())
        .bind(filter.caller.as_deref())
        .bind(filter.ended)
        .bind(before)
        .bind(i64::from(filter.limit).min(READ_MAX))
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(link_of)
        .collect()
    }

    /// All of one of the caller's people, ended ones too, the oldest first.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn of_subject(
        self,
        caller: &str,
        subject: &KeyedHash,
    ) -> Result<Vec<Link>, StoreError> {
        query(concat!(
            "SELECT ",
            columns!(),
            "FROM links WHERE caller = $1 AND subject = $2 ORDER BY linked_at, id LIMIT $3"
        ))
        .bind(caller)
        .bind(&subject[..])
        .bind(READ_MAX)
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(link_of)
        .collect()
    }

    /// All of one identifier of a registry, of this caller's people.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn of_identifier(
        self,
        caller: &str,
        registry: &str,
        identifier: &KeyedHash,
    ) -> Result<Vec<Link>, StoreError> {
        query(concat!(
            "SELECT ",
            columns!(),
            "FROM links WHERE caller = $1 AND registry = $2 AND identifier = $3 \
             ORDER BY linked_at, id LIMIT $4"
        ))
        .bind(caller)
        .bind(registry)
        .bind(&identifier[..])
        .bind(READ_MAX)
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(link_of)
        .collect()
    }
}

fn link_of(row: &Row) -> Result<Link, StoreError> {
    let hash = |column| {
        let bytes: &[u8] = get(row, column)?;
        KeyedHash::try_from(bytes).map_err(|_| StoreError::Damaged { what: column })
    };
    let ended: Option<i64> = get(row, "unlinked_at")?;
    let unlinked = match ended {
        Some(at) => Some(Unlinked {
            at: as_time(at, "unlinked_at")?,
            why: get(row, "unlinked_why")?,
            by: get(row, "unlinked_by")?,
        }),
        None => None,
    };
    let operation: Option<&str> = get(row, "operation")?;
    let operation = operation.map(Uuid::parse_str).transpose();
    Ok(Link {
        id: uuid(row, "id")?,
        caller: get(row, "caller")?,
        registry: get(row, "registry")?,
        subject: hash("subject")?,
        identifier: hash("identifier")?,
        scheme: get(row, "scheme")?,
        record: uuid(row, "record")?,
        evidence: get(row, "evidence")?,
        ability: get(row, "ability")?,
        module_digest: get(row, "module_digest")?,
        request_id: get(row, "request_id")?,
        operation: operation.map_err(|_| StoreError::Damaged { what: "operation" })?,
        by_user: get(row, "by_user")?,
        linked_at: time(row, "linked_at")?,
        unlinked,
        sealed: get::<&[u8]>(row, "sealed")?.to_vec(),
    })
}
