use std::fmt::Write as _;

use serde::Deserialize;

/// As the API answers.
#[derive(Deserialize)]
pub(super) struct Callers {
    pub(super) callers: Vec<Caller>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Caller {
    name: String,
    state: String,
    roles: Vec<String>,
    grants: Vec<Grant>,
    limits: Option<Limits>,
    keys: Vec<Key>,
}

/// Of any version: a later one may have abilities that this program does not know.
#[derive(Deserialize)]
struct Grant {
    registries: Option<Vec<String>>,
    abilities: Vec<String>,
    fields: Option<Vec<String>>,
    events: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    requests_per_second: Option<u32>,
    burst: Option<u32>,
    requests_per_day: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: String,
    prefix: String,
    state: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

impl Caller {
    pub(super) fn line(&self) -> String {
        let mut names: Vec<&str> = self.grants.iter().flat_map(Grant::names).collect();
        names.dedup();
        format!(
            "{:<20} {:<8} {:<14} {}\n",
            self.name,
            self.state,
            self.roles.join(", "),
            names.join(", ")
        )
    }

    pub(super) fn whole(&self) -> String {
        let mut text = self.line();
        for grant in &self.grants {
            let names: Vec<&str> = grant.names().collect();
            let fields = grant.fields.as_ref().map(|fields| fields.join(", "));
            let fields = fields.unwrap_or_else(|| "what the policy shows".into());
            let abilities = grant.abilities.join(", ");
            let _ = write!(text, "  grant  {}: {abilities}; {fields}", names.join(", "));
            if let Some(events) = &grant.events {
                let _ = write!(text, "; events of {events}");
            }
            text.push('\n');
        }
        if let Some(limits) = &self.limits {
            let told = [
                ("requests per second", limits.requests_per_second),
                ("burst", limits.burst),
                ("requests per day", limits.requests_per_day),
            ];
            for (what, number) in told {
                if let Some(number) = number {
                    let _ = writeln!(text, "  limit  {number} {what}");
                }
            }
        }
        for key in &self.keys {
            let prefix = match key.prefix.as_str() {
                "" => "",
                prefix => &format!("{prefix}… "),
            };
            let _ = write!(text, "  key    {} {prefix}{}", key.id, key.state);
            for (what, time) in [("ends", &key.expires_at), ("used", &key.last_used_at)] {
                if let Some(time) = time {
                    let _ = write!(text, ", {what} {time}");
                }
            }
            text.push('\n');
        }
        text
    }
}

impl Grant {
    fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.registries.is_none().then_some("all registries");
        let names = self.registries.iter().flatten().map(String::as_str);
        all.into_iter().chain(names)
    }
}
