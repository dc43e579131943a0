use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Wrong, from_json};
use crate::model::Ability;

/// The form of this section.
const FORMAT: u32 = 1;
/// A mapping has a few dozen cases.
const MOST: usize = 200;
/// A call asks a handful of times.
const MAX_EXCHANGES: usize = 64;

/// One recorded call: what is asked, what the registry is then asked and answers, and what the
/// adapter makes of it. The people in it are invented.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    /// What it shows: `find-by-national-id`. From a file: the file's name, if not said.
    #[serde(default)]
    pub name: String,
    /// What is called.
    pub ability: Ability,
    /// The registry's settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The question, as a request to the gateway has it.
    pub question: Value,
    /// What the adapter asks the registry, each once, in any order.
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// As the gateway answers it, before a policy hides anything: a person, a household, a page
    /// (`candidates`, `total`, `more`, `extra`, `unmapped`), a verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The registry says no. This or `answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ExpectedFailure>,
}

/// One request to the registry and its answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exchange {
    /// The endpoint's name.
    pub endpoint: String,
    /// What is sent.
    pub request: Sent,
    /// What comes back.
    pub answer: Reply,
}

/// A request, as far as it matters.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sent {
    /// In capitals.
    pub method: String,
    /// Below the endpoint.
    pub path: String,
    /// These, and perhaps others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// JSON: these fields, and perhaps others. Lists have as many items. Text: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// What the registry answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Beside `content-type: application/json`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// JSON, where `{"$request": "/a/b"}` stands for that part of the request's body; or text.
    #[serde(default)]
    pub body: Value,
}

/// How the registry says no.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedFailure {
    /// `not-found`.
    pub kind: String,
    /// The registry's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Recordings {
    format: u32,
    recordings: Vec<Recording>,
}

impl Recording {
    /// Of a file.
    ///
    /// # Errors
    /// With the field.
    pub fn read(file: &str, json: &[u8]) -> Result<Self, Wrong> {
        let mut recording: Self = from_json(file, json)?;
        if recording.name.is_empty() {
            recording.name = file.trim_end_matches(".json").to_owned();
        }
        Ok(recording)
    }
}

pub(super) fn read(json: &[u8]) -> Result<Vec<Recording>, Vec<Wrong>> {
    let read: Recordings = from_json("recordings", json).map_err(|wrong| vec![wrong])?;
    let mut wrong = Vec::new();
    if read.format != FORMAT {
        let problem = format!("this gateway reads format {FORMAT}: package for it");
        wrong.push(Wrong::of("recordings.format", problem));
    }
    if read.recordings.len() > MOST {
        let problem = format!("at most {MOST} are replayed: keep those that differ");
        wrong.push(Wrong::of("recordings", problem));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    for (index, recording) in read.recordings.iter().enumerate() {
        if recording.answer.is_some() == recording.failure.is_some() {
            let problem = "has either an `answer` or a `failure`: say which it is";
            wrong.push(Wrong::of(&format!("recordings.{index}"), problem));
        }
        if recording.exchanges.len() > MAX_EXCHANGES {
            let problem = format!("at most {MAX_EXCHANGES}: record a shorter call");
            wrong.push(Wrong::of(&format!("recordings.{index}.exchanges"), problem));
        }
        let name = &recording.name;
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            let problem = "letters, digits, `-`, `_` and `.`, at most 64";
            wrong.push(Wrong::of(&format!("recordings.{index}.name"), problem));
        }
    }
    if wrong.is_empty() {
        return Ok(read.recordings);
    }
    Err(wrong)
}

pub(super) fn write(recordings: &[Recording]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Recordings {
        format: FORMAT,
        recordings: recordings.to_vec(),
    })
}
