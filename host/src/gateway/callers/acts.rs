//! What administrators do with callers and their keys.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::LOCAL;
use super::keys::MadeKey;
use crate::gateway::{
    Act, Acting, AddedKey, AdminError, CallerError, CallerView, Gateway, NewCaller,
};
use crate::model::{Grant, Person, Role};
use crate::store::CallerSettings;

/// A caller's name.
const NAME_MAX_BYTES: usize = 128;
/// Grants of one caller.
const GRANTS_MAX: usize = 100;
/// Registries of one grant.
const REGISTRIES_MAX: usize = 1_000;
/// An old key goes on for so long at most beside the one that takes its place.
const OVERLAP_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A key to add.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyWish {
    /// From when on it is not taken.
    pub expires_at: Option<Timestamp>,
    /// Where it takes the place of the others: they end so much later.
    pub overlap: Option<SignedDuration>,
}

impl Gateway {
    /// Adds a caller, who may call when this returns.
    ///
    /// # Errors
    /// [`AdminError`]: the name is taken, or the store is not there.
    pub async fn add_caller(&self, by: &Acting, new: NewCaller) -> Result<AddedKey, AdminError> {
        // A name with a bracket or a colon is that of a kind of caller, never of one.
        if new.name.contains(['(', ')', ':']) {
            let problem = format!(
                "has no brackets and no colon: `{LOCAL}` is who administers from the machine \
                 itself, and callers of an issuer have a colon"
            );
            return Err(invalid("name", problem));
        }
        if check_name(&new.name).is_err() {
            return Err(invalid("name", format!("has 1 to {NAME_MAX_BYTES} bytes")));
        }
        check(&new.settings)?;
        check_end("keyExpiresAt", new.key_expires_at)?;
        let act = act("caller.add", &new.name, told(&new.settings));
        let gateway = self.clone();
        let doing = async move {
            let store = &gateway.inner.store;
            let added = Self::put_caller(store, new).await.map_err(why)?;
            gateway.take_over_keys().await;
            Ok(added)
        };
        self.act(by, act, doing).await
    }

    /// Replaces what a caller may, from when this returns.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn set_caller(
        &self,
        by: &Acting,
        name: &str,
        settings: CallerSettings,
    ) -> Result<(), AdminError> {
        check_name(name)?;
        check(&settings)?;
        let act = act("caller.set", name, told(&settings));
        let (gateway, name) = (self.clone(), name.to_owned());
        let doing = async move {
            let store = &gateway.inner.store;
            store.callers().set(&name, settings).await?;
            gateway.take_over_keys().await;
            Ok(())
        };
        self.act(by, act, doing).await
    }

    /// Gives a caller another key, which is taken when this returns.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn add_key(
        &self,
        by: &Acting,
        name: &str,
        wish: KeyWish,
    ) -> Result<AddedKey, AdminError> {
        check_name(name)?;
        check_end("expiresAt", wish.expires_at)?;
        let now = Timestamp::now();
        let others_end_at = match wish.overlap {
            None => None,
            Some(overlap) if overlap > OVERLAP_MAX || overlap.is_negative() => {
                let problem = format!("from 0 to {}", OVERLAP_MAX.as_secs());
                return Err(invalid("overlapSeconds", problem));
            }
            Some(overlap) => Some(now.checked_add(overlap).map_err(|_| AdminError::Internal)?),
        };
        let MadeKey { key, stored } = MadeKey::new(wish.expires_at).map_err(why)?;
        let word = match others_end_at {
            None => "caller.key.add",
            Some(_) => "caller.key.rotate",
        };
        let detail = json!({
            "prefix": stored.prefix, "expiresAt": wish.expires_at, "othersEndAt": others_end_at,
        });
        let act = act(word, name, detail);
        let (gateway, name) = (self.clone(), name.to_owned());
        let doing = async move {
            let store = &gateway.inner.store;
            let callers = store.callers();
            let known = callers.add_key(&name, stored, others_end_at).await?;
            gateway.take_over_keys().await;
            Ok(AddedKey {
                caller: name,
                key,
                known,
            })
        };
        self.act(by, act, doing).await
    }

    /// Takes one key of a caller out of use, from when this returns.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn revoke_key(&self, by: &Acting, name: &str, key: Uuid) -> Result<(), AdminError> {
        check_name(name)?;
        let act = act("caller.key.revoke", name, json!({ "key": key.to_string() }));
        let (gateway, name) = (self.clone(), name.to_owned());
        let doing = async move {
            let store = &gateway.inner.store;
            store.callers().revoke_key(&name, key).await?;
            gateway.take_over_keys().await;
            Ok(())
        };
        self.act(by, act, doing).await
    }

    /// Takes all keys of a caller out of use, from when this returns and for good.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn revoke_caller(&self, by: &Acting, name: &str) -> Result<(), AdminError> {
        check_name(name)?;
        let act = Act {
            word: "caller.revoke",
            subject: Some(name.to_owned()),
            ..Act::default()
        };
        let (gateway, name) = (self.clone(), name.to_owned());
        let doing = async move {
            let store = &gateway.inner.store;
            store.callers().revoke(&name).await?;
            gateway.take_over_keys().await;
            Ok(())
        };
        self.act(by, act, doing).await
    }

    /// All callers, revoked ones too, by name.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn callers(&self) -> Result<Vec<CallerView>, AdminError> {
        let rows = self.inner.store.callers().list().await?;
        Ok(rows.into_iter().map(CallerView::of).collect())
    }

    /// One caller.
    ///
    /// # Errors
    /// [`AdminError::Unknown`], [`AdminError::Store`].
    pub async fn caller_named(&self, name: &str) -> Result<CallerView, AdminError> {
        let mut callers = self.callers().await?.into_iter();
        let found = callers.find(|caller| caller.name == name);
        found.ok_or_else(|| AdminError::Unknown {
            what: "caller",
            name: name.to_owned(),
        })
    }
}

fn act(word: &'static str, caller: &str, detail: serde_json::Value) -> Act {
    Act {
        word,
        subject: Some(caller.to_owned()),
        detail: Some(detail),
        ..Act::default()
    }
}

/// What the audit keeps of it. Grants may be longer than a row takes: then their number.
fn told(settings: &CallerSettings) -> serde_json::Value {
    const LONGEST: usize = 32 << 10;
    let CallerSettings {
        roles,
        grants,
        limits,
    } = settings;
    let whole = json!({ "roles": roles, "grants": grants, "limits": limits });
    match whole.to_string().len() {
        ..=LONGEST => whole,
        _ => json!({ "roles": roles, "grantsCount": grants.len(), "limits": limits }),
    }
}

/// What cannot be a caller's name is that of none, and no audit row could hold it.
fn check_name(name: &str) -> Result<(), AdminError> {
    if name.is_empty() || name.len() > NAME_MAX_BYTES || name.contains('\0') {
        return Err(AdminError::Unknown {
            what: "caller",
            name: name.to_owned(),
        });
    }
    Ok(())
}

fn check(settings: &CallerSettings) -> Result<(), AdminError> {
    if settings.roles.is_empty() {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        return Err(invalid(
            "roles",
            format!("name one of {}", roles.join(", ")),
        ));
    }
    if settings.grants.len() > GRANTS_MAX {
        return Err(invalid("grants", format!("are at most {GRANTS_MAX}")));
    }
    for (at, grant) in settings.grants.iter().enumerate() {
        check_grant(&format!("grants.{at}"), grant)?;
    }
    let Some(limits) = settings.limits else {
        return Ok(());
    };
    for (field, value) in [
        ("limits.requestsPerSecond", limits.requests_per_second),
        ("limits.burst", limits.burst),
        ("limits.requestsPerDay", limits.requests_per_day),
    ] {
        if value == Some(0) {
            let problem = "0 lets no call through; take the grant away, or leave it out for the \
                           gateway's default";
            return Err(invalid(field, problem));
        }
    }
    Ok(())
}

pub(in crate::gateway) fn check_grant(place: &str, grant: &Grant) -> Result<(), AdminError> {
    let names = grant.registries.as_deref().unwrap_or_default();
    if names.len() > REGISTRIES_MAX {
        let problem = format!("are at most {REGISTRIES_MAX}; left out, all are meant");
        return Err(invalid(format!("{place}.registries"), problem));
    }
    for (at, name) in names.iter().enumerate() {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let problem = "is no registry's name; leave `registries` out for all";
            return Err(invalid(format!("{place}.registries.{at}"), problem));
        }
    }
    for (at, field) in grant.fields.iter().flatten().enumerate() {
        if !Person::FIELDS.contains(&field.as_str()) {
            let fields = Person::FIELDS.join(", ");
            let problem = format!("is none of a person's: {fields}");
            return Err(invalid(format!("{place}.fields.{at}"), problem));
        }
    }
    Ok(())
}

fn check_end(field: &str, end: Option<Timestamp>) -> Result<(), AdminError> {
    match end {
        Some(end) if end <= Timestamp::now() => Err(invalid(field, "is over already")),
        _ => Ok(()),
    }
}

fn invalid(field: impl Into<String>, problem: impl Into<String>) -> AdminError {
    AdminError::Invalid {
        field: field.into(),
        problem: problem.into(),
    }
}

fn why(error: CallerError) -> AdminError {
    match error {
        CallerError::Random => AdminError::Internal,
        CallerError::Store(error) => error.into(),
    }
}
