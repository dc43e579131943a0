//! Why two people are not tied. The one problem that tells of people: both sides, which are the caller's
//! own, in fields and never in a text.

use std::fmt;

use axum::http::StatusCode as S;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use crate::gateway::{Finding, LinkView};
use crate::model::Identifier;

/// Somebody who is tied, or was to be.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct LinkSide {
    /// The link that stands. Left out: what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The caller's name for the person.
    subject: String,
    /// The registry's numbers, as far as the caller may see them.
    identifiers: Vec<LinkSideIdentifier>,
}

/// A registry's number.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::api) struct LinkSideIdentifier {
    scheme: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// Nobody is in what is printed of it.
impl fmt::Debug for LinkSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkSide")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Problem {
    /// What the caller holds is not enough.
    pub(in crate::api) fn ambiguous(findings: Vec<Finding>) -> Self {
        Problem::new(
            S::CONFLICT,
            "ambiguous",
            "what was claimed does not show that the number is this person's: see the findings",
        )
        .field("claimed")
        .findings(findings)
    }

    /// What stands, and what was asked for.
    pub(in crate::api) fn linked_otherwise(
        place: &'static str,
        standing: LinkView,
        subject: String,
        asked: &[Identifier],
    ) -> Self {
        let mut problem = Problem::new(
            S::CONFLICT,
            "linked-otherwise",
            "one of them is linked to somebody else: look which is right, end that link where it is wrong, and link anew",
        )
        .field(place);
        let people = standing.people;
        let standing = LinkSide {
            id: Some(standing.id.to_string()),
            subject: people
                .as_ref()
                .map(|it| it.subject.clone())
                .unwrap_or_default(),
            identifiers: vec![LinkSideIdentifier {
                scheme: standing.scheme,
                value: people.and_then(|it| it.value),
            }],
        };
        let asked = asked.iter().map(|it| LinkSideIdentifier {
            scheme: it.scheme.clone(),
            value: Some(it.value.clone()),
        });
        let sides = [
            standing,
            LinkSide {
                id: None,
                subject,
                identifiers: asked.collect(),
            },
        ];
        problem.links = Some(Box::new(sides));
        problem
    }
}
