//! What may be used so many times a day, by all gateways of the database together. A gateway takes a
//! part of what is left before it uses it, and gives back what it did not use: what one takes and
//! loses in a crash is lost for the day, and never used twice.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Store;
use super::clock::{clock, microseconds};
use super::columns::{check_text, get};
use super::db::{Conn, query};
use super::error::StoreError;
use super::writer::{Change, Work};

const NAME_MAX_BYTES: usize = 512;

/// How much is asked of which quota.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is counted: `endpoint social/registry`.
    pub name: String,
    /// Whose days they are.
    pub zone: TimeZone,
    /// How many a day has.
    pub limit: u64,
    /// At most so many of what is left, as far as there are any.
    pub most: u64,
    /// At most this part of what is left, and at least one: near the end nobody holds many.
    pub part: u64,
}

/// What was handed out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// So many may be used; none: there are none left.
    pub count: u64,
    /// On this day.
    pub day: Date,
    /// So long, from when it was asked for.
    pub for_: Duration,
}

/// The quotas of all gateways.
#[derive(Clone, Copy, Debug)]
pub struct Quotas<'a> {
    store: &'a Store,
}

/// A request on its way, and where its answer goes.
#[derive(Debug)]
pub(super) struct Leasing {
    asked: Asked,
    answer: Arc<OnceLock<Lease>>,
}

impl<'a> Quotas<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Takes some of what is left of the day. It is durable when this returns: no crash makes it
    /// anybody else's.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn take(self, asked: Asked) -> Result<Lease, StoreError> {
        check_text("quota.name", &asked.name, NAME_MAX_BYTES)?;
        let answer = Arc::default();
        let change = Change::TakeQuota(Box::new(Leasing {
            asked,
            answer: Arc::clone(&answer),
        }));
        self.store.writer.write(Work::Change(change)).await?;
        answer
            .get()
            .cloned()
            .ok_or(StoreError::Damaged { what: "quota" })
    }

    /// Gives back what was taken on that day and is not used.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn give_back(self, name: &str, day: Date, count: u64) -> Result<(), StoreError> {
        let change = Change::GiveBackQuota {
            name: name.to_owned(),
            day,
            count,
        };
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// How many were handed out on that day.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn taken(self, name: &str, day: Date) -> Result<u64, StoreError> {
        let row = query("SELECT taken FROM quotas WHERE name = $1 AND day = $2")
            .bind(name)
            .bind(day.to_string())
            .fetch_optional(&self.store.readers)
            .await?;
        row.map_or(Ok(0), |row| super::columns::count(&row, "taken"))
    }

    /// Forgets the days of quotas that were last used so long ago.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn forget(self, unused: Duration) -> Result<(), StoreError> {
        let change = Change::ForgetQuotas(unused);
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }
}

pub(super) async fn take(conn: &mut Conn, leasing: &Leasing) -> Result<i64, StoreError> {
    let Leasing { asked, answer } = leasing;
    let at = clock(conn).await?;
    let now = Timestamp::from_microsecond(at).map_err(|_| StoreError::Damaged { what: "clock" })?;
    let day = asked.zone.to_datetime(now).date();
    // Whoever comes second waits here until the first has taken its part.
    let row = query(
        "INSERT INTO quotas (name, day, taken, used_at) VALUES ($1, $2, 0, $3) \
         ON CONFLICT (name, day) DO UPDATE SET used_at = excluded.used_at RETURNING taken",
    )
    .bind(&asked.name)
    .bind(day.to_string())
    .bind(at)
    .fetch_one(&mut *conn)
    .await?;
    let taken: i64 = get(&row, "taken")?;
    let taken = u64::try_from(taken).map_err(|_| StoreError::Damaged { what: "taken" })?;
    let left = asked.limit.saturating_sub(taken);
    let count = (left / asked.part.max(1))
        .clamp(1, asked.most.max(1))
        .min(left);
    if count > 0 {
        query("UPDATE quotas SET taken = taken + $3 WHERE name = $1 AND day = $2")
            .bind(&asked.name)
            .bind(day.to_string())
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .execute(conn)
            .await?;
    }
    let _ = answer.set(Lease {
        count,
        day,
        for_: until_its_end(&asked.zone, day, now),
    });
    Ok(0)
}

pub(super) async fn give_back(
    conn: &mut Conn,
    name: &str,
    day: Date,
    count: u64,
) -> Result<i64, StoreError> {
    query(
        "UPDATE quotas SET taken = CASE WHEN taken > $3 THEN taken - $3 ELSE 0 END \
         WHERE name = $1 AND day = $2",
    )
    .bind(name)
    .bind(day.to_string())
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .execute(conn)
    .await?;
    Ok(0)
}

pub(super) async fn forget(conn: &mut Conn, unused: Duration) -> Result<i64, StoreError> {
    let before = clock(conn).await?.saturating_sub(microseconds(unused));
    query("DELETE FROM quotas WHERE used_at < $1")
        .bind(before)
        .execute(conn)
        .await?;
    Ok(0)
}

/// A day ends where the next one begins, which is not always 24 hours after it did.
fn until_its_end(zone: &TimeZone, day: Date, now: Timestamp) -> Duration {
    let next = day
        .checked_add(1.day())
        .and_then(|next| zone.to_zoned(next.at(0, 0, 0, 0)));
    next.map_or(Duration::ZERO, |next| {
        Duration::try_from(now.duration_until(next.timestamp())).unwrap_or_default()
    })
}
