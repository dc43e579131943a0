//! What the state of all registries is known by, for whoever changes what they have looked at.

use sha2::{Digest, Sha256};

use super::{ALL, RegistryChange, apply};
use crate::store::bump;
use crate::store::columns::get;
use crate::store::db::{Conn, Row, query};
use crate::store::error::StoreError;

/// What a state is known by: whoever changed something, and by whichever statement, it is another.
/// When a row was last written is no part of it.
pub(super) fn state_of(rows: &[Row]) -> String {
    let mut hash = Sha256::new();
    for row in rows {
        let texts = ["name", "module_digest", "configuration"];
        for column in texts {
            let text: String = get(row, column).unwrap_or_default();
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
        let enabled: bool = get(row, "enabled").unwrap_or_default();
        hash.update([enabled.into()]);
    }
    let hash = hash.finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(in crate::store) async fn apply_to(
    conn: &mut Conn,
    state: &str,
    changes: &[RegistryChange],
    by: &str,
) -> Result<i64, StoreError> {
    // It moves the revision first, and so nobody else changes a registry until this ends.
    let revision = bump(&mut *conn).await?;
    let rows = query(ALL).fetch_all(&mut *conn).await?;
    if state_of(&rows) != state {
        return Err(StoreError::Stale { what: "registries" });
    }
    if changes.is_empty() {
        return Ok(revision);
    }
    apply(conn, changes, by).await
}
