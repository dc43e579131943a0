//! What would keep a registry from being asked as it is configured: every problem, by its field.

use serde_json::{Map, Value};

use super::limits::{self, Problem};
use crate::config::read;
use crate::config::registry::{PolicyConfig, RegistryConfig, Requirement};
use crate::config::secret::Secrets;
use crate::egress::{Egress, EndpointProblem};
use crate::gateway::lookups::policy::field_of;
use crate::gateway::roster::{NoEndpoints, chain, check_needs, endpoints};
use crate::gateway::{Finding, check_settings};
use crate::model::Person;
use crate::sandbox::{Module, Sandbox};

/// Names go into URLs, logs and metrics.
const MAX_NAME: usize = 64;
/// `/admin/v1/registries/apply`.
const RESERVED: [&str; 2] = ["apply", "export"];
/// A purpose is a header's value: see `api/request`.
const MAX_STATEMENT: usize = 256;

/// What registries are checked with.
pub(in crate::gateway) struct Checks<'a> {
    pub(in crate::gateway) sandbox: &'a Sandbox,
    pub(in crate::gateway) secrets: &'a Secrets,
    /// Of its own: what is only looked at leaves no guard behind.
    pub(in crate::gateway) egress: Egress,
}

/// A problem of that registry as a finding.
pub(in crate::gateway) fn finding(registry: &str, (field, problem): Problem) -> Finding {
    let place = match field.as_str() {
        "" => format!("registries.{registry}"),
        field => format!("registries.{registry}.{field}"),
    };
    Finding {
        place,
        problem: Some(problem),
    }
}

/// A registry's configuration out of JSON.
///
/// # Errors
/// All that is no configuration, each section and each endpoint looked at by itself.
pub(super) fn parse(value: &Value) -> Result<RegistryConfig, Vec<Problem>> {
    let whole = match read::json_value::<RegistryConfig>(value.clone()) {
        Ok(config) => return Ok(config),
        Err(problem) => problem,
    };
    let problems: Vec<_> = pieces(value)
        .into_iter()
        .filter_map(|piece| read::json_value::<RegistryConfig>(piece).err())
        .collect();
    Err(if problems.is_empty() {
        vec![whole]
    } else {
        problems
    })
}

/// Each section alone, and of those that have parts each part alone.
fn pieces(value: &Value) -> Vec<Value> {
    let one = |key: &str, value: Value| Value::Object(Map::from_iter([(key.to_owned(), value)]));
    let Value::Object(sections) = value else {
        return Vec::new();
    };
    let mut pieces = Vec::new();
    for (key, section) in sections {
        match section {
            Value::Object(parts) if !parts.is_empty() => {
                let parts = parts.iter().map(|(name, part)| one(name, part.clone()));
                pieces.extend(parts.map(|part| one(key, part)));
            }
            _ => pieces.push(one(key, section.clone())),
        }
    }
    pieces
}

impl Checks<'_> {
    /// All that is wrong with it on that module. None: the module is a finding of its own.
    pub(in crate::gateway) fn problems(
        &self,
        name: &str,
        config: &RegistryConfig,
        module: Option<&Module>,
    ) -> Vec<Finding> {
        let mut problems = Vec::new();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) {
            let rule = format!(
                "a registry's name has lower-case letters, digits and `-`, at most {MAX_NAME}"
            );
            problems.push((String::new(), rule));
        }
        if RESERVED.contains(&name) {
            let rule = "the admin API has something else at that name: choose another".to_owned();
            problems.push((String::new(), rule));
        }
        problems.extend(policy(&config.policy));
        problems.extend(limits::problems(config, self.sandbox));
        if let Some(module) = module {
            let needs = check_needs(config, module).err();
            problems.extend(needs.map(|problem| ("endpoints".to_owned(), problem)));
            problems.extend(settings(config, module));
        }
        problems.extend(self.endpoints(name, config));
        let problems = problems.into_iter();
        problems.map(|problem| finding(name, problem)).collect()
    }

    /// One at a time: each has problems of its own.
    fn endpoints(&self, registry: &str, config: &RegistryConfig) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut readable = config.clone();
        for (name, source) in &config.secrets {
            let field = format!("secrets.{name}");
            if let Err(error) = self.secrets.resolve(&field, source) {
                readable.secrets.remove(name);
                problems.push((field, error.remedy()));
            }
        }
        for (name, endpoint) in &config.endpoints {
            let alone = RegistryConfig {
                endpoints: [(name.clone(), endpoint.clone())].into(),
                ..readable.clone()
            };
            let problem = match endpoints(&self.egress, registry, &alone, self.secrets) {
                Ok(_) => continue,
                Err(NoEndpoints::Secret(error)) => (error.field.clone(), error.remedy()),
                Err(NoEndpoints::Endpoint(error)) => {
                    // Told above.
                    if matches!(&error.problem, EndpointProblem::UnknownSecret(name)
                        if config.secrets.contains_key(name))
                    {
                        continue;
                    }
                    let field = format!("endpoints.{name}.{}", error.field);
                    (field, chain(&error.problem))
                }
            };
            problems.push(problem);
        }
        problems
    }
}

/// By the schema that the module states, if it states one.
fn settings(config: &RegistryConfig, module: &Module) -> Vec<Problem> {
    let schema = module.description().settings_schema.as_ref();
    let findings = schema.map(|schema| check_settings(schema, &config.settings));
    let findings = findings.into_iter().flatten();
    findings
        .filter_map(|finding| Some((finding.place, finding.problem?)))
        .collect()
}

fn policy(policy: &PolicyConfig) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, field) in policy.fields.iter().enumerate() {
        if !Person::FIELDS.contains(&field.as_str()) {
            let fields = Person::FIELDS.join(", ");
            let problem = format!("a person has no field `{field}`; there are {fields}");
            problems.push((format!("policy.fields.{at}"), problem));
        }
    }
    for (at, list) in policy.link_evidence.iter().enumerate() {
        for (place, evidence) in list.iter().enumerate() {
            let field = field_of(evidence.path());
            let shown = policy.fields.iter().any(|shown| shown == field);
            // The default stands in every policy, whatever that shows.
            if !shown && policy.link_evidence != PolicyConfig::default().link_evidence {
                let problem = format!("add \"{field}\" to policy.fields: nobody may ask about it");
                problems.push((format!("policy.link_evidence.{at}.{place}"), problem));
            }
        }
    }
    if policy.link_evidence.is_empty() {
        let problem = "nobody could be linked: leave it out for the default".to_owned();
        problems.push(("policy.link_evidence".to_owned(), problem));
    }
    for (key, allowed, requirement) in [
        ("purposes", &policy.purposes, Requirement::Purpose),
        ("legal_bases", &policy.legal_bases, Requirement::LegalBasis),
    ] {
        let Some(allowed) = allowed else { continue };
        let field = format!("policy.{key}");
        if allowed.is_empty() {
            let problem = "lets no call through; leave it out for any".to_owned();
            problems.push((field.clone(), problem));
        }
        // A closed list that may be left unsaid is none.
        if !policy.required.contains(&requirement) {
            let word = requirement.as_str();
            let problem = format!("add \"{word}\" to policy.required: a call need not state any");
            problems.push((field.clone(), problem));
        }
        for (at, word) in allowed.iter().enumerate() {
            let fits = !word.is_empty()
                && word.trim() == word
                && word.len() <= MAX_STATEMENT
                && !word.chars().any(char::is_control);
            if !fits {
                let problem =
                    format!("one line without spaces around it, at most {MAX_STATEMENT} bytes");
                problems.push((format!("{field}.{at}"), problem));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_mistake_is_named_by_its_field() {
        let value = json!({
            "summary": 7,
            "sumary": "x",
            "policy": { "required": ["hunter2"], "fields": "hunter2" },
            "limits": { "cpu_ms": -1, "wall": 3 },
            "endpoints": { "a": { "base_url": "https://a", "timeout_ms": "hunter2" }, "b": {} },
        });
        let problems = parse(&value).unwrap_err();
        let told: Vec<String> = problems
            .iter()
            .map(|(at, what)| format!("{at}: {what}"))
            .collect();
        let all = told.join("\n");
        assert!(!all.contains("hunter2"), "{all}");
        for (field, words) in [
            ("summary: ", "expected a string"),
            ("sumary: ", "did you mean `summary`?"),
            ("policy.required.0: ", "expected one of `purpose`"),
            ("policy.fields: ", "expected a sequence"),
            ("limits.cpu_ms: ", "expected u64"),
            ("limits.wall: ", "did you mean `wall_ms`?"),
            ("endpoints.a.timeout_ms: ", "expected u64"),
            ("endpoints.b: ", "missing field `base_url`"),
        ] {
            let found = told.iter().find(|line| line.starts_with(field));
            assert!(
                found.is_some_and(|line| line.contains(words)),
                "{field} in\n{all}"
            );
        }
        assert_eq!(told.len(), 8, "{all}");
        assert!(parse(&json!({})).is_ok());
        assert_eq!(parse(&json!("x")).unwrap_err().len(), 1);
    }

    #[test]
    fn a_closed_list_must_be_asked_for() {
        let said = |policy: PolicyConfig| -> Vec<String> {
            let problems = super::policy(&policy);
            problems.into_iter().map(|(field, _)| field).collect()
        };
        let list = |words: &[&str]| Some(words.iter().map(|it| (*it).to_owned()).collect());
        let fine = PolicyConfig {
            purposes: list(&["enrolment"]),
            ..PolicyConfig::default()
        };
        assert!(said(fine).is_empty());
        let bases = PolicyConfig {
            legal_bases: list(&["law", " law", ""]),
            purposes: list(&[]),
            fields: vec!["names".into(), "shoe".into()],
            ..PolicyConfig::default()
        };
        let fields = [
            "policy.fields.1",
            "policy.purposes",
            "policy.legal_bases",
            "policy.legal_bases.1",
            "policy.legal_bases.2",
        ];
        assert_eq!(said(bases), fields);
    }

    #[test]
    fn evidence_is_what_callers_may_ask_about() {
        let said = |evidence: &str, fields: &[&str]| -> Vec<String> {
            let policy = PolicyConfig {
                link_evidence: serde_json::from_str(evidence).unwrap(),
                fields: fields.iter().map(|it| (*it).to_owned()).collect(),
                ..PolicyConfig::default()
            };
            let problems = super::policy(&policy);
            problems.into_iter().map(|(field, _)| field).collect()
        };
        let default = r#"[["birth-date"],["name.family"]]"#;
        assert!(said(default, &["identifiers"]).is_empty());
        assert!(said("[[]]", &["identifiers"]).is_empty());
        assert_eq!(said("[]", &["names"]), ["policy.link_evidence"]);
        let both = r#"[["name.family","birth-date"]]"#;
        assert_eq!(said(both, &["names"]), ["policy.link_evidence.0.1"]);
    }
}
