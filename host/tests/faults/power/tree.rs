//! Directories and files, as they are and as they are on the medium.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use fuser::{Errno, FileAttr, FileType, INodeNo};

/// What a cut keeps or loses as one.
const PAGE: usize = 4096;

type Names = BTreeMap<OsString, u64>;

struct Node {
    mode: u16,
    content: Content,
}

enum Content {
    Directory {
        now: Names,
        durable: Names,
    },
    File {
        now: Vec<u8>,
        durable: Vec<u8>,
        /// Pages that were written and not synced.
        dirty: BTreeSet<usize>,
    },
}

pub(super) struct Tree {
    nodes: BTreeMap<u64, Node>,
    last: u64,
}

impl Tree {
    pub(super) fn new() -> Self {
        let root = Node::new(0o700, true);
        Self {
            nodes: BTreeMap::from([(INodeNo::ROOT.0, root)]),
            last: INodeNo::ROOT.0,
        }
    }

    pub(super) fn attr(&self, ino: INodeNo) -> Result<FileAttr, Errno> {
        let node = self.nodes.get(&ino.0).ok_or(Errno::ENOENT)?;
        Ok(node.attr(ino))
    }

    pub(super) fn lookup(&self, parent: INodeNo, name: &OsStr) -> Result<FileAttr, Errno> {
        let Some(Node {
            content: Content::Directory { now, .. },
            ..
        }) = self.nodes.get(&parent.0)
        else {
            return Err(Errno::ENOTDIR);
        };
        self.attr(INodeNo(*now.get(name).ok_or(Errno::ENOENT)?))
    }

    pub(super) fn set(
        &mut self,
        ino: INodeNo,
        mode: Option<u32>,
        size: Option<u64>,
    ) -> Result<FileAttr, Errno> {
        let node = self.nodes.get_mut(&ino.0).ok_or(Errno::ENOENT)?;
        if let Some(mode) = mode {
            node.mode = permissions(mode);
        }
        if let (Some(size), Content::File { now, dirty, .. }) = (size, &mut node.content) {
            let size = usize::try_from(size).map_err(|_| Errno::EFBIG)?;
            dirty.extend(pages(now.len().min(size), now.len().max(size)));
            now.resize(size, 0);
        }
        self.attr(ino)
    }

    pub(super) fn make(
        &mut self,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        directory: bool,
    ) -> Result<FileAttr, Errno> {
        let ino = self.last + 1;
        let names = self.names(parent)?;
        if names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        names.insert(name.to_owned(), ino);
        self.last = ino;
        let node = Node::new(permissions(mode), directory);
        self.nodes.insert(ino, node);
        self.attr(INodeNo(ino))
    }

    pub(super) fn remove(&mut self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        // The node stays: somebody may have it open, and the medium may have its name.
        self.names(parent)?
            .remove(name)
            .map(drop)
            .ok_or(Errno::ENOENT)
    }

    pub(super) fn rename(
        &mut self,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        new: &OsStr,
    ) -> Result<(), Errno> {
        self.names(to)?;
        let ino = self.names(parent)?.remove(name).ok_or(Errno::ENOENT)?;
        self.names(to)?.insert(new.to_owned(), ino);
        Ok(())
    }

    pub(super) fn link(
        &mut self,
        ino: INodeNo,
        to: INodeNo,
        new: &OsStr,
    ) -> Result<FileAttr, Errno> {
        let names = self.names(to)?;
        if names.contains_key(new) {
            return Err(Errno::EEXIST);
        }
        names.insert(new.to_owned(), ino.0);
        self.attr(ino)
    }

    pub(super) fn read(&self, ino: INodeNo, offset: u64, size: u32) -> Result<Vec<u8>, Errno> {
        let Some(Content::File { now, .. }) = self.nodes.get(&ino.0).map(|node| &node.content)
        else {
            return Err(Errno::EISDIR);
        };
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(now.len());
        let until = from.saturating_add(size as usize).min(now.len());
        Ok(now[from..until].to_vec())
    }

    pub(super) fn write(&mut self, ino: INodeNo, offset: u64, data: &[u8]) -> Result<u32, Errno> {
        let content = self.nodes.get_mut(&ino.0).map(|node| &mut node.content);
        let Some(Content::File { now, dirty, .. }) = content else {
            return Err(Errno::EISDIR);
        };
        let from = usize::try_from(offset).map_err(|_| Errno::EFBIG)?;
        let until = from.checked_add(data.len()).ok_or(Errno::EFBIG)?;
        dirty.extend(pages(from.min(now.len()), until));
        if now.len() < until {
            now.resize(until, 0);
        }
        now[from..until].copy_from_slice(data);
        u32::try_from(data.len()).map_err(|_| Errno::EFBIG)
    }

    pub(super) fn sync(&mut self, ino: INodeNo) -> Result<(), Errno> {
        match &mut self.nodes.get_mut(&ino.0).ok_or(Errno::ENOENT)?.content {
            Content::Directory { now, durable } => durable.clone_from(now),
            Content::File {
                now,
                durable,
                dirty,
            } => {
                durable.resize(now.len(), 0);
                for page in std::mem::take(dirty) {
                    copy(now, durable, page);
                }
            }
        }
        Ok(())
    }

    pub(super) fn entries(
        &self,
        ino: INodeNo,
    ) -> Result<Vec<(INodeNo, FileType, OsString)>, Errno> {
        let content = self.nodes.get(&ino.0).map(|node| &node.content);
        let Some(Content::Directory { now, .. }) = content else {
            return Err(Errno::ENOTDIR);
        };
        let entries = now.iter().map(|(name, ino)| {
            let kind = self.nodes[ino].kind();
            (INodeNo(*ino), kind, name.clone())
        });
        let itself = [".", ".."].map(|name| (ino, FileType::Directory, name.into()));
        Ok(itself.into_iter().chain(entries).collect())
    }

    /// Only what was synced is left, and by chance some of what was not.
    pub(super) fn cut(&mut self, random: &mut fastrand::Rng) {
        for node in self.nodes.values_mut() {
            match &mut node.content {
                Content::Directory { now, durable } => now.clone_from(durable),
                Content::File {
                    now,
                    durable,
                    dirty,
                } => {
                    let kept: Vec<usize> = std::mem::take(dirty)
                        .into_iter()
                        .filter(|_| random.bool())
                        .collect();
                    // The length is written with a page that needs it, and else may be, too.
                    let needed = kept.iter().map(|page| (page + 1) * PAGE).max();
                    let needed = needed.unwrap_or(0).min(now.len());
                    if needed > durable.len() {
                        durable.resize(needed, 0);
                    }
                    for page in kept {
                        copy(now, durable, page);
                    }
                    now.clone_from(durable);
                }
            }
        }
        let mut named = BTreeSet::from([INodeNo::ROOT.0]);
        for node in self.nodes.values() {
            if let Content::Directory { now, .. } = &node.content {
                named.extend(now.values());
            }
        }
        self.nodes.retain(|ino, _| named.contains(ino));
    }

    fn names(&mut self, ino: INodeNo) -> Result<&mut Names, Errno> {
        match self.nodes.get_mut(&ino.0).map(|node| &mut node.content) {
            Some(Content::Directory { now, .. }) => Ok(now),
            Some(Content::File { .. }) => Err(Errno::ENOTDIR),
            None => Err(Errno::ENOENT),
        }
    }
}

impl Node {
    fn new(mode: u16, directory: bool) -> Self {
        let content = match directory {
            true => Content::Directory {
                now: Names::new(),
                durable: Names::new(),
            },
            false => Content::File {
                now: Vec::new(),
                durable: Vec::new(),
                dirty: BTreeSet::new(),
            },
        };
        Self { mode, content }
    }

    fn kind(&self) -> FileType {
        match self.content {
            Content::Directory { .. } => FileType::Directory,
            Content::File { .. } => FileType::RegularFile,
        }
    }

    fn attr(&self, ino: INodeNo) -> FileAttr {
        let size = match &self.content {
            Content::Directory { .. } => 0,
            Content::File { now, .. } => now.len() as u64,
        };
        FileAttr {
            ino,
            size,
            blocks: size.div_ceil(512),
            atime: SystemTime::UNIX_EPOCH,
            mtime: SystemTime::UNIX_EPOCH,
            ctime: SystemTime::UNIX_EPOCH,
            crtime: SystemTime::UNIX_EPOCH,
            kind: self.kind(),
            perm: self.mode,
            nlink: 1,
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

fn permissions(mode: u32) -> u16 {
    u16::try_from(mode & 0o777).unwrap_or_default()
}

/// The pages of bytes from here to before there.
fn pages(from: usize, until: usize) -> std::ops::Range<usize> {
    from / PAGE..until.div_ceil(PAGE)
}

/// A page, as far as both have it.
fn copy(from: &[u8], to: &mut [u8], page: usize) {
    let start = page * PAGE;
    let end = (start + PAGE).min(from.len()).min(to.len());
    if start < end {
        to[start..end].copy_from_slice(&from[start..end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_what_was_synced_and_not_all_of_the_rest() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut tree = Tree::new();
        let root = INodeNo::ROOT;
        let file = tree.make(root, OsStr::new("db"), 0o600, false).unwrap().ino;
        tree.write(file, 0, &[1; 2 * PAGE]).unwrap();
        tree.sync(file).unwrap();
        tree.sync(root).unwrap();
        tree.write(file, PAGE as u64, &[2; 20 * PAGE]).unwrap();
        let other = OsStr::new("other");
        let unnamed = tree.make(root, other, 0o600, false).unwrap().ino;
        tree.write(unnamed, 0, b"bytes").unwrap();
        tree.sync(unnamed).unwrap();
        tree.cut(&mut random);
        let bytes = tree.read(file, 0, u32::MAX).unwrap();
        assert_eq!(bytes[..PAGE], [1; PAGE]);
        assert!(bytes.contains(&2), "some of it is there");
        assert!(bytes[PAGE..].iter().any(|byte| *byte != 2), "not all of it");
        assert!(tree.lookup(root, other).is_err(), "its name was not synced");
    }
}
