//! The userinfo and token examples of eSignet's own OpenAPI (mosip/esignet, `docs`), which are not part
//! of this repository: REGISTRY_GATEWAY_SHARED names the folder that holds them. Their keys are not
//! published: what is looked at is the form and the mapping.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use adapter_mosip::mapping;
use adapter_mosip::settings::Settings;
use adapter_sdk::model::{Address, Contact, HumanName};
use common::esignet::{NOW, nobody_named, settings as least, telling};
use common::mutate::Damage;
use common::{Gateway, unurl};
use serde_json::{Map, Value};

/// The specification, or none where this is left out. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "where the examples are is told to this test alone"
)]
fn specification() -> Option<String> {
    match std::env::var("REGISTRY_GATEWAY_SHARED") {
        Ok(shared) => {
            let path = PathBuf::from(shared).join("fixtures/mosip/esignet-openapi.yaml");
            Some(std::fs::read_to_string(path).unwrap())
        }
        Err(_) => {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "CI=true, but REGISTRY_GATEWAY_SHARED is not set");
            // Straight to the terminal: `println!` in a test that passes is swallowed.
            let line = "LEFT OUT: eSignet's examples, since REGISTRY_GATEWAY_SHARED is not set\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}

/// The payloads of all tokens in the text.
fn payloads(text: &str) -> Vec<Map<String, Value>> {
    let words: BTreeSet<&str> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .filter(|word| word.starts_with("eyJ") && word.split('.').count() == 3)
        .collect();
    let payload = |word: &str| serde_json::from_slice(&unurl(word.split('.').nth(1)?)).ok();
    words.into_iter().filter_map(payload).collect()
}

#[test]
fn the_example_of_userinfo_becomes_a_person() {
    let Some(text) = specification() else { return };
    let all = payloads(&text);
    let people = all
        .iter()
        .filter(|claims| claims.contains_key("phone_number"));
    let people: Vec<_> = people.collect();
    assert_eq!(people.len(), 1, "the specification has changed");
    let settings: Settings = common::settings(&least()).unwrap();
    let person = mapping::person(people[0], &settings, settings.esignet().unwrap());
    let text = |claim: &Value| claim.as_str().unwrap().trim().to_owned();
    assert_eq!(person.names, [HumanName::text(&text(&people[0]["name"]))]);
    let phone = Contact::phone(text(&people[0]["phone_number"]));
    assert_eq!(
        person.contacts,
        [Contact::email(text(&people[0]["email"])), phone]
    );
    let city = Some(text(&people[0]["address"]["locality"]));
    assert_eq!(
        person.addresses,
        [Address {
            city,
            ..Address::default()
        }]
    );
    assert_eq!((person.unmapped, person.extra), (Vec::new(), Vec::new()));
    assert_eq!(person.identifiers.len(), 1);
}

#[test]
fn damaged_examples_do_not_break_the_mapping() {
    let Some(text) = specification() else { return };
    let all = payloads(&text);
    assert!(all.len() >= 3, "{}", all.len());
    let settings: Settings = common::settings(&least()).unwrap();
    let mut damage = Damage::new(0x6573_6967_6e65_7400);
    for copy in 0..10_000 {
        let whole = Value::Object(all[copy % all.len()].clone());
        let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(&damage.copy(&whole)) else {
            continue;
        };
        let person = mapping::person(&claims, &settings, settings.esignet().unwrap());
        for name in &person.names {
            let told = Value::Object(claims.clone()).to_string();
            let text = name.text.iter().chain(&name.family).chain(&name.given);
            for part in text {
                let escaped = Value::from(part.as_str()).to_string();
                assert!(
                    told.contains(escaped.trim_matches('"')),
                    "{part:?} in {told}"
                );
            }
        }
    }
}

#[test]
fn the_example_passes_the_whole_of_find_once_it_is_signed() {
    let Some(text) = specification() else { return };
    let all = payloads(&text);
    let example = all
        .iter()
        .find(|claims| claims.contains_key("phone_number"));
    let mut claims = Value::Object(example.unwrap().clone());
    claims["sub"] = common::esignet::SUBJECT.into();
    let _stage = telling(claims);
    let person = adapter_mosip::find::find(&Gateway, nobody_named(), NOW).unwrap();
    assert_eq!((person.names.len(), person.contacts.len()), (1, 2));
}
