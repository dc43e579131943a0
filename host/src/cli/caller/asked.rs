use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::Failure;
use crate::model::{Ability, CallerLimits, EventsOf, Grant, Role};

/// What a caller may, as far as it is said.
#[derive(Args, Debug)]
pub(in crate::cli) struct Settings {
    /// What it is there for; may be repeated. A new caller without one: client.
    #[arg(long = "role", value_name = "ROLE", value_parser = role)]
    roles: Vec<Role>,
    /// What it may ask of a registry, and see: `civil`, `civil:find,verify`, `civil:verify:names,sex`,
    /// `*:find`, `civil:events`, `civil:events=all`; may be repeated. A new client without one: everything.
    #[arg(long = "grant", value_name = "REGISTRY[:ABILITY,…[:FIELD,…]]", value_parser = grant)]
    grants: Vec<Grant>,
    /// A registry it may ask; may be repeated. With --ability and --field one grant. Without one: all.
    #[arg(long = "registry", value_name = "NAME", conflicts_with = "grants")]
    registries: Vec<String>,
    /// What it may ask of them; may be repeated. Without one: everything.
    #[arg(long = "ability", value_name = "ABILITY", value_parser = ability, conflicts_with = "grants")]
    abilities: Vec<Ability>,
    /// A field of a person that it may see; may be repeated. Without one: what the policy shows.
    #[arg(long = "field", value_name = "FIELD", conflicts_with = "grants")]
    fields: Vec<String>,
    /// With the ability events: those of all people, and not only of those whom it has linked.
    #[arg(long, conflicts_with = "grants")]
    all_events: bool,
    /// Calls per second to each registry.
    #[arg(long, value_name = "NUMBER")]
    requests_per_second: Option<u32>,
    /// Of them at once, after a pause.
    #[arg(long, value_name = "NUMBER")]
    burst: Option<u32>,
    /// Calls per day to each registry.
    #[arg(long, value_name = "NUMBER")]
    requests_per_day: Option<u32>,
}

impl Settings {
    /// The body with what was said in place of what it had.
    pub(super) fn change(self, body: &mut Map<String, Value>) -> Result<(), Failure> {
        if !self.roles.is_empty() {
            body.insert("roles".into(), json!(self.roles));
        }
        if !self.grants.is_empty() {
            body.insert("grants".into(), json!(self.grants));
        } else if let Some(grant) = self.one_grant() {
            body.insert("grants".into(), json!([grant]));
        }
        let said = CallerLimits {
            requests_per_second: self.requests_per_second,
            burst: self.burst,
            requests_per_day: self.requests_per_day,
        };
        if said != CallerLimits::default() {
            let now = body.get("limits").cloned().unwrap_or_default();
            let now: Option<CallerLimits> = serde_json::from_value(now)?;
            let now = now.unwrap_or_default();
            let limits = CallerLimits {
                requests_per_second: said.requests_per_second.or(now.requests_per_second),
                burst: said.burst.or(now.burst),
                requests_per_day: said.requests_per_day.or(now.requests_per_day),
            };
            body.insert("limits".into(), json!(limits));
        }
        Ok(())
    }

    fn one_grant(&self) -> Option<Grant> {
        let Self {
            registries,
            abilities,
            fields,
            all_events,
            ..
        } = self;
        if registries.is_empty() && abilities.is_empty() && fields.is_empty() && !all_events {
            return None;
        }
        let mut grant = Grant::everything();
        if !registries.is_empty() {
            grant.registries = Some(registries.clone());
        }
        if !abilities.is_empty() {
            grant.abilities.clone_from(abilities);
        }
        if !fields.is_empty() {
            grant.fields = Some(fields.clone());
        }
        if *all_events {
            grant.events = EventsOf::All;
        }
        Some(grant)
    }
}

fn grant(text: &str) -> Result<Grant, String> {
    let mut parts = text.splitn(3, ':');
    let mut grant = Grant::everything();
    match parts.next() {
        Some("*") => {}
        Some(name) if !name.is_empty() => grant.registries = Some(vec![name.to_owned()]),
        _ => return Err("begin with a registry's name, or with * for all".into()),
    }
    if let Some(words) = parts.next().filter(|words| !words.is_empty()) {
        let words = words.split(',').map(|word| match word {
            "events=all" => {
                grant.events = EventsOf::All;
                Ok(Ability::Events)
            }
            word => ability(word),
        });
        grant.abilities = words.collect::<Result<_, _>>()?;
    }
    if let Some(fields) = parts.next() {
        grant.fields = Some(fields.split(',').map(str::to_owned).collect());
    }
    Ok(grant)
}

fn ability(name: &str) -> Result<Ability, String> {
    one_of(name, Ability::parse, &Ability::ALL)
}

fn role(name: &str) -> Result<Role, String> {
    one_of(name, Role::parse, &Role::ALL)
}

fn one_of<T: std::fmt::Display>(
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Result<T, String> {
    parse(name).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_a_registry_with_abilities_and_fields() {
        assert_eq!(grant("*").unwrap(), Grant::everything());
        let find = Grant::of(&["civil"], &[Ability::Find, Ability::Verify]);
        assert_eq!(grant("civil:find,verify").unwrap(), find);
        let all = Grant::of(&["civil"], &Ability::READS);
        assert_eq!(grant("civil").unwrap(), all);
        let masked = grant("civil::names,sex").unwrap();
        assert_eq!(masked.abilities, all.abilities);
        assert_eq!(masked.fields, Some(vec!["names".into(), "sex".into()]));
        let all = grant("civil:find,events=all").unwrap();
        assert_eq!(all.events, EventsOf::All);
        assert_eq!(all.abilities, [Ability::Find, Ability::Events]);
        assert_eq!(grant("civil:events").unwrap().events, EventsOf::Linked);
        for (wrong, why) in [
            ("", "begin with a registry's name"),
            (":find", "begin with a registry's name"),
            ("civil:fnd", "one of find"),
        ] {
            let error = grant(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
