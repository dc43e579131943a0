//! The chain of audit rows: each row's hash covers the row, its place and the hash before it, so that
//! a row that is changed, removed, put in or moved is seen by whoever reads them again.
//!
//! What is hashed is this, and changes only with [`FORM`]:
//!
//! ```text
//! hash(0) = sha256("registry-gateway audit chain" form chain began-at)
//! hash(n) = sha256("registry-gateway audit row" form hash(n - 1) chain n kind column…)
//! ```
//!
//! Numbers are eight bytes, the first the highest. A column is one byte for what it is, and its value;
//! a text's or bytes' length stands before it, so that no two rows run together alike.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::audit::{AuditBegin, AuditEnd, KeyedHash};
use super::audit_acts::AuditAct;
use super::writer::AuditRow;

/// The way of hashing that this gateway writes.
pub(super) const FORM: i64 = 1;

/// A SHA-256.
pub type Hash = [u8; 32];

/// A row's place in its chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) chain: i64,
    pub(super) seq: i64,
    pub(super) hash: Hash,
}

impl Link {
    /// Before a chain's first row.
    pub(super) fn first(chain: i64, began_at: Timestamp) -> Self {
        let hash = chain_begins(chain, began_at);
        Self {
            chain,
            seq: 0,
            hash,
        }
    }

    /// That of the row behind it.
    pub(super) fn next(&self, row: &AuditRow) -> Self {
        let seq = self.seq + 1;
        Self {
            chain: self.chain,
            seq,
            hash: chained(&self.hash, self.chain, seq, row),
        }
    }

    /// Those of all the rows behind it.
    pub(super) fn through(&self, rows: &[&AuditRow]) -> Vec<Self> {
        let links = rows.iter().scan(*self, |last, row| {
            *last = last.next(row);
            Some(*last)
        });
        links.collect()
    }
}

/// What a chain begins with.
pub fn chain_begins(chain: i64, began_at: Timestamp) -> Hash {
    let mut columns = Columns(Sha256::new());
    columns.0.update(b"registry-gateway audit chain");
    columns.plain(FORM);
    columns.plain(chain);
    columns.plain(began_at.as_microsecond());
    columns.0.finalize().into()
}

/// The hash of a row behind another.
pub fn chained(before: &Hash, chain: i64, seq: i64, row: &AuditRow) -> Hash {
    let mut columns = Columns(Sha256::new());
    columns.0.update(b"registry-gateway audit row");
    columns.plain(FORM);
    columns.0.update(before);
    columns.plain(chain);
    columns.plain(seq);
    columns.row(row);
    columns.0.finalize().into()
}

/// The hash of a row that has no chain, behind another such.
pub fn unchained(before: &Hash, row: &AuditRow) -> Hash {
    let mut columns = Columns(Sha256::new());
    columns
        .0
        .update(b"registry-gateway audit row without a chain");
    columns.plain(FORM);
    columns.0.update(before);
    columns.row(row);
    columns.0.finalize().into()
}

struct Columns(Sha256);

impl Columns {
    fn row(&mut self, row: &AuditRow) {
        match row {
            AuditRow::Begin(row) => self.begin(row),
            AuditRow::End(row) => self.end(row),
            AuditRow::Act(row) => self.act(row),
        }
    }

    /// In the order of the table, as are the others.
    fn begin(&mut self, row: &AuditBegin) {
        self.0.update(b"b");
        self.text(Some(&row.id.to_string()));
        self.number(row.at.as_microsecond());
        self.text(Some(&row.request_id));
        self.text(Some(&row.caller));
        self.text(row.user.as_deref());
        self.text(row.entity.as_deref());
        self.text(row.purpose.as_deref());
        self.text(row.legal_basis.as_deref());
        self.text(Some(&row.registry));
        self.text(Some(&row.ability));
        self.text(Some(&row.module_digest));
        self.hashes(&row.asked);
    }

    fn end(&mut self, row: &AuditEnd) {
        self.0.update(b"e");
        self.text(Some(&row.id.to_string()));
        self.number(row.at.as_microsecond());
        self.text(Some(&row.outcome));
        self.text(row.code.as_deref());
        self.hashes(&row.disclosed);
        self.number(row.registry_calls.into());
        self.number(i64::try_from(row.duration_us).unwrap_or(i64::MAX));
    }

    fn act(&mut self, row: &AuditAct) {
        let (phase, outcome) = row.phase.parts();
        self.0.update(b"a");
        self.text(Some(&row.id.to_string()));
        self.text(Some(phase));
        self.number(row.at.as_microsecond());
        self.text(Some(&row.request_id));
        self.text(Some(&row.caller));
        self.text(Some(&row.act));
        self.text(row.registry.as_deref());
        self.text(row.module_digest.as_deref());
        self.text(row.subject.as_deref());
        self.text(outcome);
        self.text(row.detail.as_deref());
    }

    fn text(&mut self, value: Option<&str>) {
        match value {
            None => self.0.update(b"-"),
            Some(text) => self.sized(b"t", text.as_bytes()),
        }
    }

    fn number(&mut self, value: i64) {
        self.0.update(b"n");
        self.plain(value);
    }

    fn hashes(&mut self, hashes: &[KeyedHash]) {
        self.sized(b"h", hashes.as_flattened());
    }

    fn sized(&mut self, kind: &[u8], bytes: &[u8]) {
        self.0.update(kind);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }

    fn plain(&mut self, value: i64) {
        self.0.update(value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Phase;
    use uuid::Uuid;

    fn begin() -> AuditBegin {
        AuditBegin {
            id: Uuid::from_u128(7),
            at: Timestamp::UNIX_EPOCH,
            request_id: "r".into(),
            caller: "c".into(),
            user: None,
            entity: Some("e".into()),
            purpose: None,
            legal_basis: None,
            registry: "civil".into(),
            ability: "find".into(),
            module_digest: "d".into(),
            asked: vec![[1; 32]],
        }
    }

    fn hash(row: AuditBegin) -> Hash {
        chained(&[0; 32], 1, 1, &AuditRow::Begin(Box::new(row)))
    }

    /// Rows that were written must be verified by every later gateway.
    #[test]
    fn the_form_is_what_it_was() {
        let hex = |hash: Hash| hash.map(|byte| format!("{byte:02x}")).concat();
        let start = chain_begins(1, Timestamp::UNIX_EPOCH);
        let end = AuditEnd {
            id: Uuid::from_u128(7),
            at: Timestamp::UNIX_EPOCH,
            outcome: "done".into(),
            code: None,
            disclosed: Vec::new(),
            registry_calls: 1,
            duration_us: 2,
        };
        let act = AuditAct {
            id: Uuid::from_u128(8),
            phase: Phase::Begin,
            at: Timestamp::UNIX_EPOCH,
            request_id: "r".into(),
            caller: "c".into(),
            act: "caller.add".into(),
            registry: None,
            module_digest: None,
            subject: Some("s".into()),
            detail: None,
        };
        let rows = [
            AuditRow::Begin(Box::new(begin())),
            AuditRow::End(Box::new(end)),
            AuditRow::Act(Box::new(act)),
        ];
        let rows: Vec<&AuditRow> = rows.iter().collect();
        let links = Link::first(1, Timestamp::UNIX_EPOCH).through(&rows);
        let told: Vec<String> = links.iter().map(|link| hex(link.hash)).collect();
        // Worked out by another program.
        assert_eq!(
            hex(start),
            "fdfaf2f9f55562c88de36af95a31fc39a9e0d10fe472883ce5f71e183fcb6f08"
        );
        assert_eq!(
            told,
            [
                "9cbe44a872a92db21249d7cc6313a46d875fffbe6bca5f4afbff39d50f6ed329",
                "6b7aca69def203842954abaec814e9c94a81f57a80f248a51691aa6b4037b919",
                "baa9e26c44950dc16ee2ba0890895aff3dcdc8b3bc189cf321945eefaa1dec67"
            ]
        );
    }

    #[test]
    fn no_two_rows_hash_alike() {
        let before = hash(begin());
        let mut others = Vec::new();
        let changes: [fn(&mut AuditBegin); 7] = [
            |row| row.id = Uuid::from_u128(8),
            |row| row.at = Timestamp::from_microsecond(1).unwrap(),
            // What moves from one column to the next.
            |row| (row.request_id, row.caller) = ("rc".into(), String::new()),
            |row| (row.user, row.entity) = (Some("e".into()), None),
            |row| row.user = Some(String::new()),
            |row| row.asked = Vec::new(),
            |row| row.asked.push([1; 32]),
        ];
        for change in changes {
            let mut row = begin();
            change(&mut row);
            others.push(hash(row));
        }
        let row = AuditRow::Begin(Box::new(begin()));
        others.push(chained(&[1; 32], 1, 1, &row));
        others.push(chained(&[0; 32], 2, 1, &row));
        others.push(chained(&[0; 32], 1, 2, &row));
        others.push(unchained(&[0; 32], &row));
        others.push(before);
        let count = others.len();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), count);
    }
}
