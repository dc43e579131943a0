//! From columns to types and back, and the limits of what is stored.

use jiff::Timestamp;
use uuid::Uuid;

use super::db::{Column, Row};
use super::error::StoreError;

/// A column's value as the type that it should be.
pub(super) fn get<'r, T: Column<'r>>(row: &'r Row, column: &'static str) -> Result<T, StoreError> {
    row.get(column)
}

pub(super) fn time(row: &Row, column: &'static str) -> Result<Timestamp, StoreError> {
    as_time(get(row, column)?, column)
}

pub(super) fn as_time(microseconds: i64, what: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| StoreError::Damaged { what })
}

/// Drops what the database does not keep, so that what is read back equals what was written.
pub(super) fn to_microsecond(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

pub(super) fn uuid(row: &Row, column: &'static str) -> Result<Uuid, StoreError> {
    Uuid::parse_str(get(row, column)?).map_err(|_| StoreError::Damaged { what: column })
}

/// A count that is stored as the database's signed number.
pub(super) fn count<N: TryFrom<i64>>(row: &Row, column: &'static str) -> Result<N, StoreError> {
    N::try_from(get(row, column)?).map_err(|_| StoreError::Damaged { what: column })
}

/// Refuses an empty or oversized text, or one with a NUL, naming the field.
pub(super) fn check_text(
    field: &'static str,
    value: &str,
    max_bytes: usize,
) -> Result<(), StoreError> {
    if value.is_empty() {
        return Err(StoreError::Invalid {
            field,
            problem: "is empty".to_owned(),
        });
    }
    check_no_nul(field, value)?;
    check_size(field, value.len(), max_bytes, "bytes")
}

/// Refuses a NUL, which PostgreSQL cannot keep in a text, naming the field.
pub(super) fn check_no_nul(field: &'static str, value: &str) -> Result<(), StoreError> {
    if value.contains('\0') {
        return Err(StoreError::Invalid {
            field,
            problem: "has a NUL character".to_owned(),
        });
    }
    Ok(())
}

/// Refuses more than `max`, naming the field.
pub(super) fn check_size(
    field: &'static str,
    size: usize,
    max: usize,
    unit: &str,
) -> Result<(), StoreError> {
    if size > max {
        return Err(StoreError::Invalid {
            field,
            problem: format!("has {size} {unit}, at most {max} are kept"),
        });
    }
    Ok(())
}
