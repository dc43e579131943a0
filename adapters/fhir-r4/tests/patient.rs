//! Who a Patient is: numbers, names, dates, status.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::dates;
use adapter_sdk::model::{
    HumanName, Identifier, MaritalStatus, NameUse, Person, PersonStatus, Sex,
};
use common::{EXTENSION, extra, read, reported};
use serde_json::{Value, json};

#[test]
fn silence_is_silence() {
    assert_eq!(read(json!({})), Person::default());
    let blank = json!({ "gender": " ", "birthDate": "", "name": [{}], "active": null,
        "identifier": [], "address": [{ "line": [""] }], "maritalStatus": { "coding": [] } });
    let person = read(blank);
    assert_eq!(person, Person::default());
}

#[test]
fn several_identifiers_old_ones_and_those_without_a_scheme() {
    let person = read(json!({ "identifier": [
        { "system": "urn:x:nid", "value": " 1 " },
        { "system": "urn:x:imis", "value": 7, "period": { "start": "2020-01-01", "end": "2030" } },
        { "system": "urn:x:nid", "value": "1" },
        { "system": "urn:x:nid", "value": "0", "use": "old" },
        { "system": "urn:x:nid", "value": "9", "period": { "end": "2026-05-31" } },
        { "system": "urn:x:lab", "value": "L1" },
        { "type": { "coding": [{ "system": "urn:x:types", "code": "Code" }] }, "value": "0707" },
        { "system": "urn:x:lab", "type": { "coding": [{ "code": "Code" }] }, "value": "L2" },
        { "system": "urn:x:nid", "value": { "of": "another shape" } },
        { "system": "urn:x:nid" },
    ] }));
    let number = |scheme: &str, value: &str| Identifier::new(scheme, value);
    // A number is not of two schemes: the system decides before the type.
    assert_eq!(
        person.identifiers,
        [
            number("nid", "1"),
            number("imis", "7"),
            number("chf", "0707")
        ]
    );
    assert_eq!(
        reported(&person),
        [
            ("identifiers.scheme", "urn:x:lab"),
            ("identifiers.scheme", "urn:x:lab"),
            ("identifiers", "{\"of\":\"another shape\"}"),
        ]
    );
    let kept: Value = serde_json::from_str(extra(&person, "x-test-identifier").unwrap()).unwrap();
    assert_eq!(kept.as_array().unwrap().len(), 4);
    let periods = extra(&person, "identifier-period").unwrap();
    assert!(periods.contains("\"end\":\"2030\"") && periods.contains("\"scheme\":\"imis\""));
}

#[test]
fn names_stand_side_by_side_in_each_script() {
    let language =
        |code: &str| json!([{ "url": format!("{EXTENSION}language"), "valueCode": code }]);
    let translation = |text: &str| {
        json!({ "extension": [{ "url": format!("{EXTENSION}translation"), "extension": [
            { "url": "lang", "valueCode": "ne-Deva" }, { "url": "content", "valueString": text }] }] })
    };
    // Two names, each with its language.
    let person = read(json!({ "name": [
        { "use": "official", "family": "Rai", "given": ["Sita"], "extension": language("ne-Latn") },
        { "use": "official", "family": "राई", "given": ["सीता"], "extension": language("ne-Deva") },
    ] }));
    let languages: Vec<_> = person
        .names
        .iter()
        .map(|it| it.language.as_deref())
        .collect();
    assert_eq!(languages, [Some("ne-Latn"), Some("ne-Deva")]);
    // One name, whose parts are translated.
    let person = read(json!({ "name": [{ "use": "official", "family": "Rai",
        "_family": translation("राई"), "given": ["Sita", "Devi"],
        "_given": [translation("सीता"), translation("देवी")] }] }));
    let mut latin = HumanName::of("Rai", ["Sita", "Devi"]);
    let mut devanagari = HumanName::of("राई", ["सीता", "देवी"]);
    devanagari.language = Some("ne-Deva".to_owned());
    for name in [&mut latin, &mut devanagari] {
        name.use_ = Some(NameUse::Official);
    }
    assert_eq!(person.names, [latin, devanagari]);
    // No language is read off the letters.
    let person = read(json!({ "name": [{ "text": "सीता" }] }));
    assert_eq!(person.names[0].language, None);
}

#[test]
fn names_are_not_put_together_nor_taken_apart() {
    let person = read(json!({ "name": [
        { "text": "Madonna" },
        { "use": "temp", "given": "Baby" },
        { "use": "stage", "family": "X", "prefix": ["Dr."], "period": { "end": "1960" } },
        { "use": "official", "_family": { "extension": [
            { "url": format!("{EXTENSION}data-absent-reason"), "valueCode": "unknown" }] } },
        "Sita Rai",
    ] }));
    assert_eq!(person.names.len(), 3);
    assert_eq!(person.names[0], HumanName::text("Madonna"));
    assert_eq!(
        person.names[1].use_,
        Some(NameUse::Other("temp".to_owned()))
    );
    assert_eq!(person.names[1].given, ["Baby"]);
    assert_eq!(person.names[2].extra[0].key, "x-test-period");
    assert_eq!(
        reported(&person),
        [("names", "Sita Rai"), ("names.use", "stage")]
    );
}

#[test]
fn dates_are_as_far_as_they_are_known() {
    for date in ["1985", "1985-05", "1985-05-20"] {
        assert_eq!(
            read(json!({ "birthDate": date })).birth_date,
            dates::parse(date)
        );
    }
    for date in [
        "1985-00-00",
        "1985/05/20",
        "20 May 1985",
        "1985-02-30",
        "0000",
    ] {
        let person = read(json!({ "birthDate": date }));
        assert_eq!(
            (person.birth_date.as_ref(), reported(&person)),
            (None, vec![("birth-date", date)])
        );
    }
    let timed = json!({ "birthDate": "1985-05-20", "_birthDate": { "extension": [
        { "url": format!("{EXTENSION}patient-birthTime"), "valueDateTime": "1985-05-20T04:00:00+05:45" },
        { "url": "urn:x:accuracy", "valueCode": "YMD" }] } });
    let person = read(timed);
    assert_eq!(
        extra(&person, "birth-time"),
        Some("\"1985-05-20T04:00:00+05:45\"")
    );
    assert!(
        extra(&person, "x-test-birth-date-extension")
            .unwrap()
            .contains("urn:x:accuracy")
    );
}

#[test]
fn the_dead_are_dead_with_a_date_or_without() {
    let dead = Some(PersonStatus::Deceased);
    let person = read(json!({ "active": true, "deceasedDateTime": "2026-02-03T10:00:00+05:45" }));
    assert_eq!(
        (person.status, person.death_date),
        (dead.clone(), dates::parse("2026-02-03"))
    );
    assert_eq!(
        extra(
            &read(json!({ "deceasedDateTime": "2026-02-03T10:00:00+05:45" })),
            "death-time"
        ),
        Some("\"2026-02-03T10:00:00+05:45\"")
    );
    let person = read(json!({ "deceasedBoolean": true }));
    assert_eq!((person.status, person.death_date), (dead.clone(), None));
    // A date that cannot be read says that they died all the same.
    let person = read(json!({ "deceasedDateTime": "last winter" }));
    assert_eq!(
        (person.status.as_ref(), reported(&person)),
        (dead.as_ref(), vec![("death-date", "last winter")])
    );
    for (fields, status) in [
        (
            json!({ "deceasedBoolean": false }),
            Some(PersonStatus::Active),
        ),
        (json!({ "active": true }), Some(PersonStatus::Active)),
        (
            json!({ "active": false }),
            Some(PersonStatus::Other("inactive".to_owned())),
        ),
        (json!({ "deceasedBoolean": "no" }), None),
    ] {
        assert_eq!(read(fields.clone()).status, status, "{fields}");
    }
}

#[test]
fn codes_that_no_table_has_are_reported() {
    let v3 = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
    let status = |system: &str, code: &str| json!({ "maritalStatus": { "coding": [{ "system": system, "code": code }] } });
    for (system, code, word) in [
        (v3, "W", MaritalStatus::Widowed),
        (v3, "C", MaritalStatus::Partnered),
        (v3, "I", MaritalStatus::Other("I".to_owned())),
        (
            "http://hl7.org/fhir/valueset-marital-status.html",
            "S",
            MaritalStatus::NeverMarried,
        ),
    ] {
        assert_eq!(read(status(system, code)).marital_status, Some(word));
    }
    for (system, code) in [(v3, "X"), ("urn:x:ours", "M"), (v3, "m")] {
        let person = read(status(system, code));
        assert_eq!(
            (person.marital_status.as_ref(), reported(&person)),
            (None, vec![("marital-status", code)])
        );
    }
    let both = json!({ "maritalStatus": { "coding": [
        { "system": v3, "code": "M" }, { "system": v3, "code": "D" }] } });
    let person = read(both);
    assert_eq!(
        (person.marital_status.as_ref(), reported(&person)),
        (None, vec![("marital-status", "M D")])
    );
    let person = read(json!({ "gender": "w", "maritalStatus": { "text": "shaadi" } }));
    assert_eq!(
        reported(&person),
        [("sex", "w"), ("marital-status", "shaadi")]
    );
    assert_eq!(read(json!({ "gender": "unknown" })).sex, Some(Sex::Unknown));
}
