//! `registry test`: what of a registry works, and in plain words what does not.

use std::sync::Arc;

use super::Checks;
use crate::config::registry::RegistryConfig;
use crate::egress::{Egress, ProbeEnd, ProbeStep};
use crate::gateway::roster::{chain, endpoints};
use crate::gateway::{Act, Acting, AdminError, Asking, Caller, Gateway, GatewayError, Way};
use crate::model::{
    Ability, Asker, Call, EventsOf, Failure, FindQuery, Grant, Identifier, Person, Role,
};
use crate::store::{CallerSettings, Registry};

/// What the audit has for a purpose.
const PURPOSE: &str = "registry-test";

/// What was found out about a registry.
#[derive(Clone, Debug)]
pub struct RegistryTest {
    /// Its name.
    pub registry: String,
    /// In the order in which they were made.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// `configuration`, `endpoints.registry`, `mapping`.
    pub place: String,
    /// Of an endpoint: `name`, `address`, `connection`, `tls`, `credential`, `answer`.
    pub step: Option<&'static str>,
    /// How it ended.
    pub end: End,
}

/// How a step ended.
pub type End = ProbeEnd;

impl RegistryTest {
    /// Whether nothing failed.
    pub fn works(&self) -> bool {
        let fails = |step: &Step| matches!(step.end, End::Fails { .. });
        !self.steps.iter().any(fails)
    }
}

impl Gateway {
    /// Goes the way to a registry: its configuration, each endpoint, and where an identifier is given
    /// one lookup, which is in the audit as any other is. Of its answer only the names of fields are
    /// told.
    ///
    /// # Errors
    /// [`AdminError`]: there is none of that name, or the store is not there.
    pub async fn test_registry(
        &self,
        by: &Acting,
        name: &str,
        identifier: Option<Identifier>,
    ) -> Result<RegistryTest, AdminError> {
        let act = Act {
            word: "registry.test",
            registry: Some(name.to_owned()),
            ..Act::default()
        };
        let (gateway, acting, name) = (self.clone(), by.clone(), name.to_owned());
        let doing = async move { gateway.tested(&acting, name, identifier).await };
        self.act(by, act, doing).await
    }

    async fn tested(
        &self,
        by: &Acting,
        name: String,
        identifier: Option<Identifier>,
    ) -> Result<RegistryTest, AdminError> {
        let row = self.inner.store.registries().get(&name).await?;
        let row = row.ok_or_else(|| AdminError::Unknown {
            what: "registry",
            name: name.clone(),
        })?;
        let mut steps = self.configured(&row).await?;
        let fails = |steps: &[Step]| steps.iter().any(|it| matches!(it.end, End::Fails { .. }));
        let config = serde_json::from_str::<RegistryConfig>(&row.configuration);
        if let (Ok(config), false) = (&config, fails(&steps)) {
            steps.extend(self.reached(&name, config).await);
        }
        let end = match identifier {
            _ if fails(&steps) => End::NotReached,
            None => End::Works("not tried: give an identifier that the registry knows".into()),
            Some(identifier) => self.mapped(by, &name, identifier).await,
        };
        steps.push(Step {
            place: "mapping".into(),
            step: None,
            end,
        });
        Ok(RegistryTest {
            registry: name,
            steps,
        })
    }

    /// Everything that apply looks at, as it is today: secrets and certificates may have gone.
    async fn configured(&self, row: &Registry) -> Result<Vec<Step>, AdminError> {
        let roster = &self.inner.roster;
        let one = |end| Step {
            place: "configuration".into(),
            step: None,
            end,
        };
        let broken = |problem: String| {
            let remedy = "mend it, and apply it again".to_owned();
            one(End::Fails { problem, remedy })
        };
        let config = match serde_json::from_str::<RegistryConfig>(&row.configuration) {
            Ok(config) => config,
            Err(_) => return Ok(vec![broken("it cannot be read".into())]),
        };
        let digests = [row.module_digest.clone()].into();
        let store = &self.inner.store;
        let modules =
            crate::gateway::roster::modules::load(roster.sandbox(), store, digests).await?;
        let module = modules.get(&row.module_digest);
        let checks = Checks {
            sandbox: roster.sandbox(),
            secrets: roster.secrets(),
            egress: Egress::new(),
        };
        let loaded = module.and_then(|module| module.as_ref().ok());
        let findings = checks.problems(&row.name, &config, loaded).into_iter();
        let mut steps: Vec<Step> = findings
            .filter_map(|it| Some(broken(format!("{}: {}", it.place, it.problem?))))
            .collect();
        if let Some(Err(why)) = module {
            steps.push(broken(format!("module: {why}")));
        }
        if steps.is_empty() {
            steps.push(one(End::Works("secrets and module can be read".into())));
        }
        Ok(steps)
    }

    async fn reached(&self, name: &str, config: &RegistryConfig) -> Vec<Step> {
        let egress = Egress::new();
        let built = endpoints(&egress, name, config, self.inner.roster.secrets());
        let built = match built {
            Ok(built) => built,
            Err(error) => {
                return vec![Step {
                    place: "endpoints".into(),
                    step: None,
                    end: End::Fails {
                        problem: chain(&error),
                        remedy: "mend it, and apply it again".into(),
                    },
                }];
            }
        };
        let mut steps = Vec::new();
        for (endpoint, config) in &config.endpoints {
            let probed = built.probe(&egress, endpoint, config).await;
            let probed = probed.into_iter().flatten();
            steps.extend(probed.map(|ProbeStep { step, end }| Step {
                place: format!("endpoints.{endpoint}"),
                step: Some(step),
                end,
            }));
        }
        steps
    }

    async fn mapped(&self, by: &Acting, registry: &str, identifier: Identifier) -> End {
        // An administrator asks no registry otherwise: for this one question it is a client.
        let settings = CallerSettings {
            roles: vec![Role::Client],
            grants: vec![Grant {
                registries: Some(vec![registry.to_owned()]),
                abilities: vec![Ability::Find],
                fields: None,
                events: EventsOf::Linked,
            }],
            ..CallerSettings::default()
        };
        let asking = Asking {
            caller: Arc::new(Caller::of(by.caller.name.clone(), settings)),
            registry: registry.to_owned(),
            call: Call {
                request_id: by.request_id.clone(),
                asker: Asker {
                    user: Some(by.caller.name.clone()),
                    entity: Some(PURPOSE.into()),
                    purpose: Some(PURPOSE.into()),
                    legal_basis: Some(PURPOSE.into()),
                },
                ..Call::default()
            },
            way: Way::default(),
        };
        let identifiers = vec![identifier];
        match self.find(asking, FindQuery { identifiers }).await {
            Ok(found) => End::Works(format!(
                "a person was found; it has {}",
                fields(&found.value)
            )),
            Err(GatewayError::Failure(Failure::NotFound)) => {
                End::Works("the registry says that it knows nobody by that identifier".into())
            }
            Err(error) => End::Fails {
                remedy: remedy(&error).into(),
                problem: problem(&error),
            },
        }
    }
}

/// Names alone.
fn fields(person: &Person) -> String {
    let value = serde_json::to_value(person).unwrap_or_default();
    let empty =
        |value: &serde_json::Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let fields = value.as_object().into_iter().flatten();
    let fields = fields.filter(|(_, value)| !empty(value));
    let names: Vec<&str> = fields.map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

/// A failure's words are codes of a fixed alphabet; a fault's are the gateway's own.
fn problem(error: &GatewayError) -> String {
    match (error, error.code()) {
        (GatewayError::Fault(fault), _) => format!("the adapter broke: {fault}"),
        (_, Some(code)) => format!("{} ({}: {code})", error, error.word()),
        _ => format!("{error} ({})", error.word()),
    }
}

fn remedy(error: &GatewayError) -> &'static str {
    match error {
        GatewayError::Disabled => "enable the registry first",
        GatewayError::NoAbility(_) => "this adapter cannot find: ask it what it can, as a caller",
        GatewayError::NotAccepted(_) => {
            "add registry-test to policy.purposes and policy.legal_bases for as long as you test"
        }
        GatewayError::Missing(_) => "the policy wants a consent, which no test has",
        GatewayError::Closed { .. } => "test within policy.hours",
        GatewayError::Failure(Failure::Misconfigured(_)) => "correct the registry's settings",
        GatewayError::Failure(Failure::Denied(_)) => {
            "ask the registry's owner for the right, or correct the credential"
        }
        GatewayError::Failure(Failure::Rejected(_)) => {
            "is the identifier's scheme one that the registry and the settings know?"
        }
        GatewayError::Failure(Failure::Unreadable(_)) | GatewayError::Fault(_) => {
            "is this the adapter for that registry, and base_url its API? The log has more"
        }
        _ => "the log has more, by the request's number",
    }
}
