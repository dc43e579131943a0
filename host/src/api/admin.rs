//! `/admin/v1`: what administrators, implementers and auditors do.

pub(super) mod apply;
pub(super) mod audit;
pub(super) mod audit_export;
pub(super) mod audit_find;
pub(super) mod audit_reading;
pub(super) mod callback_raw;
pub(super) mod caller_keys;
pub(super) mod callers;
pub(super) mod events;
pub(super) mod health;
pub(super) mod history;
pub(super) mod links;
pub(super) mod logs;
pub(super) mod modules;
pub(super) mod nodes;
pub(super) mod operations;
pub(super) mod registries;
pub(super) mod registry_test;
pub(super) mod session;
pub(super) mod shadow;
pub(super) mod swap;
pub(super) mod webhooks;
pub(super) mod whoami;

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::Problem;
use super::request::Known;
use super::trace::RequestId;
use crate::gateway::{Acting, AdminError, Caller, Gateway};
use crate::model::Role;

/// A request with a role that may: `By<Administrators>`.
pub(super) struct By<W>(pub(super) Acting, PhantomData<W>);

/// Which roles may.
pub(super) trait Who {
    const ROLES: &'static [Role];
}

/// Decide what serves, and who may call.
pub(super) enum Administrators {}
/// Bring modules, and look at what serves.
pub(super) enum Implementers {}
/// Read the audit.
pub(super) enum Auditors {}
/// Whoever has any role but `client`.
pub(super) enum Staff {}

impl Who for Administrators {
    const ROLES: &'static [Role] = &[Role::Administrator];
}
impl Who for Implementers {
    const ROLES: &'static [Role] = &[Role::Implementer, Role::Administrator];
}
impl Who for Auditors {
    const ROLES: &'static [Role] = &[Role::Auditor];
}
impl Who for Staff {
    const ROLES: &'static [Role] = &[Role::Implementer, Role::Administrator, Role::Auditor];
}

/// The one name in a path.
pub(super) type Named = Result<Path<String>, PathRejection>;

/// Puts who administers from the machine itself into a request. Nothing that comes over the network
/// can make one.
#[derive(Clone)]
pub(super) struct Local(pub(super) Arc<Caller>);

/// What a path names. A name that is not UTF-8 is the name of none: axum's own answer is no
/// problem+json.
pub(super) fn named(what: &'static str, name: Named) -> Result<String, AdminError> {
    let unknown = |_| AdminError::Unknown {
        what,
        name: String::new(),
    };
    name.map(|Path(name)| name).map_err(unknown)
}

impl<W: Who> FromRequestParts<Gateway> for By<W> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Problem> {
        let caller = match parts.extensions.get::<Local>() {
            Some(Local(caller)) => caller.clone(),
            None => match session::held(parts, gateway)? {
                Some(held) => held.caller,
                None => Known::from_request_parts(parts, gateway).await?.0,
            },
        };
        let request_id = parts.extensions.get::<RequestId>();
        let acting = Acting {
            caller,
            request_id: request_id.map(|id| id.0.clone()).unwrap_or_default(),
        };
        acting.allowed(W::ROLES)?;
        Ok(Self(acting, PhantomData))
    }
}
