//! Adapter for MOSIP: ID Authentication (IDA) compares what is claimed of a person, and eSignet tells
//! who somebody is who agreed to it. See `README.md` for what it sends and how it reads.

pub mod envelope;
pub mod find;
pub mod jose;
pub mod keys;
pub mod language;
pub mod mapping;
pub mod reasons;
pub mod settings;
pub mod verify;
pub mod wire;

use adapter_sdk::model::{Description, EndpointNeed};
use adapter_sdk::{About, export};

/// The adapter: `find` is in `find.rs`, `verify` in `verify.rs`.
#[derive(Debug)]
pub struct Mosip;

export!(Mosip: find, verify);

/// The endpoints' names in the registry's configuration.
pub(crate) const IDA: &str = "ida";
pub(crate) const ESIGNET: &str = "esignet";
/// Of its own, since it alone leaves `Authorization` to the adapter.
pub(crate) const USERINFO: &str = "userinfo";

impl About for Mosip {
    fn describe() -> Description {
        Description {
            name: "mosip".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "MOSIP: demographic authentication by IDA, and userinfo of eSignet".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            source: Some(
                concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/main/adapters/mosip").to_owned(),
            ),
            endpoints: vec![
                EndpointNeed::optional(
                    IDA,
                    "`…/idauthentication/v1/auth/` licence key, partner id and API key",
                ),
                EndpointNeed::optional(ESIGNET, "`…/v1/esignet`: the token endpoint is below"),
                EndpointNeed::optional(USERINFO, "`…/v1/esignet/oidc`: userinfo is below"),
            ],
            settings_schema: Some(include_str!("settings.schema.json").to_owned()),
            ..Description::default()
        }
    }
}
