//! Clauses of the events API's search (opencrvs-core 2.0.0, commons/events/EventIndex: `QueryExpression`).

use serde_json::{Value, json};

use super::{Asked, Whom, registration};
use crate::mapping::shape::put;
use crate::settings::{Kind, Role, Settings, identifier_fields};

/// What finds the records of somebody with this identifier. None: it cannot be asked for.
pub(super) fn by_identifier(asked: &Asked, whom: Whom, settings: &Settings) -> Vec<Value> {
    let exact = json!({ "type": "exact", "term": asked.value });
    if asked.scheme == settings.schemes.tracking || asked.scheme == settings.schemes.record {
        let kinds = [Kind::Birth, Kind::Death].into_iter();
        let each = kinds.map(|kind| {
            let mut clause = clause(kind, settings);
            match asked.scheme == settings.schemes.tracking {
                true => put(&mut clause, "trackingId", exact.clone()),
                false => put(&mut clause, "id", Value::String(asked.value.clone())),
            }
            clause
        });
        return each.collect();
    }
    let mut clauses = Vec::new();
    if let Some(kind) = registration(&asked.scheme, settings) {
        let mut clause = clause(kind, settings);
        put(
            &mut clause,
            "legalStatuses.REGISTERED.registrationNumber",
            exact.clone(),
        );
        clauses.push(clause);
    }
    for kind in [Kind::Birth, Kind::Death] {
        let roles = kind.roles().iter().copied();
        let roles = roles.filter(|role| match whom {
            Whom::Subjects => *role == kind.subject(),
            Whom::Everybody => *role != Role::Informant,
        });
        for role in roles {
            let fields = identifier_fields(settings, kind, role).into_iter();
            let fields = fields.filter(|(scheme, _)| *scheme == asked.scheme);
            for id in fields.flat_map(|(_, ids)| ids) {
                clauses.push(data(kind, id, exact.clone(), settings));
            }
        }
    }
    clauses
}

/// Records of this kind that are answered.
pub(super) fn clause(kind: Kind, settings: &Settings) -> Value {
    json!({
        "eventType": settings.event_type(kind),
        "status": { "type": "anyOf", "terms": settings.statuses() },
    })
}

fn data(kind: Kind, id: &str, test: Value, settings: &Settings) -> Value {
    let mut clause = clause(kind, settings);
    put(&mut clause, "data", json!({ id: test }));
    clause
}
