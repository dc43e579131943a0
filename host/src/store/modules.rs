use std::fmt;
use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::columns::{as_time, check_no_nul, check_size, check_text, count, get, time};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};
use super::{Store, bump, now};

const DIGEST_PREFIX: &str = "sha256:";
const NAME_MAX_BYTES: usize = 128;
/// The largest known component, with a Python interpreter in it, has about 40 MB.
const MODULE_MAX_BYTES: usize = 64 << 20;
const DESCRIPTION_MAX_BYTES: usize = 1 << 20;
/// A reference to an OCI registry has a name and a digest.
const CAME_BY_MAX_BYTES: usize = 512;

const SUMMARIES: &str = "SELECT m.digest, m.adapter, m.version, m.size_bytes, m.created_at, \
     f.description, f.signed_by, f.came_by, f.retired_at \
     FROM modules m LEFT JOIN module_facts f ON f.digest = m.digest \
     ORDER BY m.adapter, m.created_at, m.digest";
const SUMMARY_OF: &str = "SELECT m.digest, m.adapter, m.version, m.size_bytes, m.created_at, \
     f.description, f.signed_by, f.came_by, f.retired_at \
     FROM modules m LEFT JOIN module_facts f ON f.digest = m.digest WHERE m.digest = $1";

/// A module as handed in.
#[derive(Clone, Debug)]
pub struct NewModule {
    /// The adapter's name.
    pub adapter: String,
    /// The version that the adapter states.
    pub version: String,
    /// The component, at most 64 MiB.
    pub bytes: Bytes,
    /// What else is known of it.
    pub facts: Option<ModuleFacts>,
}

/// What is known of a module that was admitted, besides its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModuleFacts {
    /// JSON, as the caller handed it: the store does not read it. At most 1 MiB.
    pub description: String,
    /// The number of the trusted key that signed it.
    pub signed_by: Option<String>,
    /// Who or what brought it.
    pub came_by: String,
    /// Since when its bytes are gone.
    pub retired_at: Option<Timestamp>,
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
    /// What else is known of it. None: it came with a file of registries.
    pub facts: Option<ModuleFacts>,
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
        if let Some(facts) = &module.facts {
            check_no_nul("module.description", &facts.description)?;
            check_size(
                "module.description",
                facts.description.len(),
                DESCRIPTION_MAX_BYTES,
                "bytes",
            )?;
            check_text("module.came_by", &facts.came_by, CAME_BY_MAX_BYTES)?;
        }
        let digest = digest(module.bytes.clone()).await?;
        let summary = ModuleSummary {
            digest: digest.clone(),
            adapter: module.adapter,
            version: module.version,
            size_bytes: module.bytes.len() as u64,
            created_at: now(),
            facts: module.facts,
        };
        let module = Box::new(Module {
            summary,
            bytes: module.bytes,
        });
        self.store
            .writer
            .write(Work::Change(Change::PutModule(module)))
            .await?;
        let known = self.summary(&digest).await?;
        // Retired in the same moment, by somebody else.
        known.ok_or(StoreError::Unknown {
            what: "module",
            name: digest,
        })
    }

    /// What is known of the module of that digest, retired or not.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn summary(self, digest: &str) -> Result<Option<ModuleSummary>, StoreError> {
        query(SUMMARY_OF)
            .bind(digest)
            .fetch_optional(&self.store.readers)
            .await?
            .as_ref()
            .map(summary_of)
            .transpose()
    }

    /// Removes the bytes of a module that nothing uses. What is known of it stays.
    ///
    /// # Errors
    /// `Unknown`, `InUse` with what uses it, or as for any write.
    pub async fn retire(self, digest: &str) -> Result<(), StoreError> {
        self.store
            .writer
            .write(Work::Change(Change::RetireModule(digest.to_owned())))
            .await?;
        Ok(())
    }

    /// By which reference a module was pulled.
    ///
    /// # Errors
    /// `Invalid`, `Unknown` where there is no such module, or as for any write.
    pub async fn pulled(self, reference: &str, digest: &str) -> Result<(), StoreError> {
        check_text("module.reference", reference, CAME_BY_MAX_BYTES)?;
        let change = Change::PulledModule(reference.to_owned(), digest.to_owned());
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// The digest of the module that was pulled by that reference, while it is not retired.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn pulled_as(self, reference: &str) -> Result<Option<String>, StoreError> {
        let row = query(
            "SELECT p.digest FROM module_pulls p \
             LEFT JOIN module_facts f ON f.digest = p.digest \
             WHERE p.reference = $1 AND f.retired_at IS NULL",
        )
        .bind(reference)
        .fetch_optional(&self.store.readers)
        .await?;
        row.map(|row| get(&row, "digest")).transpose()
    }

    /// The module of that digest, its bytes checked against it. None where it is retired.
    ///
    /// # Errors
    /// `Damaged` when the bytes are not those of the digest; `Busy` or `Unavailable`.
    pub async fn get(self, digest: &str) -> Result<Option<Module>, StoreError> {
        let row = query(
            "SELECT m.digest, m.adapter, m.version, m.size_bytes, m.created_at, f.description, \
             f.signed_by, f.came_by, f.retired_at, m.bytes \
             FROM modules m LEFT JOIN module_facts f ON f.digest = m.digest \
             WHERE m.digest = $1 AND f.retired_at IS NULL",
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

    /// All of them, by adapter, the oldest first; those that are retired too.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<ModuleSummary>, StoreError> {
        query(SUMMARIES)
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
    .execute(&mut *conn)
    .await?;
    let Some(facts) = &summary.facts else {
        // Its bytes are back.
        query("UPDATE module_facts SET retired_at = NULL WHERE digest = $1")
            .bind(&summary.digest)
            .execute(conn)
            .await?;
        return Ok(0);
    };
    query(
        "INSERT INTO module_facts (digest, description, signed_by, came_by, retired_at) \
         VALUES ($1, $2, $3, $4, NULL) \
         ON CONFLICT (digest) DO UPDATE SET description = excluded.description, \
         signed_by = excluded.signed_by, came_by = excluded.came_by, retired_at = NULL",
    )
    .bind(&summary.digest)
    .bind(&facts.description)
    .bind(facts.signed_by.as_deref())
    .bind(&facts.came_by)
    .execute(conn)
    .await?;
    Ok(0)
}

/// The row stays: audit rows name their module by digest.
pub(super) async fn retire(conn: &mut Conn, digest: &str) -> Result<i64, StoreError> {
    // First: whoever configures a registry at the same time waits here, or this does.
    let revision = bump(&mut *conn).await?;
    let by = users(&mut *conn, digest).await?;
    if !by.is_empty() {
        return Err(StoreError::InUse {
            what: "module",
            by: by.join(", "),
        });
    }
    let done = query("UPDATE modules SET bytes = $2 WHERE digest = $1")
        .bind(digest)
        .bind(&b""[..])
        .execute(&mut *conn)
        .await?;
    if done == 0 {
        return Err(StoreError::Unknown {
            what: "module",
            name: digest.to_owned(),
        });
    }
    query(
        "INSERT INTO module_facts (digest, description, came_by, retired_at) \
         VALUES ($1, '{}', 'registry apply', $2) \
         ON CONFLICT (digest) DO UPDATE SET retired_at = excluded.retired_at",
    )
    .bind(digest)
    .bind(now().as_microsecond())
    .execute(&mut *conn)
    .await?;
    Ok(revision)
}

/// What would no longer work without it. Whatever else may come to need a module is asked here.
async fn users(conn: &mut Conn, digest: &str) -> Result<Vec<String>, StoreError> {
    query(
        "SELECT 'registries.' || name AS used_by FROM registries WHERE module_digest = $1 UNION ALL \
         SELECT 'registries.' || registry || '.candidate' AS used_by FROM candidates \
         WHERE module_digest = $1 ORDER BY used_by",
    )
    .bind(digest)
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| get(row, "used_by"))
    .collect()
}

pub(super) async fn pulled(
    conn: &mut Conn,
    reference: &str,
    digest: &str,
) -> Result<i64, StoreError> {
    query(
        "INSERT INTO module_pulls (reference, digest, pulled_at) VALUES ($1, $2, $3) \
         ON CONFLICT (reference) DO UPDATE SET digest = excluded.digest, \
         pulled_at = excluded.pulled_at",
    )
    .bind(reference)
    .bind(digest)
    .bind(now().as_microsecond())
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
        facts: facts_of(row)?,
    })
}

fn facts_of(row: &Row) -> Result<Option<ModuleFacts>, StoreError> {
    let Some(came_by) = get(row, "came_by")? else {
        return Ok(None);
    };
    let retired_at: Option<i64> = get(row, "retired_at")?;
    Ok(Some(ModuleFacts {
        description: get(row, "description")?,
        signed_by: get(row, "signed_by")?,
        came_by,
        retired_at: retired_at.map(|at| as_time(at, "retired_at")).transpose()?,
    }))
}
