//! Every test that is not about one database's own runs on both.

/// Makes of each function a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Home::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(home) = super::Home::postgres() {
                    super::$test(home).await;
                }
            })*
        }
    };
}

mod agreements;
mod answers;
mod audit;
mod backlog;
mod callbacks;
mod caller_keys;
mod chain;
mod closing;
mod configuration;
mod events;
mod faults;
mod figures;
mod leases;
mod links;
mod look;
mod nodes;
mod on_postgres;
mod on_sqlite;
mod operations;
mod power;
mod schema;
mod swap;
mod webhooks;

use std::path::Path;

use bytes::Bytes;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::config::store::DatabaseHost;
use crate::model::Grant;
use gateway_tests::postgres::Server;

/// A database of its own, gone with the test.
struct Home {
    directory: TempDir,
    config: StoreConfig,
}

impl Home {
    fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let config = config_in(directory.path());
        Self { directory, config }
    }

    /// None where there is no server.
    fn postgres() -> Option<Self> {
        Server::shared().map(Self::on)
    }

    /// A new database of that server.
    fn on(server: &Server) -> Self {
        let name = server.new_database();
        Self {
            directory: TempDir::new().unwrap(),
            config: postgres_config(server.socket(), &name),
        }
    }

    async fn open(&self) -> Store {
        Store::open(&self.config, None).await.unwrap()
    }

    /// A connection past the store.
    async fn connect(&self) -> Conn {
        Opener::new(&self.config, None).connect().await.unwrap()
    }

    fn is_postgres(&self) -> bool {
        self.config.postgres.is_some()
    }
}

fn config_in(directory: &Path) -> StoreConfig {
    StoreConfig {
        path: directory.join("data/gateway.sqlite"),
        busy_timeout_ms: 300,
        ..StoreConfig::default()
    }
}

fn postgres_config(socket: &Path, database: &str) -> StoreConfig {
    let host = socket.display().to_string().replace('/', "%2F");
    let text = format!("url = 'postgres://gateway@{host}/{database}'");
    toml::from_str(&text).unwrap()
}

/// Runs a statement past the store.
async fn run(conn: &mut Conn, statement: impl Into<String>) -> Result<u64, StoreError> {
    query(AssertSqlSafe(statement.into())).execute(conn).await
}

fn begin_row(request_id: &str) -> AuditBegin {
    AuditBegin {
        id: Uuid::now_v7(),
        at: now(),
        request_id: request_id.to_owned(),
        caller: "openimis".to_owned(),
        user: Some("claims-officer-7".to_owned()),
        entity: None,
        purpose: Some("eligibility".to_owned()),
        legal_basis: Some("act-12".to_owned()),
        registry: "crvs".to_owned(),
        ability: "find".to_owned(),
        module_digest: "sha256:00".to_owned(),
        asked: vec![[1; 32], [2; 32]],
    }
}

fn end_row(id: Uuid) -> AuditEnd {
    AuditEnd {
        id,
        at: now(),
        outcome: "done".to_owned(),
        code: None,
        disclosed: vec![[3; 32]],
        registry_calls: 2,
        duration_us: 1_234,
    }
}

fn a_module(bytes: &'static [u8]) -> NewModule {
    NewModule {
        adapter: "spdci".to_owned(),
        version: "1.2.0".to_owned(),
        bytes: Bytes::from_static(bytes),
        facts: None,
    }
}

fn a_key(key: u8) -> NewKey {
    NewKey {
        hash: [key; 32],
        prefix: format!("rgw_{key}"),
        expires_at: None,
    }
}

fn a_caller(name: &str, key: u8) -> NewCaller {
    NewCaller {
        name: name.to_owned(),
        settings: CallerSettings {
            roles: vec![crate::model::Role::Client],
            grants: vec![Grant::of(&["crvs"], &[crate::model::Ability::Find])],
            limits: None,
        },
        key: a_key(key),
    }
}

impl Store {
    async fn fill_the_disk(&self) {
        let change = Change::FillTheDisk;
        self.writer.write(Work::Change(change)).await.unwrap();
    }
}
