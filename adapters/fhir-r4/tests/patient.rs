//! Patient, RelatedPerson and their data types, field by field.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use std::collections::BTreeMap;

use adapter_sdk::dates;
use adapter_sdk::model::{
    AddressUse, ContactSystem, HumanName, Identifier, MaritalStatus, NameUse, Person, PersonStatus,
    Photo, RelationRole, Sex, Unmapped,
};
use fhir_r4::rules::{AddressLevels, OneOrMany, Schemes};
use fhir_r4::{Rules, mapping};
use serde_json::{Value, json};

const EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/";

fn rules() -> Rules {
    let one = |scheme: &str, system: &str| (scheme.to_owned(), OneOrMany::One(system.to_owned()));
    let schemes = Schemes {
        systems: BTreeMap::from([one("nid", "urn:x:nid"), one("imis", "urn:x:imis")]),
        types: BTreeMap::from([one("chf", "urn:x:types|Code")]),
    };
    Rules {
        today: dates::parse("2026-06-01"),
        ..Rules::new("x-test", schemes)
    }
}

fn read(more: Value) -> Person {
    let mut patient = json!({ "resourceType": "Patient" });
    for (name, value) in more.as_object().unwrap() {
        patient[name] = value.clone();
    }
    mapping::check(&patient, "Patient").unwrap();
    mapping::patient(&patient, &rules())
}

fn reported(person: &Person) -> Vec<(&str, &str)> {
    let all = person.unmapped.iter();
    all.map(|it| (it.field.as_str(), it.value.as_str()))
        .collect()
}

fn extra<'a>(person: &'a Person, key: &str) -> Option<&'a str> {
    let found = person.extra.iter().find(|it| it.key == key);
    found.map(|it| it.value.as_str())
}

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

#[test]
fn addresses_keep_what_they_say() {
    let mut rules = rules();
    rules.address_levels = AddressLevels {
        state: Some(1),
        district: Some(2),
    };
    let patient = json!({ "resourceType": "Patient", "address": [
        { "use": "home", "line": ["Tole 4"], "city": "Bharatpur", "district": "Chitwan",
          "state": "Bagmati", "postalCode": 44200, "country": "np", "type": "physical",
          "extension": [{ "url": format!("{EXTENSION}geolocation"), "extension": [
              { "url": "latitude", "valueDecimal": 27.68 }, { "url": "longitude", "valueDecimal": 84.43 }] }] },
        { "use": "billing", "text": "P.O. Box 1", "country": "Nepal",
          "extension": [{ "url": format!("{EXTENSION}geolocation"), "extension": [
              { "url": "latitude", "valueDecimal": 270 }, { "url": "longitude", "valueDecimal": 84 }] }] },
    ], "extension": [{ "url": format!("{EXTENSION}patient-birthPlace"),
                       "valueAddress": { "city": "Ilam", "use": "old" } }] });
    let person = mapping::patient(&patient, &rules);
    let home = &person.addresses[0];
    assert_eq!(
        (home.country.as_deref(), home.postal_code.as_deref()),
        (Some("NP"), Some("44200"))
    );
    let areas: Vec<_> = home
        .areas
        .iter()
        .map(|it| (it.level, it.name.as_deref().unwrap()))
        .collect();
    assert_eq!(areas, [(Some(1), "Bagmati"), (Some(2), "Chitwan")]);
    assert_eq!(home.position.unwrap().latitude, 27.68);
    let billing = &person.addresses[1];
    assert_eq!(billing.use_, Some(AddressUse::Other("billing".to_owned())));
    assert_eq!(
        (billing.country.as_deref(), billing.areas[0].level),
        (None, Some(0))
    );
    // 270 degrees is no latitude: it stays what it was.
    assert_eq!(
        (billing.position, billing.extra[0].key.as_str()),
        (None, "x-test-extension")
    );
    assert_eq!(person.addresses[2].use_, Some(AddressUse::Birth));
    assert_eq!(person.addresses[2].city.as_deref(), Some("Ilam"));
}

#[test]
fn contacts_and_photos() {
    let person = read(json!({ "telecom": [
        { "system": "phone", "value": 9779800000000u64, "use": "mobile" },
        { "system": "email", "value": "a@example.org" },
        { "system": "fax", "value": "1" }, { "system": "pigeon", "value": "2" }, { "value": "3" },
    ], "photo": [{ "contentType": "image/png", "data": "AQID" }, { "title": "old" }] }));
    let told: Vec<_> = person
        .contacts
        .iter()
        .map(|it| (&it.system, it.value.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (&ContactSystem::Phone, "9779800000000"),
            (&ContactSystem::Email, "a@example.org"),
            (&ContactSystem::Other("fax".to_owned()), "1"),
        ]
    );
    assert_eq!(
        reported(&person),
        [
            ("contacts.system", "pigeon"),
            ("contacts.system", "3"),
            ("photo", "old")
        ]
    );
    assert!(matches!(&person.photo, Some(Photo::Content(it)) if it.data == [1, 2, 3]));
    let person = read(json!({ "photo": [{ "contentType": "image/png", "data": "%%" }] }));
    assert_eq!(
        (person.photo.is_none(), reported(&person)),
        (true, vec![("photo", "image/png")])
    );
    let person = read(json!({ "photo": [{ "url": "Binary/7" }] }));
    assert_eq!(person.photo, Some(Photo::Reference("Binary/7".to_owned())));
}

#[test]
fn whom_the_record_names() {
    let role = |code: &str| {
        json!([{ "coding": [
            { "system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N" },
            { "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code }] }])
    };
    let person = read(json!({ "contact": [
        { "relationship": role("FTH"), "name": { "given": ["Ram"] }, "gender": "male",
          "telecom": [{ "system": "phone", "value": "1" }] },
        { "relationship": role("BOSS"), "name": { "text": "Hari" } },
        { "relationship": role("SPS") },
    ], "extension": [{ "url": format!("{EXTENSION}patient-mothersMaidenName"), "valueString": "Lama" }] }));
    let roles: Vec<_> = person.related.iter().map(|it| &it.role).collect();
    assert_eq!(
        roles,
        [
            &RelationRole::Father,
            &RelationRole::Unknown,
            &RelationRole::Mother
        ]
    );
    assert_eq!(person.related[0].sex, Some(Sex::Male));
    assert_eq!(person.related[0].extra[0].key, "x-test-telecom");
    assert_eq!(person.related[2].names[0].use_, Some(NameUse::Maiden));
    let fields: Vec<_> = person.unmapped.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["related.role", "related"]);
}

#[test]
fn what_nothing_reads_is_kept() {
    let person = read(json!({
        "meta": { "versionId": 4, "lastUpdated": "2026-01-02T03:04:05Z" },
        "multipleBirthInteger": 2,
        "communication": [{ "language": { "coding": [{ "code": "ne" }] } }],
        "managingOrganization": { "reference": "Organization/1" },
        "extension": [
            { "url": format!("{EXTENSION}patient-religion"), "valueCodeableConcept": {
                "coding": [{ "system": "urn:x:religion", "code": "1041" }] } },
            { "url": format!("{EXTENSION}patient-citizenship"), "extension": [
                { "url": "code", "valueCodeableConcept": { "coding": [{ "code": "NP" }] } }] },
            { "url": "urn:x:unknown", "valueString": "kept" },
        ],
        "link": [{ "other": { "reference": "Patient/9" }, "type": "seealso" }],
        "blood": "0",
    }));
    assert_eq!(person.version.as_deref(), Some("4"));
    for (key, value) in [
        ("last-updated", "\"2026-01-02T03:04:05Z\""),
        ("multiple-birth", "2"),
        ("communication-languages", "[\"ne\"]"),
        (
            "religion",
            "{\"code\":\"1041\",\"system\":\"urn:x:religion\"}",
        ),
        ("citizenship", "\"NP\""),
        (
            "x-test-managing-organization",
            "{\"reference\":\"Organization/1\"}",
        ),
        (
            "x-test-extension",
            "[{\"url\":\"urn:x:unknown\",\"valueString\":\"kept\"}]",
        ),
        (
            "x-test-link",
            "[{\"reference\":\"Patient/9\",\"type\":\"seealso\"}]",
        ),
        ("x-test-blood", "\"0\""),
    ] {
        assert_eq!(extra(&person, key), Some(value), "{key}");
    }
    assert_eq!(person.status, None);
    let twin = read(json!({ "multipleBirthBoolean": "maybe" }));
    assert_eq!(
        twin.unmapped,
        [Unmapped::new("extra.multiple-birth", "maybe")]
    );
}
