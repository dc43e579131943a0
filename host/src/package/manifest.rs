use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Wrong, from_json};
use crate::model::Ability;

/// The form of this section.
const FORMAT: u32 = 1;

/// What an adapter says it is, for tools that do not run it. The component says the same when it is
/// asked: where the two differ, it is not admitted.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// 1.
    #[serde(default = "format")]
    pub format: u32,
    /// The adapter's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Where the source is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it can do.
    pub abilities: Vec<Ability>,
    /// The endpoints that it calls by name.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// JSON Schema of a registry's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_schema: Option<Value>,
    /// The numbers of the forms of states, cursors and page tokens that it reads.
    #[serde(default)]
    pub readable_states: Vec<u32>,
}

/// An endpoint that an adapter calls by name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// Its name in a registry's configuration.
    pub name: String,
    /// What it is for.
    pub summary: String,
    /// The adapter does nothing without it.
    #[serde(default)]
    pub required: bool,
}

fn format() -> u32 {
    FORMAT
}

pub(super) fn read(json: &[u8]) -> Result<Manifest, Wrong> {
    let manifest: Manifest = from_json("manifest", json)?;
    if manifest.format != FORMAT {
        let problem = format!("this gateway reads format {FORMAT}: package for it");
        return Err(Wrong::of("manifest.format", problem));
    }
    Ok(manifest)
}

pub(super) fn write(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(manifest)
}
