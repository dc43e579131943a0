//! Links are ended, by their caller or by administrators, who see of them where and when, and nobody in
//! them.

use serde_json::json;
use uuid::Uuid;

use super::LinkView;
use crate::gateway::{Act, Acting, AdminError, Gateway, GatewayError};
use crate::store::{Link, LinkFilter};

impl Gateway {
    /// Ends one of the caller's own links. What stood stays known.
    ///
    /// # Errors
    /// [`GatewayError::UnknownLink`]; a conflict where it has ended; as for any act.
    pub async fn end_own_link(&self, by: &Acting, id: Uuid, why: &str) -> Result<(), AdminError> {
        let link = self.stored_link(id).await?;
        let own = link.filter(|link| link.caller == by.caller.name);
        self.end(by, own.ok_or(GatewayError::UnknownLink)?, why)
            .await
    }

    /// Ends anybody's.
    ///
    /// # Errors
    /// There is none of that id; a conflict where it has ended; as for any act.
    pub async fn end_link(&self, by: &Acting, id: Uuid, why: &str) -> Result<(), AdminError> {
        let link = self.stored_link(id).await?.ok_or_else(|| unknown(id))?;
        self.end(by, link, why).await
    }

    /// Those that somebody wants to see, the newest first. Nobody is in them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn administered_links(
        &self,
        filter: &LinkFilter,
    ) -> Result<Vec<LinkView>, AdminError> {
        let links = self.inner.store.links().list(filter).await?;
        Ok(links.into_iter().map(LinkView::of).collect())
    }

    /// One, and nobody in it.
    ///
    /// # Errors
    /// There is none of that id, or the database does not answer.
    pub async fn administered_link(&self, id: Uuid) -> Result<LinkView, AdminError> {
        let link = self.stored_link(id).await?;
        link.map(LinkView::of).ok_or_else(|| unknown(id))
    }

    async fn stored_link(&self, id: Uuid) -> Result<Option<Link>, AdminError> {
        Ok(self.inner.store.links().get(id).await?)
    }

    async fn end(&self, by: &Acting, link: Link, why: &str) -> Result<(), AdminError> {
        let act = Act {
            word: "link.end",
            registry: Some(link.registry),
            subject: Some(link.id.to_string()),
            detail: Some(json!({ "of": link.caller, "reason": why })),
            ..Act::default()
        };
        let (store, who, why) = (
            self.inner.store.clone(),
            by.caller.name.clone(),
            why.to_owned(),
        );
        self.act(by, act, async move {
            match store.links().end(link.id, &why, &who).await? {
                true => Ok(()),
                false => Err(AdminError::Conflict {
                    code: "link-ended",
                    detail: "the link has ended already: its history says when and why".into(),
                }),
            }
        })
        .await
    }
}

fn unknown(id: Uuid) -> AdminError {
    AdminError::Unknown {
        what: "link",
        name: id.to_string(),
    }
}
