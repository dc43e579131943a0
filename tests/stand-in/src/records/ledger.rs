//! What the registry did, in the order in which it did it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One change of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// 1 for the first.
    pub order: u64,
    /// The `Idempotency-Key` that asked for it. None: a registrar at the counter did it.
    pub key: Option<String>,
    /// `create`, `update`, `addresses`, `link`, `unlink`, `enrolment`, or the kind of life event.
    pub kind: String,
    /// Which record.
    pub record: String,
    /// Its version afterwards; of an enrolment its own.
    pub version: u64,
}

/// All effects so far.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    effects: Vec<Effect>,
    file: Option<Arc<File>>,
}

impl Ledger {
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self {
            effects: Vec::new(),
            file: path.map(open).transpose()?.map(Arc::new),
        })
    }

    /// Reads what another process appended. A last line without an end was cut off by its death.
    ///
    /// # Errors
    /// The file can't be read, or holds something else.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
        let effects = whole.lines().map(serde_json::from_str);
        Ok(Self {
            effects: effects.collect::<Result<_, _>>()?,
            file: None,
        })
    }

    /// In order.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// What a key did: one effect, where all goes well.
    pub fn of_key<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Effect> {
        self.effects
            .iter()
            .filter(move |effect| effect.key.as_deref() == Some(key))
    }

    /// The keys that did something to a record, in order.
    pub fn keys_of_record(&self, record: &str) -> Vec<&str> {
        let of = self.effects.iter().filter(|effect| effect.record == record);
        of.filter_map(|effect| effect.key.as_deref()).collect()
    }

    /// The keys that did something more than once: what must never happen.
    pub fn repeated(&self) -> Vec<&str> {
        let mut times = BTreeMap::<&str, u64>::new();
        for key in self
            .effects
            .iter()
            .filter_map(|effect| effect.key.as_deref())
        {
            *times.entry(key).or_default() += 1;
        }
        let more = times.into_iter().filter(|(_, times)| *times > 1);
        more.map(|(key, _)| key).collect()
    }

    pub(super) fn add(&mut self, key: Option<&str>, kind: &str, record: &str, version: u64) {
        let effect = Effect {
            order: self.effects.len() as u64 + 1,
            key: key.map(str::to_owned),
            kind: kind.to_owned(),
            record: record.to_owned(),
            version,
        };
        if let Some(mut file) = self.file.as_deref() {
            let mut line = serde_json::to_vec(&effect).expect("an effect is JSON");
            line.push(b'\n');
            // A ledger with a hole would accuse the gateway of what the disk did.
            file.write_all(&line)
                .expect("the ledger's file takes a line");
        }
        self.effects.push(effect);
    }
}
