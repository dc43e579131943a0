//! The transactions of an agreement. They lock in one order: the agreement, the beats, the
//! configuration, the registry.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::begin::ask_all;
use super::{Asking, Decision, Told};
use crate::store::activations::Why;
use crate::store::clock::{clock, microseconds};
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::nodes::take_turns;
use crate::store::registries::{self, RegistryChange};
use crate::store::wake;

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
    from: String,
    to: String,
    updated_at: i64,
    why: Why,
    by_caller: String,
    leader: String,
    led_until: i64,
    decide_by: i64,
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
         registry, from_digest, to_digest, updated_at, why, by_caller, leader, led_until, decide_by",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Open {
            registry: get(&row, "registry")?,
            from: get(&row, "from_digest")?,
            to: get(&row, "to_digest")?,
            updated_at: get(&row, "updated_at")?,
            why: Why::of(&get::<String>(&row, "why")?)?,
            by_caller: get(&row, "by_caller")?,
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
        phase => {
            let reason = get::<Option<String>>(&row, "reason")?.unwrap_or_default();
            Ok(match phase {
                "overtaken" => Decision::Overtaken(reason),
                _ => Decision::Cancelled(reason),
            })
        }
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

/// Changes the registry as any activation does, in the name of whoever began it.
async fn commit(conn: &mut Conn, open: &Open) -> Result<Decision, StoreError> {
    // Nobody else changes a registry until this ends.
    query("UPDATE configuration SET revision = revision WHERE id = 1")
        .execute(&mut *conn)
        .await?;
    let row = query("SELECT updated_at FROM registries WHERE name = $1")
        .bind(&open.registry)
        .fetch_optional(&mut *conn)
        .await?;
    let overtaken = |what: &str| {
        let why = format!("{what} meanwhile: look again, then decide");
        Ok(Decision::Overtaken(why))
    };
    let Some(row) = row else {
        return overtaken("the registry was removed");
    };
    // Also by more than its module: what was prepared was for another configuration.
    if get::<i64>(&row, "updated_at")? != open.updated_at {
        return overtaken("the registry was changed");
    }
    let change = RegistryChange::Activate {
        name: open.registry.clone(),
        module_digest: open.to.clone(),
        expected: Some(open.from.clone()),
        why: open.why,
    };
    conn.save().await?;
    match registries::apply(conn, &[change], &open.by_caller).await {
        Ok(revision) => {
            conn.keep().await?;
            Ok(Decision::Committed(revision))
        }
        Err(StoreError::Unknown { what: "module", .. }) => {
            conn.take_back().await?;
            overtaken("the module was retired")
        }
        Err(error) => Err(error),
    }
}

async fn close(conn: &mut Conn, id: Uuid, decision: &Decision, at: i64) -> Result<(), StoreError> {
    let (phase, revision, reason) = match decision {
        Decision::Preparing(_) => return Ok(()),
        Decision::Committed(revision) => ("committed", Some(*revision), None),
        Decision::Cancelled(reason) => ("cancelled", None, Some(reason.as_str())),
        Decision::Overtaken(reason) => ("overtaken", None, Some(reason.as_str())),
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
