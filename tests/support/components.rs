//! Builds components from the workspace's own packages, once per test process.
//!
//! They have a target directory of their own below the workspace's: cargo holds a lock on the
//! directory that it builds in, and the profile differs.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "component";

static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);

/// The `.wasm` of a package, built if this process has not built it yet.
///
/// # Panics
/// With cargo's own words where it does not build.
pub fn component(package: &str) -> PathBuf {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(path) = built.get(package) {
        return path.clone();
    }
    let path = build(package);
    built.insert(package.to_owned(), path.clone());
    path
}

/// The bytes of a package's `.wasm`.
///
/// # Panics
/// As [`component`], and where the file cannot be read.
pub fn bytes(package: &str) -> Vec<u8> {
    let path = component(package);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{} was built and is gone: {error}", path.display()))
}

/// The top of the repository.
pub fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

fn build(package: &str) -> PathBuf {
    let directory = target_directory();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace())
        .args(["build", "--quiet", "--target", TARGET, "--profile", PROFILE])
        .args(["--package", package])
        .arg("--target-dir")
        .arg(&directory);
    for (name, _) in std::env::vars_os().filter(|(name, _)| disturbs(name)) {
        command.env_remove(name);
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cargo does not start: {error}"));
    assert!(
        output.status.success(),
        "the component {package} does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = format!("{}.wasm", package.replace('-', "_"));
    let path = directory.join(TARGET).join(PROFILE).join(file);
    assert!(
        path.is_file(),
        "{package} is no cdylib: it gave no {}",
        path.display()
    );
    path
}

/// Where components are built: beside them is room for what their tests keep.
pub fn target_directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace().join(target).join("components")
}

/// What the outer cargo, a sanitizer or a coverage run set for native code. The settings of where
/// cargo lives and how it reaches its registry stay.
fn disturbs(name: &OsString) -> bool {
    let text = name.to_string_lossy();
    is_of_outer_cargo(name)
        || matches!(
            &*text,
            "RUSTFLAGS" | "RUSTDOCFLAGS" | "RUSTC_WORKSPACE_WRAPPER"
        )
}

/// What the outer cargo set for this test. Where a build script looks at it, all is built anew.
pub(crate) fn is_of_outer_cargo(name: &OsString) -> bool {
    const STAY: [&str; 6] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    let name = name.to_string_lossy();
    name.starts_with("CARGO_") && !STAY.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_disturbs_is_taken_from_the_environment() {
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            assert!(disturbs(&name.into()), "{name}");
        }
        for name in [
            "PATH",
            "CARGO",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!disturbs(&name.into()), "{name}");
        }
    }
}
