//! The registry is asked about a number, by the same line as any lookup: its audit, policy and quotas.

use std::sync::{Arc, OnceLock};

use super::evidence::compare;
use crate::config::registry::Evidence;
use crate::gateway::lookups::audited::Verb;
use crate::gateway::lookups::policy::Ask;
use crate::gateway::{Answered, Asking, Gateway, GatewayError};
use crate::model::{Ability, FindQuery, Identifier, Person, Verification, VerifyQuery};

/// What the registry is asked: whether the first number is of somebody who is as claimed, and whether
/// the others are theirs too.
pub(super) struct Question {
    pub(super) first: Identifier,
    pub(super) others: Vec<Identifier>,
    /// Nothing but what can be evidence.
    pub(super) claimed: Person,
}

impl Gateway {
    /// By `verify`, where the adapter has it and the caller may; else by `find`, compared here. What is
    /// found then goes no further than the comparison.
    pub(super) async fn ask_about(
        &self,
        asking: Asking,
        question: Arc<Question>,
    ) -> Result<(Ability, Answered<Verification>), GatewayError> {
        let (caller, registry) = (&asking.caller, asking.registry.as_str());
        if !caller.may_ask(registry) {
            return Err(GatewayError::UnknownRegistry);
        }
        let entry = self.inner.roster.take(registry)?;
        let module = &entry.module;
        let mut claimed = question.claimed.clone();
        claimed.identifiers.clone_from(&question.others);
        let claims = claimed != Person::default();
        let finds = module.can(Ability::Find);
        let verifies = module.can(Ability::Verify) && (claims || !finds);
        if verifies && (caller.may(registry, Ability::Verify) || !finds) {
            if !claims {
                return Err(GatewayError::Invalid {
                    field: "claimed".into(),
                    problem: "claim at least one thing: this registry's adapter looks nobody up",
                });
            }
            let query = VerifyQuery {
                identifiers: vec![question.first.clone()],
                claimed,
            };
            return Ok((Ability::Verify, self.verify(asking, query).await?));
        }
        Ok((
            Ability::Find,
            self.find_and_compare(asking, question).await?,
        ))
    }

    async fn find_and_compare(
        &self,
        asking: Asking,
        question: Arc<Question>,
    ) -> Result<Answered<Verification>, GatewayError> {
        let first = &question.first;
        let asked = vec![self.inner.fingerprint.of(&first.scheme, &first.value)];
        let query = Arc::new(FindQuery {
            identifiers: vec![first.clone()],
        });
        let compared = Arc::new(OnceLock::new());
        let (told, disclosed) = (compared.clone(), asked.clone());
        let asks = asks_of(&question);
        let found = self
            .audited(
                asking,
                Verb {
                    ability: Ability::Find,
                    asked,
                    asks,
                    query: None,
                    carries: None,
                    start: Box::new(move |entry, work| {
                        let query = query.clone();
                        Box::pin(async move { entry.module.find(work, &query).await })
                    }),
                    resume: |entry, work, state, answer| {
                        Box::pin(
                            async move { entry.module.resume_find(work, &state, answer).await },
                        )
                    },
                    plain: |person| serde_json::to_value(person).unwrap_or_default(),
                    // How claims compare is told, as by `verify`, and nothing else.
                    disclose: Box::new(move |_, _, person: &mut Person| {
                        let Question {
                            claimed, others, ..
                        } = &*question;
                        let _ = told.set(compare(claimed, others, person));
                        *person = Person::default();
                        Ok(disclosed)
                    }),
                },
            )
            .await?;
        let value = compared.get().cloned().ok_or(GatewayError::Internal)?;
        Ok(Answered {
            value,
            registry: found.registry,
            module: found.module,
        })
    }
}

/// The claims, as a request of links has them.
fn asks_of(question: &Question) -> Vec<Ask> {
    let claimed = question.claimed.filled_fields().into_iter();
    let claimed = claimed.map(|field| Ask {
        place: format!("claimed.{field}"),
        field,
    });
    let others = question.others.first().map(|_| Ask {
        place: "identifiers.1".into(),
        field: "identifiers",
    });
    claimed.chain(others).collect()
}

/// Where a request has it.
pub(super) fn place_of(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::BirthDate => "claimed.birthDate",
        Evidence::FamilyName => "claimed.names.0.family",
        Evidence::GivenName => "claimed.names.0.given",
        Evidence::Sex => "claimed.sex",
    }
}
