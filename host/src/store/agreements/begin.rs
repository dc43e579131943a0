//! The transaction by which an agreement begins.

use std::sync::Arc;

use uuid::Uuid;

use super::{Begun, NewAgreement, Told};
use crate::store::clock::{clock, microseconds};
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::nodes::take_turns;
use crate::store::{registries, wake};

#[derive(Debug)]
pub(in crate::store) struct Beginning {
    new: NewAgreement,
    told: Told<Begun>,
}

impl Beginning {
    pub(super) fn new(new: NewAgreement) -> (Self, Told<Begun>) {
        let told: Told<Begun> = Arc::default();
        let beginning = Self {
            new,
            told: Arc::clone(&told),
        };
        (beginning, told)
    }
}

pub(in crate::store) async fn begin(
    conn: &mut Conn,
    beginning: &Beginning,
) -> Result<i64, StoreError> {
    let NewAgreement {
        registry,
        to,
        expected,
        why,
        forced,
        by_caller,
        leader,
        prepared,
        led_for,
        decide_within,
    } = &beginning.new;
    take_turns(conn).await?;
    let tell = |begun| {
        let _ = beginning.told.set(begun);
        Ok(0)
    };
    let row = query("SELECT module_digest, updated_at FROM registries WHERE name = $1")
        .bind(registry)
        .fetch_optional(&mut *conn)
        .await?;
    let unknown = |what, name: &str| StoreError::Unknown {
        what,
        name: name.to_owned(),
    };
    let row = row.ok_or_else(|| unknown("registry", registry))?;
    let from: String = get(&row, "module_digest")?;
    if expected.as_ref().is_some_and(|expected| *expected != from) {
        return Err(StoreError::Moved {
            what: "registry.module",
            is: from,
        });
    }
    if from == *to {
        return tell(Begun::Already);
    }
    registries::require_module(conn, to).await?;
    let at = clock(conn).await?;
    let id = Uuid::now_v7();
    let written = query(
        "INSERT INTO agreements (id, registry, from_digest, to_digest, updated_at, phase, \
         why, forced, by_caller, leader, began_at, led_until, decide_by) \
         VALUES ($1, $2, $3, $4, $5, 'preparing', $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(registry)
    .bind(&from)
    .bind(to)
    .bind(get::<i64>(&row, "updated_at")?)
    .bind(why.as_str())
    .bind(*forced)
    .bind(by_caller)
    .bind(leader)
    .bind(at)
    .bind(at.saturating_add(microseconds(*led_for)))
    .bind(at.saturating_add(microseconds(*decide_within)))
    .execute(&mut *conn)
    .await?;
    if written == 0 {
        return tell(Begun::UnderWay);
    }
    ask_all(conn, id, at).await?;
    if let Some(node) = prepared {
        // At once: it must not be asked what it has done.
        query("UPDATE agreement_nodes SET state = 'prepared' WHERE agreement = $1 AND node = $2")
            .bind(id.to_string())
            .bind(node.to_string())
            .execute(&mut *conn)
            .await?;
    }
    wake(conn).await?;
    tell(Begun::Asked(id))
}

/// Asks the nodes that are alive and were not asked yet.
pub(super) async fn ask_all(conn: &mut Conn, id: Uuid, at: i64) -> Result<(), StoreError> {
    let asked = query(
        "INSERT INTO agreement_nodes (agreement, node, state) SELECT $1, id, 'asked' FROM nodes \
         WHERE NOT stopped AND alive_until > $2 ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(at)
    .execute(&mut *conn)
    .await?;
    if asked > 0 {
        wake(conn).await?;
    }
    Ok(())
}
