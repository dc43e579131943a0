//! Ten thousand damaged copies of answers that others wrote: all samples of the official repository, and
//! the record of the official mock of a beneficiary registry. They are not part of this repository:
//! REGISTRY_GATEWAY_SHARED names the folder that holds them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};

use adapter_sdk::Failure;
use adapter_sdk::testing::{self, Damage};
use adapter_spdci::mapping;
use adapter_spdci::settings::Settings;
use adapter_spdci::wire::{answer, record::Record};
use common::damaged::{COPIES, Tally, person, told};
use serde_json::{Value, json};

/// The folder, or none where this is left out. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "where the samples are is told to this test alone"
)]
fn samples() -> Option<PathBuf> {
    match std::env::var("REGISTRY_GATEWAY_SHARED") {
        Ok(shared) => Some(PathBuf::from(shared).join("fixtures/spdci")),
        Err(_) => {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "CI=true, but REGISTRY_GATEWAY_SHARED is not set");
            // Straight to the terminal: `println!` in a test that passes is swallowed.
            let line = "LEFT OUT: the official samples, since REGISTRY_GATEWAY_SHARED is not set\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}

/// Every sample answer.
fn answers(folder: &Path) -> Vec<Value> {
    let files = std::fs::read_dir(folder.join("examples")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.to_string_lossy().ends_with("res.json"));
    files.sort();
    let read = |path: &PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut answers: Vec<Value> = files.iter().map(read).collect();
    assert_eq!(answers.len(), 12);
    let mock = read(&folder.join("mockoon/mockoon-ibr.json"));
    let routes = mock["routes"].as_array().unwrap();
    let search = routes.iter().find(|it| it["endpoint"] == "ibr/sync/search");
    let body = search.unwrap()["responses"][0]["body"].as_str().unwrap();
    answers.push(serde_json::from_str(body).unwrap());
    answers
}

fn settings() -> Settings {
    serde_json::from_value(json!({
        "registry_type": "Social", "sender_id": "openimis",
        "identifier_types": { "national-id": "UIN", "birth-registration-number": "BRN", "nid": "NID" },
    }))
    .unwrap()
}

/// Reads all records of an answer, and looks at each.
fn read(body: &Value, settings: &Settings) -> Result<(), Failure> {
    let said = told(&[body]);
    for record in answer::read(body, None)?.records {
        let record = Record::new(&record).ok_or_else(|| Failure::unreadable("answer.record"))?;
        if mapping::is_group(&record) {
            let household = mapping::household(&record, settings);
            said.household(&household);
            household.people.iter().for_each(|it| person(&said, it));
        } else {
            person(&said, &mapping::person(&record, settings));
        }
    }
    Ok(())
}

#[test]
fn damaged_samples_are_read_or_refused() {
    let Some(folder) = samples() else { return };
    let (originals, settings) = (answers(&folder), settings());
    // For what is logged of a warning.
    let _stage = testing::stage();
    let mut damage = Damage::seeded(0x05f6);
    let mut tally = Tally::default();
    for at in 0..COPIES {
        let copy = damage.copy(&originals[at % originals.len()]);
        match read(&copy, &settings) {
            Ok(()) => tally.read(|| {}),
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}
