//! Writes into the guest, and what becomes of them out of it.

use super::people::{all, extras, identifier};
use super::queries::pending_answer;
use super::told;
use super::{Converted, code, codes, failure, garbage, opaque_out, pending, unavailability};
use crate::model::{
    Beneficiary, Benefit, CreateRequest, CreateSubject, EnrolmentRequest, Fate, LinkChange,
    LinkRequest, Notification, Receipt, TraceQuery, UpdateRequest, WriteRequest, Written,
};
use crate::sandbox::bindings::{abilities, types, vital, writing};
use crate::sandbox::fault::Fault;
use crate::sandbox::instance::{Answer, PendingAnswer};

/// What a registry gave or confirmed of one record.
const MAX_RECEIPT_IDENTIFIERS: usize = 100;
/// A number, not a document: it reaches callers and stands in the history of an operation.
const MAX_RECEIPT_TEXT: usize = 1024;

pub(in crate::sandbox) fn create_request(request: &CreateRequest) -> writing::CreateRequest {
    writing::CreateRequest {
        subject: match &request.subject {
            CreateSubject::Person(person) => writing::CreateSubject::Person(told::person(person)),
            CreateSubject::Household(household) => {
                writing::CreateSubject::Household(told::household(household))
            }
            CreateSubject::Event(event) => writing::CreateSubject::Event(notification(event)),
            CreateSubject::Other(other) => writing::CreateSubject::Other(told::extra(other)),
        },
        extra: told::extras(&request.extra),
    }
}

pub(in crate::sandbox) fn update_request(request: &UpdateRequest) -> writing::UpdateRequest {
    writing::UpdateRequest {
        identifiers: told::identifiers(&request.identifiers),
        person: told::person(&request.person),
        mask: request
            .mask
            .iter()
            .map(|field| contract_field(field))
            .collect(),
        version: request.version.clone(),
        extra: told::extras(&request.extra),
    }
}

/// A field of a person as the contract names it: `replaced-by`. An adapter's own key stays as it is.
fn contract_field(json: &str) -> String {
    if json.starts_with("extra.") {
        return json.to_owned();
    }
    let mut field = String::with_capacity(json.len() + 1);
    for letter in json.chars() {
        if letter.is_ascii_uppercase() {
            field.push('-');
        }
        field.push(letter.to_ascii_lowercase());
    }
    field
}

pub(in crate::sandbox) fn link_request(request: &LinkRequest) -> writing::LinkRequest {
    writing::LinkRequest {
        identifiers: told::identifiers(&request.identifiers),
        change: match request.change {
            LinkChange::Add => writing::LinkChange::Add,
            LinkChange::Remove => writing::LinkChange::Remove,
        },
        linked: told::identifier(&request.linked),
        version: request.version.clone(),
        extra: told::extras(&request.extra),
    }
}

pub(in crate::sandbox) fn enrolment_request(
    request: &EnrolmentRequest,
) -> writing::EnrolmentRequest {
    writing::EnrolmentRequest {
        programme: writing::Programme {
            identifiers: told::identifiers(&request.programme.identifiers),
            name: request.programme.name.clone(),
            extra: told::extras(&request.programme.extra),
        },
        beneficiary: match &request.beneficiary {
            Beneficiary::Person(person) => writing::Beneficiary::Person(told::person(person)),
            Beneficiary::Household(household) => {
                writing::Beneficiary::Household(told::household(household))
            }
        },
        identifiers: told::identifiers(&request.identifiers),
        status: codes::enrolment_status_out(&request.status),
        previous_status: request
            .previous_status
            .as_ref()
            .map(codes::enrolment_status_out),
        reason: request.reason.clone(),
        from: request.from.as_ref().map(told::date),
        until: request.until.as_ref().map(told::date),
        benefits: request.benefits.iter().map(benefit).collect(),
        version: request.version.clone(),
        extra: told::extras(&request.extra),
    }
}

pub(in crate::sandbox) fn trace_query(
    query: &TraceQuery,
    answer: Option<PendingAnswer>,
) -> abilities::trace::TraceQuery {
    abilities::trace::TraceQuery {
        operation_key: query.operation_key.clone(),
        request: match &query.request {
            WriteRequest::Create(request) => writing::WriteRequest::Create(create_request(request)),
            WriteRequest::Update(request) => writing::WriteRequest::Update(update_request(request)),
            WriteRequest::Link(request) => writing::WriteRequest::Link(link_request(request)),
            WriteRequest::Enrolment(request) => {
                writing::WriteRequest::Enrolment(enrolment_request(request))
            }
        },
        attempted_at: query.attempted_at.clone(),
        state: query.state.as_ref().map(opaque_out),
        answer: answer.map(pending_answer),
    }
}

pub(in crate::sandbox) fn written(
    answer: Result<writing::WriteAnswer, types::Failure>,
) -> Converted<Written> {
    Ok(match answer {
        Ok(writing::WriteAnswer::Done(done)) => Ok(Answer::Done(Written::Done(receipt(done)?))),
        Ok(writing::WriteAnswer::Pending(more)) => Ok(pending(more)),
        Ok(writing::WriteAnswer::Unclear(why)) => {
            Ok(Answer::Done(Written::Unclear(unavailability(why))))
        }
        Err(no) => Err(failure(no)),
    })
}

pub(in crate::sandbox) fn fate(
    answer: Result<abilities::trace::Fate, types::Failure>,
) -> Converted<Fate> {
    use abilities::trace::Fate as Wit;
    Ok(match answer {
        Ok(Wit::Applied(done)) => Ok(Answer::Done(Fate::Applied(receipt(done)?))),
        Ok(Wit::Absent) => Ok(Answer::Done(Fate::Absent)),
        Ok(Wit::Underway(more)) => Ok(pending(more)),
        Ok(Wit::Refused(no)) => Ok(Answer::Done(Fate::Refused(failure(no)))),
        Ok(Wit::Unknown) => Ok(Answer::Done(Fate::Unknown)),
        Err(no) => Err(failure(no)),
    })
}

fn receipt(receipt: writing::Receipt) -> Result<Receipt, Fault> {
    if receipt.identifiers.len() > MAX_RECEIPT_IDENTIFIERS {
        return Err(garbage("receipt.identifiers"));
    }
    let short = |text: Option<String>, place: &str| match text {
        Some(text) if text.len() > MAX_RECEIPT_TEXT => Err(garbage(place)),
        text => Ok(text),
    };
    Ok(Receipt {
        outcome: codes::outcome(receipt.outcome),
        identifiers: all(receipt.identifiers, "receipt.identifiers", identifier)?,
        reference: short(receipt.reference, "receipt.reference")?,
        version: short(receipt.version, "receipt.version")?,
        unwritten: all(receipt.unwritten, "receipt.unwritten", |field, place| {
            // Free text here would go to callers as it is.
            code(field).ok_or_else(|| garbage(place))
        })?,
        extra: extras(receipt.extra, "receipt.extra")?,
    })
}

fn benefit(benefit: &Benefit) -> writing::Benefit {
    writing::Benefit {
        type_: benefit.type_.clone(),
        amount: benefit.amount.clone(),
        currency: benefit.currency.clone(),
        frequency: benefit.frequency.clone(),
        date: benefit.date.as_ref().map(told::date),
        extra: told::extras(&benefit.extra),
    }
}

fn notification(event: &Notification) -> vital::Notification {
    vital::Notification {
        kind: codes::event_kind_out(&event.kind),
        occurred: event.occurred.as_ref().map(told::date),
        place: event.place.as_ref().map(told::address),
        participants: event
            .participants
            .iter()
            .map(|participant| vital::Participant {
                role: codes::participant_role_out(&participant.role),
                person: told::person(&participant.person),
                relation: participant.relation.as_ref().map(codes::relation_role_out),
                extra: told::extras(&participant.extra),
            })
            .collect(),
        household: event.household.as_ref().map(told::household),
        extra: told::extras(&event.extra),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(unwritten: &str, reference: &str) -> Converted<Written> {
        written(Ok(writing::WriteAnswer::Done(writing::Receipt {
            outcome: writing::Outcome::Applied,
            identifiers: Vec::new(),
            reference: Some(reference.into()),
            version: None,
            unwritten: vec![unwritten.into()],
            extra: Vec::new(),
        })))
    }

    #[test]
    fn a_receipt_names_fields_and_holds_no_document() {
        assert!(done("names.0.family", "T-1").is_ok());
        assert_eq!(
            done("Sita Sharma", "T-1"),
            Err(garbage("receipt.unwritten.0"))
        );
        let long = "x".repeat(MAX_RECEIPT_TEXT + 1);
        assert_eq!(done("names", &long), Err(garbage("receipt.reference")));
    }
}
