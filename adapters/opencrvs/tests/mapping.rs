//! What each part of a record becomes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_opencrvs::mapping::record::Record;
use adapter_opencrvs::mapping::{declaration, declared, graphql, subject};
use adapter_sdk::dates;
use adapter_sdk::model::{
    AddressUse, ContactSystem, MaritalStatus, Person, PersonStatus, RelationRole, Sex, Unmapped,
};
use common::*;
use serde_json::{Value, json};

fn record(kind: &str, declaration: Value, more: Value) -> Record {
    let index = index(ONE, kind, "N1", declaration);
    let declared = declared::from_index(index.as_object().unwrap());
    declaration::record(&declared, &settings("2", more)).unwrap()
}

fn child(declaration: Value) -> Person {
    subject(&record("birth", declaration, json!({}))).unwrap()
}

fn extra<'a>(person: &'a Person, key: &str) -> Option<&'a str> {
    let found = person.extra.iter().find(|it| it.key == key);
    found.map(|it| it.value.as_str())
}

#[test]
fn a_whole_declaration() {
    let record = record("birth", birth_declaration(), json!({}));
    let child = subject(&record).unwrap();
    assert_eq!(child.unmapped, []);
    assert_eq!(extra(&child, "multiple-birth"), Some("false"));
    assert_eq!(
        extra(&child, "x-opencrvs-child-weightatbirth"),
        Some("3.25")
    );
    let place = &child.addresses[0];
    assert_eq!(place.use_, Some(AddressUse::Birth));
    assert_eq!(place.areas[0].code.as_deref(), Some(FACILITY));
    assert_eq!(place.areas[0].kind.as_deref(), Some("HEALTH_FACILITY"));
    let mother = &record.parties[1].person;
    let home = &mother.addresses[0];
    assert_eq!(home.lines, ["7", "Mill road"]);
    assert_eq!(
        (home.city.as_deref(), home.country.as_deref()),
        (Some("Lakeside"), Some("FAR"))
    );
    assert_eq!(
        home.areas[0].code_system.as_deref(),
        Some("opencrvs-location")
    );
    assert_eq!(mother.marital_status, Some(MaritalStatus::Married));
    assert_eq!(extra(mother, "nationality"), Some("\"FAR\""));
    // An age is no date, and no year is made of it.
    let father = &record.parties[2].person;
    assert_eq!(father.birth_date, None);
    assert_eq!(
        extra(father, "age"),
        Some(r#"{"at":"2024-02-29","years":31}"#)
    );
    let informant = &record.parties[3];
    assert_eq!(informant.relation, Some(RelationRole::Mother));
    assert_eq!(
        informant.person.identifier("national-id"),
        Some("5550001111")
    );
    assert_eq!(informant.person.contacts[0].system, ContactSystem::Phone);
}

#[test]
fn codes_that_no_table_has_are_told() {
    let child = child(json!({
        "child.gender": "X", "child.birthType": "OCTUPLET", "child.name": { "surname": "Bay" },
        "mother.name": { "surname": "Bay" }, "mother.maritalStatus": "ENGAGED",
        "informant.name": { "surname": "Bay" }, "informant.relation": "NEIGHBOUR",
    }));
    assert_eq!(child.sex, None);
    let told: Vec<_> = child
        .unmapped
        .iter()
        .map(|it| (it.field.as_str(), it.value.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("sex", "X"),
            ("related.0.marital-status", "ENGAGED"),
            ("extra.multiple-birth", "OCTUPLET"),
        ]
    );
    let codes = json!({ "codes": { "sex": { "X": "other" } } });
    let record = record("birth", json!({ "child.gender": "x" }), codes);
    assert_eq!(record.subject().unwrap().person.sex, Some(Sex::Other));
}

#[test]
fn dates_that_are_known_in_part_or_not_at_all() {
    for (text, expected) in [
        ("2024-02-29", dates::parse("2024-02-29")),
        ("2024-02", dates::parse("2024-02")),
        ("2024", dates::parse("2024")),
        ("2023-02-29", None),
        ("soon", None),
        ("29.02.2024", None),
    ] {
        let child = child(json!({ "child.dob": text, "child.gender": "male" }));
        assert_eq!(child.birth_date, expected, "{text}");
        let told = child.unmapped.contains(&Unmapped::new("birth-date", text));
        assert_eq!(told, expected.is_none(), "{text}");
    }
    // A shape that nobody expects is told too.
    let child = child(json!({ "child.dob": { "year": 2024 }, "child.gender": "male" }));
    assert_eq!(
        child.unmapped,
        [Unmapped::new("birth-date", r#"{"year":2024}"#)]
    );
}

#[test]
fn names_that_are_missing_or_in_one_piece() {
    let none = child(json!({ "child.gender": "male" }));
    assert_eq!(none.names, []);
    let blank = child(
        json!({ "child.name": { "firstname": " ", "surname": null }, "child.gender": "male" }),
    );
    assert_eq!(blank.names, []);
    let single = child(json!({ "child.name": { "firstname": "Mina" } }));
    assert_eq!(
        (single.names[0].family.as_deref(), &single.names[0].given[0]),
        (None, &"Mina".to_owned())
    );
    let whole = child(json!({ "child.name": "Mina Okoro" }));
    assert_eq!(
        (
            whole.names[0].text.as_deref(),
            whole.names[0].family.as_deref()
        ),
        (Some("Mina Okoro"), None)
    );
    let apart = json!({ "fields": {
        "birth.child.name": "", "birth.child.name.family": "child.surname",
        "birth.child.name.given": "child.forenames",
    } });
    let record = record(
        "birth",
        json!({ "child.surname": "Okoro", "child.forenames": "Mina Sol", "child.name": "no" }),
        apart,
    );
    let name = &record.subject().unwrap().person.names[0];
    assert_eq!(
        (name.family.as_deref(), &name.given),
        (Some("Okoro"), &vec!["Mina Sol".to_owned()])
    );
}

#[test]
fn several_identifiers_and_fields_of_a_country_s_own() {
    let fields = json!({ "fields": {
        "death.deceased.identifier.health-card": ["deceased.card", "deceased.oldCard"],
    } });
    let mut declaration = death_declaration();
    declaration["deceased.passport"] = json!("P1");
    declaration["deceased.oldCard"] = json!(77);
    let record = record("death", declaration, fields);
    let deceased = &record.subject().unwrap().person;
    for (scheme, value) in [
        ("national-id", "5550001111"),
        ("passport", "P1"),
        ("health-card", "77"),
        ("death-registration-number", "N1"),
        ("opencrvs-tracking-id", "TN1"),
    ] {
        assert_eq!(deceased.identifier(scheme), Some(value));
    }
    assert_eq!(deceased.status, Some(PersonStatus::Deceased));
    assert_eq!(record.occurred, dates::parse("2025-03-04"));
    assert_eq!(record.parties[2].relation, Some(RelationRole::ChildInLaw));
}

#[test]
fn a_death_that_nobody_registered_is_what_somebody_says() {
    let mut notified = index(ONE, "death", "N1", death_declaration());
    notified["status"] = json!("NOTIFIED");
    notified["legalStatuses"] = json!({});
    let declared = declared::from_index(notified.as_object().unwrap());
    let record = declaration::record(&declared, &settings("2", json!({}))).unwrap();
    let deceased = &record.subject().unwrap().person;
    assert_eq!(deceased.status, None);
    assert_eq!(deceased.identifier("death-registration-number"), None);
}

#[test]
fn who_is_absent_is_not_there_whatever_else_is_told() {
    let declaration = json!({
        "child.gender": "male", "father.detailsNotAvailable": true, "father.nid": "1",
        "mother.detailsNotAvailable": false,
    });
    let record = record("birth", declaration, json!({}));
    assert_eq!(record.parties.len(), 1);
}

#[test]
fn the_declaration_is_what_the_accepted_actions_leave() {
    let mut document = document(ONE, "birth", "B1", birth_declaration());
    let actions = document["actions"].as_array_mut().unwrap();
    // Out of order, asked for and not accepted, refused, printed: none of it counts.
    let mut asked = action(
        "EDIT",
        "b1",
        "2024-03-03T00:00:00.000Z",
        json!({ "child.gender": "male" }),
    );
    asked["status"] = json!("Requested");
    let refused = action(
        "REQUEST_CORRECTION",
        "b2",
        "2024-06-01T00:00:00.000Z",
        json!({ "child.gender": "male" }),
    );
    let printed = action(
        "PRINT_CERTIFICATE",
        "b3",
        "2024-06-02T00:00:00.000Z",
        json!({ "child.gender": "male" }),
    );
    let corrected = action(
        "REQUEST_CORRECTION",
        "b4",
        "2024-06-03T00:00:00.000Z",
        json!({
            "child.name": { "surname": "Bay" }, "mother.nid": null,
        }),
    );
    let mut approved = action(
        "APPROVE_CORRECTION",
        "b5",
        "2024-06-04T00:00:00.000Z",
        json!({}),
    );
    approved["requestId"] = json!("b4");
    let early = action(
        "NOTIFY",
        "b6",
        "2024-03-01T00:00:00.000Z",
        json!({ "child.dob": "2020-01-01" }),
    );
    let mut original = action(
        "EDIT",
        "b7",
        "2024-03-04T00:00:00.000Z",
        json!({ "child.weightAtBirth": 4 }),
    );
    original["status"] = json!("Requested");
    let mut accepted = action("EDIT", "b8", "2024-03-05T00:00:00.000Z", json!({}));
    accepted["originalActionId"] = json!("b7");
    actions.extend([
        approved, refused, printed, corrected, early, asked, original, accepted,
    ]);
    let declared = declared::from_document(document.as_object().unwrap(), None).unwrap();
    assert_eq!(declared.status.as_deref(), Some("REGISTERED"));
    assert_eq!(
        declared.registered_at.as_deref(),
        Some("2024-03-10T08:00:00.000Z")
    );
    let declaration = &declared.declaration;
    assert_eq!(declaration["child.gender"], "female");
    assert_eq!(declaration["child.dob"], "2024-02-29");
    // Objects are merged, and what is null is gone.
    let name = json!({ "firstname": "Mina Sol", "middlename": "Rae", "surname": "Bay" });
    assert_eq!(declaration["child.name"], name);
    assert_eq!(declaration.get("mother.nid"), None);
    assert_eq!(declaration["child.weightAtBirth"], 4);
}

#[test]
fn a_registration_of_graphql() {
    let mut birth = birth_registration(ONE, "B1", "5550003333");
    birth["father"]["detailsExist"] = json!(false);
    birth["mother"]["ageOfIndividualInYears"] = json!(29);
    birth["mother"]["address"] = json!([{
        "type": "PRIMARY_ADDRESS", "line": ["12", "", "Mill road", "URBAN", DISTRICT],
        "city": "Lakeside", "district": DISTRICT, "state": "Abroad", "postalCode": "1000",
        "country": "far",
    }]);
    birth["mother"]["identifier"][0]["type"] = json!("OTHER");
    birth["mother"]["identifier"][0]["otherType"] = json!("CLINIC_CARD");
    let record = graphql::record(birth.as_object().unwrap(), &settings("1.8", json!({})));
    let record = record.unwrap().unwrap();
    assert_eq!(record.status.as_deref(), Some("CERTIFIED"));
    assert_eq!(
        record.registered_at.as_deref(),
        Some("2024-03-10T08:00:00.000Z")
    );
    let who: Vec<_> = record.parties.iter().map(|it| it.role.word()).collect();
    assert_eq!(who, ["child", "mother", "informant"]);
    let mother = &record.parties[1].person;
    // OpenCRVS makes a date of an age: it is kept, and told for what it is.
    assert!(mother.birth_date.as_ref().unwrap().estimated);
    assert_eq!(extra(mother, "age"), Some(r#"{"years":29}"#));
    let home = &mother.addresses[0];
    assert_eq!(
        (home.use_.as_ref(), &home.lines[..]),
        (
            Some(&AddressUse::Home),
            &["12".to_owned(), "Mill road".to_owned()][..]
        )
    );
    assert_eq!(home.areas[0].name.as_deref(), Some("Abroad"));
    assert_eq!(home.areas[1].code.as_deref(), Some(DISTRICT));
    assert_eq!(home.country, None);
    assert!(
        mother
            .unmapped
            .contains(&Unmapped::new("addresses.country", "far"))
    );
    assert!(
        mother
            .unmapped
            .contains(&Unmapped::new("identifiers.scheme", "CLINIC_CARD"))
    );
    assert_eq!(mother.identifiers, []);
    let child = record.subject().unwrap();
    assert_eq!(child.person.identifier("national-id"), Some("5550003333"));
    assert_eq!(
        child.person.addresses[0].areas[0].name.as_deref(),
        Some("Lakeside Clinic")
    );
}
