//! A disk of its own for a gateway, and what fills it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file system of a bounded size. Gone with this.
pub(crate) struct Disk {
    at: PathBuf,
}

impl Disk {
    /// None where this process may mount nothing.
    pub(crate) fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={megabytes}m,mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at);
        let done = mount.stderr(Stdio::null()).status().ok()?.success();
        done.then(|| Self { at: at.to_owned() })
    }

    /// Takes all that is left, until what it gives is removed.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.at.join("ballast");
        let mut file = File::create(&path).unwrap();
        let mut piece = vec![0; 1 << 20];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that was just killed may still hold a file.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
