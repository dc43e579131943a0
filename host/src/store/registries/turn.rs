//! Changes by which something else serves a registry.

use std::collections::HashSet;

use super::{RegistryChange, require_module, unknown};
use crate::store::activations::Turned;
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

/// What serves once the registry is put so.
pub(super) fn put_turns(change: &RegistryChange) -> Option<Turned<'_>> {
    let RegistryChange::Put {
        name,
        module_digest,
        enabled,
        ..
    } = change
    else {
        return None;
    };
    Some(Turned {
        registry: name,
        module: enabled.then_some(module_digest),
        why: "apply",
    })
}

pub(super) async fn enable<'c>(
    conn: &mut Conn,
    name: &'c String,
    enabled: bool,
    at: i64,
) -> Result<(&'c String, Option<String>, &'static str), StoreError> {
    let row = query(
        "UPDATE registries SET enabled = $2, updated_at = $3 WHERE name = $1 \
         RETURNING module_digest",
    )
    .bind(name)
    .bind(enabled)
    .bind(at)
    .fetch_optional(conn)
    .await?;
    let row = row.ok_or_else(|| unknown("registry", name))?;
    let digest: String = get(&row, "module_digest")?;
    Ok(if enabled {
        (name, Some(digest), "enable")
    } else {
        (name, None, "disable")
    })
}

/// Gives the module and the word for it, where the registry takes calls.
pub(super) async fn activate<'c>(
    conn: &mut Conn,
    change: &'c RegistryChange,
    at: i64,
    modules: &mut HashSet<&'c str>,
) -> Result<Option<(String, &'static str)>, StoreError> {
    let RegistryChange::Activate {
        name,
        module_digest,
        expected,
        why,
    } = change
    else {
        return Ok(None);
    };
    let row = query("SELECT module_digest, enabled FROM registries WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *conn)
        .await?;
    let row = row.ok_or_else(|| unknown("registry", name))?;
    let is: String = get(&row, "module_digest")?;
    if expected.as_ref().is_some_and(|expected| *expected != is) {
        return Err(StoreError::Moved {
            what: "registry.module",
            is,
        });
    }
    if modules.insert(module_digest) {
        require_module(conn, module_digest).await?;
    }
    if is != *module_digest {
        query("UPDATE registries SET module_digest = $2, updated_at = $3 WHERE name = $1")
            .bind(name)
            .bind(module_digest)
            .bind(at)
            .execute(&mut *conn)
            .await?;
    }
    let enabled: bool = get(&row, "enabled")?;
    Ok(enabled.then(|| (module_digest.clone(), why.as_str())))
}

pub(super) async fn require_registry(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    let known = query("SELECT enabled FROM registries WHERE name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?;
    known.map(|_| ()).ok_or_else(|| unknown("registry", name))
}
