//! Userinfo as a person: what each claim becomes, and what becomes of those that fit nowhere.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_mosip::language;
use adapter_mosip::mapping;
use adapter_mosip::settings::Settings;
use adapter_sdk::dates;
use adapter_sdk::model::{
    Address, AdministrativeArea, Contact, Extra, HumanName, NameUse, Person, Photo, PhotoContent,
    Sex, Unmapped,
};
use common::esignet::{claims, settings as least};
use serde_json::{Value, json};

fn settings_of(json: Value) -> Settings {
    common::settings(&json).unwrap()
}

fn person(claims: Value) -> Person {
    let settings = settings_of(least());
    mapping::person(
        claims.as_object().unwrap(),
        &settings,
        settings.esignet().unwrap(),
    )
}

fn in_language(name: HumanName, language: &str) -> HumanName {
    HumanName {
        language: Some(language.to_owned()),
        ..name
    }
}

#[test]
fn a_citizen_as_mosip_tells() {
    let found = person(claims());
    assert_eq!(
        found.contacts,
        [
            Contact::email("amina@mail.example"),
            Contact::phone("+212600000001")
        ]
    );
    assert_eq!(
        found.addresses,
        [Address {
            lines: vec!["12 Rue des Fleurs".into()],
            city: Some("Rabat".into()),
            postal_code: Some("10112".into()),
            country: Some("MAR".into()),
            areas: vec![AdministrativeArea {
                name: Some("Rabat-Salé-Kénitra".into()),
                ..AdministrativeArea::default()
            }],
            ..Address::default()
        }]
    );
    let Some(Photo::Content(PhotoContent { media_type, data })) = found.photo else {
        panic!("{:?}", found.photo);
    };
    assert_eq!(
        (media_type.as_str(), &data[..4]),
        ("image/jpeg", &[0xff, 0xd8, 0xff, 0xe0][..])
    );
    // Nobody said whether they are alive.
    assert_eq!(
        (found.status, found.death_date, found.version),
        (None, None, None)
    );
}

#[test]
fn names_in_several_languages_stand_side_by_side() {
    let found = person(json!({ "name#en": "Amina", "name#fra": "Amine", "name#ar": "أمينة" }));
    assert_eq!(
        found.names,
        [
            in_language(HumanName::text("أمينة"), "ar"),
            in_language(HumanName::text("Amina"), "en"),
            in_language(HumanName::text("Amine"), "fr"),
        ]
    );
    // One language under two tags: what differs is a name of its own.
    let found = person(json!({ "name#fr": "Amine", "name#fra": "Emine" }));
    assert_eq!(found.names.len(), 2);
    let found = person(json!({ "name#fr": "Amine", "name#fra": "Amine" }));
    assert_eq!(found.names.len(), 1);
}

#[test]
fn parts_of_names_are_kept_as_parts() {
    let found = person(json!({
        "name": "Amina Sara Benali", "given_name": "Amina", "middle_name": "Sara",
        "family_name": "Benali", "birth_family_name": "Alaoui", "nickname#ar": "مينة",
        "family_name#ar": "بنعلي",
    }));
    let latin = HumanName {
        text: Some("Amina Sara Benali".into()),
        ..HumanName::of("Benali", ["Amina", "Sara"])
    };
    let maiden = HumanName {
        use_: Some(NameUse::Maiden),
        ..HumanName::of("Alaoui", [])
    };
    let nickname = HumanName {
        use_: Some(NameUse::Nickname),
        ..in_language(HumanName::text("مينة"), "ar")
    };
    assert_eq!(
        found.names,
        [
            latin,
            in_language(HumanName::of("بنعلي", []), "ar"),
            maiden,
            nickname
        ]
    );
}

#[test]
fn missing_names_are_missing() {
    for nothing in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": null, "name#fr": " " }),
    ] {
        let found = person(nothing);
        assert_eq!((found.names, found.unmapped), (Vec::new(), Vec::new()));
    }
}

#[test]
fn a_gender_without_a_word_is_reported() {
    let sex = |claims: Value| {
        let found = person(claims);
        (found.sex, found.unmapped)
    };
    assert_eq!(
        sex(json!({ "gender": "MLE" })),
        (Some(Sex::Male), Vec::new())
    );
    assert_eq!(
        sex(json!({ "gender": " others " })),
        (Some(Sex::Other), Vec::new())
    );
    assert_eq!(
        sex(json!({ "gender": "Homme" })),
        (None, vec![Unmapped::new("sex", "Homme")])
    );
    assert_eq!(
        sex(json!({ "gender": 1 })),
        (None, vec![Unmapped::new("sex", "1")])
    );
    // One language known, the other not; two that contradict each other.
    assert_eq!(
        sex(json!({ "gender#en": "Female", "gender#fr": "Femme" })),
        (Some(Sex::Female), vec![Unmapped::new("sex", "Femme")])
    );
    assert_eq!(
        sex(json!({ "gender#en": "Female", "gender#fr": "M" })),
        (
            None,
            vec![Unmapped::new("sex", "Female"), Unmapped::new("sex", "M")]
        )
    );
}

#[test]
fn a_word_that_stands_for_two_says_nothing() {
    let mut settings = least();
    settings["genders"] = json!({ "female": ["F", "x"], "male": ["M", "X"] });
    let settings = settings_of(settings);
    assert_eq!(settings.sex("x"), None);
    assert_eq!(settings.sex("f"), Some(Sex::Female));
    assert_eq!(settings.gender(Sex::Other), None);
}

#[test]
fn dates_are_whole_or_a_year_or_reported() {
    for (written, expected) in [
        ("1987/11/25", "1987-11-25"),
        ("1987-11-25", "1987-11-25"),
        ("1987", "1987"),
        ("2000/02/29", "2000-02-29"),
    ] {
        let found = person(json!({ "birthdate": written }));
        assert_eq!(
            found.birth_date.as_ref().map(dates::format).as_deref(),
            Some(expected)
        );
        assert_eq!(found.unmapped, []);
    }
    for written in [
        "0000-11-25",
        "1987-11",
        "1987/11",
        "25/11/1987",
        "1987/02/30",
        "1987/00/00",
        "19871125",
        "1987/1/2",
        "1987-11-25T00:00:00Z",
        "about 1987",
        "१९८७",
    ] {
        let found = person(json!({ "birthdate": written }));
        assert_eq!(found.birth_date, None, "{written}");
        assert_eq!(found.unmapped, [Unmapped::new("birth-date", written)]);
    }
}

#[test]
fn addresses_in_languages_and_as_text() {
    let found = person(json!({
        "address#fr": { "formatted#fr": "12 Rue des Fleurs, Rabat", "locality#fr": "Rabat" },
        "address#en": { "street_address": "12 Flower St\r\nFloor 2\n", "country": "Morocco" },
        "address": "Somewhere",
    }));
    let language = |tag: &str| vec![Extra::new("x-mosip-language", &json!(tag))];
    assert_eq!(
        found.addresses,
        [
            Address {
                text: Some("Somewhere".into()),
                ..Address::default()
            },
            Address {
                lines: vec!["12 Flower St".into(), "Floor 2".into()],
                extra: language("en"),
                ..Address::default()
            },
            Address {
                text: Some("12 Rue des Fleurs, Rabat".into()),
                city: Some("Rabat".into()),
                extra: language("fr"),
                ..Address::default()
            },
        ]
    );
    assert_eq!(
        found.unmapped,
        [Unmapped::new("addresses.1.country", "Morocco")]
    );
}

#[test]
fn parts_of_an_address_that_fit_nowhere_are_kept() {
    let found = person(json!({ "address": {
        "zone": "North", "locality": "Rabat", "locality#ar": "الرباط", "region": { "a": 1 },
    } }));
    let address = &found.addresses[0];
    assert_eq!(address.city.as_deref(), Some("Rabat"));
    assert_eq!(
        address.extra,
        [
            Extra::new("x-mosip-locality", &json!("الرباط")),
            Extra::new("x-mosip-zone", &json!("North")),
        ]
    );
    assert_eq!(found.unmapped, [Unmapped::new("addresses.0", "{\"a\":1}")]);
    for nothing in [json!({}), json!(""), json!({ "locality": " " })] {
        assert_eq!(person(json!({ "address": nothing })).addresses, []);
    }
}

#[test]
fn the_number_of_the_partner_is_no_national_number() {
    let claims = json!({ "sub": "psut-1", "individual_id": "5319704826" });
    let found = person(claims.clone());
    assert_eq!(found.identifier("mosip-psut"), Some("psut-1"));
    assert_eq!(found.identifiers.len(), 1);
    // Which kind of number it is, the country decides.
    assert_eq!(
        found.extra,
        [Extra::new("x-mosip-individual-id", &json!("5319704826"))]
    );
    let mut settings = least();
    settings["esignet"]["individual_id_scheme"] = json!("mosip-vid");
    let settings = settings_of(settings);
    let found = mapping::person(
        claims.as_object().unwrap(),
        &settings,
        settings.esignet().unwrap(),
    );
    assert_eq!(found.identifier("mosip-psut"), Some("psut-1"));
    assert_eq!(found.identifier("mosip-vid"), Some("5319704826"));
    assert_eq!(found.extra, []);
}

#[test]
fn a_photo_is_an_image_under_the_limit() {
    let photo = |picture: &str, limit: usize| {
        let mut settings = least();
        settings["esignet"]["max_photo_bytes"] = json!(limit);
        let settings = settings_of(settings);
        let claims = json!({ "picture": picture });
        let claims = claims.as_object().unwrap();
        let found = mapping::person(claims, &settings, settings.esignet().unwrap());
        let unmapped = found.unmapped.into_iter().map(|one| one.value).next();
        (found.photo.is_some(), unmapped)
    };
    let four = "data:image/jpeg;base64,/9j/4A==";
    assert_eq!(photo(four, 4), (true, None));
    let told = Some("data:image/jpeg;base64".to_owned());
    assert_eq!(photo(four, 3), (false, told.clone()));
    assert_eq!(photo(four, 0), (false, told.clone()));
    // As MOSIP writes Base64 in other places.
    assert_eq!(photo("data:image/jpeg;base64,_9j_4A", 4), (true, None));
    assert_eq!(
        photo("data:image/jpeg;base64,!!!!", 9),
        (false, told.clone())
    );
    assert_eq!(photo("data:image/jpeg;base64,", 9), (false, told));
    assert_eq!(
        photo("data:text/html,<b>", 9),
        (false, Some("data:text/html".to_owned()))
    );
    assert_eq!(photo("data:", 9), (false, Some("data:".to_owned())));
    assert_eq!(
        photo("http://p.example/1", 9),
        (false, Some("http://p.example/1".to_owned()))
    );
    let found = person(json!({ "picture": "https://p.example/1" }));
    assert_eq!(
        found.photo,
        Some(Photo::Reference("https://p.example/1".into()))
    );
}

#[test]
fn what_has_no_place_is_kept_and_what_is_of_the_token_is_not() {
    let found = person(json!({
        "iss": "i", "aud": "a", "exp": 1, "iat": 1, "jti": "j", "nonce": "n",
        "phone_number_verified": false, "registration_type": "L1", "locale#fr": "fr",
        "name#": "x", "name#not a tag": "y", "empty": {}, "phone": "1", "phone_number": "1",
    }));
    assert_eq!(
        found.extra,
        [
            Extra::new("x-mosip-locale-fr", &json!("fr")),
            Extra::new("x-mosip-name-", &json!("x")),
            Extra::new("x-mosip-name-not-a-tag", &json!("y")),
            Extra::new("x-mosip-phone-number-verified", &json!(false)),
            Extra::new("x-mosip-registration-type", &json!("L1")),
        ]
    );
    assert_eq!(found.contacts, [Contact::phone("1")]);
}

#[test]
fn languages_in_both_directions() {
    let settings = settings_of(least());
    for (written, expected) in [
        ("fra", Some("fr")),
        ("FRA", Some("fr")),
        ("fr", Some("fr")),
        ("fil", Some("fil")),
        ("fr-CA", Some("fr-CA")),
        ("ne-Deva", Some("ne-Deva")),
        ("", None),
        ("f", None),
        ("not a tag", None),
        ("fr-", None),
        ("12", None),
    ] {
        assert_eq!(
            language::tag(written, &settings).as_deref(),
            expected,
            "{written}"
        );
    }
    for (tag, expected) in [
        ("en", Some("eng")),
        ("EN-gb", Some("eng")),
        ("ne-Latn", Some("nep")),
        ("fil", Some("fil")),
        ("xx", None),
        ("", None),
    ] {
        assert_eq!(
            language::letters(tag, &settings).as_deref(),
            expected,
            "{tag}"
        );
    }
}
