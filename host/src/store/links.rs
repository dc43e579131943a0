//! Which registry's person is which of a caller's people. A link is ended and never removed: what
//! stood when stays known.

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit::KeyedHash;
use super::columns::{as_time, check_size, check_text, get, time, uuid};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};

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
    /// The module that answered.
    pub module_digest: String,
    /// The caller's user, as it stated.
    pub by_user: Option<String>,
    /// Since when.
    pub linked_at: Timestamp,
    /// Until when, and why it ended. None: it stands.
    pub unlinked: Option<(Timestamp, String)>,
    /// The caller's name and the identifier, sealed.
    pub sealed: Vec<u8>,
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

/// Links to be made in one step, all of one person and one record, and what came of it.
#[derive(Debug)]
pub(super) struct Linking {
    links: Vec<Link>,
    came: std::sync::Arc<std::sync::OnceLock<Linked>>,
}

/// What every reading selects. A macro, since a query's text must be known when compiling.
macro_rules! columns {
    () => {
        "id, caller, registry, subject, identifier, scheme, record, evidence, module_digest, by_user, \
         linked_at, unlinked_at, unlinked_why, sealed "
    };
}

impl<'a> Links<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes links of one person and one record of the registry, or none of them.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn add(self, links: Vec<Link>) -> Result<Linked, StoreError> {
        for link in &links {
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
            links,
            came: std::sync::Arc::clone(&came),
        };
        let change = Change::Link(Box::new(linking));
        self.store.writer.write(Work::Change(change)).await?;
        came.get()
            .cloned()
            .ok_or(StoreError::Damaged { what: "link" })
    }

    /// Ends one. False: there is no such one of this caller that stands.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn end(self, caller: &str, id: Uuid, why: &str) -> Result<bool, StoreError> {
        check_text("link.why", why, TEXT_MAX_BYTES)?;
        let change = Change::Unlink {
            caller: caller.to_owned(),
            id,
            why: why.to_owned(),
        };
        Ok(self.store.writer.write(Work::Change(change)).await? > 0)
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

/// Makes them, within a transaction.
pub(super) async fn add(conn: &mut Conn, linking: &Linking) -> Result<i64, StoreError> {
    let came = link_all(conn, &linking.links).await?;
    let done = i64::from(matches!(came, Linked::Done(_)));
    // Nobody else has this one.
    let _ = linking.came.set(came);
    Ok(done)
}

async fn link_all(conn: &mut Conn, links: &[Link]) -> Result<Linked, StoreError> {
    let Some(first) = links.first() else {
        return Ok(Linked::Done(Vec::new()));
    };
    take_turn(conn, first).await?;
    let standing: Vec<Link> = query(concat!(
        "SELECT ",
        columns!(),
        "FROM links WHERE caller = $1 AND registry = $2 AND subject = $3 AND unlinked_at IS NULL \
         ORDER BY linked_at, id"
    ))
    .bind(&first.caller)
    .bind(&first.registry)
    .bind(&first.subject[..])
    .fetch_all(&mut *conn)
    .await?
    .iter()
    .map(link_of)
    .collect::<Result<_, _>>()?;
    for link in links {
        if let Some(other) = standing_of(conn, link).await?
            && other.subject != link.subject
        {
            return Ok(Linked::OtherSubject(Box::new(other)));
        }
    }
    // The registry's person is the same if one of its identifiers is linked already.
    let known = |one: &&Link| links.iter().any(|link| link.identifier == one.identifier);
    let record = match (standing.first(), standing.iter().find(known)) {
        (None, _) => first.record,
        (_, Some(same)) => same.record,
        (Some(other), None) => return Ok(Linked::OtherRecord(Box::new(other.clone()))),
    };
    let mut done = Vec::with_capacity(links.len());
    for link in links {
        let stands = standing
            .iter()
            .find(|one| one.identifier == link.identifier);
        match stands {
            Some(stands) => done.push(stands.clone()),
            None => {
                let link = Link {
                    record,
                    ..link.clone()
                };
                insert(conn, &link).await?;
                done.push(link);
            }
        }
    }
    Ok(Linked::Done(done))
}

/// Two that link the same person see one another's links. Whoever links the same identifier to
/// another person is refused by the index.
async fn take_turn(conn: &mut Conn, link: &Link) -> Result<(), StoreError> {
    if let Conn::Postgres(_) = conn {
        query("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))")
            .bind(format!("link {} {}", link.caller, link.registry))
            .bind(0_i64)
            .fetch_all(conn)
            .await?;
    }
    Ok(())
}

async fn standing_of(conn: &mut Conn, link: &Link) -> Result<Option<Link>, StoreError> {
    let row = query(concat!(
        "SELECT ",
        columns!(),
        "FROM links WHERE caller = $1 AND registry = $2 AND identifier = $3 AND unlinked_at IS NULL"
    ))
    .bind(&link.caller)
    .bind(&link.registry)
    .bind(&link.identifier[..])
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(link_of).transpose()
}

async fn insert(conn: &mut Conn, link: &Link) -> Result<(), StoreError> {
    query(
        "INSERT INTO links (id, caller, registry, subject, identifier, scheme, record, evidence, \
         module_digest, by_user, linked_at, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(link.id.to_string())
    .bind(&link.caller)
    .bind(&link.registry)
    .bind(&link.subject[..])
    .bind(&link.identifier[..])
    .bind(&link.scheme)
    .bind(link.record.to_string())
    .bind(&link.evidence)
    .bind(&link.module_digest)
    .bind(&link.by_user)
    .bind(link.linked_at.as_microsecond())
    .bind(&link.sealed[..])
    .execute(conn)
    .await
    .map(drop)
}

/// Ends one, within a transaction.
pub(super) async fn end(
    conn: &mut Conn,
    caller: &str,
    id: Uuid,
    why: &str,
) -> Result<i64, StoreError> {
    let ended = query(
        "UPDATE links SET unlinked_at = $3, unlinked_why = $4 \
         WHERE id = $1 AND caller = $2 AND unlinked_at IS NULL",
    )
    .bind(id.to_string())
    .bind(caller)
    .bind(super::now().as_microsecond())
    .bind(why)
    .execute(conn)
    .await?;
    Ok(i64::try_from(ended).unwrap_or(i64::MAX))
}

fn link_of(row: &Row) -> Result<Link, StoreError> {
    let hash = |column| {
        let bytes: &[u8] = get(row, column)?;
        KeyedHash::try_from(bytes).map_err(|_| StoreError::Damaged { what: column })
    };
    let ended: Option<i64> = get(row, "unlinked_at")?;
    let ended = ended.map(|at| as_time(at, "unlinked_at")).transpose()?;
    Ok(Link {
        id: uuid(row, "id")?,
        caller: get(row, "caller")?,
        registry: get(row, "registry")?,
        subject: hash("subject")?,
        identifier: hash("identifier")?,
        scheme: get(row, "scheme")?,
        record: uuid(row, "record")?,
        evidence: get(row, "evidence")?,
        module_digest: get(row, "module_digest")?,
        by_user: get(row, "by_user")?,
        linked_at: time(row, "linked_at")?,
        unlinked: ended.zip(get::<Option<String>>(row, "unlinked_why")?),
        sealed: get::<&[u8]>(row, "sealed")?.to_vec(),
    })
}
