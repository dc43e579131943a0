//! Compiled code on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The files of compiled code below a data directory.
///
/// # Panics
/// If the directory cannot be read.
pub fn compiled(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("sandbox-cache")).expect("a cache");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "compiled"))
        .collect();
    files.sort();
    files
}

/// As if a file had not been touched for so long.
///
/// # Panics
/// If it cannot be.
pub fn age(file: &Path, by: Duration) {
    let file = fs::File::options().append(true).open(file);
    let aged = file.and_then(|file| file.set_modified(SystemTime::now() - by));
    aged.expect("its time is set");
}
