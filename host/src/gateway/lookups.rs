//! The four verbs that read: what each asks, and whom its answer discloses.

pub(super) mod audited;
mod called_back;
pub(super) mod disclosed;
pub(super) mod later;
pub(super) mod page_token;
pub(super) mod policy;
pub(super) mod retry;
pub(super) mod terms;
pub(super) mod waiting;
pub(super) mod watched;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use serde_json::Value;

use super::{Answered, Asking, Gateway, GatewayError};
use crate::model::{
    Ability, Candidate, Extra, FindQuery, Household, HouseholdQuery, Identifier, Page, Person,
    SearchQuery, Unmapped, Verification, VerifyQuery,
};
use crate::sandbox::Fault;
use crate::store::KeyedHash;
use audited::Verb;
use disclosed::Disclosed;
use later::Query;
use page_token::{Refused, Scope};
use policy::{Ask, field_of};

/// The most people on one page.
pub const MAX_PAGE_SIZE: u32 = 100;

/// The most bytes of an adapter's own page token: a cursor, not a cache.
const MAX_NEXT_BYTES: usize = 16 << 10;

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
        let asked = self.hashes(&query.identifiers)?;
        let kept = asking.way.may_be_kept();
        let kept = kept.then(|| Query::Find(query.clone()));
        let query = Arc::new(query);
        self.audited(
            asking,
            Verb {
                ability: Ability::Find,
                query: kept,
                asked,
                asks: Vec::new(),
                carries: None,
                start: Box::new(move |entry, work| {
                    let query = query.clone();
                    Box::pin(async move { entry.module.find(work, &query).await })
                }),
                resume: |entry, work, state, answer| {
                    Box::pin(async move { entry.module.resume_find(work, &state, answer).await })
                },
                plain,
                disclose: Box::new(|gateway, visible, person| {
                    let mut disclosed = Disclosed::default();
                    disclosed.person(visible, person);
                    disclosed.hashes(&gateway.inner.fingerprint)
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
        let asked = self.hashes(&query.identifiers)?;
        let kept = asking.way.may_be_kept();
        let kept = kept.then(|| Query::Household(query.clone()));
        let query = Arc::new(query);
        self.audited(
            asking,
            Verb {
                ability: Ability::Household,
                query: kept,
                asked,
                asks: Vec::new(),
                carries: None,
                start: Box::new(move |entry, work| {
                    let query = query.clone();
                    Box::pin(async move { entry.module.household(work, &query).await })
                }),
                resume: |entry, work, state, answer| {
                    Box::pin(
                        async move { entry.module.resume_household(work, &state, answer).await },
                    )
                },
                plain,
                disclose: Box::new(|gateway, visible, household| {
                    let mut disclosed = Disclosed::default();
                    disclosed.household(visible, household);
                    disclosed.hashes(&gateway.inner.fingerprint)
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
        let caller = asking.caller.clone();
        let registry = asking.registry.clone();
        let is_back = asking.way.is_back();
        let question = question_of(&query)?;
        let scope = Scope {
            caller: &caller.name,
            registry: &registry,
            question: &question,
        };
        if let Some(token) = page {
            let page = self.inner.page_tokens.open(scope, &token, Timestamp::now());
            query.page = Some(page.map_err(|refused| GatewayError::Invalid {
                field: "page".into(),
                problem: match refused {
                    Refused::Foreign => {
                        "not a page token of this registry and question: use `next` as it came"
                    }
                    Refused::Expired => "the page token is too old: start the search again",
                },
            })?);
        }
        let kept = asking.way.may_be_kept();
        let kept = kept.then(|| Query::Search(query.clone()));
        let query = Arc::new(query);
        let fingerprint = &self.inner.fingerprint;
        let mut named = Disclosed::default();
        named.criteria(&query.criteria);
        let mut asked = named.hashes(fingerprint)?;
        asked.push(fingerprint.of_question(&question));
        // Where there is no such registry, or none that serves, the line says so.
        let entry = self.inner.roster.take(&registry).ok();
        let pages = entry.map(|entry| (entry.pages.clone(), entry.page_life));
        let _open = match &pages {
            Some((pages, _)) => Some(pages.read().await),
            None => None,
        };
        let found = self
            .audited(
                asking,
                Verb {
                    ability: Ability::Search,
                    query: kept,
                    asked,
                    asks: asks_of(&query),
                    // One that goes on was given it long ago.
                    carries: query
                        .page
                        .as_ref()
                        .filter(|_| !is_back)
                        .map(|page| page.schema),
                    start: Box::new(move |entry, work| {
                        let query = query.clone();
                        Box::pin(async move { entry.module.search(work, &query).await })
                    }),
                    resume: |entry, work, state, answer| {
                        Box::pin(
                            async move { entry.module.resume_search(work, &state, answer).await },
                        )
                    },
                    plain: plain_page,
                    disclose: Box::new(|gateway, visible, page| {
                        check_next(page)?;
                        let mut disclosed = Disclosed::default();
                        for candidate in &mut page.candidates {
                            disclosed.person(visible, &mut candidate.person);
                        }
                        visible.rest(&mut page.extra, &mut page.unmapped);
                        disclosed.hashes(&gateway.inner.fingerprint)
                    }),
                },
            )
            .await?;
        let next = match &found.value.next {
            None => None,
            Some(page) => {
                let life = pages.as_ref().map_or(SignedDuration::ZERO, |it| it.1);
                let until = Timestamp::now().checked_add(life);
                let until = until.unwrap_or(Timestamp::MAX);
                self.page_is_open(&registry, page.schema, life, until)
                    .await?;
                Some(self.inner.page_tokens.seal(scope, page, until))
            }
        };
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
        let asked = self.hashes(&query.identifiers)?;
        let kept = asking.way.may_be_kept();
        let kept = kept.then(|| Query::Verify(query.clone()));
        let query = Arc::new(query);
        let disclosed = asked.clone();
        self.audited(
            asking,
            Verb {
                ability: Ability::Verify,
                query: kept,
                asked,
                asks: claims_of(&query),
                carries: None,
                start: Box::new(move |entry, work| {
                    let query = query.clone();
                    Box::pin(async move { entry.module.verify(work, &query).await })
                }),
                resume: |entry, work, state, answer| {
                    Box::pin(async move { entry.module.resume_verify(work, &state, answer).await })
                },
                // A yes or no about somebody is a disclosure about them.
                plain,
                disclose: Box::new(move |_, visible, verification| {
                    visible.rest(&mut verification.extra, &mut Vec::new());
                    Ok(disclosed)
                }),
            },
        )
        .await
    }

    fn hashes(&self, identifiers: &[Identifier]) -> Result<Vec<KeyedHash>, GatewayError> {
        let mut asked = Disclosed::default();
        asked.add(identifiers);
        asked.hashes(&self.inner.fingerprint)
    }
}

fn plain<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Whether there is a next page, and not the adapter's own bytes for it.
fn plain_page(page: &Page) -> Value {
    serde_json::json!({
        "candidates": page.candidates,
        "total": page.total,
        "next": page.next.is_some(),
        "extra": page.extra,
        "unmapped": page.unmapped,
    })
}

/// What a search looks for, in one form: the audit's hash and the page tokens outlive a release, so
/// that it is not for a derived `Debug` to choose.
fn question_of(query: &SearchQuery) -> Result<String, GatewayError> {
    // Keys stand in the order of the model's fields; there is no map in it.
    serde_json::to_string(&(&query.criteria, &query.sort)).map_err(|_| GatewayError::Internal)
}

/// The caller carries an adapter's page token about, and sends it back.
fn check_next(page: &Page) -> Result<(), GatewayError> {
    let size = page.next.as_ref().map_or(0, |next| next.data.len());
    if size > MAX_NEXT_BYTES {
        return Err(GatewayError::Fault(Fault::Garbage("next".into())));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Criterion, Opaque, SortKey, Test};

    #[test]
    fn the_form_of_a_question_is_fixed() {
        let query = SearchQuery {
            criteria: vec![Criterion {
                field: "sex".into(),
                test: Test::Equals("male".into()),
            }],
            sort: vec![SortKey {
                field: "name.family".into(),
                descending: true,
            }],
            page_size: 20,
            page: None,
        };
        assert_eq!(
            question_of(&query).unwrap(),
            r#"[[{"field":"sex","equals":"male"}],[{"field":"name.family","descending":true}]]"#
        );
    }

    #[test]
    fn a_page_token_has_its_bound() {
        for (size, fits) in [(MAX_NEXT_BYTES, true), (MAX_NEXT_BYTES + 1, false)] {
            let page = Page {
                candidates: Vec::new(),
                total: None,
                next: Some(Opaque {
                    schema: 1,
                    data: vec![0; size],
                }),
                extra: Vec::new(),
                unmapped: Vec::new(),
            };
            assert_eq!(check_next(&page).is_ok(), fits, "{size}");
        }
    }
}
