//! The transactions of an agreement. They lock in one order: the agreement, the beats, the
//! configuration, the registry.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Asking, Begun, Decision, NewAgreement, Told, written_at};
use crate::store::clock::{clock, microseconds};
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::nodes::take_turns;
use crate::store::{bump, wake};

#[derive(Debug)]
pub(in crate::store) struct Beginning {
    new: NewAgreement,
    told: Told<Begun>,
}

#[derive(Debug)]
pub(in crate::store) struct Answering {
    pub(super) id: Uuid,
    pub(super) node: Uuid,
    pub(super) cannot: Option<String>,
}

#[derive(Debug)]
pub(in crate::store) struct Deciding {
    id: Uuid,
    asking: Asking,
    /// Whatever the nodes say.
    cancel: Option<String>,
    told: Told<Decision>,
}

/// An agreement that is not decided, locked.
struct Open {
    registry: String,
    to: String,
    updated_at: i64,
    leader: String,
    led_until: i64,
    decide_by: i64,
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

impl Deciding {
    pub(super) fn new(id: Uuid, asking: Asking) -> (Self, Told<Decision>) {
        let told: Told<Decision> = Arc::default();
        let deciding = Self {
            id,
            asking,
            cancel: None,
            told: Arc::clone(&told),
        };
        (deciding, told)
    }

    pub(super) fn cancelling(id: Uuid, reason: String) -> (Self, Told<Decision>) {
        let (deciding, told) = Self::new(id, Asking::Leader(Duration::ZERO));
        let cancel = Some(reason);
        (Self { cancel, ..deciding }, told)
    }
}

pub(in crate::store) async fn begin(
    conn: &mut Conn,
    beginning: &Beginning,
) -> Result<i64, StoreError> {
    let NewAgreement {
        registry,
        to,
        by_caller,
        leader,
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
    if from == *to {
        return tell(Begun::Already);
    }
    let module = query("SELECT size_bytes FROM modules WHERE digest = $1").bind(to);
    if module.fetch_optional(&mut *conn).await?.is_none() {
        return Err(unknown("module", to));
    }
    let at = clock(conn).await?;
    let id = Uuid::now_v7();
    let written = query(
        "INSERT INTO agreements (id, registry, from_digest, to_digest, updated_at, phase, \
         by_caller, leader, began_at, led_until, decide_by) \
         VALUES ($1, $2, $3, $4, $5, 'preparing', $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(registry)
    .bind(&from)
    .bind(to)
    .bind(get::<i64>(&row, "updated_at")?)
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
    wake(conn).await?;
    tell(Begun::Asked(id))
}

pub(in crate::store) async fn answer(
    conn: &mut Conn,
    answering: &Answering,
) -> Result<i64, StoreError> {
    let state = match &answering.cannot {
        None => "prepared",
        Some(_) => "cannot",
    };
    let told = query(
        "UPDATE agreement_nodes SET state = $3, reason = $4 WHERE agreement = $1 AND node = $2 \
         AND EXISTS (SELECT 1 FROM agreements WHERE id = $1 AND phase = 'preparing')",
    )
    .bind(answering.id.to_string())
    .bind(answering.node.to_string())
    .bind(state)
    .bind(&answering.cannot)
    .execute(&mut *conn)
    .await?;
    if told > 0 {
        wake(conn).await?;
    }
    Ok(0)
}

pub(in crate::store) async fn decide(
    conn: &mut Conn,
    deciding: &Deciding,
) -> Result<i64, StoreError> {
    let tell = |decision| {
        let _ = deciding.told.set(decision);
        Ok(0)
    };
    let id = deciding.id;
    let Some(open) = lock(conn, id).await? else {
        return tell(decided(conn, id).await?);
    };
    take_turns(conn).await?;
    let at = clock(conn).await?;
    let reason = match &deciding.cancel {
        Some(reason) => Some(reason.clone()),
        None => match verdict(conn, id, &open, deciding.asking, at).await? {
            Verdict::Commit => None,
            Verdict::Cancel(reason) => Some(reason),
            Verdict::Wait(names) => return tell(Decision::Preparing(names)),
        },
    };
    let decision = match reason {
        Some(reason) => Decision::Cancelled(reason),
        None => commit(conn, &open).await?,
    };
    close(conn, id, &decision, at).await?;
    wake(conn).await?;
    tell(decision)
}

enum Verdict {
    Commit,
    Cancel(String),
    Wait(Vec<String>),
}

/// The agreement, where it is not decided. Who comes second waits here for the first's decision.
async fn lock(conn: &mut Conn, id: Uuid) -> Result<Option<Open>, StoreError> {
    let row = query(
        "UPDATE agreements SET phase = phase WHERE id = $1 AND phase = 'preparing' RETURNING \
         registry, to_digest, updated_at, leader, led_until, decide_by",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Open {
            registry: get(&row, "registry")?,
            to: get(&row, "to_digest")?,
            updated_at: get(&row, "updated_at")?,
            leader: get(&row, "leader")?,
            led_until: get(&row, "led_until")?,
            decide_by: get(&row, "decide_by")?,
        })
    })
    .transpose()
}

async fn decided(conn: &mut Conn, id: Uuid) -> Result<Decision, StoreError> {
    let row = query("SELECT phase, revision, reason FROM agreements WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    let row = row.ok_or_else(|| StoreError::Unknown {
        what: "agreement",
        name: id.to_string(),
    })?;
    match get::<String>(&row, "phase")?.as_str() {
        "committed" => Ok(Decision::Committed(
            get::<Option<i64>>(&row, "revision")?.unwrap_or_default(),
        )),
        _ => Ok(Decision::Cancelled(
            get::<Option<String>>(&row, "reason")?.unwrap_or_default(),
        )),
    }
}

async fn verdict(
    conn: &mut Conn,
    id: Uuid,
    open: &Open,
    asking: Asking,
    at: i64,
) -> Result<Verdict, StoreError> {
    let out_of_time = open.decide_by < at;
    match asking {
        Asking::Leader(led_for) => {
            query("UPDATE agreements SET led_until = $2 WHERE id = $1")
                .bind(id.to_string())
                .bind(at.saturating_add(microseconds(led_for)))
                .execute(&mut *conn)
                .await?;
        }
        Asking::Anybody if open.led_until < at => {
            return Ok(Verdict::Cancel(format!(
                "{}, which led it, was lost before it was decided",
                open.leader
            )));
        }
        Asking::Anybody if !out_of_time => return Ok(Verdict::Wait(Vec::new())),
        Asking::Anybody => {}
    }
    // Whoever joined since prepares too.
    ask_all(conn, id, at).await?;
    let rows = query(
        "SELECT name, state, reason FROM agreement_nodes JOIN nodes ON nodes.id = node \
         WHERE agreement = $1 AND NOT stopped AND alive_until > $2 ORDER BY name",
    )
    .bind(id.to_string())
    .bind(at)
    .fetch_all(&mut *conn)
    .await?;
    let mut waiting = Vec::new();
    for row in &rows {
        let name: String = get(row, "name")?;
        match get::<String>(row, "state")?.as_str() {
            "prepared" => {}
            "asked" => waiting.push(name),
            _ => {
                let reason: Option<String> = get(row, "reason")?;
                let reason = reason.unwrap_or_default();
                return Ok(Verdict::Cancel(format!("{name} cannot: {reason}")));
            }
        }
    }
    Ok(match waiting.is_empty() {
        true => Verdict::Commit,
        false if out_of_time => {
            let names = waiting.join(", ");
            Verdict::Cancel(format!("not prepared within node.prepare_ms: {names}"))
        }
        false => Verdict::Wait(waiting),
    })
}

/// Asks the nodes that are alive and were not asked yet.
async fn ask_all(conn: &mut Conn, id: Uuid, at: i64) -> Result<(), StoreError> {
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

async fn commit(conn: &mut Conn, open: &Open) -> Result<Decision, StoreError> {
    let revision = bump(conn).await?;
    let done = query(
        "UPDATE registries SET module_digest = $2, updated_at = $4 \
         WHERE name = $1 AND updated_at = $3",
    )
    .bind(&open.registry)
    .bind(&open.to)
    .bind(open.updated_at)
    .bind(written_at())
    .execute(conn)
    .await?;
    Ok(match done {
        0 => Decision::Cancelled("the registry was changed meanwhile".into()),
        _ => Decision::Committed(revision),
    })
}

async fn close(conn: &mut Conn, id: Uuid, decision: &Decision, at: i64) -> Result<(), StoreError> {
    let (phase, revision, reason) = match decision {
        Decision::Preparing(_) => return Ok(()),
        Decision::Committed(revision) => ("committed", Some(*revision), None),
        Decision::Cancelled(reason) => ("cancelled", None, Some(reason.as_str())),
    };
    query(
        "UPDATE agreements SET phase = $2, revision = $3, reason = $4, decided_at = $5 \
         WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(phase)
    .bind(revision)
    .bind(reason)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
}
