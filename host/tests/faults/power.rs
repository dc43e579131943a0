//! A file system that loses its power: what was not synced is gone, or half there.
//!
//! It is strict, as POSIX lets a file system be: a file's bytes are durable once the file is synced, its
//! name once its directory is. Of what was written since then a cut keeps some pages and loses others.

mod tree;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileHandle, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, Session, TimeOrNow, WriteFlags,
};

use tree::Tree;

/// The kernel asks anew each time: there is nobody else to change anything, but nothing is to be stale.
const TTL: Duration = Duration::ZERO;
/// Blocks of 4 KiB that are said to be free.
const FREE: u64 = 1 << 20;

/// The file system, mounted.
pub(crate) struct Power {
    tree: Arc<Mutex<Tree>>,
    at: PathBuf,
    session: Option<BackgroundSession>,
}

struct Mounted(Arc<Mutex<Tree>>);

impl Power {
    /// None where this process may mount nothing.
    pub(crate) fn on(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mut power = Self {
            tree: Arc::new(Mutex::new(Tree::new())),
            at: at.to_owned(),
            session: None,
        };
        power.mount().ok()?;
        Some(power)
    }

    /// The power fails and comes back. Whoever had files open must be dead.
    pub(crate) fn cut(&mut self, random: &mut fastrand::Rng) {
        if let Some(session) = self.session.take() {
            session.umount_and_join().unwrap();
        }
        self.tree.lock().unwrap().cut(random);
        self.mount().unwrap();
    }

    fn mount(&mut self) -> std::io::Result<()> {
        let mounted = Mounted(self.tree.clone());
        let session = Session::new(mounted, &self.at, &Config::default())?;
        self.session = Some(session.spawn()?);
        Ok(())
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let _ = session.umount_and_join();
        }
    }
}

impl Mounted {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap()
    }
}

macro_rules! answer {
    ($reply:ident, $result:expr, $value:pat => $well:expr) => {
        match $result {
            Ok($value) => $well,
            Err(error) => $reply.error(error),
        }
    };
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        answer!(reply, self.tree().lookup(parent, name), attr => reply.entry(&TTL, &attr, Generation(0)));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        answer!(reply, self.tree().attr(ino), attr => reply.attr(&TTL, &attr));
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        answer!(reply, self.tree().set(ino, mode, size), attr => reply.attr(&TTL, &attr));
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let made = self.tree().make(parent, name, mode, true);
        answer!(reply, made, attr => reply.entry(&TTL, &attr, Generation(0)));
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.tree().make(parent, name, mode, false);
        answer!(reply, made, attr => {
            reply.created(&TTL, &attr, Generation(0), FileHandle(0), FopenFlags::empty());
        });
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer!(reply, self.tree().remove(parent, name), () => reply.ok());
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer!(reply, self.tree().remove(parent, name), () => reply.ok());
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        new: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        match flags.is_empty() {
            true => answer!(reply, self.tree().rename(parent, name, to, new), () => reply.ok()),
            false => reply.error(Errno::EINVAL),
        }
    }

    fn link(&self, _: &Request, ino: INodeNo, to: INodeNo, new: &OsStr, reply: ReplyEntry) {
        let made = self.tree().link(ino, to, new);
        answer!(reply, made, attr => reply.entry(&TTL, &attr, Generation(0)));
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        answer!(reply, self.tree().read(ino, offset, size), bytes => reply.data(&bytes));
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        answer!(reply, self.tree().write(ino, offset, data), written => reply.written(written));
    }

    /// A file is closed: that makes nothing durable.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.tree().sync(ino), () => reply.ok());
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.tree().sync(ino), () => reply.ok());
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        from: u64,
        mut reply: ReplyDirectory,
    ) {
        let entries = match self.tree().entries(ino) {
            Ok(entries) => entries,
            Err(error) => return reply.error(error),
        };
        for (next, (ino, kind, name)) in (1..).zip(entries) {
            if next > from && reply.add(ino, next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(FREE, FREE, FREE, FREE, FREE, 4096, 255, 4096);
    }
}
