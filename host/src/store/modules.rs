use std::fmt;
use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::columns::{check_size, check_text, count, get, time};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};
use super::{Store, now};

const DIGEST_PREFIX: &str = "sha256:";
const NAME_MAX_BYTES: usize = 128;
/// The largest known component, with a Python interpreter in it, has about 40 MB.
const MODULE_MAX_BYTES: usize = 64 << 20;

/// A module as handed in.
#[derive(Clone, Debug)]
pub struct NewModule {
    /// The adapter's name.
    pub adapter: String,
    /// The version that the adapter states.
    pub version: String,
    /// The component, at most 64 MiB.
    pub bytes: Bytes,
}

/// What is known of a stored module without reading it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModuleSummary {
    /// `sha256:` and 64 hexadecimal digits: what it is known by.
    pub digest: String,
    /// The adapter's name.
    pub adapter: String,
    /// The version that the adapter states.
    pub version: String,
    /// How many bytes the component has.
    pub size_bytes: u64,
    /// When it was first stored.
    pub created_at: Timestamp,
}

/// A stored module, whole.
#[derive(Clone)]
pub struct Module {
    /// All but the bytes.
    pub summary: ModuleSummary,
    /// The component: they have the digest that is stated.
    pub bytes: Bytes,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without megabytes of bytes.
        self.summary.fmt(f)
    }
}

/// The modules of a store.
#[derive(Clone, Copy, Debug)]
pub struct Modules<'a> {
    store: &'a Store,
}

impl<'a> Modules<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Stores a module and returns what it is known by. The same bytes again change nothing and
    /// return what was stored first.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn put(self, module: NewModule) -> Result<ModuleSummary, StoreError> {
        check_text("module.adapter", &module.adapter, NAME_MAX_BYTES)?;
        check_text("module.version", &module.version, NAME_MAX_BYTES)?;
        check_size(
            "module.bytes",
            module.bytes.len(),
            MODULE_MAX_BYTES,
            "bytes",
        )?;
        let digest = digest(module.bytes.clone()).await?;
        let summary = ModuleSummary {
            digest: digest.clone(),
            adapter: module.adapter,
            version: module.version,
            size_bytes: module.bytes.len() as u64,
            created_at: now(),
        };
        let module = Box::new(Module {
            summary,
            bytes: module.bytes,
        });
        self.store
            .writer
            .write(Work::Change(Change::PutModule(module)))
            .await?;
        let row = query(
            "SELECT digest, adapter, version, size_bytes, created_at FROM modules WHERE digest = $1",
        )
        .bind(digest)
        .fetch_one(&self.store.readers)
        .await?;
        summary_of(&row)
    }

    /// The module of that digest, its bytes checked against it.
    ///
    /// # Errors
    /// `Damaged` when the bytes are not those of the digest; `Busy` or `Unavailable`.
    pub async fn get(self, digest: &str) -> Result<Option<Module>, StoreError> {
        let row = query(
            "SELECT digest, adapter, version, size_bytes, created_at, bytes FROM modules \
             WHERE digest = $1",
        )
        .bind(digest)
        .fetch_optional(&self.store.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let summary = summary_of(&row)?;
        let bytes = Bytes::from(get::<Vec<u8>>(&row, "bytes")?);
        if self::digest(bytes.clone()).await? != summary.digest {
            return Err(StoreError::Damaged { what: "module" });
        }
        Ok(Some(Module { summary, bytes }))
    }

    /// All of them, by adapter, the oldest first.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<ModuleSummary>, StoreError> {
        query(
            "SELECT digest, adapter, version, size_bytes, created_at FROM modules \
             ORDER BY adapter, created_at, digest",
        )
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(summary_of)
        .collect()
    }
}

/// A module that is here already keeps its row, and gets its bytes again: what was damaged on disk
/// is mended by applying it.
pub(super) async fn insert(conn: &mut Conn, module: &Module) -> Result<i64, StoreError> {
    let Module { summary, bytes } = module;
    query(
        "INSERT INTO modules (digest, adapter, version, size_bytes, created_at, bytes) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(&summary.digest)
    .bind(&summary.adapter)
    .bind(&summary.version)
    .bind(i64::try_from(summary.size_bytes).unwrap_or(i64::MAX))
    .bind(summary.created_at.as_microsecond())
    .bind(bytes.as_ref())
    .execute(conn)
    .await?;
    Ok(0)
}

/// Off the event loop: megabytes take milliseconds.
async fn digest(bytes: Bytes) -> Result<String, StoreError> {
    let hash = tokio::task::spawn_blocking(move || Sha256::digest(&bytes))
        .await
        // Only when the runtime is being torn down.
        .map_err(|_| StoreError::Closed)?;
    let mut text = DIGEST_PREFIX.to_owned();
    for byte in hash {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn summary_of(row: &Row) -> Result<ModuleSummary, StoreError> {
    Ok(ModuleSummary {
        digest: get(row, "digest")?,
        adapter: get(row, "adapter")?,
        version: get(row, "version")?,
        size_bytes: count(row, "size_bytes")?,
        created_at: time(row, "created_at")?,
    })
}
