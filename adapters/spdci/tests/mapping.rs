//! Records of every form that registries write, as people.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use adapter_sdk::dates;
use adapter_sdk::model::{
    AddressUse, AdministrativeArea, Contact, Extra, GeoPoint, HumanName, Identifier, MaritalStatus,
    NameUse, Person, PersonStatus, RelatedPerson, RelationRole, Sex, Unmapped,
};
use adapter_spdci::mapping;
use adapter_spdci::settings::Settings;
use adapter_spdci::wire::record::Record;
use serde_json::{Value, json};

fn person(record: Value) -> Person {
    let settings = json!({ "registry_type": "Civil", "sender_id": "a" });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    mapping::person(&Record::new(&record).unwrap(), &settings)
}

#[test]
fn a_full_record_of_the_specification() {
    let person = person(json!({
        "@context": { "@vocab": "x" }, "@type": "CRVS_Person",
        "identifier": [
            { "identifier_type": "UIN", "identifier_value": "1" },
            { "identifier_type": "BRN", "identifier_value": "2" },
        ],
        "name": {
            "surname": "Rai", "given_name": "Mira", "second_name": "Devi",
            "maiden_name": "Lama", "prefix": "Dr.", "suffix": "",
        },
        "sex": "female",
        "birth_date": "1995-09-21T11:20:00",
        "death_date": "2021-01",
        "marital_status": "W",
        "phone_number": ["+977 1", "+977 2"],
        "email": ["mira@example.org"],
        "address": [{
            "address_line1": "House 7", "address_line2": "Near the bridge", "locality": "Ilam",
            "sub_region_code": "D4", "region_code": "P1", "postal_code": "57300",
            "country_code": "NP", "geo_location": { "latitude": 26.9, "longitude": "87.9" },
        }],
        "birth_place": { "name": "Ilam hospital", "geo": { "latitude": 26.9, "longitude": 87.9 } },
        "marriage_date": ["2019-09-21"],
        "parent1_identifier": { "identifier_type": "UIN", "identifier_value": "8" },
    }));
    let area = |level, kind: &str| AdministrativeArea {
        level: Some(level),
        kind: Some(kind.to_owned()),
        ..AdministrativeArea::default()
    };
    assert_eq!(person.identifier("national-id"), Some("1"));
    assert_eq!(person.identifier("birth-registration-number"), Some("2"));
    let mut name = HumanName::of("Rai", ["Mira", "Devi"]);
    name.prefix = vec!["Dr.".to_owned()];
    let maiden = HumanName {
        use_: Some(NameUse::Maiden),
        ..HumanName::of("Lama", [])
    };
    assert_eq!(person.names, [name, maiden]);
    assert_eq!(person.sex, Some(Sex::Female));
    assert_eq!(person.birth_date, dates::parse("1995-09-21"));
    assert_eq!(person.death_date, dates::parse("2021-01"));
    assert_eq!(person.status, Some(PersonStatus::Deceased));
    assert_eq!(person.marital_status, Some(MaritalStatus::Widowed));
    let contacts = ["+977 1", "+977 2"].map(Contact::phone);
    assert_eq!(person.contacts[..2], contacts);
    assert_eq!(person.contacts[2], Contact::email("mira@example.org"));

    let [home, birth] = person.addresses.as_slice() else {
        panic!("{:?}", person.addresses)
    };
    assert_eq!(home.lines, ["House 7", "Near the bridge"]);
    assert_eq!(home.country.as_deref(), Some("NP"));
    assert_eq!(home.postal_code.as_deref(), Some("57300"));
    assert_eq!(
        home.areas,
        [
            AdministrativeArea {
                code: Some("P1".to_owned()),
                ..area(1, "region")
            },
            AdministrativeArea {
                code: Some("D4".to_owned()),
                ..area(2, "sub-region")
            },
        ]
    );
    assert_eq!(home.city.as_deref(), Some("Ilam"));
    let point = Some(GeoPoint {
        latitude: 26.9,
        longitude: 87.9,
    });
    assert_eq!((home.position, birth.position), (point, point));
    assert_eq!(birth.use_, Some(AddressUse::Birth));
    assert_eq!(birth.text.as_deref(), Some("Ilam hospital"));

    let mother = RelatedPerson {
        role: RelationRole::Parent,
        identifiers: vec![Identifier::new("national-id", "8")],
        ..RelatedPerson::default()
    };
    assert_eq!(person.related, [mother]);
    assert_eq!(
        person.extra,
        [Extra::new("marriage-date", &json!(["2019-09-21"]))]
    );
    assert_eq!(person.unmapped, []);
}

#[test]
fn the_same_person_however_wrapped() {
    let plain = json!({
        "identifier": [{ "identifier_type": "UIN", "identifier_value": "7" }],
        "name": { "surname": "Rai", "given_name": "Mira" },
        "sex": "female",
        "birth_date": "1985-05-20",
        "phone_number": ["55"],
    });
    let expected = person(plain.clone());
    assert_eq!(expected.names.len(), 1);
    for record in [
        json!({ "person": plain }),
        json!({ "household_member": { "demographic_info": { "person": plain } } }),
        json!({ "demographic_info": plain, "member_identifier": [], "related_person": {} }),
        json!({
            "spdci:identifier": { "identifier_type": "uin", "identifier_value": 7 },
            ":name": [{ "first_name": " Mira ", "last_name": "Rai", "maiden_name": null }],
            "sex": "F",
            "birth_date": "1985/05/20",
            "death_date": " ",
            "address": {},
            "phone_number": 55,
            "email": "",
            "marital_status": null,
        }),
        json!({
            "identifier": [{ "id_type": "UIN", "id_value": "7" }, {}],
            "name": { "sur_name": "Rai", "given_name": "Mira", "second_name": "" },
            "sex": "Female", "birthdate": "1985-05-20T00:00:00Z", "phone_number": "55",
        }),
    ] {
        assert_eq!(person(record.clone()), expected, "{record}");
    }
}

#[test]
fn a_record_of_nothing_is_nobody_in_particular() {
    let blank =
        json!({ "@type": "Person", "identifier": "", "name": {}, "sex": null, "address": [] });
    assert_eq!(person(blank), Person::default());
}

#[test]
fn what_cannot_be_mapped_is_reported() {
    let person = person(json!({
        "identifier": [
            { "identifier_type": "VOTER", "identifier_value": "5" },
            { "identifier_value": "6" },
        ],
        "sex": "3",
        "birth_date": "02.05.2004",
        "death_date": "last year",
        "marital_status": "it is complicated",
        "related_person": [{ "relationship_type": "blood brother",
            "related_member": { "identifier_type": "UIN", "identifier_value": "4" } }],
    }));
    let expected = [
        ("identifiers.scheme", "VOTER"),
        ("identifiers.scheme", ""),
        ("related.role", "blood brother"),
        ("sex", "3"),
        ("birth-date", "02.05.2004"),
        ("death-date", "last year"),
        ("marital-status", "it is complicated"),
    ];
    assert_eq!(
        person.unmapped,
        expected.map(|(field, value)| Unmapped::new(field, value))
    );
    assert_eq!(person.identifiers, []);
    let kept = json!([
        { "identifier_type": "VOTER", "identifier_value": "5" }, { "identifier_value": "6" },
    ]);
    assert_eq!(person.extra, [Extra::new("x-spdci-identifier", &kept)]);
    // That the date cannot be read does not bring anybody back.
    assert_eq!(person.status, Some(PersonStatus::Deceased));
    assert_eq!(person.related[0].role, RelationRole::Unknown);
}

#[test]
fn who_died_is_told_by_more_than_a_date() {
    for (record, status, unmapped) in [
        (
            json!({ "is_deceased": true }),
            Some(PersonStatus::Deceased),
            0,
        ),
        (
            json!({ "is_deceased": "no" }),
            Some(PersonStatus::Active),
            0,
        ),
        (json!({ "is_deceased": "3" }), None, 1),
        (
            json!({ "is_deceased": "3", "death_date": "2020" }),
            Some(PersonStatus::Deceased),
            1,
        ),
        (json!({ "is_deceased": "", "death_date": " " }), None, 0),
    ] {
        let person = person(record);
        assert_eq!((person.status, person.unmapped.len()), (status, unmapped));
    }
}

#[test]
fn nobody_is_their_own_parent() {
    let own = json!({ "identifier_type": "UIN", "identifier_value": "1" });
    let person = person(json!({ "identifier": own, "parent1_identifier": own }));
    assert_eq!(person.related, []);
    assert_eq!(person.unmapped.len(), 1);
}

#[test]
fn a_members_number_stands_in_for_a_persons() {
    let member = json!([{ "identifier_type": "UIN", "identifier_value": "M1" }]);
    let only = person(json!({ "member_identifier": member }));
    assert_eq!(only.identifiers, [Identifier::new("national-id", "M1")]);
    let own = json!([{ "identifier_type": "UIN", "identifier_value": "1" }]);
    let both = person(json!({ "member_identifier": member, "person": { "identifier": own } }));
    assert_eq!(both.identifiers, [Identifier::new("national-id", "1")]);
    assert_eq!(
        both.extra,
        [Extra::new("x-spdci-member-identifier", &member)]
    );
}

#[test]
fn addresses_of_other_forms() {
    let addresses = person(json!({ "address": [
        "Main road 1",
        { "street_address": "Main road 2", "city": "Ilam", "country": "Nepal" },
        { "geo_location": { "plus_code": { "global_code": "7MV8", "geometry": {
            "location": { "latitude": 1.5, "longitude": 2.5 } } } } },
        { "geo_location": { "latitude": 900, "longitude": 0 } },
    ] }))
    .addresses;
    assert_eq!(addresses[0].text.as_deref(), Some("Main road 1"));
    assert_eq!(addresses[1].country, None);
    assert_eq!(addresses[1].areas[0].name.as_deref(), Some("Nepal"));
    assert_eq!(
        addresses[2].position,
        Some(GeoPoint {
            latitude: 1.5,
            longitude: 2.5
        })
    );
    assert_eq!(addresses[3].position, None);
    assert_eq!(addresses[3].extra.len(), 1);
}
