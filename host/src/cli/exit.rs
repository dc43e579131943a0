//! What the program ends with: scripts look at nothing else.

use super::Failure;
use super::refused::Refused;
use crate::egress::RemoteError;

/// Any error that has no number of its own.
pub(super) const ERROR: u8 = 1;
/// Who asks may not.
pub(super) const NOT_ALLOWED: u8 = 3;
/// There is no such thing.
pub(super) const UNKNOWN: u8 = 4;
/// Refused as it is: the same again is refused again.
pub(super) const REFUSED: u8 = 5;
/// Not now: the same again may succeed.
pub(super) const NOT_NOW: u8 = 6;
/// No gateway answers.
pub(super) const UNREACHABLE: u8 = 7;
/// It was only looked, and something was found.
pub(super) const FOUND: u8 = 8;

/// Behind `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  an error that has no other number
  2  the arguments are wrong
  3  who asks may not: no known key, or none of the roles
  4  there is no such thing
  5  refused as it is; the same again is refused again
  6  not now: the same again may succeed
  7  no gateway answers at --server
  8  it was only looked, and something was found: `registry apply --dry-run` would change
     something, `registry test` or `adapter call` found what does not work

Examples:
  registry-gateway --config gateway.toml serve
  registry-gateway --config gateway.toml registry apply -f registries.toml --dry-run
  REGISTRY_GATEWAY_KEY=… registry-gateway --server https://gateway.example.org registry list --json";

/// It was looked, and this was found: no error, and not nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Found(pub(super) &'static str);

/// An error and what of the arguments or files it is about. It ends as the error does.
#[derive(Debug)]
pub(super) struct About {
    pub(super) place: String,
    pub(super) error: Failure,
}

impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.error)
    }
}

impl std::error::Error for About {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

pub(super) fn code(error: &Failure) -> u8 {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return refused.exit_code();
    }
    if let Some(about) = error.downcast_ref::<About>() {
        return code(&about.error);
    }
    if error.is::<RemoteError>() {
        return UNREACHABLE;
    }
    if error.is::<Found>() {
        return FOUND;
    }
    ERROR
}
