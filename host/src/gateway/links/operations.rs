//! What an operation that was applied ties: the numbers that the registry gave or confirmed are those of
//! the operation's subject.

use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{CreateSubject, Identifier, LinkChange, Receipt, WriteOutcome, WriteRequest};
use crate::store::{Link, NewLinks, Operation};

/// More numbers of one record than any registry has.
const MOST: usize = 32;
/// The store's own limit.
const MAX_TEXT: usize = 512;

impl Gateway {
    /// They are made in the step in which the operation becomes applied. None: it ties nobody.
    pub(in crate::gateway) fn links_of_receipt(
        &self,
        entry: &Entry,
        operation: &Operation,
        receipt: &Receipt,
    ) -> Option<NewLinks> {
        let links = self.tied(entry, operation, receipt);
        let links = links.inspect_err(|_| {
            tracing::error!(operation = %operation.id, "what an operation ties cannot be sealed");
        });
        let links = links.ok().filter(|links| !links.is_empty())?;
        Some(NewLinks {
            links,
            one_record: !entry.policy.link_many_records,
        })
    }

    fn tied(
        &self,
        entry: &Entry,
        operation: &Operation,
        receipt: &Receipt,
    ) -> Result<Vec<Link>, GatewayError> {
        let stands = matches!(
            receipt.outcome,
            WriteOutcome::Applied | WriteOutcome::Unchanged
        );
        let Ok(asked) = self.asked(operation) else {
            return Ok(Vec::new());
        };
        let (Some(subject), true) = (&asked.subject, stands) else {
            return Ok(Vec::new());
        };
        let linked = match &asked.request {
            WriteRequest::Create(create) => match &create.subject {
                CreateSubject::Person(_) => None,
                // The numbers of what was made are nobody's.
                _ => return Ok(Vec::new()),
            },
            // The registry was told a number, and nothing was compared: that ties nobody where the number
            // alone is not evidence enough.
            WriteRequest::Link(link)
                if link.change == LinkChange::Add
                    && entry.policy.link_evidence.iter().any(Vec::is_empty) =>
            {
                Some(&link.linked)
            }
            _ => return Ok(Vec::new()),
        };
        // What was tied to the registry's person there is somebody else's number for them.
        let own = |it: &&Identifier| {
            linked.is_none_or(|linked| (&linked.scheme, &linked.value) != (&it.scheme, &it.value))
        };
        let fits = |text: &str| (1..=MAX_TEXT).contains(&text.len()) && !text.contains('\0');
        let numbers = receipt.identifiers.iter().filter(own);
        let numbers = numbers.filter(|it| fits(&it.scheme) && fits(&it.value));
        let mut links = Vec::new();
        for identifier in numbers.take(MOST) {
            let (caller, registry) = (&operation.caller, &operation.registry);
            let record = links.first().map(|link: &Link| link.id);
            links.push(self.link_of(caller, registry, subject, identifier, |link| {
                link.ability.clone_from(&operation.ability);
                entry.module.digest().clone_into(&mut link.module_digest);
                asked.request_id.clone_into(&mut link.request_id);
                link.operation = Some(operation.id);
                link.by_user.clone_from(&asked.user);
                link.record = record.unwrap_or(link.id);
            })?);
        }
        Ok(links)
    }
}
