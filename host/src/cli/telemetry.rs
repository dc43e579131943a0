//! Where spans go: OTLP over HTTP, in batches, from a thread of their own.

use std::path::Path;
use std::time::Duration;

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};

use super::Failure;
use crate::config::secret::Secrets;
use crate::config::telemetry::TelemetryConfig;
use crate::egress::Collector;
use crate::telemetry;

/// So long a span waits for others to share its export.
const EVERY: Duration = Duration::from_secs(1);

/// The export, until it is ended.
pub(super) struct Spans {
    provider: SdkTracerProvider,
    timeout: Duration,
}

/// Begins to export, where the configuration says whereto.
pub(super) fn start(
    config: &TelemetryConfig,
    secrets_dir: &Path,
) -> Result<Option<Spans>, Failure> {
    let Some(url) = config.traces_url()? else {
        return Ok(None);
    };
    let secrets = Secrets::new(Some(secrets_dir.to_owned()));
    let timeout = Duration::from_millis(config.timeout_ms.into());
    let collector = Collector::new(url.clone(), &config.headers(&secrets)?, timeout)
        .map_err(|error| format!("telemetry: {error}"))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .with_timeout(timeout)
        .build()?;
    // Everything is said here: what is left out the library reads from the environment.
    let queue = usize::try_from(config.queue_spans.get()).unwrap_or(usize::MAX);
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(queue)
        .with_max_export_batch_size(queue.min(512))
        .with_scheduled_delay(EVERY)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(batch)
        .build();
    let ratio = Sampler::TraceIdRatioBased(config.sample_ratio);
    let resource = Resource::builder_empty()
        .with_service_name(config.service_name.clone())
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_resource(resource)
        .build();
    telemetry::install(&provider);
    Ok(Some(Spans { provider, timeout }))
}

impl Spans {
    /// Exports what waits, as far as the collector takes it in time.
    pub(super) async fn end(self) {
        let Self { provider, timeout } = self;
        let ending = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(timeout));
        if !matches!(ending.await, Ok(Ok(()))) {
            tracing::warn!("the last spans were not exported");
        }
    }
}
