//! What is sent to IDA: only IDA can open it, and it can tell that it is ours.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_mosip::verify::verify;
use adapter_sdk::call::ProofKind;
use adapter_sdk::http::Request;
use adapter_sdk::model::{
    Address, Agreement, Contact, HumanName, Identifier, MaritalStatus, PartialDate, Person, Sex,
    VerifyQuery,
};
use adapter_sdk::{Failure, dates};
use common::ida::{agreed, answering, hexadecimal, of_uin, open, stage};
use common::{Gateway, der, proof, rs256_holds, unurl, url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn claimed() -> Person {
    Person {
        names: vec![
            HumanName::of("Benali", ["Amina"]),
            HumanName {
                language: Some("ar-Arab".to_owned()),
                ..HumanName::text("أمينة بنعلي")
            },
        ],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1987-11-25"),
        contacts: vec![
            Contact::phone("600000001"),
            Contact::email("a@mail.example"),
        ],
        ..Person::default()
    }
}

/// The one request of a verification that agrees.
fn sent(claimed: Person, settings: Value) -> Request {
    let stage = stage(settings).on_post("/", agreed);
    verify(&Gateway, of_uin(claimed)).unwrap();
    let mut requests = stage.requests();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

#[test]
fn ida_opens_what_is_claimed_and_finds_its_hash() {
    let request = sent(claimed(), json!({}));
    let opened = open(&request);
    let mut inner = opened.json();
    let timestamp = inner["timestamp"].take();
    assert_eq!(timestamp, request.json()["requestTime"]);
    assert_eq!(
        inner,
        json!({
            "demographics": {
                "name": [
                    { "language": "eng", "value": "Amina Benali" },
                    { "language": "ara", "value": "أمينة بنعلي" },
                ],
                "gender": [{ "language": "eng", "value": "Female" }],
                "dob": "1987/11/25",
                "phoneNumber": "600000001",
                "emailId": "a@mail.example",
            },
            "timestamp": null,
        })
    );
    // Over the very bytes: another order of the members would be another hash.
    assert_eq!(
        opened.hash,
        hexadecimal(&Sha256::digest(opened.request.as_bytes()))
    );
}

#[test]
fn the_outer_request_holds_what_ida_reads() {
    let request = sent(
        claimed(),
        json!({ "ida": { "env": "Staging", "domain_uri": "https://m" } }),
    );
    let mut body = request.json();
    for sealed in ["request", "requestSessionKey", "requestHMAC", "thumbprint"] {
        assert!(
            !body[sealed]
                .take()
                .as_str()
                .unwrap()
                .contains(['=', '+', '/'])
        );
    }
    let number = body["transactionID"].take();
    let number = number.as_str().unwrap();
    assert!(
        number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit()),
        "{number}"
    );
    let time = body["requestTime"].take();
    let time = time.as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with(".000Z"), "{time}");
    assert_eq!(
        body,
        json!({
            "id": "mosip.identity.auth", "version": "1.0", "specVersion": "1.0",
            "individualId": "5319704826", "individualIdType": "UIN",
            "transactionID": null, "requestTime": null, "thumbprint": null,
            "domainUri": "https://m", "env": "Staging",
            "consentObtained": true,
            "requestedAuth": { "demo": true, "otp": false, "bio": false, "pin": false },
            "request": null, "requestSessionKey": null, "requestHMAC": null,
        })
    );
    assert_eq!(request.path, "/");
    assert_eq!(request.query, []);
}

#[test]
fn no_two_requests_share_a_key_an_iv_or_a_number() {
    let (first, second) = (sent(claimed(), json!({})), sent(claimed(), json!({})));
    let iv = |request: &Request, part: &str| {
        let bytes = unurl(request.json()[part].as_str().unwrap());
        bytes[bytes.len() - 16..].to_vec()
    };
    assert_ne!(iv(&first, "request"), iv(&first, "requestHMAC"));
    assert_ne!(iv(&first, "request"), iv(&second, "request"));
    for part in ["transactionID", "requestSessionKey"] {
        assert_ne!(first.json()[part], second.json()[part], "{part}");
    }
}

#[test]
fn the_signature_is_detached_and_holds_over_the_body() {
    let request = sent(claimed(), json!({}));
    let signature = request.header("signature").unwrap();
    let parts: Vec<&str> = signature.split('.').collect();
    assert_eq!((parts.len(), parts[1]), (3, ""));
    let header: Value = serde_json::from_slice(&unurl(parts[0])).unwrap();
    let certificate = der(include_str!("keys/partner.crt"));
    use base64::Engine;
    let certificate = base64::engine::general_purpose::STANDARD.encode(certificate);
    assert_eq!(header, json!({ "alg": "RS256", "x5c": [certificate] }));
    let body = request.body.as_deref().unwrap();
    let signed = format!("{}.{}", parts[0], url(body));
    assert!(rs256_holds("partner", signed.as_bytes(), &unurl(parts[2])));
    let other = format!("{}.{}", parts[0], url([body, b" "].concat()));
    assert!(!rs256_holds("partner", other.as_bytes(), &unurl(parts[2])));
}

#[test]
fn a_one_time_password_goes_with_its_transaction() {
    let by = |parameters: &[(&str, &str)], claimed: Person| {
        let stage =
            answering(agreed).proof(proof(ProofKind::OneTimePassword, "482913", parameters));
        let answer = verify(&Gateway, of_uin(claimed));
        (answer, stage.requests())
    };
    let (answer, requests) = by(&[("transaction-id", "A123456789")], claimed());
    assert_eq!(answer.unwrap().overall, Agreement::Match);
    assert_eq!(requests[0].json()["transactionID"], "A123456789");
    assert_eq!(requests[0].json()["requestedAuth"]["otp"], true);
    assert_eq!(open(&requests[0]).json()["otp"], "482913");
    // Alone, it says that the person is there.
    let (answer, requests) = by(&[], Person::default());
    assert_eq!(answer.unwrap().overall, Agreement::Match);
    assert_eq!(open(&requests[0]).json()["demographics"], Value::Null);
    let (answer, requests) = by(&[("transaction-id", "1")], claimed());
    assert_eq!(
        answer.unwrap_err().summary(),
        "rejected: proof.transaction-id (proof)"
    );
    assert_eq!(requests.len(), 0);
    let _stage = answering(agreed).proof(proof(ProofKind::Token, "t", &[]));
    let answer = verify(&Gateway, of_uin(claimed())).unwrap_err();
    assert_eq!(answer.summary(), "unsupported: proof.kind (proof)");
}

#[test]
fn consent_is_said_only_where_there_is_one() {
    let refused = || verify(&Gateway, of_uin(claimed())).unwrap_err().summary();
    let stage = adapter_sdk::testing::stage()
        .settings(json!({ "ida": {} }))
        .endpoint("ida")
        .on_post("/", agreed);
    assert_eq!(refused(), "denied: consent.missing (consent)");
    let mut blank = common::consent();
    blank.reference = " ".to_owned();
    let stage = stage.consent(blank);
    assert_eq!(refused(), "denied: consent.missing (consent)");
    assert_eq!(stage.requests().len(), 0);
    let stage = stage.settings(json!({ "ida": { "consent": "agreed" } }));
    assert_eq!(
        verify(&Gateway, of_uin(claimed())).unwrap().overall,
        Agreement::Match
    );
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn several_identifiers_the_first_that_ida_knows() {
    let ask = |identifiers: &[(&str, &str)]| {
        let stage = answering(agreed);
        let identifiers = identifiers
            .iter()
            .map(|(scheme, value)| Identifier::new(*scheme, *value))
            .collect();
        let query = VerifyQuery {
            identifiers,
            claimed: claimed(),
        };
        verify(&Gateway, query).map(|_| {
            let body = stage.requests()[0].json();
            (
                body["individualIdType"].clone(),
                body["individualId"].clone(),
            )
        })
    };
    assert_eq!(
        ask(&[
            ("birth-registration-number", "B1"),
            ("mosip-vid", "7"),
            ("national-id", "8")
        ]),
        Ok((json!("VID"), json!("7")))
    );
    for none in [&[][..], &[("mosip-psut", "1")], &[("national-id", " ")]] {
        assert_eq!(
            ask(none),
            Err(Failure::rejected("identifier.scheme").field("identifiers"))
        );
    }
}

#[test]
fn what_ida_has_no_place_or_word_for_is_not_sent_and_not_agreed() {
    let cases: Vec<(&str, Person)> = vec![
        (
            "birth-date",
            Person {
                birth_date: dates::parse("1987"),
                ..Person::default()
            },
        ),
        (
            "birth-date",
            Person {
                birth_date: Some(PartialDate {
                    year: 1987,
                    month: Some(11),
                    ..PartialDate::default()
                }),
                ..Person::default()
            },
        ),
        (
            "name.text",
            Person {
                names: vec![HumanName {
                    language: Some("xx".to_owned()),
                    ..HumanName::text("A")
                }],
                ..Person::default()
            },
        ),
        (
            "marital-status",
            Person {
                marital_status: Some(MaritalStatus::Married),
                ..Person::default()
            },
        ),
        (
            "addresses",
            Person {
                addresses: vec![Address::default()],
                ..Person::default()
            },
        ),
        (
            "identifier.mosip-vid",
            Person {
                identifiers: vec![Identifier::new("mosip-vid", "1")],
                ..Person::default()
            },
        ),
    ];
    for (field, claimed) in cases {
        let stage = answering(agreed);
        let alone = verify(&Gateway, of_uin(claimed.clone())).unwrap();
        assert_eq!(
            (alone.overall, stage.requests().len()),
            (Agreement::Missing, 0),
            "{field}"
        );
        assert_eq!(alone.attributes.len(), 1);
        assert_eq!(alone.attributes[0].field, field);
        // With something that agrees, the whole does not.
        let with = Person {
            contacts: vec![Contact::phone("1")],
            ..claimed
        };
        let whole = verify(&Gateway, of_uin(with)).unwrap();
        assert_eq!(
            (whole.overall, stage.requests().len()),
            (Agreement::Missing, 1),
            "{field}"
        );
    }
    let stage = answering(agreed);
    let nothing = verify(&Gateway, of_uin(Person::default())).unwrap_err();
    assert_eq!(nothing.summary(), "rejected: claimed.empty (claimed)");
    // "Unknown" claims nothing either.
    let unknown = Person {
        sex: Some(Sex::Unknown),
        ..Person::default()
    };
    assert_eq!(verify(&Gateway, of_uin(unknown)), Err(nothing));
    assert_eq!(stage.requests().len(), 0);
}

#[test]
fn names_go_out_by_the_settings() {
    let names = |names: Vec<HumanName>, settings: Value| {
        let person = Person {
            names,
            ..Person::default()
        };
        open(&sent(person, settings)).json()["demographics"]["name"].clone()
    };
    let parts = || vec![HumanName::of("Nguyen", ["Van", "An"])];
    assert_eq!(names(parts(), json!({}))[0]["value"], "Van An Nguyen");
    let family_first = json!({ "ida": { "name_order": "family-first", "language": "fr" } });
    assert_eq!(
        names(parts(), family_first),
        json!([{ "language": "fra", "value": "Nguyen Van An" }])
    );
    // Three letters that BCP 47 has, too; only a family name; a second name of one language.
    let three = HumanName {
        language: Some("fil".to_owned()),
        ..HumanName::of("Reyes", [])
    };
    assert_eq!(
        names(
            vec![
                three.clone(),
                HumanName {
                    text: Some("B".into()),
                    ..three
                }
            ],
            json!({})
        ),
        json!([{ "language": "fil", "value": "Reyes" }])
    );
}

#[test]
fn a_claimed_identifier_that_was_asked_by_is_confirmed() {
    let _stage = answering(agreed);
    let with = Person {
        identifiers: vec![Identifier::new("national-id", "5319704826")],
        ..claimed()
    };
    let told = verify(&Gateway, of_uin(with)).unwrap();
    assert_eq!(told.overall, Agreement::Match);
    assert_eq!(told.attributes.len(), 1);
    assert_eq!(told.attributes[0].field, "identifier.national-id");
}
