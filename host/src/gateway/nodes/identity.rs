//! A node's id: kept in the data directory, so that a node that is started again is the same one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;

/// Processes of one data directory that are nodes at the same time. Each has a file of its own.
const MOST: u32 = 16;

/// An id that no other process of the directory has, while this is kept.
pub(super) struct Identity {
    id: Uuid,
    _locked: File,
}

impl Identity {
    /// The first id of the directory that no process has, made where there is none.
    pub(super) fn take(directory: &Path) -> io::Result<Self> {
        for number in 1..=MOST {
            let name = match number {
                1 => "node.id".to_owned(),
                _ => format!("node-{number}.id"),
            };
            if let Some(taken) = Self::of(&directory.join(name))? {
                return Ok(taken);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "as many gateways as there can be have this data directory: give this one its own",
        ))
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// None: another process has it.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // One that a power cut left empty or torn names nobody: the node is a new one.
        let id = match Uuid::parse_str(text.trim()) {
            Ok(id) => id,
            Err(_) => {
                let id = Uuid::now_v7();
                file.set_len(0)?;
                io::Seek::rewind(&mut file)?;
                writeln!(file, "{id}")?;
                file.sync_all()?;
                id
            }
        };
        Ok(Some(Self { id, _locked: file }))
    }
}

/// What the machine calls itself.
pub(super) fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    match name.trim() {
        "" => "gateway".into(),
        name => name.chars().filter(|c| !c.is_control()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_outlives_its_process_and_is_one_process_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let first = Identity::take(directory.path()).unwrap();
        let second = Identity::take(directory.path()).unwrap();
        assert_ne!(first.id(), second.id());
        let (one, two) = (first.id(), second.id());
        drop((first, second));
        assert_eq!(Identity::take(directory.path()).unwrap().id(), one);
        let first = Identity::take(directory.path()).unwrap();
        assert_eq!(Identity::take(directory.path()).unwrap().id(), two);
        assert_eq!(first.id(), one);
    }

    #[test]
    fn a_torn_file_is_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("node.id"), "0193").unwrap();
        let id = Identity::take(directory.path()).unwrap().id();
        assert_eq!(Identity::take(directory.path()).unwrap().id(), id);
    }

    #[test]
    fn too_many_are_told_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let all: Vec<_> = (0..MOST)
            .map(|_| Identity::take(directory.path()).unwrap())
            .collect();
        let error = Identity::take(directory.path()).err().unwrap();
        assert!(error.to_string().contains("give this one its own"));
        drop(all);
    }

    #[test]
    fn the_host_has_a_name() {
        assert!(!host_name().is_empty());
    }
}
