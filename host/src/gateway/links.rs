//! Which registry's person is which of a caller's people: tied where the registry's record agrees with
//! what the caller holds, kept with how that was known, and ended without being forgotten.

mod acts;
mod ask;
mod evidence;
mod make;
mod operations;
mod sealed;
mod search;

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

pub use make::{LinkRefused, NewLink};
pub(super) use sealed::place;
pub use search::LinkQuery;

use crate::model::Agreement;
use crate::store::Link;

/// The column that is sealed.
const LINK: &str = "link";

/// A link, as it stands or stood.
#[derive(Clone, Debug)]
pub struct LinkView {
    /// Its name.
    pub id: Uuid,
    /// Whose person it is.
    pub caller: String,
    /// Whose identifier it is.
    pub registry: String,
    /// The identifier's scheme.
    pub scheme: String,
    /// Shared by the links of one record of the registry.
    pub record: Uuid,
    /// What agreed and what did not, by its path in the model.
    pub evidence: BTreeMap<String, Agreement>,
    /// The ability that told: of a lookup, or of the operation that was applied.
    pub ability: String,
    /// The digest of the module that answered.
    pub module: String,
    /// The number of the request that asked.
    pub request_id: String,
    /// The operation that was applied, where one was.
    pub operation: Option<Uuid>,
    /// The caller's user, as it stated.
    pub by_user: Option<String>,
    /// Since when.
    pub linked_at: Timestamp,
    /// None: it stands.
    pub ended: Option<LinkEnd>,
    /// Who is linked, for its caller alone.
    pub people: Option<LinkedPeople>,
}

/// How a link ended.
#[derive(Clone, Debug)]
pub struct LinkEnd {
    /// When.
    pub at: Timestamp,
    /// A word for why.
    pub why: String,
    /// Who ended it.
    pub by: String,
}

/// Who is linked with whom.
#[derive(Clone, Debug)]
pub struct LinkedPeople {
    /// The caller's name for the person.
    pub subject: String,
    /// The registry's number. None: its policy hides identifiers.
    pub value: Option<String>,
}

impl LinkView {
    /// Without who is linked.
    fn of(link: Link) -> Self {
        Self {
            id: link.id,
            caller: link.caller,
            registry: link.registry,
            scheme: link.scheme,
            record: link.record,
            evidence: serde_json::from_str(&link.evidence).unwrap_or_default(),
            ability: link.ability,
            module: link.module_digest,
            request_id: link.request_id,
            operation: link.operation,
            by_user: link.by_user,
            linked_at: link.linked_at,
            ended: link.unlinked.map(|ended| LinkEnd {
                at: ended.at,
                why: ended.why,
                by: ended.by,
            }),
            people: None,
        }
    }
}
