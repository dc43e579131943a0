//! A link is made: the registry is asked, what it tells is weighed, and the act is in the audit before
//! it is done and after.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::LinkView;
use super::ask::{Question, place_of};
use super::evidence::{Agreements, Shortfall, agreements, reduced, shortfalls};
use crate::config::registry::{Evidence, PolicyConfig};
use crate::gateway::{
    Act, Acting, AdminError, Answered, Asking, Caller, Finding, Gateway, GatewayError,
};
use crate::model::{Ability, Agreement, Identifier, Person};
use crate::store::{Link, Linked, NewLinks};

/// A caller links by either: what making a link tells is what these tell.
pub(super) const LOOKS: [Ability; 2] = [Ability::Verify, Ability::Find];

/// Whom to tie to whom.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The caller's name for the person.
    pub subject: String,
    /// By the first the registry is asked; the others must be the same record's. At least one.
    pub identifiers: Vec<Identifier>,
    /// What the caller holds of the person.
    pub claimed: Person,
}

/// Why nobody was linked.
#[derive(Debug)]
pub enum LinkRefused {
    /// What the caller holds is not enough, or disagrees: each place of the request, and why.
    Ambiguous(Vec<Finding>),
    /// The number is tied to another of the caller's people, or the person to another record.
    Otherwise {
        /// The place of the request that it is about.
        place: &'static str,
        /// What stands.
        standing: Box<LinkView>,
    },
    /// As for any call, or act.
    Other(AdminError),
}

impl From<AdminError> for LinkRefused {
    fn from(error: AdminError) -> Self {
        Self::Other(error)
    }
}

impl From<GatewayError> for LinkRefused {
    fn from(error: GatewayError) -> Self {
        Self::Other(error.into())
    }
}

impl Gateway {
    /// Ties one of the caller's people to the registry's, if the registry's record agrees with what the
    /// caller holds.
    ///
    /// # Errors
    /// [`LinkRefused`]: nothing was tied.
    pub async fn link(
        &self,
        asking: Asking,
        new: NewLink,
    ) -> Result<Answered<Vec<LinkView>>, LinkRefused> {
        let caller = asking.caller.clone();
        let registry = asking.registry.clone();
        if !caller.may_ask(&registry) {
            return Err(GatewayError::UnknownRegistry.into());
        }
        let policy = self.inner.roster.take(&registry)?.policy.clone();
        let claimed = reduced(&new.claimed, &policy.link_evidence);
        let short = shortfalls(&policy.link_evidence, &claimed, None);
        if !short.is_empty() {
            return Err(LinkRefused::Ambiguous(findings(&short, &[], None)));
        }
        let mut numbers = new.identifiers.iter().cloned();
        let first = numbers.next().ok_or(GatewayError::Internal)?;
        let question = Arc::new(Question {
            first,
            others: numbers.collect(),
            claimed,
        });
        let call = asking.call.clone();
        let (ability, told) = self.ask_about(asking, question.clone()).await?;
        let Question {
            others, claimed, ..
        } = &*question;
        let agree = agreements(claimed, others, &told.value);
        let short = shortfalls(&policy.link_evidence, claimed, Some(&agree));
        let findings = findings(&short, others, Some(&agree));
        let links = new.identifiers.iter().map(|identifier| {
            self.link_of(&caller.name, &registry, &new.subject, identifier, |link| {
                link.evidence = serde_json::to_string(&agree).unwrap_or_default();
                ability.as_str().clone_into(&mut link.ability);
                link.module_digest.clone_from(&told.module);
                link.request_id.clone_from(&call.request_id);
                link.by_user.clone_from(&call.asker.user);
            })
        });
        let mut links = links.collect::<Result<Vec<_>, _>>()?;
        if let Some(record) = links.first().map(|link| link.id) {
            links.iter_mut().for_each(|link| link.record = record);
        }
        let links = NewLinks {
            links,
            one_record: !policy.link_many_records,
        };
        let by = Acting {
            caller: caller.clone(),
            request_id: call.request_id,
        };
        let shows = shows_identifiers(&caller, &registry, &policy);
        let made = self
            .add_links(&by, links, &agree, ability, findings, shows)
            .await?;
        let made = made.into_iter().map(|link| self.open_link(link, shows));
        Ok(Answered {
            value: made.collect::<Result<_, _>>()?,
            registry: told.registry,
            module: told.module,
        })
    }

    async fn add_links(
        &self,
        by: &Acting,
        new: NewLinks,
        agree: &Agreements,
        ability: Ability,
        findings: Vec<Finding>,
        shows: bool,
    ) -> Result<Vec<Link>, LinkRefused> {
        let first = new.links.first();
        let act = Act {
            word: "link.add",
            registry: first.map(|link| link.registry.clone()),
            module: first.map(|link| link.module_digest.clone()),
            subject: first.map(|link| link.id.to_string()),
            detail: Some(json!({ "by": ability, "evidence": agree, "links": new.links.len() })),
        };
        let refused = Arc::new(Mutex::new(None));
        let (slot, gateway) = (refused.clone(), self.clone());
        let put = move |why| *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        let doing = async move {
            if !findings.is_empty() {
                put(LinkRefused::Ambiguous(findings));
                return Err(AdminError::Conflict {
                    code: "ambiguous",
                    detail: "what the caller holds is not enough".into(),
                });
            }
            let (place, standing) = match gateway.inner.store.links().add(new).await? {
                Linked::Done(links) => return Ok(links),
                Linked::OtherSubject(standing) => ("identifiers", standing),
                Linked::OtherRecord(standing) => ("subject", standing),
            };
            let standing = Box::new(gateway.open_link(*standing, shows)?);
            put(LinkRefused::Otherwise { place, standing });
            Err(AdminError::Conflict {
                code: "linked-otherwise",
                detail: "it is linked otherwise".into(),
            })
        };
        let done = self.act(by, act, doing).await;
        let refused = refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (done, refused) {
            (Err(AdminError::Conflict { .. }), Some(why)) => Err(why),
            (done, _) => Ok(done?),
        }
    }

    /// A link that is to be made, whose provenance is still to be filled in.
    pub(super) fn link_of(
        &self,
        caller: &str,
        registry: &str,
        subject: &str,
        identifier: &Identifier,
        fill: impl FnOnce(&mut Link),
    ) -> Result<Link, GatewayError> {
        let id = Uuid::now_v7();
        let key = &self.inner.fingerprint;
        let mut link = Link {
            id,
            caller: caller.to_owned(),
            registry: registry.to_owned(),
            subject: key.of_subject(caller, subject),
            identifier: key.of(&identifier.scheme, &identifier.value),
            scheme: identifier.scheme.clone(),
            record: id,
            evidence: "{}".into(),
            ability: String::new(),
            module_digest: String::new(),
            request_id: String::new(),
            operation: None,
            by_user: None,
            linked_at: Timestamp::now(),
            unlinked: None,
            sealed: self.seal_people(id, subject, &identifier.value)?,
        };
        fill(&mut link);
        Ok(link)
    }
}

/// Whether the caller sees numbers of that registry's people.
pub(super) fn shows_identifiers(caller: &Caller, registry: &str, policy: &PolicyConfig) -> bool {
    LOOKS.into_iter().any(|ability| {
        let shown = caller.shown(registry, ability, &policy.fields);
        shown.iter().any(|field| field == "identifiers")
    })
}

/// What of a request is not enough, without saying what the registry has.
fn findings(
    short: &[(Evidence, Shortfall)],
    others: &[Identifier],
    agree: Option<&Agreements>,
) -> Vec<Finding> {
    let short = short.iter().map(|(evidence, why)| Finding {
        place: place_of(*evidence).into(),
        problem: Some(
            match why {
                Shortfall::NotGiven => "it was not given, and would be evidence",
                Shortfall::Missing => "missing: the registry has none to compare with",
                Shortfall::Close => "close: the registry's is like it, and not the same",
                Shortfall::Mismatch => "mismatch: the registry has another",
            }
            .into(),
        ),
    });
    let others = others.iter().enumerate().filter(|(_, other)| {
        let path = format!("identifier.{}", other.scheme);
        let agreement = agree.and_then(|agree| agree.get(&path));
        agree.is_some() && agreement != Some(&Agreement::Match)
    });
    let others = others.map(|(at, _)| Finding {
        place: format!("identifiers.{}", at + 1),
        problem: Some("mismatch: it is not of the same record as the first".into()),
    });
    short.chain(others).collect()
}
