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
    _cache: Option<TempDir>,
}

impl Deref for CalledAlone {
    type Target = Alone;

    fn deref(&self) -> &Alone {
        &self.alone
    }
}

/// Makes the sandbox that the configuration describes. Compiled code is taken from the gateway's cache
/// where that is there and readable, and is put nowhere: nothing is made in the data directory.
///
/// # Errors
/// [`ServeError::Sandbox`] or [`ServeError::Temporary`].
pub fn alone(config: &Config) -> Result<CalledAlone, ServeError> {
    let secrets = Secrets::new(Some(config.secrets_dir.clone()));
    let cache = config.data_dir.join(&config.sandbox.cache_dir);
    if cache.is_dir()
        && let Ok(sandbox) = Sandbox::new(&config.sandbox, &config.data_dir)
    {
        return Ok(CalledAlone {
            alone: Alone::new(sandbox, secrets),
            _cache: None,
        });
    }
    let cache = tempfile::tempdir().map_err(ServeError::Temporary)?;
    let mut sandbox = config.sandbox.clone();
    sandbox.cache_dir = cache.path().to_owned();
    Ok(CalledAlone {
        alone: Alone::new(Sandbox::new(&sandbox, cache.path())?, secrets),
        _cache: Some(cache),
    })
}
