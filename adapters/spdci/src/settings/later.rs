//! The settings of what is not answered at once: callbacks, subscriptions, enrolments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a lookup is answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// By the response.
    #[default]
    Sync,
    /// By a callback: the response only acknowledges.
    Async,
}

/// Paths below the endpoint; those of the specification where nothing is set.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// The asynchronous search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    search: Option<String>,
    /// What became of a transaction, answered at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Life events are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subscribe: Option<String>,
    /// They are not wanted any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsubscribe: Option<String>,
    /// A beneficiary registry is told of an enrolment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enrolment: Option<String>,
    /// Whether somebody is in a programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enrolled: Option<String>,
}

/// A path by its setting, or the specification's.
macro_rules! paths {
    ($($name:ident $default:literal;)*) => {
        impl Paths {$(
            /// As set, or as specified.
            pub fn $name(&self) -> &str {
                self.$name.as_deref().unwrap_or($default)
            }
        )*}
    };
}

paths! {
    search "/registry/search";
    status "/registry/sync/txn/status";
    subscribe "/registry/subscribe";
    unsubscribe "/registry/unsubscribe";
    enrolment "/registry/sync/enrollment/updates";
    enrolled "/registry/sync/enrolled";
}

pub(super) fn default_status_after_ms() -> u32 {
    5_000
}

/// Ten minutes: what is refused is mended by a person, there or here.
pub(super) fn default_subscribe_again_ms() -> u32 {
    600_000
}

pub(super) fn default_settle_ms() -> u32 {
    60_000
}

/// The model's words with a capital, as the specification's example writes `Active`. The code list
/// itself (CD.IBR.02) is a draft.
pub(super) fn default_enrolment_statuses() -> BTreeMap<String, String> {
    super::table(&[
        ("potential", "Potential"),
        ("enrolled", "Enrolled"),
        ("active", "Active"),
        ("suspended", "Suspended"),
        ("graduated", "Graduated"),
        ("ended", "Ended"),
        ("rejected", "Rejected"),
    ])
}
