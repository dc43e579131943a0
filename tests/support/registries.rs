//! Registries in the text of `registry apply -f`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use toml::{Table, Value};

use crate::components;

/// The adapter's file, beside the registries' own.
const SPDCI: &str = "adapter-spdci.wasm";

/// Puts the adapter beside a registries' file. It is read once: another checkout that builds into
/// the same target directory does not change it under a running test.
pub(crate) fn put_adapter(folder: &Path) {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| components::bytes("adapter-spdci"));
    std::fs::write(folder.join(SPDCI), bytes).expect("the adapter is written");
}

/// One registry's section, as a test wants it.
#[derive(Clone)]
pub struct RegistryText {
    table: Table,
}

impl RegistryText {
    /// The `spdci` adapter, for a registry of that type.
    pub fn spdci(registry_type: &str) -> Self {
        Self {
            table: Table::new(),
        }
        .module(PathBuf::from(SPDCI))
        .set("settings.registry_type", registry_type)
        .set("settings.relationship_type_describes", "related-member")
        .set("settings.sender_id", "suite")
    }

    /// A module that needs no settings.
    pub fn bare(file: PathBuf) -> Self {
        let table = Table::new();
        Self { table }.module(file)
    }

    /// Another module.
    pub fn module(self, file: PathBuf) -> Self {
        self.set("module", file.display().to_string())
    }

    /// Sets a value by its path: `limits.wall_ms`.
    ///
    /// # Panics
    /// If a part of the path before the last is a value already.
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let mut table = &mut self.table;
        let mut parts: Vec<&str> = path.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            table = table
                .entry(part)
                .or_insert_with(|| Table::new().into())
                .as_table_mut()
                .unwrap_or_else(|| panic!("{part} of {path} is no table"));
        }
        table.insert(last.to_owned(), value.into());
        self
    }

    /// Sets the credential of the endpoint by its fields.
    pub fn credential(self, fields: &[(&str, &str)]) -> Self {
        let mut table = Table::new();
        for (name, value) in fields {
            table.insert((*name).to_owned(), (*value).into());
        }
        self.set("endpoints.registry.credential", table)
    }

    /// The section under that name, with the stand-in at `url` for its endpoint unless it has
    /// another.
    pub(crate) fn write(&self, name: &str, url: &str) -> String {
        let mut this = self.clone();
        let endpoint = this
            .table
            .get("endpoints")
            .and_then(|it| it.get("registry"));
        if endpoint.is_none_or(|endpoint| endpoint.get("base_url").is_none()) {
            this = this.set("endpoints.registry.base_url", url);
        }
        let this = this.set("endpoints.registry.allow_networks", vec!["127.0.0.0/8"]);
        // A token endpoint is the stand-in's too, whose port is not known before.
        let text = toml::to_string(&Table::from_iter([(
            "registries".to_owned(),
            Value::from(Table::from_iter([(name.to_owned(), this.table.into())])),
        )]));
        text.expect("a table is TOML").replace("{stand-in}", url)
    }
}
