//! The sandbox's section.

use std::path::PathBuf;

use serde::Deserialize;

/// The engine that all modules share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// Where compiled modules are kept, with the key that authenticates them. Relative to the
    /// data directory.
    pub cache_dir: PathBuf,
    /// The largest `.wasm` that is looked at.
    pub max_module_bytes: u64,
    /// Live instances of all registries together.
    pub max_instances: u32,
    /// The most memory that any registry's `memory_bytes` may allow.
    pub max_memory_bytes: u64,
    /// What compiles modules, in a process for each: this very program. A library that is no
    /// `registry-gateway` names one here.
    pub compiler_program: PathBuf,
    /// The most memory, in bytes of address space, that compiling one module may take.
    pub compile_memory_bytes: u64,
    /// The longest that compiling one module may take, in milliseconds.
    pub compile_timeout_ms: u64,
    /// Threads of idle priority for calls that compute longer than a moment.
    pub busy_threads: usize,
    /// Modules that served a registry before, and stay loaded so that going back takes no time: of
    /// each registry the latest so many.
    pub ready_versions: u32,
    /// Shadow calls of all registries at the same time; what is over that is left out.
    pub shadow_calls: u32,
}

impl SandboxConfig {
    /// 64 MiB: a Python adapter has 19.
    pub const MAX_MODULE_BYTES: u64 = 64 << 20;
    /// Most of them wait for registries.
    pub const MAX_INSTANCES: u32 = 512;
    /// 1 GiB.
    pub const MAX_MEMORY_BYTES: u64 = 1 << 30;
    /// The program as it runs, also where its file has been replaced since.
    pub const COMPILER_PROGRAM: &str = "/proc/self/exe";
    /// 2 GiB: a Python adapter takes a fifth of it.
    pub const COMPILE_MEMORY_BYTES: u64 = 2 << 30;
    /// 2 minutes: a Python adapter takes twenty seconds where nobody else computes.
    pub const COMPILE_TIMEOUT_MS: u64 = 120_000;
    /// Many more than cores: they start on demand, and a call beyond them waits for another's
    /// processor budget.
    pub const BUSY_THREADS: usize = 64;
    /// The one before, and the one before that.
    pub const READY_VERSIONS: u32 = 2;
    /// Few beside `max_instances`: each also keeps what its live call exchanged.
    pub const SHADOW_CALLS: u32 = 4;
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            cache_dir: PathBuf::from("cache"),
            max_module_bytes: Self::MAX_MODULE_BYTES,
            max_instances: Self::MAX_INSTANCES,
            max_memory_bytes: Self::MAX_MEMORY_BYTES,
            compiler_program: PathBuf::from(Self::COMPILER_PROGRAM),
            compile_memory_bytes: Self::COMPILE_MEMORY_BYTES,
            compile_timeout_ms: Self::COMPILE_TIMEOUT_MS,
            busy_threads: Self::BUSY_THREADS,
            ready_versions: Self::READY_VERSIONS,
            shadow_calls: Self::SHADOW_CALLS,
        }
    }
}
