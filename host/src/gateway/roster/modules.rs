//! The modules that registries name: each is loaded once, however many name it.

use std::collections::{BTreeSet, HashMap};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::chain;
use crate::sandbox::{Module, Sandbox};
use crate::store::{Store, StoreError};

/// By digest: the module, or why there is none.
pub(in crate::gateway) type Modules = HashMap<String, Result<Module, String>>;

/// Loads modules, as many at once as there are processors. What is wrong with one is its
/// registries' trouble alone.
pub(in crate::gateway) async fn load(
    sandbox: &Sandbox,
    store: &Store,
    digests: BTreeSet<String>,
) -> Result<Modules, StoreError> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    stream::iter(digests)
        .map(|digest| one(sandbox.clone(), store.clone(), digest))
        .buffer_unordered(at_once)
        .try_collect()
        .await
}

async fn one(
    sandbox: Sandbox,
    store: Store,
    digest: String,
) -> Result<(String, Result<Module, String>), StoreError> {
    // Most often it is compiled already: megabytes need not come from the database.
    let module = match sandbox.known(&digest).await {
        Some(module) => Ok(module),
        None => from_store(&sandbox, &store, &digest).await?,
    };
    Ok((digest, module))
}

async fn from_store(
    sandbox: &Sandbox,
    store: &Store,
    digest: &str,
) -> Result<Result<Module, String>, StoreError> {
    let stored = match store.modules().get(digest).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return Ok(Err("its module is not in the store".into())),
        // Of one column or another: the bytes, or what is known of them.
        Err(StoreError::Damaged { .. }) => {
            return Ok(Err("its stored module is damaged: apply it again".into()));
        }
        Err(error) => return Err(error),
    };
    let module = match sandbox.load(&stored.bytes).await {
        Ok(module) => module,
        Err(error) => return Ok(Err(chain(&error))),
    };
    if module.digest() != digest {
        return Ok(Err("its stored module was changed: apply it again".into()));
    }
    Ok(Ok(module))
}
