mod audit;
mod configuration;
mod faults;
mod power;

use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

/// A database of its own, gone with the test.
struct Home {
    directory: TempDir,
    config: StoreConfig,
}

impl Home {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let config = config_in(directory.path());
        Self { directory, config }
    }

    async fn open(&self) -> Store {
        Store::open(&self.config).await.unwrap()
    }
}

fn config_in(directory: &Path) -> StoreConfig {
    StoreConfig {
        path: directory.join("data/gateway.sqlite"),
        busy_timeout_ms: 300,
        ..StoreConfig::default()
    }
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
    }
}

fn a_caller(name: &str, key: u8) -> NewCaller {
    NewCaller {
        name: name.to_owned(),
        key_hash: [key; 32],
        registries: RegistryGrant::All,
        abilities: vec![crate::model::Ability::Find],
    }
}

impl Store {
    async fn fill_the_disk(&self) {
        let change = Change::FillTheDisk;
        self.writer.write(Work::Change(change)).await.unwrap();
    }
}
