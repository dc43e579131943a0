//! Whether the audit is what was written. Fed with all of it in order: checkpoints, then each chain's
//! rows, then those without a chain. Out of the database or out of an export, it is the same.

use std::collections::BTreeMap;

use super::key::PublicKey;
use super::statement::{Hex, PrunedTo, SignedCheckpoint, Statement, Unchained, hash_of};
use crate::store::{
    AuditCheckpoint, ChainHead, Hash, StoredRow, Table, chain_begins, chained, unchained,
};

/// What is wrong, and where.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bad {
    /// The chain; none for a row without one, and for a checkpoint.
    pub chain: Option<i64>,
    /// The number of the row in its chain.
    pub seq: Option<i64>,
    /// Where more cannot be told: up to which row it may be.
    pub until: Option<i64>,
    /// The row's table, where it is there.
    pub table: Option<Table>,
    /// The row's id, where it is there.
    pub id: Option<String>,
    /// The checkpoint that it is about, or that shows it.
    pub checkpoint: Option<i64>,
    /// What is wrong.
    pub problem: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The first that is wrong in each chain, and in the checkpoints. None: the audit is what was
    /// written.
    pub bad: Vec<Bad>,
    /// How many rows were verified.
    pub rows: u64,
    /// How many of them no checkpoint covers yet: whoever owns the database can have written them
    /// anew.
    pub uncovered: u64,
    /// How many rows were written before there were chains.
    pub unchained: u64,
    /// How many chains there are.
    pub chains: u64,
    /// The number of the last checkpoint.
    pub last_checkpoint: i64,
}

/// A checkpoint's word for a row: its number, and the row's hash.
type Word = (i64, Hash);

/// Verifies.
pub(super) struct Verifier {
    keys: Vec<PublicKey>,
    verdict: Verdict,
    /// The checkpoint before, and its words.
    last: Option<(Statement, String)>,
    known: BTreeMap<i64, Hex>,
    /// What checkpoints say of rows, by chain and row.
    words: BTreeMap<i64, BTreeMap<i64, Vec<Word>>>,
    pruned: BTreeMap<i64, PrunedTo>,
    before_chains: Option<(i64, Unchained)>,
    /// The number of the last chain.
    chain: i64,
    on: Option<On>,
    unchained: Unchained,
}

/// The chain that is gone through.
struct On {
    head: ChainHead,
    /// The last row that is as it was written.
    seq: i64,
    hash: Hash,
    /// The last of them that a checkpoint vouches for.
    vouched: i64,
    pruned: i64,
    /// The last row that there must be.
    until: i64,
    broken: bool,
}

impl Bad {
    pub(super) fn checkpoint(number: i64, problem: impl Into<String>) -> Self {
        Self {
            checkpoint: (number > 0).then_some(number),
            problem: problem.into(),
            ..Self::default()
        }
    }

    fn row(chain: i64, seq: i64, problem: impl Into<String>) -> Self {
        Self {
            chain: Some(chain),
            seq: Some(seq),
            problem: problem.into(),
            ..Self::default()
        }
    }

    fn at(mut self, row: &StoredRow) -> Self {
        self.table = Some(row.table);
        self.id = Some(row.id.clone());
        self
    }
}

impl Verifier {
    /// Believes checkpoints that one of these keys signed.
    pub(super) fn new(keys: Vec<PublicKey>) -> Self {
        Self {
            keys,
            verdict: Verdict::default(),
            last: None,
            known: BTreeMap::new(),
            words: BTreeMap::new(),
            pruned: BTreeMap::new(),
            before_chains: None,
            chain: 0,
            on: None,
            unchained: Unchained::default(),
        }
    }

    /// The next checkpoint that is there.
    pub(super) fn checkpoint(&mut self, signed: &AuditCheckpoint) {
        self.known.insert(signed.number, hash_of(&signed.body));
        let before = self.last.as_ref().map(|(before, body)| (before, &**body));
        let read = Statement::open(signed, &self.keys);
        let read = read.and_then(|it| it.follows(before).map(|()| it));
        match read {
            Ok(statement) => {
                self.believe(&statement);
                let pruned = statement.pruned.iter().map(|it| (it.chain, *it));
                self.pruned = pruned.collect();
                self.before_chains
                    .get_or_insert((statement.number, statement.unchained));
                self.verdict.last_checkpoint = statement.number;
                self.last = Some((statement, signed.body.clone()));
            }
            // What follows it is measured by the last that is believed, and wrong for that alone.
            Err(problem) if !self.verdict.bad.iter().any(|bad| bad.chain.is_none()) => {
                let bad = Bad::checkpoint(signed.number, problem);
                self.verdict.bad.push(bad);
            }
            Err(_) => {}
        }
    }

    /// A checkpoint that was kept elsewhere, after all that are here.
    pub(super) fn kept(&mut self, signed: &AuditCheckpoint) {
        let number = signed.number;
        match Statement::open(signed, &self.keys) {
            Err(problem) => {
                let problem = format!("the checkpoint given: {problem}");
                self.verdict.bad.push(Bad::checkpoint(number, problem));
            }
            Ok(statement) => {
                let problem = match self.known.get(&number) {
                    Some(hash) if *hash == hash_of(&signed.body) => None,
                    Some(_) => Some("here is another than the one that was kept elsewhere"),
                    None => Some("it was kept elsewhere, and is missing here"),
                };
                let bad = problem.map(|problem| Bad::checkpoint(number, problem));
                self.verdict.bad.extend(bad);
                self.believe(&statement);
                self.before_chains
                    .get_or_insert((number, statement.unchained));
            }
        }
    }

    /// The same, in its exported form.
    pub(super) fn given(&mut self, signed: &SignedCheckpoint) {
        match signed.back() {
            Ok(signed) => self.kept(&signed),
            Err(bad) => self.verdict.bad.push(bad),
        }
    }

    /// What is said to be removed.
    pub(super) fn pruned(&self) -> Vec<PrunedTo> {
        self.pruned.values().copied().collect()
    }

    /// Something else is wrong.
    pub(super) fn found(&mut self, bad: Bad) {
        self.verdict.bad.push(bad);
    }

    /// Whether something of that chain is known to be wrong.
    pub(super) fn is_bad(&self, chain: i64) -> bool {
        self.verdict.bad.iter().any(|bad| bad.chain == Some(chain))
    }

    /// The next chain. Its head is read before its rows.
    pub(super) fn chain(&mut self, head: ChainHead) {
        while self.chain + 1 < head.chain {
            self.chain += 1;
            self.no_chain(self.chain);
        }
        self.chain = head.chain;
        self.verdict.chains += 1;
        let pruned = self.pruned.get(&head.chain);
        let words = self.words.get(&head.chain);
        let last_word = words.and_then(|words| words.last_key_value());
        self.on = Some(On {
            head,
            seq: pruned.map_or(0, |pruned| pruned.seq),
            hash: match pruned {
                Some(pruned) => pruned.hash.0,
                None => chain_begins(head.chain, head.began_at),
            },
            vouched: pruned.map_or(0, |pruned| pruned.seq),
            pruned: pruned.map_or(0, |pruned| pruned.seq),
            until: last_word.map_or(head.seq, |(seq, _)| head.seq.max(*seq)),
            broken: false,
        });
    }

    /// Behind which row of the chain to go on, while there is one to look at.
    pub(super) fn wants(&self) -> Option<i64> {
        let on = self.on.as_ref()?;
        (!on.broken && on.seq < on.until).then_some(on.seq)
    }

    /// The next row of the chain.
    pub(super) fn row(&mut self, row: &StoredRow) {
        let Some(on) = self.on.as_mut() else {
            return;
        };
        // Being removed, or written since.
        if on.broken || row.seq <= on.pruned || row.seq > on.until {
            return;
        }
        let chain = on.head.chain;
        if row.seq > on.seq + 1 {
            return self.missing();
        }
        if row.seq <= on.seq {
            let bad = Bad::row(chain, row.seq, "a second row has this place: it was put in");
            return self.broken(bad.at(row));
        }
        let next = match &row.row {
            Ok(read) => chained(&on.hash, chain, row.seq, read),
            Err(column) => {
                let problem = format!("it cannot be read: {column} was changed");
                return self.broken(Bad::row(chain, row.seq, problem).at(row));
            }
        };
        if row.hash != Some(next) {
            let problem = "it is not what was written here: it, its place or its hash was changed";
            return self.broken(Bad::row(chain, row.seq, problem).at(row));
        }
        let words = self.words.get(&chain);
        let words = words.and_then(|words| words.get(&row.seq));
        if let Some((number, _)) = words.and_then(|words| words.iter().find(|it| it.1 != next)) {
            let first = on.vouched + 1;
            let mut bad = Bad::row(
                chain,
                first,
                "rows from here on were written anew, with new hashes: the checkpoint has others",
            );
            bad.until = Some(row.seq).filter(|until| *until > first);
            bad.checkpoint = Some(*number);
            return self.broken(bad);
        }
        if words.is_some() {
            on.vouched = row.seq;
        }
        on.seq = row.seq;
        on.hash = next;
        self.verdict.rows += 1;
    }

    /// A page that ends with that row was gone through.
    pub(super) fn page(&mut self, end: i64) {
        let behind = |on: &On| !on.broken && on.seq < end.min(on.until);
        if self.on.as_ref().is_some_and(behind) {
            self.missing();
        }
    }

    /// All rows of the chain were given.
    pub(super) fn chain_ends(&mut self) {
        self.page(i64::MAX);
        let Some(on) = self.on.take() else {
            return;
        };
        if !on.broken {
            let uncovered = u64::try_from(on.seq - on.vouched).unwrap_or(0);
            self.verdict.uncovered += uncovered;
            if on.seq == on.head.seq && on.hash != on.head.hash {
                let problem = "the chain's head is not its last row";
                self.verdict
                    .bad
                    .push(Bad::row(on.head.chain, on.seq, problem));
            } else if on.seq > on.head.seq {
                let problem = "the chain's head was set back to before this row";
                let bad = Bad::row(on.head.chain, on.head.seq + 1, problem);
                self.verdict.bad.push(bad);
            }
        }
    }

    /// A row that stands behind its chain's end, or in a chain that is not there.
    pub(super) fn too_much(&mut self, chain: i64, seq: i64) {
        let problem = "a row stands here that the gateway did not write: it was put in";
        self.verdict.bad.push(Bad::row(chain, seq, problem));
    }

    /// The next row without a chain.
    pub(super) fn unchained(&mut self, row: &StoredRow) {
        if self.pruned.contains_key(&0) {
            return;
        }
        self.unchained.rows += 1;
        match &row.row {
            Ok(read) => self.unchained.hash = Hex(unchained(&self.unchained.hash.0, read)),
            Err(_) => self.unchained.hash = Hex([0xff; 32]),
        }
        let none = self.before_chains.is_some_and(|(_, it)| it.rows == 0);
        if none && self.unchained.rows == 1 {
            let bad = Bad {
                problem:
                    "it has no place in a chain, and checkpoint 1 knows of no such row: it was \
                          put in"
                        .into(),
                ..Bad::default()
            };
            self.verdict.bad.push(bad.at(row));
        }
    }

    /// All of it was given.
    pub(super) fn finish(mut self) -> Verdict {
        let after = self.words.split_off(&(self.chain + 1));
        for chain in after.into_keys() {
            self.no_chain(chain);
        }
        self.verdict.unchained = self.unchained.rows;
        let pruned = self.pruned.contains_key(&0);
        match self.before_chains {
            Some((number, was)) if was != self.unchained && was.rows > 0 && !pruned => {
                let problem = format!(
                    "the {} rows without a chain are not the {} that were there before there were \
                     chains: some were changed, removed or put in",
                    self.unchained.rows, was.rows
                );
                self.verdict.bad.push(Bad::checkpoint(number, problem));
            }
            Some(_) => {}
            None => self.verdict.uncovered += self.unchained.rows,
        }
        self.verdict
    }

    fn believe(&mut self, statement: &Statement) {
        for end in &statement.chains {
            let words = self.words.entry(end.chain).or_default();
            let words: &mut Vec<Word> = words.entry(end.seq).or_default();
            // A chain that nobody goes on with is named by every checkpoint.
            if !words.iter().any(|(_, hash)| *hash == end.hash.0) {
                words.push((statement.number, end.hash.0));
            }
        }
    }

    fn no_chain(&mut self, chain: i64) {
        let mut bad = Bad::row(chain, 1, "the chain is missing as a whole");
        let words = self.words.get(&chain);
        let first = words.and_then(|words| words.first_key_value());
        bad.checkpoint = first.and_then(|(_, words)| Some(words.first()?.0));
        self.verdict.bad.push(bad);
    }

    fn missing(&mut self) {
        let Some(on) = &self.on else {
            return;
        };
        let seq = on.seq + 1;
        let mut bad = Bad::row(on.head.chain, seq, "it is missing: it was removed");
        let words = self.words.get(&on.head.chain);
        let word = words.and_then(|words| words.range(seq..).next());
        bad.checkpoint = word.and_then(|(_, words)| Some(words.first()?.0));
        self.broken(bad);
    }

    fn broken(&mut self, bad: Bad) {
        if let Some(on) = &mut self.on {
            on.broken = true;
        }
        self.verdict.bad.push(bad);
    }
}
