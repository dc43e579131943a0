//! `serve --check`: everything that a start would trip over, without starting and without a trace.

use crate::config::Config;
use crate::config::secret::Secrets;
use crate::egress::Collector;
use crate::gateway::{self, Finding};
use crate::sandbox::Sandbox;
use crate::store::{Look, Store};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is fine, and what a start would do.
    pub notes: Vec<String>,
    /// What is wrong, each with its place and the remedy.
    pub problems: Vec<String>,
}

/// Looks at everything that the configuration names. Modules are compiled anew, since the cache is
/// not touched.
pub async fn check(config: &Config) -> Report {
    let mut report = Report::default();
    if !config.data_dir.is_dir() {
        let place = config.data_dir.display();
        report.note(format!("data_dir: {place} is not there; a start makes it"));
    }
    let secrets = Secrets::new(Some(config.secrets_dir.clone()));
    telemetry(config, &secrets, &mut report);
    let store = store(config, &secrets, &mut report).await;
    // A cache of its own, which goes with this check.
    let Ok(scratch) = tempfile::tempdir() else {
        report.problem("there is no room for a temporary directory".into());
        return report;
    };
    let mut sandbox = config.sandbox.clone();
    sandbox.cache_dir = scratch.path().to_owned();
    let sandbox = Sandbox::new(&sandbox, &config.data_dir);
    let sandbox = match sandbox {
        Ok(sandbox) => sandbox,
        Err(error) => {
            report.error("sandbox", &error);
            return report;
        }
    };
    let Some(store) = store else {
        return report;
    };
    let findings = gateway::check(
        &store,
        &sandbox,
        &secrets,
        &config.data_dir,
        &config.audit,
        &config.bodies,
    );
    match findings.await {
        Ok(findings) => findings.into_iter().for_each(|it| report.finding(it)),
        Err(error) => report.error("store", &error),
    }
    store.close().await;
    report
}

fn telemetry(config: &Config, secrets: &Secrets, report: &mut Report) {
    let telemetry = &config.telemetry;
    let url = match telemetry.traces_url() {
        Ok(None) => return,
        Ok(Some(url)) => url,
        Err(error) => return report.error("telemetry", &error),
    };
    let headers = match telemetry.headers(secrets) {
        Ok(headers) => headers,
        Err(error) => return report.error("telemetry", &error),
    };
    let timeout = std::time::Duration::from_millis(telemetry.timeout_ms.into());
    match Collector::new(url, &headers, timeout) {
        Ok(_) => report.note("telemetry: ok".into()),
        Err(error) => report.error("telemetry", &error),
    }
}

async fn store(config: &Config, secrets: &Secrets, report: &mut Report) -> Option<Store> {
    let password = match config.store.password(secrets) {
        Ok(password) => password,
        Err(error) => {
            report.error("store", &error);
            return None;
        }
    };
    match Store::look(&config.store, password.as_ref()).await {
        Ok(Look::Here(store)) => {
            report.note("store: ok".into());
            return Some(store);
        }
        Ok(Look::Absent) => report.note("store: there is none; a start makes it".into()),
        Ok(Look::Behind { steps }) => {
            let steps = steps.join(", ");
            report.note(format!(
                "store: a start takes these steps of the schema: {steps}; registries are not \
                 looked at before"
            ));
        }
        Err(error) => report.error("store", &error),
    }
    None
}

impl Report {
    fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    fn error(&mut self, place: &str, error: &dyn std::error::Error) {
        self.problem(format!("{place}: {}", gateway::chain(error)));
    }

    fn finding(&mut self, Finding { place, problem }: Finding) {
        match problem {
            Some(problem) => self.problem(format!("{place}: {problem}")),
            None => self.note(format!("{place}: ok")),
        }
    }
}
