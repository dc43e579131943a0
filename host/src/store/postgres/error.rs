use std::sync::Arc;

use sqlx::error::DatabaseError;

use crate::store::error::StoreError;

/// Lock not available, deadlock, serialisation failure, too many connections, cancelled by a
/// timeout of the server's.
const BUSY: [&str; 5] = ["55P03", "40P01", "40001", "53300", "57014"];
/// Data exception (a NUL in a text), and integrity constraint violation.
const REFUSED: [&str; 2] = ["22", "23"];
/// Whose messages are about the server, its roles and its objects. Others quote what was written.
const QUOTABLE: [&str; 13] = [
    "08", "0A", "25", "28", "3D", "3F", "42", "53", "54", "55", "57", "58", "XX",
];

/// What the server says, without what it quotes: sqlx's own error shows the failing row.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL says {code}: {message}")]
struct ServerError {
    code: String,
    message: String,
}

/// Tells a refused row from a database that is busy or broken.
pub(in crate::store) fn from_sqlx(error: sqlx::Error) -> StoreError {
    let database = match error {
        sqlx::Error::PoolTimedOut => return StoreError::Busy,
        sqlx::Error::PoolClosed => return StoreError::Closed,
        sqlx::Error::Database(database) => database,
        other => return StoreError::Unavailable(Arc::new(other)),
    };
    let shown = shown(database.as_ref());
    let is_of = |classes: &[&str]| classes.iter().any(|class| shown.code.starts_with(class));
    if is_of(&BUSY) {
        StoreError::Busy
    } else if is_of(&REFUSED) {
        StoreError::Refused(Arc::new(shown))
    } else {
        StoreError::Unavailable(Arc::new(shown))
    }
}

fn shown(database: &dyn DatabaseError) -> ServerError {
    let code = database.code().unwrap_or_default().into_owned();
    let message = if QUOTABLE.iter().any(|class| code.starts_with(class)) {
        database.message().to_owned()
    } else if let Some(constraint) = database.constraint() {
        format!("against {constraint}")
    } else {
        "(its words may quote what was written)".to_owned()
    };
    ServerError { code, message }
}
