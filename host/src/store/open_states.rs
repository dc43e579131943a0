//! Adapters' own bytes that others hold: by which forms somebody may come back, and until when.

use jiff::Timestamp;

use super::columns::{check_text, count, get, time};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};
use super::{Store, now};

const WORD_MAX_BYTES: usize = 128;

/// Bytes of one form that somebody may come back with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenState {
    /// The registry's name.
    pub registry: String,
    /// `page` for the tokens of a search.
    pub kind: String,
    /// The adapter's number for their form.
    pub form: u32,
    /// From then on nobody can.
    pub until: Timestamp,
}

/// What is open, of a store.
#[derive(Clone, Copy, Debug)]
pub struct OpenStates<'a> {
    store: &'a Store,
}

impl<'a> OpenStates<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Remembers that it is open, for the longest time that anybody said.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn open(self, state: OpenState) -> Result<(), StoreError> {
        check_text("open.registry", &state.registry, WORD_MAX_BYTES)?;
        check_text("open.kind", &state.kind, WORD_MAX_BYTES)?;
        let change = Change::OpenState(Box::new(state));
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// What is open of a registry.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn of(self, registry: &str) -> Result<Vec<OpenState>, StoreError> {
        query(
            "SELECT registry, kind, form, open_until FROM open_states \
             WHERE registry = $1 AND open_until > $2 ORDER BY kind, form",
        )
        .bind(registry)
        .bind(now().as_microsecond())
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(state_of)
        .collect()
    }
}

pub(super) async fn insert(conn: &mut Conn, state: &OpenState) -> Result<i64, StoreError> {
    query(
        "INSERT INTO open_states (registry, kind, form, open_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (registry, kind, form) DO UPDATE SET open_until = CASE \
         WHEN excluded.open_until > open_states.open_until THEN excluded.open_until \
         ELSE open_states.open_until END",
    )
    .bind(&state.registry)
    .bind(&state.kind)
    .bind(i64::from(state.form))
    .bind(state.until.as_microsecond())
    .execute(conn)
    .await?;
    Ok(0)
}

fn state_of(row: &Row) -> Result<OpenState, StoreError> {
    Ok(OpenState {
        registry: get(row, "registry")?,
        kind: get(row, "kind")?,
        form: count(row, "form")?,
        until: time(row, "open_until")?,
    })
}
