//! Who asked about a person, or was told of one.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Audit;
use crate::store::{
    AuditEntry, IndexStep, Indexed, KeyedHash, Store, StoreError, StoredRow, UnchainedAt, page_end,
    people_of,
};

/// How many pages of rows are put into the index before calls may go first again.
const STEPS: usize = 16;

/// What is found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The oldest first.
    pub calls: Vec<FoundCall>,
    /// Where the next page begins. None: there is none.
    pub next: Option<Uuid>,
    /// How many rows the index had not reached yet; they were gone through.
    pub scanned: u64,
    /// How many of them cannot be read: somebody has changed them.
    pub unreadable: u64,
}

/// A call that is about the person.
#[derive(Clone, Debug)]
pub struct FoundCall {
    /// The call.
    pub entry: AuditEntry,
    /// Whether the person was asked about.
    pub asked: bool,
    /// Whether the caller was told of the person.
    pub disclosed: bool,
}

/// Which part of it.
#[derive(Clone, Copy, Debug)]
pub struct FindPage {
    /// Behind this call.
    pub after: Option<Uuid>,
    /// At most so many calls.
    pub limit: u32,
    /// Go through every row and do not believe the index.
    pub whole: bool,
}

impl Audit {
    /// No answer is incomplete: what the index has not reached is gone through, up to where the chains
    /// ended when it began.
    pub(super) async fn find(
        store: &Store,
        people: &[KeyedHash],
        page: FindPage,
    ) -> Result<Found, StoreError> {
        let audit = store.audit();
        // In this order: what was indexed then is in the index that is read later.
        let indexed = match page.whole {
            true => Indexed::default(),
            false => audit.indexed().await?,
        };
        let mut rest = Rest {
            people,
            ids: BTreeSet::new(),
            scanned: 0,
            unreadable: 0,
        };
        for head in audit.heads().await? {
            let mut after = indexed.seq(head.chain);
            while let Some(seq) = audit.next_behind(head.chain, after).await? {
                if seq > head.seq {
                    break;
                }
                rest.look(&audit.chained(head.chain, seq - 1).await?);
                after = page_end(seq - 1);
            }
        }
        if let Some(place) = indexed.place() {
            let mut at = UnchainedAt::read(place);
            loop {
                let rows = audit.unchained(&mut at).await?;
                if rows.is_empty() {
                    break;
                }
                rest.look(&rows);
            }
        }
        let mut found: BTreeMap<Uuid, AuditEntry> = BTreeMap::new();
        if !page.whole {
            for person in people {
                let calls = audit.of_person(person, page.after, page.limit + 1).await?;
                found.extend(calls.into_iter().map(|call| (call.begin.id, call)));
            }
        }
        let behind = |id: &&Uuid| page.after.is_none_or(|after| **id > after);
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let ids: Vec<Uuid> = rest
            .ids
            .iter()
            .filter(behind)
            .take(limit + 1)
            .copied()
            .collect();
        for id in ids {
            if !found.contains_key(&id)
                && let Some(call) = audit.call(id).await?
            {
                found.insert(id, call);
            }
        }
        let more = found.len() > limit;
        let calls: Vec<FoundCall> = found
            .into_values()
            .take(limit)
            .map(|entry| FoundCall::of(entry, people))
            .collect();
        Ok(Found {
            next: calls
                .last()
                .map(|call| call.entry.begin.id)
                .filter(|_| more),
            calls,
            scanned: rest.scanned,
            unreadable: rest.unreadable,
        })
    }

    /// Takes the index some steps on. Gives whether it has all there is.
    pub(super) async fn index(store: &Store) -> Result<bool, StoreError> {
        let audit = store.audit();
        let indexed = audit.indexed().await?;
        let mut steps = 0;
        if let Some(place) = indexed.place() {
            let mut at = UnchainedAt::read(place);
            let rows = audit.unchained(&mut at).await?;
            let step = IndexStep {
                chain: 0,
                seq: i64::from(rows.is_empty()),
                place: at.write(),
                people: rows.iter().flat_map(people_of).collect(),
            };
            audit.index(step).await?;
            if !rows.is_empty() {
                return Ok(false);
            }
        }
        for head in audit.heads().await? {
            let mut after = indexed.seq(head.chain);
            while after < head.seq {
                if steps == STEPS {
                    return Ok(false);
                }
                steps += 1;
                let rows = audit.chained(head.chain, after).await?;
                let rows = rows.iter().filter(|row| row.seq <= head.seq);
                after = page_end(after).min(head.seq);
                let step = IndexStep {
                    chain: head.chain,
                    seq: after,
                    place: None,
                    people: rows.flat_map(people_of).collect(),
                };
                audit.index(step).await?;
            }
        }
        Ok(true)
    }
}

struct Rest<'a> {
    people: &'a [KeyedHash],
    ids: BTreeSet<Uuid>,
    scanned: u64,
    unreadable: u64,
}

impl Rest<'_> {
    fn look(&mut self, rows: &[StoredRow]) {
        for row in rows {
            self.scanned += 1;
            self.unreadable += u64::from(row.row.is_err());
            let about = people_of(row).filter(|(person, _)| self.people.contains(person));
            self.ids.extend(about.map(|(_, id)| id));
        }
    }
}

impl FoundCall {
    fn of(entry: AuditEntry, people: &[KeyedHash]) -> Self {
        let one_of = |hashes: &[KeyedHash]| hashes.iter().any(|hash| people.contains(hash));
        let disclosed = entry.end.as_ref().map(|end| one_of(&end.disclosed));
        Self {
            asked: one_of(&entry.begin.asked),
            disclosed: disclosed.unwrap_or(false),
            entry,
        }
    }
}
