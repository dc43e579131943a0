//! What IDA answers, and what becomes of it: an agreement, a mismatch, or a failure of the right kind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_mosip::reasons::{IDA, Kind};
use adapter_mosip::verify::verify;
use adapter_sdk::http::ProblemKind;
use adapter_sdk::model::{Agreement, Contact, HumanName, Person, Sex, Verification};
use adapter_sdk::testing::{self, Reply};
use adapter_sdk::{Failure, dates};
use common::Gateway;
use common::ida::{agreed, answer, answering, error, of_uin};
use serde_json::{Value, json};

fn claimed() -> Person {
    Person {
        names: vec![HumanName::text("Amina Benali")],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1987-11-25"),
        contacts: vec![Contact::phone("600000001")],
        ..Person::default()
    }
}

fn told(reply: impl Into<Reply> + Clone + 'static) -> Result<Verification, Failure> {
    let _stage = answering(move |_| reply.clone());
    verify(&Gateway, of_uin(claimed()))
}

/// The answer to errors, with the number of the request.
fn errors(errors: Value) -> Result<Verification, Failure> {
    let _stage = answering(move |request| answer(request, false, errors.clone()));
    verify(&Gateway, of_uin(claimed()))
}

fn summary(code: &str, message: &str) -> String {
    errors(error(code, message)).unwrap_err().summary()
}

fn fields(verification: &Verification) -> Vec<(&str, Agreement)> {
    let results = verification.attributes.iter();
    results
        .map(|result| (result.field.as_str(), result.agreement))
        .collect()
}

#[test]
fn an_agreement_is_a_match_with_its_token() {
    let stage = answering(agreed);
    let verification = verify(&Gateway, of_uin(claimed())).unwrap();
    assert_eq!(verification.overall, Agreement::Match);
    assert_eq!(verification.token.as_deref(), Some("token-1"));
    // IDA tells the whole only.
    assert_eq!(verification.attributes, []);
    assert_eq!(stage.logs(), []);
}

#[test]
fn a_mismatch_is_an_answer() {
    let verification = errors(error("IDA-DEA-001", "Demographic data dob did not match")).unwrap();
    assert_eq!(verification.overall, Agreement::Mismatch);
    assert_eq!(fields(&verification), [("birth-date", Agreement::Mismatch)]);
    assert_eq!(verification.token, None);
}

#[test]
fn each_attribute_that_is_named_is_told_and_no_other() {
    let several = json!([
        { "errorCode": "IDA-DEA-003", "errorMessage": "Demographic data fullName in eng not available in database" },
        { "errorCode": "IDA-DEA-001", "errorMessage": "Demographic data fullName in ara did not match" },
        { "errorCode": "IDA-DEA-003", "errorMessage": "Demographic data phone not available in database" },
        // Not claimed, not said in words that are known, and not said at all.
        { "errorCode": "IDA-DEA-001", "errorMessage": "Demographic data emailId did not match" },
        { "errorCode": "IDA-DEA-001", "errorMessage": "La date de naissance ne correspond pas" },
        { "errorCode": "IDA-DEA-001", "errorMessage": null },
    ]);
    let verification = errors(several).unwrap();
    assert_eq!(verification.overall, Agreement::Mismatch);
    assert_eq!(
        fields(&verification),
        [
            ("name.text", Agreement::Mismatch),
            ("contact.phone", Agreement::Missing),
        ]
    );
}

#[test]
fn what_ida_does_not_have_is_missing() {
    let message = "Demographic data phoneNumber not available in database";
    let verification = errors(error("IDA-DEA-003", message)).unwrap();
    assert_eq!(verification.overall, Agreement::Missing);
    assert_eq!(
        fields(&verification),
        [("contact.phone", Agreement::Missing)]
    );
}

#[test]
fn http_200_with_errors_is_a_failure() {
    for (code, message, expected) in [
        (
            "IDA-MLC-002",
            "Invalid UIN",
            "rejected: IDA-MLC-002 (identifiers)",
        ),
        (
            "IDA-MLC-003",
            "UIN has been deactivated",
            "other: IDA-MLC-003 (identifiers)",
        ),
        ("IDA-MLC-012", "no consent", "denied: IDA-MLC-012 (consent)"),
        ("IDA-MLC-018", "UIN not available in database", "not-found"),
        ("IDA-MLC-007", "", "unavailable: IDA-MLC-007"),
        (
            "IDA-MLC-001",
            "within 30 seconds",
            "misconfigured: IDA-MLC-001",
        ),
        (
            "IDA-OTA-004",
            "OTP is invalid",
            "rejected: IDA-OTA-004 (proof)",
        ),
        (
            "IDA-MPA-001",
            "",
            "misconfigured: IDA-MPA-001 (settings.ida.signing_key)",
        ),
        (
            "IDA-MPA-003",
            "",
            "misconfigured: IDA-MPA-003 (settings.ida.certificate)",
        ),
        ("IDA-MPA-007", "", "denied: IDA-MPA-007"),
        (
            "IDA-DEA-002",
            "",
            "misconfigured: IDA-DEA-002 (settings.languages)",
        ),
        ("PMS_PMP_021", "expired", "denied: PMS_PMP_021"),
        // A code that the table does not have is kept; what is no code is not.
        ("IDA-XYZ-123", "", "other: IDA-XYZ-123"),
        ("Amina Benali is unknown", "", "other: reason.unknown"),
        ("", "", "other: reason.unknown"),
    ] {
        assert_eq!(summary(code, message), expected);
    }
}

#[test]
fn a_parameter_is_told_by_its_name() {
    for (message, expected) in [
        (
            "Invalid Input Parameter - request/env",
            "misconfigured: IDA-MLC-009 (settings.ida.env)",
        ),
        (
            "Invalid Input Parameter - individualIdType",
            "misconfigured: IDA-MLC-009 (settings.ida.identifier_types)",
        ),
        (
            "Invalid Input Parameter - OTP",
            "rejected: IDA-MLC-009 (proof)",
        ),
        (
            "Invalid Input Parameter - somethingElse",
            "rejected: IDA-MLC-009",
        ),
        ("Ungültig", "rejected: IDA-MLC-009"),
    ] {
        assert_eq!(summary("IDA-MLC-009", message), expected);
    }
    assert_eq!(
        summary(
            "IDA-MLC-006",
            "Missing Input Parameter - Authorization - header"
        ),
        "misconfigured: IDA-MLC-006"
    );
}

#[test]
fn an_error_of_another_kind_comes_before_a_mismatch() {
    let both = json!([
        { "errorCode": "IDA-DEA-001", "errorMessage": "Demographic data dob did not match" },
        { "errorCode": "IDA-MLC-019", "errorMessage": "demo Auth Type is Locked for the UIN" },
    ]);
    assert_eq!(errors(both).unwrap_err().summary(), "denied: IDA-MLC-019");
}

#[test]
fn every_code_of_the_table_has_its_failure_and_says_no_word() {
    for (own, kind, field) in IDA {
        let code = format!("IDA-{own}");
        let failure = errors(error(&code, "Amina 5319704826")).unwrap_err();
        let expected = match kind {
            Kind::NotFound => "not-found",
            Kind::Rejected => "rejected",
            Kind::Denied => "denied",
            Kind::Unsupported => "unsupported",
            Kind::Misconfigured => "misconfigured",
            Kind::Unavailable => "unavailable",
            Kind::Other => "other",
        };
        assert_eq!(failure.kind(), expected, "{own}");
        let told = failure
            .refusal()
            .and_then(|refusal| refusal.field.as_deref());
        assert_eq!(told.unwrap_or_default(), *field, "{own}");
        assert!(!format!("{failure:?}").contains("Amina"), "{own}");
    }
}

#[test]
fn an_answer_to_something_else_is_refused() {
    for (name, value) in [
        ("transactionID", json!("0000000000")),
        ("id", json!("mosip.identity.kyc")),
        // An agreement must be an answer to this very request.
        ("transactionID", Value::Null),
    ] {
        let _stage = answering(move |request| {
            let mut answer = agreed(request);
            answer[name] = value.clone();
            answer
        });
        let refused = verify(&Gateway, of_uin(claimed())).unwrap_err().summary();
        let expected = [
            "unreadable: answer.mismatch",
            "unreadable: answer.unexplained",
        ];
        assert!(expected.contains(&refused.as_str()), "{name} {refused}");
    }
}

#[test]
fn an_answer_that_says_nothing_or_two_things_is_refused() {
    let _stage = answering(|request| answer(request, false, json!([])));
    let refused = |query| verify(&Gateway, query).unwrap_err().summary();
    assert_eq!(refused(of_uin(claimed())), "unreadable: answer.unexplained");
    let _stage = answering(|request| answer(request, false, Value::Null));
    assert_eq!(refused(of_uin(claimed())), "unreadable: answer.unexplained");
    let both = error("IDA-DEA-001", "Demographic data dob did not match");
    let _stage = answering(move |request| answer(request, true, both.clone()));
    assert_eq!(
        refused(of_uin(claimed())),
        "unreadable: answer.contradiction"
    );
    assert_eq!(
        told(json!({})).unwrap_err().summary(),
        "unreadable: answer.unexplained"
    );
    assert_eq!(
        told(json!([])).unwrap_err().summary(),
        "unreadable: json.shape"
    );
    // A list is no record, though its members would fit.
    let list = json!([null, null, [], [true, "token-1"]]);
    assert_eq!(told(list).unwrap_err().summary(), "unreadable: json.shape");
    let inner = json!({ "transactionID": null, "response": [true, "token-1"] });
    assert_eq!(told(inner).unwrap_err().summary(), "unreadable: json.shape");
    let words = json!({ "response": { "authStatus": "true" } });
    assert_eq!(told(words).unwrap_err().summary(), "unreadable: json.shape");
}

#[test]
fn other_statuses_are_failures() {
    for (status, expected) in [
        (401, "denied: http.401"),
        (403, "denied: http.403"),
        (404, "misconfigured: http.404"),
        (429, "unavailable: http.429"),
        (502, "unavailable: http.502"),
    ] {
        let refused = told(testing::status(status, &[])).unwrap_err();
        assert_eq!(refused.summary(), expected);
    }
    let lost = told(testing::sent_no_answer(ProblemKind::TimedOut)).unwrap_err();
    assert_eq!(lost.summary(), "unavailable: http.sent-no-answer.timed-out");
}

#[test]
fn keys_that_are_not_there_are_for_an_administrator() {
    for (settings, expected) in [
        (
            json!({ "ida": { "certificate": "other" } }),
            "misconfigured: signing.key-not-granted (settings.ida.certificate)",
        ),
        (
            json!({ "ida": { "signing_key": "other" } }),
            "misconfigured: signing.key-not-granted (settings.ida.signing_key)",
        ),
        (
            json!({ "ida": { "signing_key": "client" } }),
            "misconfigured: signing.no-certificate (settings.ida.signing_key)",
        ),
        (
            json!({ "ida": { "licence_key": "x" } }),
            "misconfigured: settings.invalid (settings.ida.licence_key)",
        ),
        (
            json!({ "ida": null, "esignet": { "issuer": "i", "client_id": "c" } }),
            "misconfigured: settings.missing (settings.ida)",
        ),
    ] {
        let stage = common::ida::stage(settings).on_post("/", agreed);
        let refused = verify(&Gateway, of_uin(claimed())).unwrap_err();
        assert_eq!(refused.summary(), expected);
        assert_eq!(stage.requests().len(), 0);
    }
}
