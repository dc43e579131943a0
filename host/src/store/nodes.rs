use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::{clock, clock_of, microseconds};
use super::columns::{as_time, check_text, count, get, time, uuid};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};
use super::{Store, wake};

const NAME_MAX_BYTES: usize = 128;

/// The whole of a rate, in the millionths that nodes share it by.
pub const WHOLE_SHARE: u32 = 1_000_000;

/// A sign of life.
#[derive(Clone, Debug)]
pub struct Beat {
    /// The node's, kept in its data directory.
    pub id: Uuid,
    /// Of this process: a node that was started again has another.
    pub run: Uuid,
    /// For people.
    pub name: String,
    /// The gateway's version.
    pub version: String,
    /// Its address.
    pub listens: String,
    /// It is taken for dead when this has passed without another beat.
    pub alive_for: Duration,
    /// Of the configuration that it serves.
    pub revision: i64,
    /// The share of each rate that it uses now, in millionths.
    pub share: u32,
    /// What it does not serve as committed.
    pub behind: Vec<Behind>,
}

/// What came of a beat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Beaten {
    /// The share that the node may use from now on, in millionths. Where it is less than it used, it
    /// says so by another beat once it uses no more.
    pub share: u32,
    /// How many nodes are alive, this one too.
    pub live: u32,
}

/// A registry whose committed module a node does not serve.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Behind {
    /// Its name.
    pub registry: String,
    /// The digest of the module that serves there.
    pub serves: String,
    /// The digest of the module that should.
    pub committed: String,
    /// Why it does not.
    pub reason: String,
}

/// A node as the others see it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Kept in its data directory.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// Whether it is there.
    pub life: Life,
    /// The gateway's version.
    pub version: String,
    /// Its address.
    pub listens: String,
    /// When its process began.
    pub started_at: Timestamp,
    /// Its last beat.
    pub seen_at: Timestamp,
    /// Of the configuration that it serves.
    pub revision: i64,
    /// The share of each rate that it may use, in millionths.
    pub share: u32,
    /// What it does not serve as committed.
    pub behind: Vec<Behind>,
}

/// Whether a node is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Life {
    /// It beat in time.
    Live,
    /// It did not.
    Dead,
    /// It said goodbye.
    Stopped,
}

/// The gateways that share the database.
#[derive(Clone, Copy, Debug)]
pub struct Nodes<'a> {
    store: &'a Store,
}

/// A beat on its way, and where its answer goes.
#[derive(Debug)]
pub(super) struct Beating {
    beat: Beat,
    /// The first of the process: it takes the place of the process before it.
    first: bool,
    answer: Arc<OnceLock<Beaten>>,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Says that the process has begun, in the place of any other with this id.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn join(self, beat: Beat) -> Result<Beaten, StoreError> {
        check_text("node.name", &beat.name, NAME_MAX_BYTES)?;
        self.beating(beat, true).await
    }

    /// Says that the process is there.
    ///
    /// # Errors
    /// `Taken` where another process has begun with this id, or this one said goodbye; others as for
    /// any write.
    pub async fn beat(self, beat: Beat) -> Result<Beaten, StoreError> {
        self.beating(beat, false).await
    }

    async fn beating(self, beat: Beat, first: bool) -> Result<Beaten, StoreError> {
        let answer = Arc::default();
        let change = Change::Beat(Box::new(Beating {
            beat,
            first,
            answer: Arc::clone(&answer),
        }));
        self.store.writer.write(Work::Change(change)).await?;
        answer
            .get()
            .copied()
            .ok_or(StoreError::Damaged { what: "node" })
    }

    /// Says goodbye. Its share is free at once.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn leave(self, id: Uuid, run: Uuid) -> Result<(), StoreError> {
        let change = Change::Leave { id, run };
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// Forgets the nodes that were last seen so long ago, and what they decided then.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn forget(self, unseen: Duration) -> Result<(), StoreError> {
        let change = Change::ForgetNodes(unseen);
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// All that are known, by name.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<Node>, StoreError> {
        let at = clock_of(&self.store.readers).await?;
        let rows = query(
            "SELECT id, name, version, listens, started_at, seen_at, alive_until, stopped, \
             revision, share, behind FROM nodes ORDER BY name, id",
        )
        .fetch_all(&self.store.readers)
        .await?;
        rows.iter().map(|row| node_of(row, at)).collect()
    }
}

pub(super) async fn beat(conn: &mut Conn, beating: &Beating) -> Result<i64, StoreError> {
    let Beating {
        beat,
        first,
        answer,
    } = beating;
    take_turns(conn).await?;
    let at = clock(conn).await?;
    let id = beat.id.to_string();
    let others =
        query("SELECT id, share FROM nodes WHERE NOT stopped AND alive_until > $1 AND id <> $2")
            .bind(at)
            .bind(&id)
            .fetch_all(&mut *conn)
            .await?;
    let mut theirs: u32 = 0;
    for row in &others {
        theirs = theirs.saturating_add(count(row, "share")?);
    }
    let live = u32::try_from(others.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    // What the others still use is theirs until they say that they use less.
    let share = (WHOLE_SHARE / live).min(WHOLE_SHARE.saturating_sub(theirs));
    let row = query(
        "INSERT INTO nodes (id, name, run, version, listens, started_at, seen_at, alive_until, \
         stopped, revision, share, behind) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, run = excluded.run, \
         version = excluded.version, listens = excluded.listens, \
         started_at = CASE WHEN nodes.run = excluded.run THEN nodes.started_at \
         ELSE excluded.started_at END, seen_at = excluded.seen_at, \
         alive_until = excluded.alive_until, stopped = excluded.stopped, \
         revision = excluded.revision, share = excluded.share, behind = excluded.behind \
         WHERE (nodes.run = excluded.run AND NOT nodes.stopped) OR $12",
    );
    let behind = serde_json::to_string(&beat.behind).unwrap_or_else(|_| "[]".into());
    let written = row
        .bind(&id)
        .bind(&beat.name)
        .bind(beat.run.to_string())
        .bind(&beat.version)
        .bind(&beat.listens)
        .bind(at)
        .bind(at.saturating_add(microseconds(beat.alive_for)))
        .bind(false)
        .bind(beat.revision)
        .bind(i64::from(share.max(beat.share)))
        .bind(behind)
        .bind(*first)
        .execute(&mut *conn)
        .await?;
    if written == 0 {
        return Err(StoreError::Taken {
            field: "node.id",
            value: id,
        });
    }
    let _ = answer.set(Beaten { share, live });
    Ok(0)
}

pub(super) async fn leave(conn: &mut Conn, id: Uuid, run: Uuid) -> Result<i64, StoreError> {
    take_turns(conn).await?;
    let done = query("UPDATE nodes SET stopped = $3, share = 0 WHERE id = $1 AND run = $2")
        .bind(id.to_string())
        .bind(run.to_string())
        .bind(true)
        .execute(&mut *conn)
        .await?;
    if done > 0 {
        wake(conn).await?;
    }
    Ok(0)
}

pub(super) async fn forget(conn: &mut Conn, unseen: Duration) -> Result<i64, StoreError> {
    let before = clock(conn).await?.saturating_sub(microseconds(unseen));
    for statement in [
        "DELETE FROM nodes WHERE seen_at < $1 AND alive_until < $1",
        // What they led to is in the registries.
        "DELETE FROM agreement_nodes WHERE agreement IN \
         (SELECT id FROM agreements WHERE decided_at < $1)",
        "DELETE FROM agreements WHERE decided_at < $1",
    ] {
        query(statement).bind(before).execute(&mut *conn).await?;
    }
    Ok(0)
}

/// Beats look at each other's shares: two at once would both take what one left.
pub(super) async fn take_turns(conn: &mut Conn) -> Result<(), StoreError> {
    query("UPDATE cluster SET beats = beats + 1 WHERE id = 1")
        .execute(conn)
        .await
        .map(drop)
}

fn node_of(row: &Row, at: i64) -> Result<Node, StoreError> {
    let alive_until: i64 = get(row, "alive_until")?;
    let life = match get(row, "stopped")? {
        true => Life::Stopped,
        false if alive_until > at => Life::Live,
        false => Life::Dead,
    };
    Ok(Node {
        id: uuid(row, "id")?,
        name: get(row, "name")?,
        life,
        version: get(row, "version")?,
        listens: get(row, "listens")?,
        started_at: time(row, "started_at")?,
        seen_at: as_time(get(row, "seen_at")?, "seen_at")?,
        revision: get(row, "revision")?,
        share: count(row, "share")?,
        // Of a later gateway, in words that this one does not know: that it is behind is known.
        behind: serde_json::from_str(get(row, "behind")?).unwrap_or_default(),
    })
}
