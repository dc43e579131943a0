//! What is sealed of a lookup that is kept: what was asked, where its adapter goes on, and what the
//! registry answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::gateway::bodies::Place;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{
    Asker, Call, Consent, FindQuery, HouseholdQuery, Opaque, Proof, SearchQuery, VerifyQuery,
};
use crate::sandbox::Pending;
use crate::store::KeptPending;

const QUESTION: &str = "lookup question";
const PENDING: &str = "lookup pending";
const ANSWER: &str = "lookup answer";

/// Who asked what, and why.
#[derive(Deserialize, Serialize)]
pub(in crate::gateway) struct Question {
    pub(in crate::gateway) query: Query,
    user: Option<String>,
    entity: Option<String>,
    purpose: Option<String>,
    legal_basis: Option<String>,
    consent: Option<Consent>,
    proof: Option<Proof>,
    wanted_fields: Vec<String>,
    languages: Vec<String>,
}

/// Of which ability.
#[derive(Clone, Deserialize, Serialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of them for a lookup that is kept, while it is sealed or goes on"
)]
pub(in crate::gateway) enum Query {
    Find(FindQuery),
    Household(HouseholdQuery),
    Search(SearchQuery),
    Verify(VerifyQuery),
}

/// Where an adapter goes on, and from when it may by itself.
#[derive(Deserialize, Serialize)]
struct Goes {
    reference: Option<String>,
    form: u32,
    state: String,
    retry_after_ms: Option<u32>,
    again_at: Option<Timestamp>,
}

impl Question {
    pub(in crate::gateway) fn new(query: Query, call: &Call) -> Self {
        let asker = call.asker.clone();
        Self {
            query,
            user: asker.user,
            entity: asker.entity,
            purpose: asker.purpose,
            legal_basis: asker.legal_basis,
            consent: call.consent.clone(),
            proof: call.proof.clone(),
            wanted_fields: call.wanted_fields.clone(),
            languages: call.languages.clone(),
        }
    }

    /// As it was stated then, of the request that comes back for it.
    pub(super) fn call(self, back: Call) -> (Query, Call) {
        let call = Call {
            asker: Asker {
                user: self.user,
                entity: self.entity,
                purpose: self.purpose,
                legal_basis: self.legal_basis,
            },
            consent: self.consent,
            proof: self.proof,
            wanted_fields: self.wanted_fields,
            languages: self.languages,
            ..back
        };
        (self.query, call)
    }
}

impl Gateway {
    pub(super) fn seal_question(
        &self,
        of: Uuid,
        question: Question,
    ) -> Result<Vec<u8>, GatewayError> {
        self.seal_json(of, QUESTION, &question)
    }

    pub(super) fn open_question(&self, of: Uuid, sealed: &[u8]) -> Result<Question, GatewayError> {
        self.open_json(of, QUESTION, sealed)
    }

    pub(super) fn seal_pending(
        &self,
        of: Uuid,
        pending: &Pending,
        again_at: Option<Timestamp>,
    ) -> Result<KeptPending, GatewayError> {
        let goes = Goes {
            reference: pending.reference.clone(),
            form: pending.state.schema,
            state: STANDARD.encode(&pending.state.data),
            retry_after_ms: pending.retry_after_ms,
            again_at,
        };
        Ok(KeptPending {
            form: pending.state.schema,
            sealed: self.seal_json(of, PENDING, &goes)?,
        })
    }

    pub(super) fn open_pending(
        &self,
        of: Uuid,
        sealed: &[u8],
    ) -> Result<(Pending, Option<Timestamp>), GatewayError> {
        let goes: Goes = self.open_json(of, PENDING, sealed)?;
        let data = STANDARD.decode(&goes.state);
        let pending = Pending {
            reference: goes.reference,
            state: Opaque {
                schema: goes.form,
                data: data.map_err(|_| GatewayError::Internal)?,
            },
            retry_after_ms: goes.retry_after_ms,
        };
        Ok((pending, goes.again_at))
    }

    pub(super) fn seal_answer_of(
        &self,
        of: Uuid,
        answer: &impl Serialize,
    ) -> Result<Vec<u8>, GatewayError> {
        self.seal_json(of, ANSWER, answer)
    }

    pub(super) fn open_answer_of(&self, of: Uuid, sealed: &[u8]) -> Result<Vec<u8>, GatewayError> {
        self.unseal(of, ANSWER, sealed)
    }

    fn seal_json(
        &self,
        of: Uuid,
        column: &'static str,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, GatewayError> {
        let plain = serde_json::to_vec(value).map_err(|_| GatewayError::Internal)?;
        let sealed = self.inner.bodies.seal(Place { of, column }, plain);
        sealed.map_err(|_| GatewayError::Internal)
    }

    fn open_json<T: for<'a> Deserialize<'a>>(
        &self,
        of: Uuid,
        column: &'static str,
        sealed: &[u8],
    ) -> Result<T, GatewayError> {
        let plain = self.unseal(of, column, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| {
            tracing::error!(lookup = %of, what = column, "what is kept of a lookup cannot be read");
            GatewayError::Internal
        })
    }

    fn unseal(
        &self,
        of: Uuid,
        column: &'static str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        let opened = self.inner.bodies.unseal(Place { of, column }, sealed);
        opened.map_err(|error| {
            tracing::error!(%error, lookup = %of, what = column, "what is kept of a lookup is lost");
            GatewayError::Internal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Criterion, SortKey, Test, ValueRange};

    #[test]
    fn every_question_is_read_back_as_it_was() {
        let criterion = |test| Criterion {
            field: "name.family".into(),
            test,
        };
        let range = ValueRange {
            from: Some("1980".into()),
            to: None,
        };
        let query = SearchQuery {
            criteria: vec![
                criterion(Test::Equals("Devi".into())),
                criterion(Test::AnyOf(vec!["a".into()])),
                criterion(Test::StartsWith("D".into())),
                criterion(Test::Fuzzy("d".into())),
                criterion(Test::Range(range)),
            ],
            sort: vec![SortKey {
                field: "name.family".into(),
                descending: true,
            }],
            page_size: 3,
            page: Some(Opaque {
                schema: 2,
                data: vec![0, 255],
            }),
        };
        let mut asked = Call {
            wanted_fields: vec!["names".into()],
            languages: vec!["ne".into()],
            ..Call::default()
        };
        asked.asker.purpose = Some("enrolment".into());
        asked.asker.user = Some("officer-7".into());
        let question = Question::new(Query::Search(query.clone()), &asked);
        let text = serde_json::to_vec(&question).unwrap();
        let read: Question = serde_json::from_slice(&text).unwrap();
        let back = Call {
            request_id: "2".into(),
            ..Call::default()
        };
        let (read, call) = read.call(back);
        assert!(matches!(read, Query::Search(read) if read == query));
        assert_eq!(call.request_id, "2");
        assert_eq!(call.asker.purpose.as_deref(), Some("enrolment"));
        assert_eq!(call.asker.user.as_deref(), Some("officer-7"));
        assert_eq!(
            (call.wanted_fields, call.languages),
            (asked.wanted_fields, asked.languages)
        );
    }
}
