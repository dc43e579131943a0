//! The process's own log.

use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::config::LogConfig;

/// What the libraries below log at their lower levels holds URLs, headers and SQL: it is never
/// shown, whatever the filter says.
const QUIET: [&str; 9] = [
    "reqwest=warn",
    "hyper=warn",
    "hyper_util=warn",
    "h2=warn",
    "rustls=warn",
    "sqlx=warn",
    "wasmtime=warn",
    "cranelift=warn",
    "tower_http=warn",
];

/// What is logged: what `log.filter` says, without what libraries say too much of.
///
/// # Errors
/// The text is not a filter.
pub fn filter(text: &str) -> Result<EnvFilter, Failure> {
    let mut filter =
        EnvFilter::try_new(text).map_err(|error| format!("log.filter is not a filter: {error}"))?;
    for directive in QUIET {
        filter = filter.add_directive(directive.parse()?);
    }
    Ok(filter)
}

/// Logs to standard error.
pub(super) fn init(config: &LogConfig) -> Result<(), Failure> {
    let filter = filter(&config.filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.json {
        log.json().try_init()
    } else {
        log.try_init()
    }
}
