//! The four verbs that read: what each asks, and whom its answer discloses.

use super::audited::Verb;
use super::fingerprint::Fingerprint;
use super::policy::{Ask, field_of};
use super::{Answered, Asking, Gateway, GatewayError};
use crate::model::{
    Ability, Candidate, Extra, FindQuery, Household, HouseholdQuery, Identifier, Person,
    SearchQuery, Unmapped, Verification, VerifyQuery,
};
use crate::store::KeyedHash;

/// The most people on one page.
pub const MAX_PAGE_SIZE: u32 = 100;

/// One page of a search, with the token that callers hold.
#[derive(Clone, Debug)]
pub struct PageAnswer {
    /// Best first, where the registry ranks.
    pub candidates: Vec<Candidate>,
    /// How many there are in all, where the registry tells.
    pub total: Option<u64>,
    /// Asks for the next page.
    pub next: Option<String>,
    /// What has no field of its own.
    pub extra: Vec<Extra>,
    /// What of the answer as a whole the adapter did not map.
    pub unmapped: Vec<Unmapped>,
}

impl Gateway {
    /// Looks up one person.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn find(
        &self,
        asking: Asking,
        query: FindQuery,
    ) -> Result<Answered<Person>, GatewayError> {
        let asked = self.hashes(&query.identifiers);
        self.audited(
            asking,
            Verb {
                ability: Ability::Find,
                asked,
                asks: Vec::new(),
                start: Box::new(|entry, work| {
                    Box::pin(async move { entry.module.find(work, &query).await })
                }),
                resume: |entry, work, state| {
                    Box::pin(async move { entry.module.resume_find(work, &state, None).await })
                },
                disclose: Box::new(|gateway, visible, person| {
                    let disclosed = person_hashes(&gateway.inner.fingerprint, person);
                    visible.person(person);
                    disclosed
                }),
            },
        )
        .await
    }

    /// Looks up the household or family of somebody.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn household(
        &self,
        asking: Asking,
        query: HouseholdQuery,
    ) -> Result<Answered<Household>, GatewayError> {
        let asked = self.hashes(&query.identifiers);
        self.audited(
            asking,
            Verb {
                ability: Ability::Household,
                asked,
                asks: Vec::new(),
                start: Box::new(|entry, work| {
                    Box::pin(async move { entry.module.household(work, &query).await })
                }),
                resume: |entry, work, state| {
                    Box::pin(async move { entry.module.resume_household(work, &state, None).await })
                },
                disclose: Box::new(|gateway, visible, household| {
                    let fingerprint = &gateway.inner.fingerprint;
                    let mut disclosed: Vec<KeyedHash> = household
                        .people
                        .iter()
                        .flat_map(|person| person_hashes(fingerprint, person))
                        .collect();
                    disclosed.extend(household.identifiers.iter().map(|i| fingerprint.of(i)));
                    visible.household(household);
                    disclosed
                }),
            },
        )
        .await
    }

    /// Looks up people by what is known of them. `page` is the token of an earlier answer.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn search(
        &self,
        asking: Asking,
        mut query: SearchQuery,
        page: Option<String>,
    ) -> Result<Answered<PageAnswer>, GatewayError> {
        let registry = asking.registry.clone();
        let question = format!("{:?} {:?}", query.criteria, query.sort);
        if let Some(token) = page {
            let page = self.inner.page_tokens.open(&registry, &question, &token);
            query.page = Some(page.ok_or_else(|| GatewayError::Invalid {
                field: "page".into(),
                problem: "not a page token of this registry and question: use `next` as it came",
            })?);
        }
        let asked = vec![self.inner.fingerprint.of_question(&question)];
        let found = self
            .audited(
                asking,
                Verb {
                    ability: Ability::Search,
                    asked,
                    asks: asks_of(&query),
                    start: Box::new(|entry, work| {
                        Box::pin(async move { entry.module.search(work, &query).await })
                    }),
                    resume: |entry, work, state| {
                        Box::pin(
                            async move { entry.module.resume_search(work, &state, None).await },
                        )
                    },
                    disclose: Box::new(|gateway, visible, page| {
                        let mut disclosed = Vec::new();
                        for candidate in &mut page.candidates {
                            let person = &mut candidate.person;
                            disclosed.extend(person_hashes(&gateway.inner.fingerprint, person));
                            visible.person(person);
                        }
                        visible.rest(&mut page.extra, &mut page.unmapped);
                        disclosed
                    }),
                },
            )
            .await?;
        let next = found.value.next.as_ref();
        let next = next.map(|page| self.inner.page_tokens.seal(&registry, &question, page));
        Ok(Answered {
            value: PageAnswer {
                candidates: found.value.candidates,
                total: found.value.total,
                next,
                extra: found.value.extra,
                unmapped: found.value.unmapped,
            },
            registry: found.registry,
            module: found.module,
        })
    }

    /// Says whether claims about a person agree with the registry.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn verify(
        &self,
        asking: Asking,
        query: VerifyQuery,
    ) -> Result<Answered<Verification>, GatewayError> {
        let asked = self.hashes(&query.identifiers);
        let disclosed = asked.clone();
        self.audited(
            asking,
            Verb {
                ability: Ability::Verify,
                asked,
                asks: claims_of(&query),
                start: Box::new(|entry, work| {
                    Box::pin(async move { entry.module.verify(work, &query).await })
                }),
                resume: |entry, work, state| {
                    Box::pin(async move { entry.module.resume_verify(work, &state, None).await })
                },
                // A yes or no about somebody is a disclosure about them.
                disclose: Box::new(move |_, visible, verification| {
                    visible.rest(&mut verification.extra, &mut Vec::new());
                    disclosed
                }),
            },
        )
        .await
    }

    fn hashes(&self, identifiers: &[Identifier]) -> Vec<KeyedHash> {
        let fingerprint = &self.inner.fingerprint;
        identifiers.iter().map(|i| fingerprint.of(i)).collect()
    }
}

/// Of a person, and of those whom the record names.
fn person_hashes(fingerprint: &Fingerprint, person: &Person) -> Vec<KeyedHash> {
    person
        .identifiers
        .iter()
        .chain(&person.replaced_by)
        .chain(person.related.iter().flat_map(|r| &r.identifiers))
        .map(|identifier| fingerprint.of(identifier))
        .collect()
}

fn asks_of(query: &SearchQuery) -> Vec<Ask> {
    let criteria = query.criteria.iter().enumerate();
    let criteria = criteria.map(|(at, one)| Ask {
        place: format!("criteria.{at}.field"),
        field: field_of(&one.field),
    });
    let sort = query.sort.iter().enumerate();
    let sort = sort.map(|(at, one)| Ask {
        place: format!("sort.{at}.field"),
        field: field_of(&one.field),
    });
    criteria.chain(sort).collect()
}

fn claims_of(query: &VerifyQuery) -> Vec<Ask> {
    let claimed = query.claimed.filled_fields().into_iter();
    claimed
        .map(|field| Ask {
            place: format!("claimed.{field}"),
            field,
        })
        .collect()
}
