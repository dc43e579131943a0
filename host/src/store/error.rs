use std::error::Error;
use std::sync::Arc;

/// What lies under a [`StoreError`]. Shared, since one failed commit is the answer to many callers.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Why the store did not do what was asked. Nothing was changed, except as `Unavailable` says.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's file or directory cannot be made or opened, or its server not reached.
    #[error("the database {path} cannot be opened")]
    Open {
        /// The file or directory, or where the server should be, as configured.
        path: String,
        /// What the system says.
        source: Cause,
    },
    /// The server cannot be trusted with what may not be lost, or is too old.
    #[error("the database is not fit: {problem}")]
    Unfit {
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The schema cannot be brought up to date, or is that of a later gateway.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] Cause),
    /// The queue is full, every reader is taken, another process keeps the lock, or the server takes
    /// no more connections. Try again later.
    #[error("the database is busy")]
    Busy,
    /// The database failed: disk full, input or output error, server gone. A write that ends so is
    /// not acknowledged; if it failed in the very act of committing, it may still be found later.
    #[error("the database is unavailable")]
    Unavailable(#[source] Cause),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Another row has this value already.
    #[error("{field} is taken already: {value}")]
    Taken {
        /// The field that must be unique, such as `caller.name`.
        field: &'static str,
        /// The value, or `(hidden)` where it is not for showing.
        value: String,
    },
    /// There is no such row.
    #[error("there is no {what} {name}")]
    Unknown {
        /// What was looked for: a registry, a module, a caller.
        what: &'static str,
        /// Its name, digest or id.
        name: String,
    },
    /// It was changed meanwhile: what was expected is no longer so.
    #[error("{what} is {is} by now")]
    Moved {
        /// What was to be as expected: `registry.module`.
        what: &'static str,
        /// What it is.
        is: String,
    },
    /// It was changed since it was read.
    #[error("the {what} have been changed meanwhile")]
    Stale {
        /// What was: registries.
        what: &'static str,
    },
    /// Something needs it.
    #[error("the {what} is in use by {by}")]
    InUse {
        /// What was to be removed: a module.
        what: &'static str,
        /// By whom: `registries.social`.
        by: String,
    },
    /// Writes to it are not over.
    #[error("{count} operations of the registry {registry} are open")]
    OperationsOpen {
        /// Its name.
        registry: String,
        /// How many.
        count: u64,
    },
    /// A field does not hold to its limits.
    #[error("{field} {problem}")]
    Invalid {
        /// The field, such as `audit.purpose`.
        field: &'static str,
        /// What is wrong, without the value.
        problem: String,
    },
    /// The database refuses this one row: an id used before, or an end without its beginning.
    #[error("the database refuses the row")]
    Refused(#[source] Cause),
    /// What is stored cannot be read back as what it should be.
    #[error("the stored {what} is damaged")]
    Damaged {
        /// The table or field.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether the database as a whole failed, not just the one request.
    pub(super) fn is_of_the_database(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_) | Self::Unfit { .. })
    }
}
