//! Dates of Bikram Sambat, names in two scripts, coverage, families.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{
    Agreement, Criterion, HumanName, Identifier, OriginalDate, PartialDate, Person, PersonStatus,
    RelationRole, SearchQuery, Test, Unmapped, VerifyQuery,
};
use adapter_sdk::{FindHousehold, Search, Verify, dates, testing};
use adapter_sosys_nepal::SosysNepal;
use common::{BS, COVERAGE, NEPALI, SEARCH, bundle, done, find, household_of, patient, registry};
use common::{stage, with};
use serde_json::{Value, json};

fn beside(bs: &str) -> Value {
    json!({ "extension": [{ "url": BS, "valueString": bs }] })
}

fn converted(date: &str, text: &str) -> Option<PartialDate> {
    dates::parse(date).map(|it| PartialDate {
        original: Some(OriginalDate {
            calendar: "bikram-sambat".to_owned(),
            text: text.to_owned(),
        }),
        ..it
    })
}

#[test]
fn a_date_of_bikram_sambat_is_converted_and_kept() {
    let _stage = registry(
        json!({ "calendar": "bikram-sambat" }),
        json!([with(
            patient("p1", "1"),
            json!({ "birthDate": "२०४५-०१-१५",
            "deceasedDateTime": "2082-10-20T08:00:00+05:45" })
        )]),
    );
    let person = find("1").unwrap();
    assert_eq!(person.birth_date, converted("1988-04-27", "२०४५-०१-१५"));
    assert_eq!(
        person.death_date,
        converted("2026-02-03", "2082-10-20T08:00:00+05:45")
    );
    assert_eq!(
        (person.status, person.unmapped.len()),
        (Some(PersonStatus::Deceased), 0)
    );
}

#[test]
fn what_the_calendar_does_not_settle_is_not_guessed() {
    for (written, date) in [
        ("1985-05-10", None),
        ("2084-01-01", None),
        ("2062-02-10", None),
        ("2045", None),
        ("2045-09", None),
        ("2045-01", converted("1988", "2045-01")),
        ("2045-01-40", None),
        ("Baisakh 2045", None),
    ] {
        let _stage = registry(
            json!({ "calendar": "bikram-sambat" }),
            json!([with(patient("p1", "1"), json!({ "birthDate": written }))]),
        );
        let person = find("1").unwrap();
        assert_eq!(person.birth_date, date, "{written}");
        let told = [Unmapped::new("birth-date", written)];
        assert_eq!(person.unmapped, told[..usize::from(date.is_none())]);
    }
}

#[test]
fn a_date_to_come_is_of_another_calendar_and_nobodys() {
    let record = json!({ "birthDate": "2045-01-15", "deceasedDateTime": "2082-10-20" });
    let _stage = registry(
        json!({ "calendar": "gregorian" }),
        json!([with(patient("p1", "1"), record)]),
    );
    let person = find("1").unwrap();
    assert_eq!((person.birth_date, person.death_date), (None, None));
    assert_eq!(person.status, Some(PersonStatus::Deceased));
    let told = Unmapped::new("birth-date", "2045-01-15");
    assert!(person.unmapped.contains(&told));
}

#[test]
fn both_dates_side_by_side() {
    let cases = [
        // The same day: what was written in Nepal is kept.
        (
            json!("1988-04-27"),
            "2045-01-15",
            converted("1988-04-27", "2045-01-15"),
            None,
        ),
        (
            json!("1988"),
            "2045-01-15",
            converted("1988", "2045-01-15"),
            None,
        ),
        // Another day: the registry's own date counts.
        (
            json!("1988-04-27"),
            "2045-01-16",
            dates::parse("1988-04-27"),
            Some("2045-01-16"),
        ),
        (
            json!("1988-04-27"),
            "long ago",
            dates::parse("1988-04-27"),
            Some("long ago"),
        ),
        // It has the one alone.
        (
            Value::Null,
            "2045-01-15",
            converted("1988-04-27", "2045-01-15"),
            None,
        ),
        (Value::Null, "2045", None, Some("2045")),
    ];
    for (own, bs, date, noted) in cases {
        let record = json!({ "birthDate": own, "_birthDate": beside(bs) });
        let _stage = registry(json!({}), json!([with(patient("p1", "1"), record)]));
        let person = find("1").unwrap();
        assert_eq!(person.birth_date, date, "{own} {bs}");
        let noted: Vec<Unmapped> = noted
            .into_iter()
            .map(|it| Unmapped::new("birth-date", it))
            .collect();
        assert_eq!(person.unmapped, noted, "{own} {bs}");
        // What was read is not told once more.
        assert_eq!(person.extra, []);
    }
}

#[test]
fn names_in_devanagari_and_latin_stand_side_by_side() {
    let nepali = |name: Value| json!({ "extension": [name] });
    let told = |value: Value| {
        let _stage = registry(json!({}), json!([with(patient("p1", "1"), nepali(value))]));
        find("1").unwrap()
    };
    let person = told(json!({ "url": NEPALI, "valueHumanName": {
        "family": "राई", "given": ["सीता"] } }));
    let mut devanagari = HumanName::of("राई", ["सीता"]);
    devanagari.language = Some("ne-Deva".to_owned());
    assert_eq!((person.names.len(), &person.names[1]), (2, &devanagari));
    assert_eq!(person.extra, []);
    let person = told(json!({ "url": NEPALI, "valueString": "सीता राई" }));
    assert_eq!(person.names[1].text.as_deref(), Some("सीता राई"));
    // Nepali in other letters.
    let person = told(json!({ "url": NEPALI, "valueString": "Sita राई" }));
    assert_eq!(person.names[1].language.as_deref(), Some("ne"));
    let person = told(json!({ "url": NEPALI, "valueInteger": 7 }));
    assert_eq!(person.names.len(), 1);
}

fn coverage(of: &str, more: Value) -> Value {
    with(
        json!({ "resourceType": "Coverage", "status": "active",
            "beneficiary": { "reference": format!("Patient/{of}") },
            "period": { "start": "2025-07-17", "end": "2026-07-16" }, "subscriberId": "SSF-1",
            "class": [{ "value": "T0001", "name": "Test" }],
            "payor": [{ "display": "Social Security Fund" }] }),
        more,
    )
}

#[test]
fn the_standing_of_a_coverage_is_told_as_it_is() {
    let cancelled = json!({ "status": "cancelled", "period": { "end": "2024-01-01" },
        "class": [], "payor": [], "subscriberId": "" });
    let answer = bundle(&json!([
        coverage("p1", json!({})),
        coverage("p1", cancelled),
        coverage("p2", json!({})),
    ]));
    let stage = registry(
        json!({ "with_coverage": true }),
        json!([patient("p1", "1")]),
    )
    .on_post(COVERAGE, move |_| answer.clone());
    let person = find("1").unwrap();
    let told: Value = serde_json::from_str(&person.extra[0].value).unwrap();
    assert_eq!(person.extra[0].key, "x-sosys-nepal-coverage");
    assert_eq!(
        told,
        json!([
            { "status": "active", "from": "2025-07-17", "until": "2026-07-16", "number": "SSF-1",
              "plan": ["T0001"], "payer": ["Social Security Fund"] },
            { "status": "cancelled", "until": "2024-01-01" },
        ])
    );
    // It is read: an eligibility check would book the balance.
    let paths: Vec<String> = stage.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, [SEARCH, COVERAGE]);
}

#[test]
fn coverage_is_asked_for_where_somebody_wants_it() {
    let settings = json!({ "with_coverage": true });
    let stage_one = registry(settings.clone(), json!([patient("p1", "1")]))
        .wanted_fields(&["names", "birth-date"]);
    find("1").unwrap();
    assert_eq!(stage_one.requests().len(), 1);
    drop(stage_one);
    let _stage = registry(settings.clone(), json!([patient("p1", "1")]));
    let failure = find("1").unwrap_err();
    assert_eq!(
        failure.summary(),
        "misconfigured: http.404 (settings.with_coverage)"
    );
    let _stage = registry(settings, json!([patient("p1", "1")]))
        .on_post(COVERAGE, |_| testing::status(503, &[]));
    assert_eq!(find("1").unwrap_err().summary(), "unavailable: http.503");
}

#[test]
fn nobody_several_and_a_merged_member() {
    let _stage = registry(json!({}), json!([]));
    assert_eq!(find("1").unwrap_err().summary(), "not-found");
    let _stage = registry(json!({}), json!([patient("p1", "1"), patient("p2", "1")]));
    assert_eq!(
        find("1").unwrap_err().summary(),
        "ambiguous: answer.several (identifiers)"
    );
    let _stage = registry(json!({}), json!([patient("p1", "2")]));
    assert_eq!(
        find("1").unwrap_err().summary(),
        "unreadable: answer.mismatch"
    );
    let link = json!([{ "type": "replaced-by", "other": { "identifier": {
        "system": common::SSN, "value": "9" } } }]);
    let merged = with(patient("p1", "1"), json!({ "active": false, "link": link }));
    let stage = registry(json!({ "with_coverage": true }), json!([merged]));
    let person = find("1").unwrap();
    assert_eq!(person.status, Some(PersonStatus::Merged));
    assert_eq!(person.replaced_by, [Identifier::new("ssn", "9")]);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn a_family_of_twenty_five_without_a_head_and_with_its_nepali_names() {
    let ids: Vec<String> = (0..25).map(|at| format!("p{at}")).collect();
    let members: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "entity": { "reference": format!("Patient/{id}") } }))
        .collect();
    let group = json!({ "resourceType": "Group", "id": "g1", "type": "person", "actual": true,
        "identifier": [{ "system": "urn:x:family", "value": "F1" }], "member": members });
    let answer = bundle(&json!([group]));
    let mut stage = stage(json!({ "calendar": "bikram-sambat" }))
        .on_post("/Group/_search", move |_| answer.clone());
    for id in &ids {
        let record = with(
            patient(id, id),
            json!({ "birthDate": "2045-01-15",
            "extension": [{ "url": NEPALI, "valueString": "सीता" }] }),
        );
        stage = stage.on_get(&format!("/Patient/{id}"), move |_| record.clone());
    }
    let asked = household_of("household-id", "F1");
    let household = done(SosysNepal::find_household(asked)).unwrap();
    assert_eq!((household.members.len(), household.head), (25, None));
    for person in &household.people {
        assert_eq!(person.birth_date, converted("1988-04-27", "2045-01-15"));
        assert_eq!(person.names[1].language.as_deref(), Some("ne-Deva"));
    }
    assert_eq!(stage.requests().len(), 26);
}

#[test]
fn a_family_of_a_member_with_a_head_who_is_a_child() {
    let is_head = "https://example.org/is-head";
    let child = with(
        patient("p2", "2"),
        json!({ "birthDate": "2019-01-01",
        "extension": [{ "url": is_head, "valueBoolean": true }] }),
    );
    let group = json!({ "resourceType": "Group", "id": "g1", "type": "person", "member": [
        { "entity": { "reference": "Patient/p1" } }, { "entity": { "reference": "Patient/p2" } }] });
    let mut answer = bundle(&json!([group]));
    for resource in [patient("p1", "1"), child] {
        let entry = json!({ "resource": resource, "search": { "mode": "include" } });
        answer["entry"].as_array_mut().unwrap().push(entry);
    }
    let settings = json!({ "head": { "patient_extension": is_head } });
    let _stage = registry(settings, json!([patient("p1", "1")]))
        .on_post("/Group/_search", move |_| answer.clone());
    let household = done(SosysNepal::find_household(household_of("ssn", "1"))).unwrap();
    assert_eq!((household.head, household.relations.len()), (Some(1), 0));
}

#[test]
fn a_registry_of_bikram_sambat_is_asked_in_it() {
    let search = |date: &str| {
        done(SosysNepal::search(SearchQuery {
            criteria: vec![Criterion {
                field: "birth-date".to_owned(),
                test: Test::Equals(date.to_owned()),
            }],
            sort: Vec::new(),
            page_size: 10,
            page: None,
        }))
    };
    let record = with(patient("p1", "1"), json!({ "birthDate": "2045-01-15" }));
    let stage = registry(json!({ "calendar": "bikram-sambat" }), json!([record]));
    let page = search("1988-04-27").unwrap();
    let found = &page.candidates[0].person.birth_date;
    assert_eq!(*found, converted("1988-04-27", "2045-01-15"));
    let sent = stage.requests().pop().unwrap().body.unwrap();
    assert_eq!(
        String::from_utf8(sent).unwrap(),
        "birthdate=2045-01-15&_count=10"
    );
    // A Gregorian month is none there.
    for date in ["1988-04", "1988", "1930-01-01"] {
        assert_eq!(
            search(date).unwrap_err().summary(),
            "rejected: search.date (birth-date)"
        );
    }
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn a_claimed_name_is_compared_in_either_script() {
    let record = with(
        patient("p1", "1"),
        json!({ "extension": [
        { "url": NEPALI, "valueHumanName": { "family": "राई", "given": ["सीता"] } }] }),
    );
    let _stage = registry(json!({}), json!([record]));
    let claim = |family: &str, given: &str| {
        let query = VerifyQuery {
            identifiers: vec![Identifier::new("ssn", "1")],
            claimed: Person {
                names: vec![HumanName::of(family, [given])],
                ..Person::default()
            },
        };
        done(SosysNepal::verify(query)).unwrap().overall
    };
    assert_eq!(claim("Rai", "Sita"), Agreement::Match);
    assert_eq!(claim("राई", "सीता"), Agreement::Match);
    assert_eq!(claim("राई", "गीता"), Agreement::Mismatch);
}

#[test]
fn twins_several_numbers_no_name_and_codes_that_nobody_knows() {
    let twin = json!({ "name": [], "multipleBirthInteger": 2, "gender": "f",
        "maritalStatus": { "text": "bibahit" }, "identifier": [
            { "system": common::SSN, "value": "1" }, { "system": common::SSN, "value": "2" },
            { "system": "urn:x:citizenship", "value": "27-01" }] });
    let _stage = registry(json!({}), json!([with(patient("p1", "1"), twin)]));
    let person = find("1").unwrap();
    assert_eq!((person.names.len(), person.sex), (0, None));
    assert_eq!(person.identifiers.len(), 2);
    let told = [
        ("identifiers.scheme", "urn:x:citizenship"),
        ("sex", "f"),
        ("marital-status", "bibahit"),
    ];
    assert_eq!(
        person.unmapped,
        told.map(|(field, value)| Unmapped::new(field, value))
    );
    let keys: Vec<&str> = person.extra.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["x-sosys-nepal-identifier", "multiple-birth"]);
}

#[test]
fn a_child_of_whom_the_mother_alone_is_told() {
    let mother = json!({ "resourceType": "RelatedPerson", "id": "r1",
        "patient": { "reference": "Patient/p1" }, "name": [{ "text": "Maya" }],
        "relationship": [{ "coding": [{ "code": "MTH",
            "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode" }] }] });
    let mut answer = bundle(&json!([patient("p1", "1")]));
    let entry = json!({ "resource": mother, "search": { "mode": "include" } });
    answer["entry"].as_array_mut().unwrap().push(entry);
    let _stage = stage(json!({ "with_related": true })).on_post(SEARCH, move |_| answer.clone());
    let person = find("1").unwrap();
    let roles: Vec<&RelationRole> = person.related.iter().map(|it| &it.role).collect();
    assert_eq!(roles, [&RelationRole::Mother]);
}
