//! Parameters of a URL. Nothing of a person belongs there.

use std::collections::BTreeMap;

use axum::http::Uri;
use jiff::Timestamp;
use uuid::Uuid;

use super::check;
use super::problem::Problem;
use crate::gateway::AdminError;

/// The parameters of a request, each once and all of them known.
pub(super) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    pub(super) fn of(uri: &Uri, known: &[&'static str]) -> Result<Self, Problem> {
        let mut found = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
            let Some(name) = known.iter().find(|known| **known == name) else {
                let problem = format!("no such parameter: there are {}", known.join(", "));
                return Err(invalid("query", problem));
            };
            if found.insert(*name, value.into_owned()).is_some() {
                return Err(invalid(*name, "give it once"));
            }
        }
        Ok(Self(found))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        let value = self.0.get(name);
        value
            .map(|text| check::text(name, text).map(|()| text.clone()))
            .transpose()
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let problem = "a time by RFC 3339, such as 2026-01-02T03:04:05Z";
        self.read(name, |text| text.parse().ok(), problem)
    }

    /// A whole number, not below zero.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let number = |text: &str| text.parse().ok().filter(|number| *number >= 0);
        self.read(name, number, "a whole number from 0")
    }

    pub(super) fn id(&self, name: &str) -> Result<Option<Uuid>, Problem> {
        self.read(name, |text| text.parse().ok(), "the `next` of a page")
    }

    /// How many of something, at least one.
    pub(super) fn limit(&self, name: &str, most: u32) -> Result<Option<u32>, Problem> {
        let limit = |text: &str| text.parse().ok().filter(|it| (1..=most).contains(it));
        self.read(name, limit, &format!("a whole number from 1 to {most}"))
    }

    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
        problem: &str,
    ) -> Result<Option<T>, Problem> {
        let value = self.0.get(name);
        value
            .map(|text| read(text).ok_or_else(|| invalid(name, problem)))
            .transpose()
    }
}

/// A mistake in a parameter.
pub(super) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Problem {
    AdminError::Invalid {
        field: field.into(),
        problem: problem.into(),
    }
    .into()
}
