//! Where the fixtures are, and what happens where they are not.

use std::io::Write;
use std::path::PathBuf;

/// The fixture's path, or none where this is left out. A build server must not leave it out unseen.
pub(crate) fn spdci(file: &str) -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("REGISTRY_GATEWAY_SHARED") else {
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!ci, "CI=true, but REGISTRY_GATEWAY_SHARED is not set");
        // Straight to the terminal: `println!` in a test that passes is swallowed.
        let line = format!("LEFT OUT: {file}, since REGISTRY_GATEWAY_SHARED is not set\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    };
    let path = PathBuf::from(shared).join("fixtures/spdci").join(file);
    assert!(path.is_file(), "there is no {}", path.display());
    Some(path)
}
