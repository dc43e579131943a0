//! `AdvancedSearchParametersInput` of `searchEvents` (opencrvs-core 1.3 to 1.8,
//! gateway/graphql/schema.graphql).

use serde_json::{Value, json};

use super::{Asked, Whom, registration};
use crate::mapping::shape::put;
use crate::settings::{Kind, Settings};

/// The one type of number that is indexed.
const INDEXED: &str = "NATIONAL_ID";

/// What finds the records of somebody with this identifier. None: it cannot be asked for.
pub(super) fn by_identifier(asked: &Asked, whom: Whom, settings: &Settings) -> Vec<Value> {
    let mut any = json!({ "registrationStatuses": settings.statuses() });
    if asked.scheme == settings.schemes.tracking {
        put(&mut any, "trackingId", json!(asked.value));
        return vec![any];
    }
    if let Some(kind) = registration(&asked.scheme, settings) {
        let mut of = parameters(kind, settings);
        put(&mut of, "registrationNumber", json!(asked.value));
        return vec![of];
    }
    if settings.identifier_type(&asked.scheme) != Some(INDEXED) {
        return Vec::new();
    }
    match whom {
        // Of the child, the parents, the informant, the deceased and the spouse.
        Whom::Everybody => {
            put(&mut any, "nationalId", json!(asked.value));
            vec![any]
        }
        Whom::Subjects => {
            let kinds = [Kind::Birth, Kind::Death].into_iter();
            let each = kinds.map(|kind| {
                let mut of = parameters(kind, settings);
                put(&mut of, identifier(kind), json!(asked.value));
                of
            });
            each.collect()
        }
    }
}

/// Records of this kind that are answered. The names of GraphQL's enumeration are its own.
pub(super) fn parameters(kind: Kind, settings: &Settings) -> Value {
    json!({ "event": kind.word(), "registrationStatuses": settings.statuses() })
}

/// The parameter of the subject's national id.
pub(super) fn identifier(kind: Kind) -> &'static str {
    match kind {
        Kind::Birth => "childIdentifier",
        Kind::Death => "deceasedIdentifier",
    }
}
