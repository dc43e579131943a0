//! 10,000 damaged copies of the registry's answers, from a seed: nothing panics, no value is guessed,
//! and a refusal is a failure with a kind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_mosip::mapping::{self, Individual, demographics};
use adapter_mosip::settings::Settings;
use adapter_mosip::wire::ida::AuthAnswer;
use adapter_mosip::{find, jose};
use adapter_sdk::model::{Agreement, Contact, HumanName, Person, Photo, Sex, Verification};
use adapter_sdk::{Failure, dates};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use common::esignet::{NOW, SUBJECT, claims, settings as of_esignet};
use common::ida::error;
use common::mutate::Damage;
use serde_json::{Map, Value, json};

const COPIES: u64 = 10_000;
const SEED: u64 = 0x6d6f_7369_7000;

fn all_settings() -> Settings {
    let mut json = of_esignet();
    json["ida"] = json!({});
    common::settings(&json).unwrap()
}

/// Several languages, parts, an address in each form.
fn rich() -> Value {
    json!({
        "sub": SUBJECT, "name#en": "Amina Benali", "name#fra": "Amina Bénali", "name": "A. B.",
        "given_name": "Amina", "family_name#ar": "بنعلي", "nickname": "Mina", "gender#en": "Female",
        "gender#fr": "Femme", "birthdate": "1987", "individual_id": "5319704826",
        "address#en": { "formatted#en": "12 Flower St, Rabat", "region": "North" },
        "address": "Rabat", "phone": "1", "phone_number": "2", "email_verified": true,
        "picture": "https://p.example/1", "updated_at": 1_700_000_000, "iss": "https://esignet.example",
        "aud": ["openimis-client"], "exp": NOW + 60,
    })
}

/// Every text in a JSON value, keys too, with numbers and truth values as they are written.
fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|one| texts(one, all)),
        Value::Object(object) => {
            for (key, one) in object {
                all.push(key.clone());
                texts(one, all);
            }
            all.push(value.to_string());
        }
        other => all.push(other.to_string()),
    }
}

/// Each value of the person is a value of the claims, or made of one by a rule that is looked at here.
fn traces(person: &Person, claims: &Map<String, Value>, settings: &Settings) {
    let mut told = Vec::new();
    texts(&Value::Object(claims.clone()), &mut told);
    let said = |text: &str| {
        assert!(
            told.iter().any(|t| t.trim() == text),
            "{text:?} of {claims:?}"
        )
    };
    let within = |text: &str| assert!(told.iter().any(|t| t.contains(text)), "{text:?}");
    for identifier in &person.identifiers {
        said(&identifier.value);
    }
    for name in &person.names {
        for part in name.text.iter().chain(&name.family).chain(&name.given) {
            said(part);
        }
        if let Some(tag) = &name.language {
            let letters = settings.languages.get(tag).unwrap_or(tag).to_lowercase();
            let ends = |key: &String| {
                let (_, behind) = key.split_once('#').unwrap_or_default();
                behind == tag || behind.to_lowercase() == letters
            };
            assert!(claims.keys().any(ends), "{tag}");
        }
    }
    if let Some(sex) = person.sex {
        let words = claims
            .iter()
            .filter(|(key, _)| key.split('#').next() == Some("gender"));
        let mut read = words.filter_map(|(_, value)| settings.sex(value.as_str()?));
        assert!(read.any(|known| known == sex));
    }
    if let Some(date) = &person.birth_date {
        let written = claims
            .iter()
            .filter(|(key, _)| key.split('#').next() == Some("birthdate"));
        let same = |value: &Value| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            text.trim().replace('/', "-") == dates::format(date)
        };
        assert!(
            written.into_iter().any(|(_, value)| same(value)),
            "{date:?}"
        );
    }
    for contact in &person.contacts {
        said(&contact.value);
    }
    for address in &person.addresses {
        address.lines.iter().for_each(|line| within(line));
        let parts = [
            &address.text,
            &address.city,
            &address.postal_code,
            &address.country,
        ];
        parts.into_iter().flatten().for_each(|part| said(part));
        address
            .areas
            .iter()
            .filter_map(|area| area.name.as_deref())
            .for_each(said);
    }
    match &person.photo {
        Some(Photo::Reference(reference)) => said(reference),
        Some(Photo::Content(content)) => {
            let plain = STANDARD.encode(&content.data);
            let safe = URL_SAFE_NO_PAD.encode(&content.data);
            assert!(told.iter().any(|t| t.contains(&plain) || t.contains(&safe)));
        }
        None => {}
    }
    for unmapped in &person.unmapped {
        within(&unmapped.value);
    }
    for extra in &person.extra {
        assert!(extra.key.starts_with("x-mosip-"));
        let value: Value = serde_json::from_str(&extra.value).unwrap();
        assert!(claims.values().any(|one| *one == value), "{extra:?}");
    }
    // What no claim can say.
    assert_eq!((&person.status, &person.death_date), (&None, &None));
    assert_eq!((&person.marital_status, person.related.len()), (&None, 0));
}

#[test]
fn damaged_userinfo_is_never_guessed() {
    let settings = all_settings();
    let esignet = settings.esignet().unwrap();
    let mut damage = Damage::new(SEED);
    let (mut read, mut refused, mut unmapped) = (0, 0, 0);
    for copy in 0..COPIES {
        let whole = if copy % 2 == 0 { claims() } else { rich() };
        let payload = damage.copy(&whole);
        let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(&payload) else {
            let failure: Failure = serde_json::from_slice::<Map<String, Value>>(&payload)
                .unwrap_err()
                .into();
            assert_eq!(failure.kind(), "unreadable");
            refused += 1;
            continue;
        };
        // Whether or not it is taken, the mapping must hold.
        let person = mapping::person(&claims, &settings, esignet);
        traces(&person, &claims, &settings);
        unmapped += usize::from(!person.unmapped.is_empty());
        match find::userinfo(&claims, SUBJECT, esignet, NOW) {
            Ok(()) => {
                assert_eq!(person.identifier("mosip-psut"), Some(SUBJECT));
                read += 1;
            }
            Err(failure) => {
                assert_eq!(failure.kind(), "unreadable");
                refused += 1;
            }
        }
    }
    // Damage that changed nothing would prove nothing.
    assert!(
        read > 1_000 && refused > 1_000 && unmapped > 300,
        "{read} {refused} {unmapped}"
    );
}

fn claimed() -> Person {
    Person {
        names: vec![HumanName::text("Amina Benali")],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1987-11-25"),
        contacts: vec![Contact::phone("600000001")],
        ..Person::default()
    }
}

fn ida_answers() -> Vec<Value> {
    let answer = |status: bool, errors: Value| {
        json!({
            "transactionID": "1234567890", "version": "1.0", "id": "mosip.identity.auth",
            "errors": errors, "responseTime": "2026-01-02T03:04:05.678Z",
            "response": { "authStatus": status, "authToken": status.then_some("token-1") },
        })
    };
    vec![
        answer(true, json!([])),
        answer(true, Value::Null),
        answer(
            false,
            error("IDA-DEA-001", "Demographic data dob did not match"),
        ),
        answer(
            false,
            error(
                "IDA-DEA-003",
                "Demographic data name in eng not available in database",
            ),
        ),
        answer(false, error("IDA-MLC-003", "UIN has been deactivated")),
        answer(false, error("IDA-MLC-018", "UIN not available in database")),
    ]
}

/// A match is said by `true` and no error, a mismatch by its code; each field that is told was claimed.
fn follows(told: &Verification, answer: &Value) {
    let codes = answer["errors"].as_array().into_iter().flatten();
    let codes: Vec<&str> = codes
        .filter_map(|one| one["errorCode"].as_str())
        .map(str::trim)
        .collect();
    match told.overall {
        Agreement::Match => {
            assert_eq!(answer["response"]["authStatus"], true);
            assert_eq!(answer["transactionID"], "1234567890");
            assert!(codes.is_empty());
        }
        Agreement::Mismatch => assert!(codes.contains(&"IDA-DEA-001")),
        Agreement::Missing => assert!(codes.contains(&"IDA-DEA-003")),
        Agreement::Close => panic!("IDA never says close"),
    }
    let claimed = ["name.text", "sex", "birth-date", "contact.phone"];
    assert!(
        told.attributes
            .iter()
            .all(|one| claimed.contains(&one.field.as_str()))
    );
    assert!(told.token.is_none() || told.overall == Agreement::Match);
    if let Some(token) = &told.token {
        assert_eq!(answer["response"]["authToken"], token.as_str());
    }
}

#[test]
fn damaged_answers_of_ida_are_never_guessed() {
    let settings = all_settings();
    let individual = Individual {
        scheme: "national-id".to_owned(),
        id: "5319704826".to_owned(),
        id_type: "UIN".to_owned(),
    };
    let asked = demographics(&claimed(), &individual, settings.ida().unwrap(), &settings);
    let answers = ida_answers();
    let mut damage = Damage::new(SEED + 1);
    let (mut told, mut refused) = (0, 0);
    for copy in 0..COPIES {
        let whole = &answers[usize::try_from(copy).unwrap() % answers.len()];
        let body = damage.copy(whole);
        let read = serde_json::from_slice::<Value>(&body)
            .map_err(Failure::from)
            .and_then(|value| AuthAnswer::read(&value))
            .and_then(|answer| mapping::verification(&answer, "1234567890", &asked));
        match read {
            Ok(verification) => {
                follows(&verification, &serde_json::from_slice(&body).unwrap());
                told += 1;
            }
            Err(failure) => {
                // Its code is one, and no word of the registry's is in it.
                let text = format!("{failure:?}");
                assert!(
                    !text.contains("UIN has") && !text.contains("Demographic"),
                    "{text}"
                );
                refused += 1;
            }
        }
    }
    assert!(told > 1_000 && refused > 1_000, "{told} {refused}");
}

#[test]
fn damaged_tokens_are_refused() {
    /// A gateway that lets every signature pass, so that all of the form is looked at.
    use adapter_mosip::keys::{Error, Keys};
    struct Trusting;
    impl Keys for Trusting {
        type Session = common::SessionKey;
        fn sign(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, Error> {
            Err(Error::KeyNotGranted)
        }
        fn verify(
            &self,
            _: &str,
            _: Option<&str>,
            _: &str,
            _: &[u8],
            _: &[u8],
        ) -> Result<bool, Error> {
            Ok(true)
        }
        fn certificate_chain(&self, _: &str) -> Result<Vec<Vec<u8>>, Error> {
            Err(Error::KeyNotGranted)
        }
        fn generate(&self, _: &str) -> Result<common::SessionKey, Error> {
            Err(Error::AlgorithmNotSupported)
        }
        fn unwrap(&self, _: &str, _: &str, _: &[u8], _: &str) -> Result<common::SessionKey, Error> {
            Ok(common::SessionKey::new(vec![7; 32]))
        }
    }
    let settings = all_settings();
    let algorithms = &settings.esignet().unwrap().algorithms;
    let signed = common::esignet::signed(&claims());
    let header = common::url(common::esignet::jwe_header().to_string());
    let encrypted = format!("{header}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
    let mut damage = Damage::new(SEED + 2);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..COPIES {
        let text = damage.text(&signed);
        let payload = common::unurl(signed.split('.').nth(1).unwrap());
        match jose::verified(&Trusting, "esignet", algorithms, &text) {
            // Only the header's unread parts and the signature may differ, which this gateway passes,
            // or the payload, which is told as it came.
            Ok(told) => taken += usize::from(told == payload),
            Err(failure) => {
                assert_eq!(failure.kind(), "unreadable");
                refused += 1;
            }
        }
        let opened = jose::opened(&Trusting, "client", &damage.text(&encrypted));
        assert_eq!(opened.unwrap_err().kind(), "unreadable");
    }
    assert!(taken > 100 && refused > 1_000, "{taken} {refused}");
}
