//! Rows of an export that stand where none may be. Of the database [`super::astray`] asks for them; here
//! they are seen as they come.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::statement::PrunedTo;
use super::verifier::{Bad, Verifier};
use crate::store::{ChainHead, StoredRow, Table};

/// What was found in the lines so far.
#[derive(Default)]
pub(super) struct PutIn {
    /// What is said to be removed, by chain. 0: the rows without one.
    marks: BTreeMap<i64, PrunedTo>,
    /// The chain whose rows come.
    head: Option<ChainHead>,
    /// The first of each chain.
    found: BTreeMap<Option<i64>, Bad>,
    /// Behind a chain's end, which tells nothing new of one that is bad already.
    behind: BTreeMap<i64, i64>,
    /// Beginnings that should be gone, unless their end comes: with that they are kept.
    begins: HashMap<Uuid, Bad>,
    /// Ends whose beginning may come in a later chain. Sixteen bytes each, and none where one gateway
    /// writes one chain.
    ends: HashSet<Uuid>,
}

impl PutIn {
    /// Rows of that chain come from now on. None: those without one.
    pub(super) fn chain(&mut self, head: Option<ChainHead>, pruned: Vec<PrunedTo>) {
        self.marks = pruned.into_iter().map(|it| (it.chain, it)).collect();
        self.head = head;
    }

    /// The next row, which says that it is of the chain that was named last, or of none.
    pub(super) fn row(&mut self, row: &StoredRow) {
        let id = row.row.as_ref().ok().map(|read| read.id());
        if row.table == Table::End
            && let Some(id) = id
        {
            self.begins.remove(&id);
            if self.more_marks() {
                self.ends.insert(id);
            }
        }
        let chain = self.head.map(|head| head.chain);
        let none = match chain {
            Some(_) => row.seq < 1,
            None => row.seq != 0 || row.hash.is_some(),
        };
        if none {
            let problem = "no row that the gateway writes has such a place: it was put in";
            return self.found(bad(chain, row, problem.into()));
        }
        if let Some(head) = self.head
            && row.seq > head.seq
        {
            self.behind.entry(head.chain).or_insert(row.seq);
        }
        let Some(mark) = self.marks.get(&chain.unwrap_or(0)) else {
            return;
        };
        if row.seq > mark.seq {
            return;
        }
        let problem = format!(
            "it should be gone with the others that checkpoint {} and those before it cover: it was put \
             in, or the export was made while they were being removed",
            mark.sealed_by
        );
        let bad = bad(chain, row, problem);
        match id.filter(|_| row.table == Table::Begin) {
            Some(id) if self.ends.contains(&id) => {}
            Some(id) => drop(self.begins.insert(id, bad)),
            None => self.found(bad),
        }
    }

    /// All lines were given.
    pub(super) fn finish(mut self, verifier: &mut Verifier) {
        let begins: Vec<Bad> = self.begins.drain().map(|(_, bad)| bad).collect();
        begins.into_iter().for_each(|bad| self.found(bad));
        for bad in self.found.into_values() {
            verifier.found(bad);
        }
        for (chain, seq) in self.behind {
            if !verifier.is_bad(chain) {
                verifier.too_much(chain, seq);
            }
        }
    }

    fn more_marks(&self) -> bool {
        let Some(head) = self.head else {
            return self.marks.contains_key(&0);
        };
        let later = self.marks.keys().filter(|chain| **chain > head.chain);
        later.count() > 0 || self.marks.contains_key(&0)
    }

    fn found(&mut self, bad: Bad) {
        let first = self.found.entry(bad.chain).or_insert_with(|| bad.clone());
        if (bad.seq, &bad.id) < (first.seq, &first.id) {
            *first = bad;
        }
    }
}

fn bad(chain: Option<i64>, row: &StoredRow, problem: String) -> Bad {
    Bad {
        chain,
        seq: chain.map(|_| row.seq),
        table: Some(row.table),
        id: Some(row.id.clone()),
        problem,
        ..Bad::default()
    }
}
