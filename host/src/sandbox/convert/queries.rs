//! Into the guest. Nothing to check: the API has.

use super::opaque_out;
use super::told::{identifiers, person};
use crate::model;
use crate::sandbox::bindings::{abilities, types};
use crate::sandbox::instance::PendingAnswer;

pub(in crate::sandbox) fn find_query(query: &model::FindQuery) -> abilities::find::FindQuery {
    abilities::find::FindQuery {
        identifiers: identifiers(&query.identifiers),
    }
}

pub(in crate::sandbox) fn household_query(
    query: &model::HouseholdQuery,
) -> abilities::household::HouseholdQuery {
    abilities::household::HouseholdQuery {
        identifiers: identifiers(&query.identifiers),
    }
}

pub(in crate::sandbox) fn search_query(
    query: &model::SearchQuery,
) -> abilities::search::SearchQuery {
    use abilities::search::{Criterion, SortKey, Test, ValueRange};
    abilities::search::SearchQuery {
        criteria: query
            .criteria
            .iter()
            .map(|criterion| Criterion {
                field: criterion.field.clone(),
                test: match criterion.test.clone() {
                    model::Test::Equals(value) => Test::Equals(value),
                    model::Test::AnyOf(values) => Test::AnyOf(values),
                    model::Test::StartsWith(value) => Test::StartsWith(value),
                    model::Test::Fuzzy(value) => Test::Fuzzy(value),
                    model::Test::Range(range) => Test::Range(ValueRange {
                        from: range.from,
                        to: range.to,
                    }),
                },
            })
            .collect(),
        sort: query
            .sort
            .iter()
            .map(|key| SortKey {
                field: key.field.clone(),
                descending: key.descending,
            })
            .collect(),
        page_size: query.page_size,
        page: query.page.as_ref().map(opaque_out),
    }
}

pub(in crate::sandbox) fn verify_query(
    query: &model::VerifyQuery,
) -> abilities::verify::VerifyQuery {
    abilities::verify::VerifyQuery {
        identifiers: identifiers(&query.identifiers),
        claimed: person(&query.claimed),
    }
}

pub(in crate::sandbox) fn pending_answer(answer: PendingAnswer) -> types::PendingAnswer {
    types::PendingAnswer {
        reference: answer.reference,
        data: answer.data,
    }
}
