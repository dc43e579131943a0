//! What calls a module by itself: a sandbox and the secrets, and neither a database nor a gateway.

use std::ops::Deref;

use tempfile::TempDir;

use super::ServeError;
use crate::config::Config;
use crate::config::secret::Secrets;
use crate::gateway::Alone;
use crate::sandbox::Sandbox;

/// Calls modules. What it needs on disk goes with it.
pub struct CalledAlone {
    alone: Alone,
    _cache: TempDir,
}

impl Deref for CalledAlone {
    type Target = Alone;

    fn deref(&self) -> &Alone {
        &self.alone
    }
}

/// Makes the sandbox that the configuration describes. No cache but one of its own: a module is tried
/// in the folder that it came with, and what lies there as compiled code would be run.
///
/// # Errors
/// [`ServeError::Sandbox`] or [`ServeError::Temporary`].
pub fn alone(config: &Config) -> Result<CalledAlone, ServeError> {
    let secrets = Secrets::new(Some(config.secrets_dir.clone()));
    let cache = tempfile::tempdir().map_err(ServeError::Temporary)?;
    let mut sandbox = config.sandbox.clone();
    sandbox.cache_dir = cache.path().to_owned();
    Ok(CalledAlone {
        alone: Alone::new(Sandbox::new(&sandbox, cache.path())?, secrets),
        _cache: cache,
    })
}
