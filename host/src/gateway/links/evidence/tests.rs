use serde_json::json;

use super::*;

fn person(value: serde_json::Value) -> Person {
    serde_json::from_value(value).unwrap()
}

fn found() -> Person {
    person(json!({
        "identifiers": [
            { "scheme": "national-id", "value": "12" }, { "scheme": "passport", "value": "P-7" },
        ],
        "names": [
            { "family": "Old", "given": ["Ana"] }, { "family": "Núñez-O’Neil", "given": ["Ana", "Maria"] },
        ],
        "birthDate": "1985-05-20",
    }))
}

fn lists(text: &str) -> Vec<Vec<Evidence>> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn names_are_compared_as_people_write_them() {
    let family = |claimed: &str| {
        let claimed = person(json!({ "names": [{ "family": claimed }] }));
        compare(&claimed, &[], &found()).attributes[0].agreement
    };
    for (claimed, agreement) in [
        ("núñez-o’neil", Agreement::Match),
        (" NU\u{301}N\u{303}EZ-O’NEIL ", Agreement::Match),
        ("Nunez Oneil", Agreement::Close),
        ("old", Agreement::Match),
        ("Nunes", Agreement::Mismatch),
        ("-", Agreement::Mismatch),
    ] {
        assert_eq!(family(claimed), agreement, "{claimed}");
    }
    let of = |claimed: &str, known: &str| names(claimed, std::iter::once(known.to_owned()));
    assert_eq!(of("सीता", "सीता"), Agreement::Match);
    assert_eq!(of("सीता", "सता"), Agreement::Mismatch);
    assert_eq!(of("Devi", " "), Agreement::Missing);
}

#[test]
fn a_date_that_tells_less_is_close() {
    let date = |text: &str| PartialDate::parse(text).unwrap();
    for (claimed, agreement) in [
        ("1985-05-20", Agreement::Match),
        ("1985-05", Agreement::Close),
        ("1985", Agreement::Close),
        ("1985-05-21", Agreement::Mismatch),
        ("1985-06", Agreement::Mismatch),
        ("1984", Agreement::Mismatch),
    ] {
        assert_eq!(
            dates(&date(claimed), &date("1985-05-20")),
            agreement,
            "{claimed}"
        );
    }
    let mut estimated = date("1985-05-20");
    estimated.estimated = true;
    assert_eq!(dates(&estimated, &date("1985-05-20")), Agreement::Close);
}

#[test]
fn one_list_as_a_whole_is_enough() {
    let short = |evidence: &str, claimed: serde_json::Value| {
        let (lists, claimed) = (lists(evidence), person(claimed));
        let told = compare(&claimed, &[], &found());
        shortfalls(&lists, &claimed, Some(&agreements(&claimed, &[], &told)))
    };
    let either = r#"[["birth-date"],["name.family"]]"#;
    let both = r#"[["birth-date","name.family"]]"#;
    let right = json!({ "birthDate": "1985-05-20", "names": [{ "family": "Nunez Oneil" }] });
    let moved = json!({ "birthDate": "1985-05-20", "names": [{ "family": "Lima" }] });
    let year = json!({ "birthDate": "1985" });
    for evidence in [either, both, "[[]]"] {
        assert!(short(evidence, right.clone()).is_empty(), "{evidence}");
    }
    assert!(short(either, moved.clone()).is_empty());
    assert_eq!(
        short(both, moved),
        [(Evidence::FamilyName, Shortfall::Mismatch)]
    );
    assert_eq!(
        short(either, year),
        [
            (Evidence::BirthDate, Shortfall::Close),
            (Evidence::FamilyName, Shortfall::NotGiven),
        ]
    );
    let sex = r#"[["sex"]]"#;
    let missing = [(Evidence::Sex, Shortfall::Missing)];
    assert_eq!(short(sex, json!({ "sex": "female" })), missing);
    assert!(short("[[]]", json!({})).is_empty());
}

#[test]
fn before_it_is_asked_only_what_was_not_given_is_short() {
    let either = lists(r#"[["birth-date"],["name.family"]]"#);
    let given = person(json!({ "birthDate": "1985" }));
    assert!(shortfalls(&either, &given, None).is_empty());
    let nothing = shortfalls(&either, &Person::default(), None);
    assert_eq!(nothing.len(), 2);
    let whole = person(json!({ "names": [{ "text": "Ana Lima" }], "sex": "female" }));
    assert_eq!(reduced(&whole, &either), Person::default());
}

#[test]
fn a_registry_that_tells_only_of_all_tells_so_of_each() {
    let claimed = person(json!({ "birthDate": "1985" }));
    let told = |overall, attributes| Verification {
        overall,
        attributes,
        token: None,
        extra: Vec::new(),
    };
    let attribute = |field: &str, agreement| AttributeResult {
        field: field.into(),
        agreement,
    };
    let of = |told| agreements(&claimed, &[], &told)["birth-date"];
    assert_eq!(of(told(Agreement::Match, Vec::new())), Agreement::Match);
    assert_eq!(
        of(told(Agreement::Mismatch, Vec::new())),
        Agreement::Mismatch
    );
    // What it does not name it did not compare, whatever it says of all.
    let other = vec![attribute("sex", Agreement::Match)];
    assert_eq!(of(told(Agreement::Match, other)), Agreement::Missing);
    let twice = vec![
        attribute("birth-date", Agreement::Match),
        attribute("birth-date", Agreement::Mismatch),
    ];
    assert_eq!(of(told(Agreement::Match, twice)), Agreement::Mismatch);
}

#[test]
fn further_numbers_are_of_the_same_record_or_not() {
    let other = |scheme: &str, value: &str| Identifier {
        scheme: scheme.into(),
        value: value.into(),
        normalisation: None,
        extra: Vec::new(),
    };
    for (value, agreement) in [("P-7", Agreement::Match), ("P7", Agreement::Mismatch)] {
        let others = [other("passport", value)];
        let told = compare(&Person::default(), &others, &found());
        let all = agreements(&Person::default(), &others, &told);
        assert_eq!(all["identifier.passport"], agreement, "{value}");
    }
}
