//! Spans, by OTLP over HTTP, to a collector.
//!
//! Only spans of ours, with the few fields that they are declared with; log
//! lines stay here. A span that ends is put into a bounded queue or dropped,
//! never waited for; a thread of its own takes them out.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing::warn;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::telemetry::TelemetryError;
use crate::telemetry::courier::Courier;

/// Ended spans that may wait; more are dropped.
const QUEUE_SPANS_MAX: usize = 4_096;
/// Spans of one request to the collector.
const BATCH_SPANS_MAX: usize = 512;
/// How long an ended span waits for others.
const BATCH_DELAY: Duration = Duration::from_secs(2);
/// From the first attempt with a batch to the beginning of the last one.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the process may be put off.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Spans on their way to a collector.
#[derive(Debug)]
pub struct Spans {
    provider: SdkTracerProvider,
}

impl Spans {
    /// `None` without an endpoint. `instance` becomes `service.instance.id`.
    /// What OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and
    /// OTEL_EXPORTER_OTLP_HEADERS say holds as well.
    pub fn open(endpoint: &str, instance: &str) -> Result<Option<Self>, TelemetryError> {
        if endpoint.is_empty() {
            return Ok(None);
        }
        let courier = Courier::new().map_err(|error| TelemetryError::Exporter(error.into()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(courier)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Exporter(error.into()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_SPANS_MAX)
            .with_max_export_batch_size(BATCH_SPANS_MAX)
            .with_scheduled_delay(BATCH_DELAY)
            .build();
        let queue = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        let resource = Resource::builder()
            .with_service_name("cardroom")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
            .build();
        let provider =
            SdkTracerProvider::builder().with_span_processor(queue).with_resource(resource).build();
        Ok(Some(Self { provider }))
    }

    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        // No events: a span may last for days, and what is logged in it would
        // be kept until it ends.
        let is_ours = filter_fn(|metadata| {
            metadata.is_span() && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
        });
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("cardroom"))
            .with_context_activation(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(is_ours.with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Hands over what waits, for `FLUSH_TIMEOUT` at the most. Blocks.
    pub fn end(self) {
        let (ended, wait) = sync_channel(1);
        // Apart: the provider waits for its thread, and that one may be deaf.
        thread::spawn(move || ended.send(self.provider.shutdown_with_timeout(FLUSH_TIMEOUT)));
        if !matches!(wait.recv_timeout(FLUSH_TIMEOUT), Ok(Ok(()))) {
            warn!("spans were left when the process ended");
        }
    }
}
