//! A subscription is added: everything of it is looked at first, as sending will.

use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::gateway::events::{Only, word_of};
use crate::gateway::{Act, Acting, AdminError, Gateway, GatewayError, Requirement};
use crate::model::{Asker, Call, EventKind};
use crate::store::{self, StoreError};

/// Of a name, which is a label of metrics and a part of URLs.
const NAME_MAX_BYTES: usize = 64;
const URL_MAX_BYTES: usize = 2_048;
/// Of one statement, as of its header.
const STATEMENT_MAX_BYTES: usize = 256;
const REGISTRIES_MAX: usize = 1_000;

/// A subscription to add.
#[derive(Clone, Debug, Default)]
pub struct NewWebhook {
    /// Its name.
    pub name: String,
    /// Who is told: as much as it may read in the feed.
    pub caller: String,
    /// Where.
    pub url: String,
    /// What the caller states.
    pub purpose: Option<String>,
    /// The same.
    pub legal_basis: Option<String>,
    /// The same.
    pub user: Option<String>,
    /// The same.
    pub entity: Option<String>,
    /// Of which registries; empty: of all.
    pub registries: Vec<String>,
    /// Which kinds of events; empty: all.
    pub kinds: Vec<String>,
    /// From behind that position. None: what is new from now on.
    pub after: Option<i64>,
}

/// A subscription that was added. Has no `Debug`: the secret is one.
pub struct AddedWebhook {
    /// Its name.
    pub name: String,
    /// What its messages are signed with, this once.
    pub secret: String,
}

impl Gateway {
    /// Adds a subscription.
    ///
    /// # Errors
    /// [`AdminError`]: a field is not valid, the name is taken, or the store is not there.
    pub async fn add_webhook(
        &self,
        by: &Acting,
        new: NewWebhook,
    ) -> Result<AddedWebhook, AdminError> {
        self.check_webhook(&new)?;
        let after = self.checked_position(new.after).await?;
        let id = Uuid::now_v7();
        let (secret, sealed) = self.make_webhook_secret(id)?;
        // Of the URL no more than where it leads: what is behind it may be a password.
        let host = Url::parse(&new.url).ok();
        let host = host.and_then(|url| url.host_str().map(str::to_owned));
        let act = Act {
            word: "webhook.add",
            subject: Some(new.name.clone()),
            detail: Some(json!({
                "caller": new.caller, "host": host, "registries": new.registries,
                "kinds": new.kinds, "after": after,
            })),
            ..Act::default()
        };
        let gateway = self.clone();
        self.act(by, act, async move {
            let name = new.name.clone();
            let row = store::NewWebhook {
                name: new.name,
                id,
                caller: new.caller,
                url: new.url,
                purpose: new.purpose,
                legal_basis: new.legal_basis,
                user: new.user,
                entity: new.entity,
                registries: new.registries,
                kinds: new.kinds,
                secret: sealed,
                position: after,
            };
            match gateway.inner.store.webhooks().add(row).await {
                Ok(()) => {}
                Err(StoreError::Taken { .. }) => {
                    return Err(AdminError::Conflict {
                        code: "taken",
                        detail: "there is a webhook of that name: choose another, or delete it"
                            .into(),
                    });
                }
                Err(error) => return Err(error.into()),
            }
            gateway.inner.sending.wake.notify_one();
            Ok(AddedWebhook { name, secret })
        })
        .await
    }

    /// A position that there is; without one, the newest.
    pub(super) async fn checked_position(&self, after: Option<i64>) -> Result<i64, AdminError> {
        let newest = self.inner.store.events().newest().await?;
        match after {
            None => Ok(newest),
            Some(after) if (0..=newest).contains(&after) => Ok(after),
            Some(_) => Err(invalid("after", "there is no event as new as that yet")),
        }
    }

    fn check_webhook(&self, new: &NewWebhook) -> Result<(), AdminError> {
        let is_letter = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
        let is_name = (1..=NAME_MAX_BYTES).contains(&new.name.len());
        if !is_name || !new.name.bytes().all(is_letter) {
            return Err(invalid(
                "name",
                "has 1 to 64 letters, digits, hyphens, underscores and dots",
            ));
        }
        if new.url.len() > URL_MAX_BYTES {
            return Err(invalid("url", "has at most 2048 bytes"));
        }
        let outlet = self.inner.sending.outlet(&new.url);
        outlet.map_err(|problem| invalid("url", problem))?;
        for (field, statement) in [
            ("purpose", &new.purpose),
            ("legalBasis", &new.legal_basis),
            ("user", &new.user),
            ("entity", &new.entity),
        ] {
            let is_line = |text: &String| {
                (1..=STATEMENT_MAX_BYTES).contains(&text.len())
                    && !text.chars().any(char::is_control)
            };
            if statement.as_ref().is_some_and(|text| !is_line(text)) {
                return Err(invalid(field, "one line of 1 to 256 bytes"));
            }
        }
        for (at, kind) in new.kinds.iter().enumerate() {
            let known = serde_json::from_value::<EventKind>(json!(kind)).ok();
            let known = known.is_some_and(|known| word_of(&known) == *kind);
            if !known || new.kinds.iter().take(at).any(|other| other == kind) {
                return Err(invalid(
                    format!("kinds.{at}"),
                    "each once, a kind of event such as `death`; `other` is any word of a registry's own",
                ));
            }
        }
        let registries = self.inner.roster.policies();
        if new.registries.len() > REGISTRIES_MAX {
            return Err(invalid("registries", "at most 1000; left out, all of them"));
        }
        for (at, name) in new.registries.iter().enumerate() {
            let known = registries.iter().any(|(known, _)| known == name);
            if !known || new.registries.iter().take(at).any(|other| other == name) {
                return Err(invalid(
                    format!("registries.{at}"),
                    "each once, the name of a registry: `registry list` shows them",
                ));
            }
        }
        self.check_subscriber(new)
    }

    /// What sending would be refused for is said now.
    fn check_subscriber(&self, new: &NewWebhook) -> Result<(), AdminError> {
        let Some(caller) = self.inner.keys.named(&new.caller) else {
            return Err(invalid(
                "caller",
                "there is no such caller, or it is revoked: `caller list` shows them; one of an issuer \
                 of tokens has no webhooks",
            ));
        };
        let call = Call {
            asker: Asker {
                user: new.user.clone(),
                entity: new.entity.clone(),
                purpose: new.purpose.clone(),
                legal_basis: new.legal_basis.clone(),
            },
            ..Call::default()
        };
        let only = Only {
            registries: new.registries.clone(),
            kinds: Vec::new(),
        };
        match self.granted(&caller, &call, &only) {
            Ok(_) => Ok(()),
            Err(GatewayError::NotGranted) => Err(invalid(
                "caller",
                "it may read the events of none of these registries: give it a grant of `events`",
            )),
            Err(GatewayError::Missing(what)) => Err(invalid(
                field_of(what),
                "the policy of one of the registries requires it",
            )),
            Err(GatewayError::NotAccepted(what)) => Err(invalid(
                field_of(what),
                "the policy of one of the registries does not accept it",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

fn field_of(what: Requirement) -> &'static str {
    match what {
        Requirement::Purpose => "purpose",
        Requirement::LegalBasis => "legalBasis",
        Requirement::User => "user",
        Requirement::Entity => "entity",
        // Of a person, in the body of a call: a webhook has none.
        Requirement::Consent => "registries",
    }
}

pub(super) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> AdminError {
    AdminError::Invalid {
        field: field.into(),
        problem: problem.into(),
    }
}
