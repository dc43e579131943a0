//! The database of one test: a SQLite file, or a database of the PostgreSQL that all tests of the
//! process share.

use std::path::Path;

use registry_gateway::config::Config;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::postgres::Server;

/// The test target that runs on PostgreSQL: cargo names its program so, and a hash behind it. A test
/// of that target fails where this is not so.
const ON_POSTGRES: &str = "suite_postgres-";

/// Gone with the test.
pub struct Database {
    postgres: Option<(&'static Server, String)>,
}

/// A connection past the gateway, as another program has it.
pub enum Outside {
    /// To the file.
    Sqlite(SqliteConnection),
    /// To the server.
    Postgres(PgConnection),
}

impl Database {
    /// Makes one of the kind that this process tests, and puts it into the configuration.
    ///
    /// Where there are no server programs, the process ends here: that was said aloud, and each
    /// test of it would be left out.
    pub(crate) fn configure(config: &mut Config) -> Self {
        if !is_postgres() {
            return Self { postgres: None };
        }
        let Some(server) = Server::shared() else {
            std::process::exit(0);
        };
        let name = server.new_database();
        let host = server.socket().display().to_string().replace('/', "%2F");
        let url = format!("url = 'postgres://gateway@{host}/{name}'");
        config.store = toml::from_str(&url).expect("a store");
        Self {
            postgres: Some((server, name)),
        }
    }

    pub(crate) async fn connect(&self, config: &Config) -> Outside {
        match &self.postgres {
            None => {
                let options = SqliteConnectOptions::new().filename(&config.store.path);
                Outside::Sqlite(options.connect().await.expect("the database"))
            }
            Some((server, name)) => {
                let options = PgConnectOptions::new_without_pgpass()
                    .socket(server.socket())
                    .port(server.port())
                    .username("gateway")
                    .database(name);
                Outside::Postgres(options.connect().await.expect("the database"))
            }
        }
    }

    /// Whether its server says that it is a PostgreSQL.
    pub(crate) fn says_postgres(&self) -> bool {
        self.postgres.as_ref().is_some_and(|(server, name)| {
            server
                .administer(name, "SELECT version()")
                .starts_with("PostgreSQL")
        })
    }

    /// Cuts the connections that are told of changes.
    pub(crate) fn hush(&self) {
        if let Some((server, name)) = &self.postgres {
            let statement = format!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
            );
            let cut = server.administer(name, &statement);
            assert_ne!(cut.trim(), "0", "nobody listens");
        }
    }

    /// Puts all that it holds into a file of that folder. SQLite has its own there already.
    pub(crate) fn dump_into(&self, folder: &Path) {
        if let Some((server, name)) = &self.postgres {
            std::fs::write(folder.join("dump.sql"), server.dump(name)).expect("a file");
        }
    }
}

/// Whether the tests of this process run on PostgreSQL.
pub fn is_postgres() -> bool {
    let program = std::env::current_exe().expect("a program");
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(ON_POSTGRES)
}

impl Drop for Database {
    fn drop(&mut self) {
        // A failed test has words of its own; what it leaves goes with the server.
        if let Some((server, name)) = &self.postgres
            && !std::thread::panicking()
        {
            let drop_it = format!("DROP DATABASE {name} WITH (FORCE)");
            server.administer("postgres", &drop_it);
        }
    }
}

impl Outside {
    /// Runs a statement that both databases take, and says how many rows it touched.
    ///
    /// # Panics
    /// If it fails.
    pub async fn run(&mut self, statement: &str) -> u64 {
        let done = self.try_run(statement).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The same, where it may be refused.
    pub async fn try_run(&mut self, statement: &str) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(conn) => {
                let done = sqlx::query(sql).execute(conn).await;
                done.map(|done| done.rows_affected())
            }
            Self::Postgres(conn) => {
                let done = sqlx::query(sql).execute(conn).await;
                done.map(|done| done.rows_affected())
            }
        }
    }

    /// Tells the gateway that registries were changed.
    pub async fn move_revision(&mut self) {
        self.run("UPDATE configuration SET revision = revision + 1")
            .await;
    }

    /// Keeps everybody else from writing, until [`unlock`](Self::unlock).
    pub async fn lock(&mut self) {
        match self {
            Self::Sqlite(_) => drop(self.run("BEGIN IMMEDIATE").await),
            Self::Postgres(_) => {
                self.run("BEGIN").await;
                self.run("LOCK TABLE configuration, audit_begin, audit_end IN EXCLUSIVE MODE")
                    .await;
            }
        }
    }

    /// Ends what [`lock`](Self::lock) began.
    pub async fn unlock(&mut self) {
        self.run("ROLLBACK").await;
    }

    /// Lets no end of an audit row be written, until [`take_ends`](Self::take_ends).
    pub async fn refuse_ends(&mut self) {
        let on_sqlite = "CREATE TRIGGER refuse BEFORE INSERT ON audit_end \
                         BEGIN SELECT RAISE(ABORT, 'refused by the test'); END";
        let function = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                        RAISE EXCEPTION 'refused by the test' USING ERRCODE = '23514'; END $$";
        let on_postgres = "CREATE TRIGGER refuse BEFORE INSERT ON audit_end \
                           FOR EACH ROW EXECUTE FUNCTION refuse()";
        match self {
            Self::Sqlite(_) => drop(self.run(on_sqlite).await),
            Self::Postgres(_) => {
                self.run(function).await;
                self.run(on_postgres).await;
            }
        }
    }

    /// Ends what [`refuse_ends`](Self::refuse_ends) began.
    pub async fn take_ends(&mut self) {
        match self {
            Self::Sqlite(_) => drop(self.run("DROP TRIGGER refuse").await),
            Self::Postgres(_) => drop(self.run("DROP TRIGGER refuse ON audit_end").await),
        }
    }

    /// Takes away what keeps the audit from being changed, as one who owns the database can.
    pub async fn disarm_audit(&mut self) {
        const TABLES: [&str; 7] = [
            "audit_begin",
            "audit_end",
            "audit_act",
            "audit_chain",
            "audit_checkpoint",
            "audit_seal",
            "audit_pruned",
        ];
        if let Self::Sqlite(conn) = self {
            let sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
            let triggers: Vec<String> = sqlx::query_scalar(sql)
                .fetch_all(conn)
                .await
                .expect("the triggers");
            for trigger in triggers {
                self.run(&format!("DROP TRIGGER {trigger}")).await;
            }
        } else {
            for table in TABLES {
                self.run(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"))
                    .await;
            }
            for table in &TABLES[..3] {
                self.run(&format!(
                    "ALTER TABLE {table} DROP CONSTRAINT {table}_place"
                ))
                .await;
            }
        }
        for table in ["begin", "end", "act"] {
            self.run(&format!("DROP INDEX audit_{table}_chain")).await;
        }
        for table in TABLES {
            self.run(&format!(
                "CREATE TABLE kept_{table} AS SELECT * FROM {table}"
            ))
            .await;
        }
    }

    /// Makes the audit what it was when [`disarm_audit`](Self::disarm_audit) was called.
    pub async fn restore_audit(&mut self) {
        let order = [
            "begin",
            "end",
            "act",
            "chain",
            "checkpoint",
            "seal",
            "pruned",
        ];
        for table in order.into_iter().rev() {
            self.run(&format!("DELETE FROM audit_{table}")).await;
        }
        for table in order {
            self.run(&format!(
                "INSERT INTO audit_{table} SELECT * FROM kept_audit_{table}"
            ))
            .await;
        }
    }

    /// Puts a hash into a row.
    ///
    /// # Panics
    /// If it fails.
    pub async fn set_hash(&mut self, table: &str, key: &str, number: i64, hash: &[u8]) {
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = match self {
            Self::Sqlite(_) => format!("X'{digits}'"),
            Self::Postgres(_) => format!("'\\x{digits}'::bytea"),
        };
        let sql = format!("UPDATE {table} SET hash = {value} WHERE {key} = {number}");
        assert_eq!(self.run(&sql).await, 1, "{table} {number}");
    }
}
