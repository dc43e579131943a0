//! Links are found by either side: a person's numbers, or a number's person. It is a disclosure: its
//! audit rows are durable before it leaves.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::LinkView;
use super::make::{LOOKS, shows_identifiers};
use crate::config::registry::PolicyConfig;
use crate::gateway::lookups::terms::check_stated;
use crate::gateway::{Caller, Gateway, GatewayError};
use crate::model::{Call, Identifier};
use crate::store::{AuditBegin, AuditEnd, KeyedHash, Link};

/// The word in the audit for what was asked. It is no ability: no module is called.
const LINKS: &str = "links";
/// The module in the audit where nothing was found: none said anything.
const NOBODY: &str = "none";

/// Whose links.
#[derive(Clone, Debug)]
pub enum LinkQuery {
    /// Of one of the caller's people.
    Subject {
        /// The caller's name for the person.
        subject: String,
        /// In this registry alone.
        registry: Option<String>,
    },
    /// Of a number.
    Identifier {
        /// Whose number it is.
        registry: String,
        /// The number.
        identifier: Identifier,
    },
}

impl Gateway {
    /// The caller's own links, the oldest first. `ended`: those too that stand no more.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn links(
        &self,
        caller: &Caller,
        call: &Call,
        query: LinkQuery,
        ended: bool,
    ) -> Result<Vec<LinkView>, GatewayError> {
        let began = Instant::now();
        let only = match &query {
            LinkQuery::Subject { registry, .. } => registry.clone(),
            LinkQuery::Identifier { registry, .. } => Some(registry.clone()),
        };
        let policies = self.linkable(caller, call, only.as_deref())?;
        if let Some(registry) = &only {
            // Last: what is refused for another reason is not counted.
            self.inner.allowance.take(caller, registry).await?;
        }
        let store = self.inner.store.links();
        let key = &self.inner.fingerprint;
        let (found, asked) = match &query {
            LinkQuery::Subject { subject, .. } => {
                let subject = key.of_subject(&caller.name, subject);
                (store.of_subject(&caller.name, &subject).await, Vec::new())
            }
            LinkQuery::Identifier {
                registry,
                identifier,
            } => {
                let number = key.of(&identifier.scheme, &identifier.value);
                let found = store.of_identifier(&caller.name, registry, &number).await;
                (found, vec![number])
            }
        };
        let found = found.map_err(GatewayError::Audit)?.into_iter();
        let found: Vec<Link> = found
            .filter(|link| policies.contains_key(&link.registry))
            .filter(|link| ended || link.unlinked.is_none())
            .collect();
        let rows = rows(caller, call, only, asked, &found, began);
        if !rows.is_empty() {
            let told = self.inner.store.events().told(rows).await;
            told.map_err(GatewayError::Audit)?;
        }
        let shown = found.into_iter().map(|link| {
            let policy = policies.get(&link.registry);
            let shows = |policy| shows_identifiers(caller, &link.registry, policy);
            let shows = policy.is_some_and(shows);
            self.open_link(link, shows)
        });
        shown.collect()
    }

    /// The registries that the caller may link people of, and what it may see of each.
    fn linkable(
        &self,
        caller: &Caller,
        call: &Call,
        only: Option<&str>,
    ) -> Result<BTreeMap<String, PolicyConfig>, GatewayError> {
        if let Some(name) = only
            && !caller.may_ask(name)
        {
            return Err(GatewayError::UnknownRegistry);
        }
        let mut granted = BTreeMap::new();
        let mut known = false;
        for (name, policy) in self.inner.roster.policies() {
            if only.is_some_and(|only| only != name) {
                continue;
            }
            known = true;
            if !LOOKS.into_iter().any(|ability| caller.may(&name, ability)) {
                continue;
            }
            // To leave it out would pass for "nobody is linked".
            let policy = policy.ok_or(GatewayError::NotReady)?;
            check_stated(&policy, call)?;
            granted.insert(name, policy);
        }
        match granted.is_empty() {
            true if only.is_some() && !known => Err(GatewayError::UnknownRegistry),
            true => Err(GatewayError::NotGranted),
            false => Ok(granted),
        }
    }
}

/// One row for each registry and module that is told of; one too where nothing is, of a registry that
/// was named.
fn rows(
    caller: &Caller,
    call: &Call,
    only: Option<String>,
    asked: Vec<KeyedHash>,
    found: &[Link],
    began: Instant,
) -> Vec<(AuditBegin, AuditEnd)> {
    let mut told: BTreeMap<(String, String), Vec<KeyedHash>> = BTreeMap::new();
    for link in found {
        let of = (link.registry.clone(), link.module_digest.clone());
        let people = told.entry(of).or_default();
        if !people.contains(&link.identifier) {
            people.push(link.identifier);
        }
    }
    if let (true, Some(registry)) = (told.is_empty(), only) {
        told.insert((registry, NOBODY.into()), Vec::new());
    }
    let row = |((registry, module_digest), disclosed)| {
        let at = Timestamp::now();
        let asker = &call.asker;
        let begin = AuditBegin {
            id: Uuid::now_v7(),
            at,
            request_id: call.request_id.clone(),
            caller: caller.name.clone(),
            user: asker.user.clone(),
            entity: asker.entity.clone(),
            purpose: asker.purpose.clone(),
            legal_basis: asker.legal_basis.clone(),
            registry,
            ability: LINKS.into(),
            module_digest,
            asked: asked.clone(),
        };
        let end = AuditEnd {
            id: begin.id,
            at,
            outcome: "done".into(),
            code: None,
            disclosed,
            registry_calls: 0,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        (begin, end)
    };
    told.into_iter().map(row).collect()
}
