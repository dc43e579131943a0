//! `registry test`: what works, and what does not.

use std::io::Read;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::path;
use crate::cli::Failure;
use crate::cli::client::Client;
use crate::cli::exit::Found;

#[derive(Args, Debug)]
pub(in crate::cli) struct TestArgs {
    /// Its name.
    name: String,
    /// Somebody whom the registry knows: looked up once, in the audit with the purpose
    /// `registry-test`. With `-` for the value it is read from standard input, where nobody else on
    /// this machine sees it.
    #[arg(long, value_name = "SCHEME=VALUE")]
    identifier: Option<String>,
}

#[derive(Deserialize)]
struct RegistryTest {
    works: bool,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    place: String,
    step: Option<String>,
    state: String,
    told: Option<String>,
    remedy: Option<String>,
}

pub(super) async fn run(args: TestArgs, client: &Client) -> Result<(), Failure> {
    let identifier = args.identifier.as_deref().map(identifier).transpose()?;
    let body = match identifier {
        None => json!({}),
        Some((scheme, value)) => json!({ "identifier": { "scheme": scheme, "value": value } }),
    };
    let tested = client.post(&path(&args.name, "/test"), &body).await?;
    let works = tested.read::<RegistryTest>()?.works;
    tested.print(|trial: RegistryTest| trial.steps.iter().map(Step::text).collect())?;
    match works {
        true => Ok(()),
        false => Err(Found("something does not work").into()),
    }
}

/// `scheme=value`, where the value may be on standard input.
pub(in crate::cli) fn identifier(text: &str) -> Result<(String, String), Failure> {
    let remedy = "--identifier: write scheme=value, as national-id=123";
    let (scheme, value) = text.split_once('=').ok_or(remedy)?;
    let mut value = value.to_owned();
    if value == "-" {
        value.clear();
        std::io::stdin().read_to_string(&mut value)?;
    }
    let value = value.trim();
    if scheme.is_empty() || value.is_empty() {
        return Err(remedy.into());
    }
    Ok((scheme.to_owned(), value.to_owned()))
}

impl Step {
    fn text(&self) -> String {
        let place = match &self.step {
            Some(step) => format!("{} {step}", self.place),
            None => self.place.clone(),
        };
        let told = self.told.as_deref().unwrap_or_default();
        let line = format!("{:<11} {place:<34} {told}", self.state);
        let mut text = format!("{}\n", line.trim_end());
        if let Some(remedy) = &self.remedy {
            text.push_str(&format!("{:<11} → {remedy}\n", ""));
        }
        text
    }
}
