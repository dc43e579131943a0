//! Every sample answer of the official repository (spdci/standards, `release/sample-jsons`), read
//! by this adapter. The samples are not part of this repository: REGISTRY_GATEWAY_SHARED names the
//! folder that holds them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use std::io::Write;
use std::path::PathBuf;

use adapter_sdk::model::{
    Address, AddressUse, Contact, GeoPoint, Household, HouseholdKind, HumanName, Identifier,
    MaritalStatus, Person, RelatedPerson, RelationRole, Sex, Unmapped,
};
use adapter_sdk::{Find, dates};
use adapter_spdci::settings::Settings;
use adapter_spdci::wire::{answer, record::Record};
use adapter_spdci::{Spdci, mapping};
use serde_json::{Value, json};

/// The folder, or none where this is left out. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "where the samples are is told to this test alone"
)]
fn samples() -> Option<PathBuf> {
    match std::env::var("REGISTRY_GATEWAY_SHARED") {
        Ok(shared) => Some(PathBuf::from(shared).join("fixtures/spdci/examples")),
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

fn read(folder: &std::path::Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// What a sample came to.
#[derive(Debug, PartialEq)]
enum Read {
    Person(Box<Person>),
    Household(Box<Household>),
    Failure(String),
}

fn outcome(body: &Value, settings: &Settings) -> Read {
    let found = match answer::read(body, None) {
        Ok(found) => found,
        Err(failure) => return Read::Failure(failure.summary()),
    };
    assert_eq!((found.records.len(), found.total), (1, None));
    let record = Record::new(&found.records[0]).unwrap();
    if mapping::is_group(&record) {
        Read::Household(Box::new(mapping::household(&record, settings)))
    } else {
        Read::Person(Box::new(mapping::person(&record, settings)))
    }
}

fn settings() -> Settings {
    serde_json::from_value(json!({
        "registry_type": "Social", "sender_id": "openimis",
        "identifier_types": { "national-id": "UIN", "birth-registration-number": "BRN", "nid": "NID" },
    }))
    .unwrap()
}

/// Who is in all the CRVS samples and most of the social ones. What is in `extra` is compared by
/// its keys, see [`keys`].
fn sudarat() -> Person {
    let mut name = HumanName::of("Phumchai", ["Sudarat"]);
    name.prefix = vec!["Dr.".to_owned()];
    name.suffix = vec!["PhD".to_owned()];
    Person {
        identifiers: vec![
            Identifier::new("national-id", "847951632"),
            Identifier::new("birth-registration-number", "947951532"),
        ],
        names: vec![name],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1995-09-21"),
        marital_status: Some(MaritalStatus::Married),
        addresses: vec![home(Some(GeoPoint {
            latitude: 48.875,
            longitude: 2.375,
        }))],
        contacts: vec![
            Contact::phone("+1 (425) 555-1212"),
            Contact::phone("+1 (425) 555-1321"),
            Contact::email("PhumchaiS@isp.com"),
        ],
        related: vec![RelatedPerson {
            role: RelationRole::Parent,
            identifiers: vec![Identifier::new("national-id", "847941632")],
            ..RelatedPerson::default()
        }],
        ..Person::default()
    }
}

fn home(position: Option<GeoPoint>) -> Address {
    let address = mapping_of_address();
    Address {
        position,
        ..address
    }
}

fn mapping_of_address() -> Address {
    use adapter_sdk::model::AdministrativeArea;
    let area = |level, kind: &str, code: Option<&str>, name: Option<&str>| AdministrativeArea {
        level: Some(level),
        kind: Some(kind.to_owned()),
        code: code.map(str::to_owned),
        code_system: None,
        name: name.map(str::to_owned),
    };
    Address {
        city: Some("Thani".to_owned()),
        lines: ["Bophut Koh Samui", "Surat, Near Big Buddha Beach"]
            .map(str::to_owned)
            .into(),
        postal_code: Some("84320".to_owned()),
        country: Some("TH".to_owned()),
        areas: vec![
            area(1, "region", Some("A205"), None),
            area(2, "sub-region", Some("SH"), None),
        ],
        ..Address::default()
    }
}

fn crvs() -> Person {
    let mut person = sudarat();
    person.addresses.push(Address {
        use_: Some(AddressUse::Birth),
        text: Some("Koh Samui".to_owned()),
        position: Some(GeoPoint {
            latitude: 9.5604,
            longitude: 100.0245,
        }),
        ..Address::default()
    });
    person
}

fn social() -> Person {
    Person {
        status: None,
        ..sudarat()
    }
}

fn widow() -> Person {
    Person {
        identifiers: vec![Identifier::new("nid", "0205202401")],
        names: vec![HumanName::of("Test3", ["Test", "Test2"])],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1985-05-20"),
        marital_status: Some(MaritalStatus::Widowed),
        ..Person::default()
    }
}

/// Takes what is in `extra` off a person and its addresses, and gives the keys.
fn keys(person: &mut Person) -> Vec<String> {
    let places = person
        .addresses
        .iter_mut()
        .flat_map(|address| std::mem::take(&mut address.extra));
    let all: Vec<_> = std::mem::take(&mut person.extra)
        .into_iter()
        .chain(places)
        .collect();
    all.into_iter()
        .map(|extra| extra.key.trim_start_matches("x-spdci-").to_owned())
        .collect()
}

#[test]
fn every_sample_answer_is_read() {
    let Some(folder) = samples() else { return };
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with("res.json"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 12);
    let in_social = [
        "disability-identifier",
        "disability-type",
        "functional-limitation-type",
        "functional-severity",
        "household-status",
        "nationality",
        "is-disabled",
        "registration-date",
    ];
    let of_member = [
        "member-identifier",
        "education-level",
        "employment-status",
        "is-disabled",
        "language-code",
        "occupation",
        "registration-date",
        "relationship-head",
    ];

    for name in names {
        let (expected, expected_keys): (Person, &[&str]) = match name.as_str() {
            "social_processflow1-1res.json" | "social_processflow1-2res.json" => {
                assert_household(outcome(&read(&folder, &name), &settings()), &of_member);
                continue;
            }
            "social_processflow1-3res.json" => (widow(), &of_member),
            // This one has no plus code.
            "social_processflow2res.json" => (
                Person {
                    addresses: vec![home(None)],
                    ..social()
                },
                &in_social,
            ),
            "social_processflow3ares.json" | "social_processflow4res.json" => {
                (social(), &in_social)
            }
            _ if name.starts_with("crvs_processflow") => {
                (crvs(), &["marriage-date", "contains-place"])
            }
            _ => panic!("{name} is new"),
        };
        let Read::Person(mut person) = outcome(&read(&folder, &name), &settings()) else {
            panic!("{name} holds no person");
        };
        assert_keys(keys(&mut person), expected_keys, &name);
        let unmapped = std::mem::take(&mut person.unmapped);
        assert_eq!(*person, expected, "{name}");
        // The first parent is the person herself; the social samples add a code that no list has.
        let fields: Vec<&str> = unmapped
            .iter()
            .map(|unmapped| unmapped.field.as_str())
            .collect();
        match name.as_str() {
            "social_processflow1-3res.json" => assert_eq!(fields, [""; 0]),
            _ if name.starts_with("social") => {
                assert_eq!(fields, ["status", "related"]);
                assert_eq!(unmapped[0], Unmapped::new("status", "3"));
            }
            _ => assert_eq!(fields, ["related"]),
        }
    }
}

fn assert_keys(mut keys: Vec<String>, expected: &[&str], name: &str) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    keys.sort_unstable();
    assert_eq!(keys, expected, "{name}");
}

fn assert_household(read: Read, of_member: &[&str]) {
    let Read::Household(mut household) = read else {
        panic!("no household")
    };
    let place = household.addresses.remove(0);
    assert_eq!(
        place.text.as_deref(),
        Some("123 Main St, Anytown, CountryName")
    );
    assert_eq!(
        place.position,
        Some(GeoPoint {
            latitude: 40.712776,
            longitude: -74.005974
        })
    );
    let of_group: Vec<String> = household
        .extra
        .drain(..)
        .map(|extra| extra.key.replace("x-spdci-", ""))
        .collect();
    let expected = [
        "group-size",
        "place-address",
        "poverty-score",
        "registration-date",
    ];
    assert_keys(of_group, &expected, "group");
    assert_keys(keys(&mut household.people[0]), of_member, "member");
    let head = Person {
        marital_status: Some(MaritalStatus::NeverMarried),
        ..widow()
    };
    let expected = Household {
        identifiers: vec![Identifier::new("nid", "0205202401")],
        kind: HouseholdKind::Household,
        people: vec![head],
        members: vec![0],
        head: Some(0),
        ..Household::default()
    };
    assert_eq!(*household, expected);
}

#[test]
fn a_sample_is_an_answer_to_its_own_question_only() {
    let Some(folder) = samples() else { return };
    let body = read(&folder, "crvs_processflow1res.json");
    let _stage = common::saying(body);
    let found = Spdci::find(common::by("national-id", "847951632"))
        .unwrap()
        .done()
        .unwrap();
    assert_eq!(found.identifiers, crvs().identifiers);
    let failure = Spdci::find(common::by("national-id", "111111111")).unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.mismatch");
}
