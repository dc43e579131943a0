//! Links made and ended, within a transaction.

use uuid::Uuid;

use super::{Link, Linked, Linking, NewLinks, columns, link_of};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::now;
use crate::store::postgres::LINK_LOCKS;

/// Makes them, within a transaction.
pub(in crate::store) async fn add(conn: &mut Conn, linking: &Linking) -> Result<i64, StoreError> {
    if let Some(first) = linking.new.links.first() {
        take_turn(conn, lock_of(first)).await?;
    }
    let came = link_all(conn, &linking.new).await?;
    let done = i64::from(matches!(came, Linked::Done(_)));
    // Nobody else has this one.
    let _ = linking.came.set(came);
    Ok(done)
}

/// The same, for whoever has taken the turn. Nothing is done unless all is.
pub(in crate::store) async fn link_all(
    conn: &mut Conn,
    new: &NewLinks,
) -> Result<Linked, StoreError> {
    let links = &new.links;
    let Some(first) = links.first() else {
        return Ok(Linked::Done(Vec::new()));
    };
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
        (_, Some(same)) => same.record,
        (Some(other), None) if new.one_record => {
            return Ok(Linked::OtherRecord(Box::new(other.clone())));
        }
        _ => first.record,
    };
    let mut done: Vec<Link> = Vec::with_capacity(links.len());
    for link in links {
        let same = |one: &&Link| one.identifier == link.identifier;
        if done.iter().any(|one| same(&one)) {
            continue;
        }
        match standing.iter().find(same) {
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

/// Two that link people of one caller and registry see one another's links.
async fn take_turn(conn: &mut Conn, lock: i64) -> Result<(), StoreError> {
    if let Conn::Postgres(_) = conn {
        query("SELECT pg_advisory_xact_lock($1)")
            .bind(lock)
            .fetch_all(conn)
            .await?;
    }
    Ok(())
}

/// A number for a caller and a registry. Two that share one merely take turns.
pub(in crate::store) fn lock_of(link: &Link) -> i64 {
    let bytes = link.caller.bytes().chain([0]).chain(link.registry.bytes());
    let sum = bytes.fold(0_u32, |sum, byte| {
        sum.rotate_left(5)
            .wrapping_mul(31)
            .wrapping_add(u32::from(byte))
    });
    LINK_LOCKS | i64::from(sum)
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
    let operation = link.operation.map(|id| id.to_string());
    query(
        "INSERT INTO links (id, caller, registry, subject, identifier, scheme, record, evidence, \
         ability, module_digest, request_id, operation, by_user, linked_at, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(link.id.to_string())
    .bind(&link.caller)
    .bind(&link.registry)
    .bind(&link.subject[..])
    .bind(&link.identifier[..])
    .bind(&link.scheme)
    .bind(link.record.to_string())
    .bind(&link.evidence)
    .bind(&link.ability)
    .bind(&link.module_digest)
    .bind(&link.request_id)
    .bind(operation.as_deref())
    .bind(&link.by_user)
    .bind(link.linked_at.as_microsecond())
    .bind(&link.sealed[..])
    .execute(conn)
    .await
    .map(drop)
}

/// Ends one, within a transaction.
pub(in crate::store) async fn end(
    conn: &mut Conn,
    id: Uuid,
    why: &str,
    by: &str,
) -> Result<i64, StoreError> {
    let ended = query(
        "UPDATE links SET unlinked_at = $2, unlinked_why = $3, unlinked_by = $4 \
         WHERE id = $1 AND unlinked_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now().as_microsecond())
    .bind(why)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(i64::try_from(ended).unwrap_or(i64::MAX))
}
