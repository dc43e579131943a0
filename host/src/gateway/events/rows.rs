//! Audit rows of what names more people than one row holds: further rows of the same request name the
//! others, in the same transaction.

use uuid::Uuid;

use crate::gateway::lookups::disclosed::MAX_HASHES;
use crate::store::{AuditBegin, AuditEnd, AuditEnds, KeyedHash};

/// The end of a row that has begun, and as many further rows as its people take. `begin` is such a
/// row's beginning; its number and time do not matter.
pub(super) fn spread(begin: &AuditBegin, end: AuditEnd, people: Vec<KeyedHash>) -> AuditEnds {
    let mut parts = people.chunks(MAX_HASHES);
    let first = parts.next().unwrap_or_default().to_vec();
    let further = parts.map(|part| {
        let begin = AuditBegin {
            id: Uuid::now_v7(),
            at: end.at,
            ..begin.clone()
        };
        let end = AuditEnd {
            id: begin.id,
            disclosed: part.to_vec(),
            // The first row has what it took.
            registry_calls: 0,
            duration_us: 0,
            ..end.clone()
        };
        (begin, end)
    });
    let further = further.collect();
    let end = AuditEnd {
        disclosed: first,
        ..end
    };
    AuditEnds { end, further }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn each_person_is_in_one_row() {
        let id = Uuid::now_v7();
        let begin = AuditBegin {
            id,
            at: Timestamp::UNIX_EPOCH,
            request_id: "request".into(),
            caller: "(registry)".into(),
            user: None,
            entity: None,
            purpose: None,
            legal_basis: None,
            registry: "vital".into(),
            ability: "events".into(),
            module_digest: "sha256:m".into(),
            asked: Vec::new(),
        };
        let end = AuditEnd {
            id,
            at: Timestamp::now(),
            outcome: "done".into(),
            code: None,
            disclosed: Vec::new(),
            registry_calls: 3,
            duration_us: 7,
        };
        let hash = |number: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            hash
        };
        for (people, sizes) in [
            (0, &[0][..]),
            (MAX_HASHES, &[MAX_HASHES]),
            (2 * MAX_HASHES + 1, &[MAX_HASHES, MAX_HASHES, 1]),
        ] {
            let people: Vec<KeyedHash> = (0..people).map(hash).collect();
            let rows = spread(&begin, end.clone(), people.clone());
            assert_eq!((rows.end.id, rows.end.registry_calls), (id, 3));
            let mut told = vec![rows.end.disclosed];
            for (begin, end) in rows.further {
                assert!(begin.id == end.id && begin.id != id);
                assert_eq!(
                    (begin.request_id.as_str(), end.registry_calls),
                    ("request", 0)
                );
                told.push(end.disclosed);
            }
            let counted: Vec<usize> = told.iter().map(Vec::len).collect();
            assert_eq!(counted, sizes);
            assert_eq!(told.concat(), people);
        }
    }
}
