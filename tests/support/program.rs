//! The real program: what compiles modules for a gateway in this process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::components::{is_of_outer_cargo, workspace};

/// `registry-gateway`, as cargo builds it beside this test's own program.
///
/// Cargo does not build it by itself: it belongs to another package. It is asked for a test of that
/// package, which comes with the program: so the library is the one that this test has, where a mere
/// `cargo build` would build it once more, without what tests need.
///
/// # Panics
/// With cargo's own words where it does not build.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // target/debug/deps/suite-0123, or a benchmark's target/release/deps/lookup-0123.
        let own = std::env::current_exe().expect("this program");
        let folder = own.ancestors().nth(2).expect("its profile's folder");
        let release = folder.ends_with("release");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(workspace())
            .args(["test", "--quiet", "--no-run", "--test", "lifecycle"])
            .args(release.then_some("--release"))
            .arg("--target-dir")
            .arg(folder.parent().expect("the target directory"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_outer_cargo(name)) {
            command.env_remove(name);
        }
        let output = command.output().expect("cargo starts");
        assert!(
            output.status.success(),
            "the program does not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        folder.join("registry-gateway")
    })
}
