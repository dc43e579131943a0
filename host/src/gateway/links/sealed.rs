//! Who is linked is sealed in the database; links are found by keyed hashes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LINK, LinkView, LinkedPeople};
use crate::gateway::bodies::Place;
use crate::gateway::{Gateway, GatewayError};
use crate::store::Link;

#[derive(Deserialize, Serialize)]
struct People {
    subject: String,
    value: String,
}

impl Gateway {
    pub(super) fn seal_people(
        &self,
        of: Uuid,
        subject: &str,
        value: &str,
    ) -> Result<Vec<u8>, GatewayError> {
        let people = People {
            subject: subject.to_owned(),
            value: value.to_owned(),
        };
        let plain = serde_json::to_vec(&people).map_err(|_| GatewayError::Internal)?;
        let sealed = self.inner.bodies.seal(place(of), plain);
        sealed.map_err(|_| GatewayError::Internal)
    }

    /// The link with who is linked; the number only where identifiers are shown.
    pub(super) fn open_link(
        &self,
        link: Link,
        shows_identifiers: bool,
    ) -> Result<LinkView, GatewayError> {
        let opened = self.inner.bodies.unseal(place(link.id), &link.sealed);
        let plain = opened.map_err(|error| {
            tracing::error!(%error, link = %link.id, "a link cannot be read");
            GatewayError::Internal
        })?;
        let people: People = serde_json::from_slice(&plain).map_err(|_| GatewayError::Internal)?;
        Ok(LinkView {
            people: Some(LinkedPeople {
                subject: people.subject,
                value: shows_identifiers.then_some(people.value),
            }),
            ..LinkView::of(link)
        })
    }
}

pub(in crate::gateway) fn place(of: Uuid) -> Place {
    Place { of, column: LINK }
}
