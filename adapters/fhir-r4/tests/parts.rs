//! What else a Patient tells: addresses, contacts, whom it names, and what nothing reads.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{AddressUse, ContactSystem, NameUse, Photo, RelationRole, Sex, Unmapped};
use common::{EXTENSION, extra, read, reported, rules};
use fhir_r4::mapping;
use fhir_r4::rules::AddressLevels;
use serde_json::json;

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
