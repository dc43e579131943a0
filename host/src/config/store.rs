//! The database: where it is and what it may hold back.

use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

/// Where the database is when nothing says otherwise, from the working directory.
const DEFAULT_PATH: &str = "gateway.sqlite";
/// Reading is short and rare beside the audit; each reader is an operating-system thread.
const DEFAULT_READERS: u32 = 4;
/// Longer than any write of ours, shorter than a caller's patience.
const DEFAULT_BUSY_TIMEOUT_MS: u32 = 2_000;
/// About half a second of calls on a slow disk; also what bounds the memory of waiting rows.
const DEFAULT_QUEUE_ROWS: u32 = 1_024;
/// Enough to make the disk's sync cheap per row, few enough to keep the lock for milliseconds.
const DEFAULT_BATCH_ROWS: u32 = 256;
/// With the busy timeout, the longest that a call waits for its audit row.
const DEFAULT_QUEUE_WAIT_MS: u32 = 1_000;

/// The section `[store]`: the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The SQLite file. It and its directory are made when missing, for the owner only.
    pub path: PathBuf,
    /// How many connections read at once.
    pub readers: NonZeroU32,
    /// How long a statement waits for another process's lock, in milliseconds.
    pub busy_timeout_ms: u32,
    /// How many writes may wait for the writer.
    pub queue_rows: NonZeroU32,
    /// How many waiting writes go into one transaction.
    pub batch_rows: NonZeroU32,
    /// How long a write waits for a place in a full queue, in milliseconds.
    pub queue_wait_ms: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from(DEFAULT_PATH),
            readers: at_least_one(DEFAULT_READERS),
            busy_timeout_ms: DEFAULT_BUSY_TIMEOUT_MS,
            queue_rows: at_least_one(DEFAULT_QUEUE_ROWS),
            batch_rows: at_least_one(DEFAULT_BATCH_ROWS),
            queue_wait_ms: DEFAULT_QUEUE_WAIT_MS,
        }
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default() {
        let config: StoreConfig = toml::from_str("").unwrap();
        assert_eq!(config.path, PathBuf::from(DEFAULT_PATH));
        assert_eq!(config.batch_rows.get(), DEFAULT_BATCH_ROWS);
    }

    #[test]
    fn an_unknown_key_and_a_zero_are_errors() {
        let unknown = toml::from_str::<StoreConfig>("pth = 'x'").unwrap_err();
        assert!(unknown.to_string().contains("pth"), "{unknown}");
        let zero = toml::from_str::<StoreConfig>("queue_rows = 0").unwrap_err();
        assert!(zero.to_string().contains("nonzero"), "{zero}");
    }
}
