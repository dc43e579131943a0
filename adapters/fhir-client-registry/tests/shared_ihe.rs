//! The samples of IHE (PDQm, PIXm, PMIR), of OpenCR and of openIMIS, read by this adapter. They are not
//! part of this repository: REGISTRY_GATEWAY_SHARED names the folder that holds them.
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

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_fhir_client_registry::wire::sender::digits;
use adapter_sdk::model::{
    Callback, EventKind, HumanName, Identifier, PersonStatus, Reception, Sex,
};
use adapter_sdk::testing::{self, Damage};
use adapter_sdk::{Events, Find, dates};
use common::{COPIES, SEARCH, bundle, by, done, told};
use serde_json::{Value, json};

/// The folder, or none where this is left out. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "where the samples are is told to this test alone"
)]
fn samples() -> Option<PathBuf> {
    match std::env::var("REGISTRY_GATEWAY_SHARED") {
        Ok(shared) => Some(PathBuf::from(shared).join("fixtures")),
        Err(_) => {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "CI=true, but REGISTRY_GATEWAY_SHARED is not set");
            // Straight to the terminal: `println!` in a test that passes is swallowed.
            let line = "LEFT OUT: the IHE samples, since REGISTRY_GATEWAY_SHARED is not set\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}

fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn settings() -> Value {
    json!({
        "identifier_systems": {
            "red": "urn:oid:1.3.6.1.4.1.21367.13.20.1000",
            "green": "urn:oid:1.3.6.1.4.1.21367.13.20.2000",
            "blue": "urn:oid:1.3.6.1.4.1.21367.13.20.3000",
            "connectathon": "urn:oid:1.3.6.1.4.1.21367.13.20.308",
            "openmrs": "http://clientregistry.org/openmrs",
        },
        "identifier_types": {
            "chf-id": "https://openimis.github.io/openimis_fhir_r4_ig/CodeSystem/openimis-identifiers|Code",
        },
        "callback_token_sha256": digits(b"token").collect::<String>(),
        "with_related": false,
    })
}

fn receive(message: &Value) -> Reception {
    let _stage = testing::stage().settings(settings());
    FhirClientRegistry::receive(Callback {
        method: "POST".to_owned(),
        path: "/token".to_owned(),
        query: Vec::new(),
        headers: vec![(
            "content-type".to_owned(),
            "application/fhir+json".to_owned(),
        )],
        body: message.to_string().into_bytes(),
        extra: Vec::new(),
    })
    .unwrap()
}

#[test]
fn pixm_patients_are_found() {
    let Some(folder) = samples().map(|it| it.join("ihe/pixm")) else {
        return;
    };
    for (name, scheme, value) in [
        ("Patient-MohrAlice.json", "blue", "IHEBLUE-994"),
        ("Patient-MohrAlice-Green.json", "green", "IHEGREEN-994"),
        ("Patient-MohrAlice-Red.json", "red", "IHERED-994"),
        ("Patient-MohrAlissa-Red.json", "red", "IHERED-994"),
    ] {
        let answer = bundle(&json!([read(&folder, name)]));
        let _stage = testing::stage()
            .settings(settings())
            .endpoint("registry")
            .on_post(SEARCH, move |_| answer.clone());
        let person = done(FhirClientRegistry::find(by(scheme, value))).unwrap();
        assert_eq!(person.identifier(scheme), Some(value), "{name}");
        assert_eq!(person.names[0].family.as_deref(), Some("MOHR"), "{name}");
        assert_eq!(
            (person.sex, person.unmapped.len()),
            (Some(Sex::Female), 0),
            "{name}"
        );
        assert_eq!(person.birth_date, dates::parse("1958-01-30"), "{name}");
    }
    // Its link has the number of the one that stands, and no reference.
    let answer = bundle(&json!([read(
        &folder,
        "Patient-MohrMaidenResolvedByMohrMalice-Red.json"
    )]));
    let _stage = testing::stage()
        .settings(settings())
        .endpoint("registry")
        .on_post(SEARCH, move |_| answer.clone());
    let person = done(FhirClientRegistry::find(by("red", "IHERED-m94"))).unwrap();
    assert_eq!(person.status, Some(PersonStatus::Merged));
    assert_eq!(person.replaced_by, [Identifier::new("red", "IHERED-994")]);
}

#[test]
fn pmir_messages_of_a_connectathon_are_events() {
    let Some(folder) = samples().map(|it| it.join("ihe/pmir")) else {
        return;
    };
    for (name, given, birth, sex) in [
        (
            "CATsample1-ITI-93-mother.json",
            "Mother",
            "1985-06-04",
            Sex::Female,
        ),
        (
            "CATsample3-ITI-93-baby.json",
            "Child",
            "2021-03-03",
            Sex::Male,
        ),
    ] {
        let reception = receive(&read(&folder, name));
        assert_eq!(
            (reception.response.status, reception.events.len()),
            (200, 1),
            "{name}"
        );
        let event = &reception.events[0];
        assert_eq!(event.kind, EventKind::RecordCreated, "{name}");
        let person = &event.participants[0].person;
        assert_eq!(
            person.names,
            [HumanName::of("Tiani-Spirit", [given])],
            "{name}"
        );
        assert_eq!(
            person.identifiers,
            [Identifier::new("connectathon", given)],
            "{name}"
        );
        assert_eq!(
            (person.birth_date.clone(), person.sex),
            (dates::parse(birth), Some(sex))
        );
    }
    // The answers of the other side; they repeat the record under its new address.
    for name in [
        "CATsample2-ITI-93-mother.json",
        "CATsample4-ITI-93-baby.json",
    ] {
        let reception = receive(&read(&folder, name));
        assert_eq!(
            (reception.response.status, reception.events.len()),
            (200, 1),
            "{name}"
        );
    }
}

#[test]
fn patients_of_opencr_and_of_openimis_are_found() {
    let Some(folder) = samples() else { return };
    let answer = bundle(&json!([read(&folder, "opencr/patient1_openmrs.json")]));
    let _stage = testing::stage()
        .settings(settings())
        .endpoint("registry")
        .on_post(SEARCH, move |_| answer.clone());
    let person = done(FhirClientRegistry::find(by("openmrs", "431211"))).unwrap();
    assert_eq!(person.names[0].given, ["Namaalwa", "Emmanuel"]);
    assert_eq!(person.unmapped[0].value, "http://system1.org");

    let page = read(
        &folder,
        "openimis/fhir_r4_patient_search_bundle_demo_server.json",
    );
    let mut one = page.clone();
    // A find must be the whole answer; a search may go on.
    one.as_object_mut().unwrap().remove("link");
    let _stage = testing::stage()
        .settings(settings())
        .endpoint("registry")
        .on_post(SEARCH, move |_| one.clone());
    let person = done(FhirClientRegistry::find(by("chf-id", "111111117"))).unwrap();
    assert_eq!(person.names[0].family.as_deref(), Some("Manth"));
    assert_eq!(person.addresses[0].city.as_deref(), Some("Rachla"));
}

/// Damaged copies of payloads that others wrote.
#[test]
fn damaged_samples_are_read_or_refused() {
    let Some(folder) = samples() else { return };
    let mut damage = Damage::seeded(0x0f6e);
    let patients: Vec<Value> = [
        "ihe/pixm/Patient-MohrAlice.json",
        "opencr/patient1_openmrs.json",
        "openimis/fhir_r4_test_patient.json",
    ]
    .map(|name| read(&folder, name))
    .into();
    let original = bundle(&Value::Array(patients));
    let message = read(&folder, "ihe/pmir/CATsample1-ITI-93-mother.json");
    let (mut people, mut events) = (0, 0);
    for _ in 0..COPIES {
        let answer = damage.copy(&original);
        let said = told(&[&answer]);
        let rules = fhir_r4::Rules::new("x-test", fhir_r4::rules::Schemes::default());
        if let Ok(read) = fhir_r4::bundle::Bundle::read(&answer, "Patient") {
            for patient in read.matches("Patient") {
                if fhir_r4::mapping::check(patient, "Patient").is_ok() {
                    said.person(&fhir_r4::mapping::patient(patient, &rules));
                    people += 1;
                }
            }
        }
        let message = damage.copy(&message);
        let said = told(&[&message]);
        for event in receive(&message).events {
            event
                .participants
                .iter()
                .for_each(|it| said.person(&it.person));
            events += 1;
        }
    }
    assert!(people > COPIES && events > COPIES / 5, "{people} {events}");
}
