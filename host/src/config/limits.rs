//! What one call of an adapter may use.

use serde::{Deserialize, Serialize};

/// What one call of an adapter may use. Every value bounds harm, none is a target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallLimits {
    /// Linear memory of all its memories together. Growing beyond it traps.
    pub memory_bytes: u64,
    /// Elements of all its tables together.
    pub table_elements: u64,
    /// Core instances, memories and tables, of each at most so many.
    pub instances: u32,
    /// Processor time of the guest, without the gateway's own work on its behalf.
    pub cpu_ms: u64,
    /// From the first instruction to the answer, waiting for the registry included.
    pub wall_ms: u64,
    /// What the guest may hand to the gateway in one go: a request, an answer.
    pub answer_bytes: u64,
    /// Handles that the guest holds at the same time.
    pub handles: u32,
    /// Requests to the registry; a redirect that is followed is one more.
    pub http_calls: u32,
    /// Those requests together: paths, queries, headers, bodies.
    pub http_bytes_out: u64,
    /// Bodies of their answers together, decompressed, as far as they were read.
    pub http_bytes_in: u64,
    /// Lines that are kept of what the guest logs and prints.
    pub log_lines: u32,
    /// Bytes that are kept of what the guest logs and prints.
    pub log_bytes: u32,
}

impl CallLimits {
    /// 64 MiB: a Rust adapter needs one or two, a Python one about twenty.
    pub const MEMORY_BYTES: u64 = 64 << 20;
    /// Python components have about 16,000. No table can have more, whatever the limit.
    pub const TABLE_ELEMENTS: u64 = 40_000;
    /// Python components have 16. The sandbox gives no call more, whatever the limit.
    pub const INSTANCES: u32 = 20;
    /// A mapping takes microseconds; a Python one milliseconds.
    pub const CPU_MS: u64 = 1_000;
    /// The openIMIS conformance suite gives a call 15 s; slow registries need longer.
    pub const WALL_MS: u64 = 30_000;
    /// 4 MiB: a page of a hundred people with addresses is a tenth of it.
    pub const ANSWER_BYTES: u64 = 4 << 20;
    /// A few per request in flight.
    pub const HANDLES: u32 = 1_000;
    /// A lookup takes one to five.
    pub const HTTP_CALLS: u32 = 32;
    /// 4 MiB.
    pub const HTTP_BYTES_OUT: u64 = 4 << 20;
    /// 16 MiB.
    pub const HTTP_BYTES_IN: u64 = 16 << 20;
    /// A stack trace fits.
    pub const LOG_LINES: u32 = 64;
    /// 16 KiB.
    pub const LOG_BYTES: u32 = 16 << 10;
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            memory_bytes: Self::MEMORY_BYTES,
            table_elements: Self::TABLE_ELEMENTS,
            instances: Self::INSTANCES,
            cpu_ms: Self::CPU_MS,
            wall_ms: Self::WALL_MS,
            answer_bytes: Self::ANSWER_BYTES,
            handles: Self::HANDLES,
            http_calls: Self::HTTP_CALLS,
            http_bytes_out: Self::HTTP_BYTES_OUT,
            http_bytes_in: Self::HTTP_BYTES_IN,
            log_lines: Self::LOG_LINES,
            log_bytes: Self::LOG_BYTES,
        }
    }
}
