//! The process's own log.

use std::panic::{Location, PanicHookInfo};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::Failure;
use crate::config::LogConfig;

/// What these libraries log below `warn` holds URLs, headers and SQL: it is never shown, whatever
/// the filter says. A name stands for all that begin with it.
const QUIET: [&str; 9] = [
    "reqwest",
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
    "sqlx",
    "wasmtime",
    "cranelift",
    "tower_http",
];

/// What is logged: what `log.filter` says, without what libraries say too much of.
///
/// # Errors
/// The text is not a filter.
pub fn filter(text: &str) -> Result<EnvFilter, Failure> {
    let mut filter =
        EnvFilter::try_new(text).map_err(|error| format!("log.filter is not a filter: {error}"))?;
    for library in QUIET {
        filter = filter.add_directive(format!("{library}=warn").parse()?);
    }
    Ok(filter)
}

/// A second filter of its own: in the first, `hyper::proto=trace` is nearer than `hyper=warn`.
fn quiet() -> Targets {
    let libraries = QUIET.map(|library| (library, LevelFilter::WARN));
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(libraries)
}

fn subscriber<W>(config: &LogConfig, writer: W) -> Result<impl Subscriber + Send + Sync, Failure>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if config.json {
        // Fields at the top of the object; `span` holds the request's.
        let lines = lines.json().flatten_event(true);
        Box::new(lines.with_current_span(true).with_span_list(false))
    } else {
        Box::new(lines)
    };
    let filter = filter(&config.filter)?;
    Ok(tracing_subscriber::registry()
        .with(lines)
        .with(quiet())
        .with(filter))
}

/// Logs to standard error, panics too.
pub(super) fn init(config: &LogConfig) -> Result<(), Failure> {
    subscriber(config, std::io::stderr)?.try_init()?;
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        panicked(info.location())
    }));
    Ok(())
}

/// A panic's message may hold anything, a person's name too: its place must do.
fn panicked(place: Option<&Location<'_>>) {
    let place = place.map(tracing::field::display);
    tracing::error!(place, "panicked");
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged meanwhile on this thread.
    fn logged(filter: &str, meanwhile: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let config = LogConfig {
            filter: filter.into(),
            json: true,
        };
        let subscriber = subscriber(&config, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, meanwhile);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_filter_makes_a_library_loud() {
        let filter = "trace,h2::proto=trace,rustls::conn=debug,[{secret}]=trace";
        let told = logged(filter, || {
            tracing::trace!(target: "h2::proto::h1", "a header");
            tracing::debug!(target: "rustls::conn", secret = 1, "a statement");
            tracing::info!(target: "reqwest", "a URL");
            tracing::warn!(target: "h2::proto::h1", "a warning");
            tracing::trace!(target: "registry_gateway::api", "ours");
        });
        assert!(
            told.contains("a warning") && told.contains("ours"),
            "{told}"
        );
        for secret in ["a header", "a statement", "a URL"] {
            assert!(!told.contains(secret), "{told}");
        }
    }

    #[test]
    fn a_filter_may_ask_for_less() {
        let told = logged("info,hyper=error", || {
            tracing::debug!("too much");
            tracing::info!("enough");
        });
        assert!(
            told.contains("enough") && !told.contains("too much"),
            "{told}"
        );
    }

    #[test]
    fn a_panic_tells_its_place_alone() {
        let before = std::panic::take_hook();
        let told = logged("info", || {
            std::panic::set_hook(Box::new(|info| panicked(info.location())));
            let result = std::panic::catch_unwind(|| panic!("Qzname"));
            assert!(result.is_err());
        });
        std::panic::set_hook(before);
        assert!(told.contains("logging.rs:"), "{told}");
        assert!(!told.contains("Qzname"), "{told}");
    }
}
