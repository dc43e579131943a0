//! Compiled modules on disk. Compiled code is machine code: whoever can change such a file can run
//! anything here. So every file carries a keyed hash, and a file that does not authenticate is
//! compiled anew and never looked at by wasmtime.
//!
//! What is run is not that file, which may be written over at any time, but a copy of it that nobody
//! else can reach: first in memory, where it is checked, then in a file without a name, which is
//! mapped. Of a mapped file only what is used is in memory: a third of a module, and of code that
//! nobody calls nothing.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;
/// How a file of compiled code ends.
const COMPILED: &str = ".compiled";
/// How the name of a file begins that is not written yet.
const UNFINISHED: &str = ".tmp";

pub(super) struct Cache {
    directory: PathBuf,
    key: Vec<u8>,
    /// Changes with wasmtime's version, its settings and the processor.
    compatibility: String,
    loaded: AtomicU64,
    compiled: AtomicU64,
}

/// A file of the directory.
struct CacheFile {
    /// None: it is not finished, or has no name of ours.
    digest: Option<String>,
    path: PathBuf,
}

/// Where the code of a loaded module came from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Cache,
    Compiler,
}

impl Cache {
    pub(super) fn open(directory: &Path, engine: &Engine) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            directory: directory.to_owned(),
            key: key(&directory.join(KEY_FILE))?,
            compatibility: format!("{:016x}", hasher.finish()),
            loaded: AtomicU64::new(0),
            compiled: AtomicU64::new(0),
        })
    }

    /// Counts a module that was loaded.
    pub(super) fn count(&self, from: Source) {
        let counter = match from {
            Source::Cache => &self.loaded,
            Source::Compiler => &self.compiled,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// How many modules came from here so far, and how many from the compiler.
    pub(super) fn loads(&self) -> (u64, u64) {
        (self.loaded.load(Relaxed), self.compiled.load(Relaxed))
    }

    /// The compiled module of that digest, if it is here and was written by this gateway.
    pub(super) fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let file = self.read(digest)?;
        let code = file.get(TAG_BYTES..)?;
        // Not on every file system, nor without /proc, can code be mapped from such a file.
        self.mapped(engine, code).or_else(|| {
            deserialize(engine, code)
                .inspect_err(|error| {
                    tracing::warn!(%error, "a cached module does not load: compiling it anew");
                })
                .ok()
        })
    }

    /// The module of code that the compiler has just sent. It is not kept here.
    pub(super) fn take(&self, engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
        match self.mapped(engine, code) {
            Some(component) => Ok(component),
            None => deserialize(engine, code),
        }
    }

    /// Keeps a module's code. Not to keep it costs a compilation at the next start, nothing more.
    pub(super) fn keep(&self, digest: &str, component: &Component) {
        if self.read(digest).is_some() {
            return;
        }
        let code = component.serialize().map_err(io::Error::other);
        if let Err(error) = code.and_then(|code| self.put(digest, &code)) {
            tracing::warn!(module = digest, %error, "a compiled module was not cached");
        }
    }

    /// Removes a module's code, for whichever engine it is.
    pub(super) fn forget(&self, digest: &str) -> io::Result<()> {
        for file in self.files()? {
            if file.digest.as_deref() == Some(digest) {
                remove(&file.path)?;
            }
        }
        Ok(())
    }

    /// Removes what none of `digests` will be loaded from: code of other modules and for other
    /// engines, and what a process that died left half written. What was used a moment ago stays: it
    /// may be another gateway's, which shares this directory. Gives how many files it removed.
    pub(super) fn sweep(&self, digests: &HashSet<String>, unused: Duration) -> io::Result<usize> {
        let mut removed = 0;
        for file in self.files()? {
            let wanted = file
                .digest
                .as_ref()
                .is_some_and(|it| digests.contains(it) && self.path(it) == file.path);
            if !wanted && is_older(&file.path, unused) {
                remove(&file.path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// All that this made, and may make anew.
    fn files(&self) -> io::Result<Vec<CacheFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Some(stem) = name.strip_suffix(COMPILED) {
                let digest = stem
                    .rsplit_once('-')
                    .map(|(it, _)| it.replacen('-', ":", 1));
                files.push(CacheFile { digest, path });
            } else if name.starts_with(UNFINISHED) {
                files.push(CacheFile { digest: None, path });
            }
        }
        Ok(files)
    }

    /// The file of that digest, where it is what this gateway wrote: the tag, then the code.
    fn read(&self, digest: &str) -> Option<Vec<u8>> {
        let mut open = fs::File::open(self.path(digest)).ok()?;
        let mut file = Vec::new();
        open.read_to_end(&mut file).ok()?;
        let (tag, code) = file.split_at_checked(TAG_BYTES)?;
        if self.mac(digest, code).verify_slice(tag).is_err() {
            tracing::warn!(
                module = digest,
                "a cached module was changed: compiling it anew"
            );
            return None;
        }
        // It is in use: nobody who shares the directory removes it today. Another's file cannot be
        // touched, and is read all the same.
        let _ = open.set_modified(SystemTime::now());
        Some(file)
    }

    fn put(&self, digest: &str, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.directory)?;
        file.write_all(&self.mac(digest, code).finalize().into_bytes())?;
        file.write_all(code)?;
        file.persist(self.path(digest))
            .map_err(|error| error.error)?;
        Ok(())
    }

    #[allow(unsafe_code, reason = "wasmtime marks loading compiled code unsafe")]
    fn mapped(&self, engine: &Engine, code: &[u8]) -> Option<Component> {
        let mut file = tempfile::tempfile_in(&self.directory).ok()?;
        file.write_all(code).ok()?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: as below of `code`, whose bytes were just written to this file. It has no name and
        // its handle is not given away, so that nobody changes or cuts it while it is mapped.
        unsafe { Component::deserialize_file(engine, path) }.ok()
    }

    fn path(&self, digest: &str) -> PathBuf {
        let name = digest.replace(':', "-");
        self.directory
            .join(format!("{name}-{}{COMPILED}", self.compatibility))
    }

    /// Over the digest too: an authentic file under another module's name does not pass.
    fn mac(&self, digest: &str, code: &[u8]) -> Hmac<Sha256> {
        // HMAC takes a key of any length: this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        mac.update(self.compatibility.as_bytes());
        mac.update(digest.as_bytes());
        mac.update(code);
        mac
    }
}

#[allow(unsafe_code, reason = "wasmtime marks loading compiled code unsafe")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `Component::deserialize` runs what it is given. `code` is a private copy in memory. It
    // came over a pipe from this program's own compiler, by `Engine::precompile_component`; or its
    // keyed hash, over the engine's compatibility hash and the module's digest, was checked just
    // before: only this gateway, which holds the key, wrote it, of such code.
    unsafe { Component::deserialize(engine, code) }
}

/// Whether it was written and last used longer ago. What the clock says of a file from the future is
/// not believed.
fn is_older(path: &Path, than: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|it| it.modified());
    let age = modified.ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age > than)
}

/// Another process may have been first.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads the key, or makes one on the first start.
fn key(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(path)?,
        read => return checked(read?),
    }
    // Another process may have been first: the key is whatever stands there now.
    checked(fs::read(path)?)
}

/// Appears at once and whole, or not at all: a key that is read half written divides two
/// processes for ever.
fn make_key(path: &Path) -> io::Result<()> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    // Readable for its owner alone: that is how temporary files are made.
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    file.write_all(&key)?;
    match file.persist_noclobber(path) {
        Err(lost) if lost.error.kind() != io::ErrorKind::AlreadyExists => Err(lost.error),
        _ => Ok(()),
    }
}

fn checked(key: Vec<u8>) -> io::Result<Vec<u8>> {
    if key.len() == KEY_BYTES {
        return Ok(key);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the key file is not 32 bytes: delete the cache directory",
    ))
}
