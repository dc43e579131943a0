//! Registries are taken into the store, all that are asked for or none.

mod acts;
mod apply;
mod checks;
mod differences;
mod export;
mod file;
mod limits;
pub(super) mod settings;
pub(super) mod test;

use std::fmt;

pub use apply::{AppliedRegistries, RegistriesToApply};
pub(super) use checks::{Checks, finding};
pub use differences::{FieldDifference, RegistryDifference};
pub use export::Exported;
pub use file::{ApplyError, Change, apply_file};

/// What becomes of a registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// It is new.
    Added,
    /// Its module or configuration differs.
    Changed,
    /// It goes.
    Removed,
    /// Nothing, but that its secrets are read again.
    Unchanged,
}

impl What {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Unchanged => "unchanged",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
