//! Looking without touching: nothing is made, migrated or written.

use std::sync::Arc;

use sqlx::migrate::{MigrateError, Migrator};

use super::Store;
use super::db::{Opener, Pool, query};
use super::error::StoreError;
use super::writer::Writer;
use super::{postgres, sqlite};
use crate::config::store::StoreConfig;
use secrecy::SecretString;

/// What is found where the database should be.
#[derive(Debug)]
pub enum Look {
    /// Nothing: opening it would make it.
    Absent,
    /// A schema that opening it would bring up to date.
    Behind {
        /// The steps that opening it would take.
        steps: Vec<String>,
    },
    /// A database, to be read. It takes no writes.
    Here(Store),
}

impl Store {
    /// Looks at the database as configured.
    ///
    /// # Errors
    /// `Unfit`, `Migrate` where the schema is a later gateway's, or `Open`, `Busy` and `Unavailable`
    /// as for any use.
    pub async fn look(
        config: &StoreConfig,
        password: Option<&SecretString>,
    ) -> Result<Look, StoreError> {
        let opener = Opener::new(config, password);
        if let Opener::Postgres(server) = &opener {
            // Whether the server is fit, and there: the readers connect when they are used.
            server.look().await?;
        } else if !config.path.exists() {
            return Ok(Look::Absent);
        }
        let store = Self {
            writer: Writer::none(),
            readers: opener.lookers(),
            holder: Arc::default(),
            opener: Arc::new(opener),
        };
        let steps = store.missing_steps().await?;
        if steps.is_empty() {
            return Ok(Look::Here(store));
        }
        store.close().await;
        Ok(Look::Behind { steps })
    }

    /// The schema's steps that were not taken yet.
    async fn missing_steps(&self) -> Result<Vec<String>, StoreError> {
        let (migrator, table): (&Migrator, _) = match &self.readers {
            Pool::Sqlite(_) => (
                &sqlite::MIGRATOR,
                "SELECT COUNT(*) AS found FROM sqlite_master WHERE name = '_sqlx_migrations'",
            ),
            Pool::Postgres(..) => (
                &postgres::MIGRATOR,
                "SELECT COUNT(*) AS found FROM information_schema.tables \
                 WHERE table_name = '_sqlx_migrations'",
            ),
        };
        let found = query(table).fetch_one(&self.readers).await?;
        let mut taken: Vec<i64> = Vec::new();
        if found.get::<i64>("found")? > 0 {
            let rows = query("SELECT version FROM _sqlx_migrations ORDER BY version");
            for row in rows.fetch_all(&self.readers).await? {
                taken.push(row.get("version")?);
            }
        }
        let known = |version: &i64| migrator.iter().any(|step| step.version == *version);
        if let Some(later) = taken.iter().find(|version| !known(version)) {
            let later = MigrateError::VersionMissing(*later);
            return Err(StoreError::Migrate(Arc::new(later)));
        }
        let missing = migrator
            .iter()
            .filter(|step| !taken.contains(&step.version));
        Ok(missing
            .map(|step| format!("{:04}_{}", step.version, step.description))
            .collect())
    }
}
