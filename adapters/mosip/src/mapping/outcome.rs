//! IDA's answer as a verification. A mismatch is an answer; every other error is a failure.

use adapter_sdk::Failure;
use adapter_sdk::model::{Agreement, AttributeResult, Verification};

use super::demographics::Demographics;
use crate::reasons;
use crate::wire::ida::{AUTH, AuthAnswer, AuthError};

/// Demographic data did not match.
const MISMATCH: &str = "IDA-DEA-001";
/// IDA has no such datum of this person.
const MISSING: &str = "IDA-DEA-003";

/// What IDA calls an attribute in words, and the model's field. It names the attribute itself or what
/// the country's identity schema calls it.
const WORDS: &[(&str, &str)] = &[
    ("name", "name.text"),
    ("fullName", "name.text"),
    ("dob", "birth-date"),
    ("dateOfBirth", "birth-date"),
    ("gender", "sex"),
    ("phoneNumber", "contact.phone"),
    ("phone", "contact.phone"),
    ("emailId", "contact.email"),
    ("email", "contact.email"),
];

/// Reads an answer to what was asked under this transaction.
///
/// # Errors
/// `unreadable`: it is an answer to something else, or contradicts itself. Else as
/// [`reasons::ida`] has it.
pub fn verification(
    answer: &AuthAnswer,
    transaction_id: &str,
    asked: &Demographics,
) -> Result<Verification, Failure> {
    let other = |told: &Option<String>, ours: &str| told.as_deref().is_some_and(|t| t != ours);
    if other(&answer.transaction_id, transaction_id) || other(&answer.id, AUTH) {
        return Err(Failure::unreadable("answer.mismatch"));
    }
    let errors = &answer.errors;
    if let Some(error) = errors.iter().find(|error| agreement(error).is_none()) {
        return Err(reasons::ida(error));
    }
    match (answer.auth_status, errors.is_empty()) {
        // An agreement must be an answer to this very request.
        (Some(true), true) if answer.transaction_id.is_some() => {
            let token = answer.auth_token.clone();
            Ok(told(Agreement::Match, Vec::new(), asked, token))
        }
        (Some(false) | None, false) => {
            let differs = |error| agreement(error) == Some(Agreement::Mismatch);
            let overall = if errors.iter().any(differs) {
                Agreement::Mismatch
            } else {
                Agreement::Missing
            };
            Ok(told(overall, attributes(errors, asked), asked, None))
        }
        (Some(true), false) => Err(Failure::unreadable("answer.contradiction")),
        _ => Err(Failure::unreadable("answer.unexplained")),
    }
}

/// A claim of which nothing could be sent: nothing is compared.
pub fn uncompared(asked: &Demographics) -> Verification {
    let fields = asked.asked_by.iter().chain(&asked.unsent);
    Verification {
        overall: Agreement::Missing,
        attributes: fields
            .map(|field| note(field, Agreement::Missing))
            .collect(),
        token: None,
        extra: Vec::new(),
    }
}

/// What was not compared keeps the whole from agreeing.
fn told(
    overall: Agreement,
    mut attributes: Vec<AttributeResult>,
    asked: &Demographics,
    token: Option<String>,
) -> Verification {
    let confirmed = asked.asked_by.iter();
    attributes.extend(confirmed.map(|field| note(field, Agreement::Match)));
    let unsent = asked.unsent.iter();
    attributes.extend(unsent.map(|field| note(field, Agreement::Missing)));
    let agrees = overall == Agreement::Match;
    Verification {
        overall: if agrees && !asked.unsent.is_empty() {
            Agreement::Missing
        } else {
            overall
        },
        attributes,
        token: token.filter(|token| !token.trim().is_empty()),
        extra: Vec::new(),
    }
}

fn note(field: &str, agreement: Agreement) -> AttributeResult {
    AttributeResult {
        field: field.to_owned(),
        agreement,
    }
}

/// The attributes that are told of. A name in two languages may be told of twice: the worse counts.
fn attributes(errors: &[AuthError], asked: &Demographics) -> Vec<AttributeResult> {
    let mut all: Vec<AttributeResult> = Vec::new();
    for told in errors.iter().filter_map(|error| attribute(error, asked)) {
        match all.iter_mut().find(|known| known.field == told.field) {
            Some(known) if told.agreement == Agreement::Mismatch => {
                known.agreement = told.agreement
            }
            Some(_) => {}
            None => all.push(told),
        }
    }
    all
}

/// None: the error is not about what was compared.
fn agreement(error: &AuthError) -> Option<Agreement> {
    match error.code.as_deref().map(str::trim) {
        Some(MISMATCH) => Some(Agreement::Mismatch),
        Some(MISSING) => Some(Agreement::Missing),
        _ => None,
    }
}

/// Which attribute it is about, where the words say one that was sent. Of one that is not named,
/// nothing is said: the whole counts.
fn attribute(error: &AuthError, asked: &Demographics) -> Option<AttributeResult> {
    let message = error.message.as_deref()?.trim();
    let rest = message.strip_prefix("Demographic data ")?;
    let ends = [" did not match", " not available in database"];
    let named = ends.iter().find_map(|end| rest.strip_suffix(end))?;
    let word = named.split(" in ").next().unwrap_or(named).trim();
    let (_, field) = WORDS.iter().find(|(known, _)| *known == word)?;
    let sent = asked.fields.iter().any(|(_, sent)| sent == field);
    agreement(error)
        .filter(|_| sent)
        .map(|told| note(field, told))
}
