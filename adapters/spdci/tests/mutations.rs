//! Ten thousand damaged copies of the answers: nothing breaks, nothing is guessed, and what is refused is
//! a typed failure. Over our own records; `shared_mutations` does the same over the official samples.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{Callback, Criterion, SearchQuery, Test};
use adapter_sdk::testing::{self, Damage};
use adapter_sdk::{Events, Find, FindHousehold, Search};
use adapter_spdci::Spdci;
use common::damaged::{COPIES, Tally, person, told};
use common::{PATH, by, group, household_of, item, member, saying, stage};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A record in which every part of the mapping has something to read.
fn full(uin: &str) -> Value {
    json!({
        "@type": "CRVS_Person",
        "identifier": [
            { "identifier_type": "UIN", "identifier_value": uin },
            { "identifier_type": "BRN", "identifier_value": "B-2" },
            { "identifier_type": "VOTER", "identifier_value": "V-3" },
        ],
        "name": { "surname": "Rai", "given_name": ["Mira", "Devi"], "maiden_name": "Lama",
            "prefix": "Dr.", "suffix": "", "clan": "Kirat" },
        "sex": "female", "birth_date": "1995-09-21T11:20:00", "death_date": "2021-01",
        "is_deceased": "yes", "marital_status": "W", "phone_number": ["+977 1", 977_002],
        "email": "mira@example.org",
        "address": [{ "address_line1": "House 7", "locality": "Ilam", "region_code": "P1",
            "sub_region_code": "D4", "postal_code": 57_300, "country_code": "NP",
            "geo_location": { "latitude": 26.9, "longitude": "87.9" } }],
        "birth_place": { "name": "Ilam hospital", "geo": { "latitude": 26.5, "longitude": 87.5 } },
        "marriage_date": ["2019/09/21"], "is_disabled": "no", "nationality": ["NP"],
        "disability_info": [{ "disability_type": "1", "functional_severity": "2" }],
        "registration_date": "2022-01-10T08:00:00Z", "poverty_score": 45.2,
        "parent1_identifier": { "identifier_type": "UIN", "identifier_value": "8" },
        "related_person": [{ "relationship_type": "sister",
            "related_member": { "identifier_type": "UIN", "identifier_value": "9" } }],
    })
}

fn answering(records: Value) -> Value {
    item(json!({ "status": "succ", "data": { "reg_records": records } }))
}

#[test]
fn finds() {
    let original = answering(json!([full("1")]));
    let mut damage = Damage::seeded(0x05f1);
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let answer = damage.copy(&original);
        let said = told(&[&answer]);
        let _stage = saying(answer);
        match Spdci::find(by("national-id", "1")) {
            Ok(found) => tally.read(|| person(&said, &found.done().unwrap())),
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn households() {
    let members = json!([
        member("1", "Asha", "daughter"),
        { "household_member": { "demographic_info": { "person": full("2") },
            "relationship_head": "self" } },
        member("3", "Hari", "son"),
    ]);
    let original = answering(json!([group(json!({ "person": full("2") }), members)]));
    let mut damage = Damage::seeded(0x05f2);
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let answer = damage.copy(&original);
        let said = told(&[&answer]);
        let _stage = stage("Social").on_post(PATH, move |_| answer.clone());
        match Spdci::find_household(household_of("national-id", "G1")) {
            Ok(found) => tally.read(|| {
                let household = found.done().unwrap();
                said.household(&household);
                household.people.iter().for_each(|it| person(&said, it));
                // A head is one whom a word or a number names.
                let named = said.says("self") || said.says("group_head_info");
                assert!(household.head.is_none() || named, "a guessed head");
            }),
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn searches() {
    let original = answering(json!([full("1"), full("2")]));
    let mut damage = Damage::seeded(0x05f3);
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let answer = damage.copy(&original);
        let said = told(&[&answer]);
        let _stage = saying(answer);
        let query = SearchQuery {
            criteria: vec![Criterion {
                field: "name.family".to_owned(),
                test: Test::Equals("Rai".to_owned()),
            }],
            sort: Vec::new(),
            page_size: 10,
            page: None,
        };
        match Spdci::search(query) {
            Ok(found) => tally.read(|| {
                let page = found.done().unwrap();
                page.candidates
                    .iter()
                    .for_each(|it| person(&said, &it.person));
            }),
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn events() {
    let token = "a-long-random-token";
    let hash: String = Sha256::digest(token)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    let original = json!({
        "header": { "version": "1.0.0", "message_id": "m", "action": "notify" },
        "message": { "transaction_id": "t", "notify_event": [{ "reference_id": "r",
            "timestamp": "2026-01-02T03:04:05Z",
            "data": { "reg_event_type": "death", "reg_records": [full("1")] } }] },
    });
    let mut damage = Damage::seeded(0x05f4);
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let message = damage.copy(&original);
        let said = told(&[&message]);
        let settings = json!({ "registry_type": "Civil", "sender_id": "openimis",
            "callback_token_sha256": hash });
        let _stage = testing::stage().settings(settings);
        let received = Spdci::receive(Callback {
            method: "POST".to_owned(),
            path: "/registry/notify".to_owned(),
            query: Vec::new(),
            headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
            body: message.to_string().into_bytes(),
            extra: Vec::new(),
        });
        match received {
            Ok(reception) if reception.response.status == 200 => tally.read(|| {
                for event in &reception.events {
                    said.date(event.occurred.as_ref());
                    event.recorded_at.iter().for_each(|it| said.has(it));
                    let people = event.participants.iter();
                    people.for_each(|it| person(&said, &it.person));
                }
            }),
            Ok(reception) => {
                assert_eq!(
                    (reception.response.status, reception.events.len()),
                    (400, 0)
                );
                tally.refused += 1;
            }
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn bytes() {
    let original = answering(json!([full("1")])).to_string().into_bytes();
    let mut damage = Damage::seeded(0x05f5);
    let mut refused = 0;
    for _ in 0..COPIES {
        let mut response = testing::status(200, &[]);
        response.body = damage.bytes(&original);
        let _stage = saying(response);
        if let Err(failure) = Spdci::find(by("national-id", "1")) {
            let kinds = [
                "unreadable",
                "not-found",
                "ambiguous",
                "unavailable",
                "rejected",
                "misconfigured",
            ];
            assert!(kinds.contains(&failure.kind()), "{}", failure.summary());
            refused += 1;
        }
    }
    assert!(refused > COPIES / 3, "{refused}");
}
