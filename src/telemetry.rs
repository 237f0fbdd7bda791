//! Where log lines go: standard error, as text for people or JSON for
//! machines. Call one of the two once, first thing. And where spans go, if
//! anywhere: to a collector ([`Spans`]).
//!
//! A line that cannot be written is lost and nothing else happens: complaining
//! about it on the same standard error, as the subscriber would by default,
//! panics the task that logs once the log's reader is gone.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

#[cfg(feature = "otlp")]
mod courier;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "telemetry/no_otlp.rs"]
mod otlp;

pub use otlp::Spans;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the log level cannot be read: {0}")]
    Filter(#[from] ParseError),
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
    #[cfg(feature = "otlp")]
    #[error("failed to prepare log.otlp_endpoint: {0}")]
    Exporter(Box<dyn std::error::Error + Send + Sync>),
    #[cfg(not(feature = "otlp"))]
    #[error("log.otlp_endpoint is set, but this program was built without the feature `otlp`")]
    NoOtlp,
}

/// One line per event, coloured on a terminal. `filter` is a level (`info`)
/// or directives (`info,cardroom::table=debug`); it does not concern `spans`.
pub fn init_text(filter: &str, spans: Option<&Spans>) -> Result<(), TelemetryError> {
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal());
    init(lines, filter, spans)
}

/// One JSON object per event, fields at the top level.
pub fn init_json(filter: &str, spans: Option<&Spans>) -> Result<(), TelemetryError> {
    let lines =
        fmt::layer().json().flatten_event(true).with_writer(io::stderr).log_internal_errors(false);
    init(lines, filter, spans)
}

fn init<L>(lines: L, filter: &str, spans: Option<&Spans>) -> Result<(), TelemetryError>
where
    L: Layer<Registry> + Send + Sync,
{
    let filter = EnvFilter::try_new(filter)?;
    let registry = tracing_subscriber::registry();
    match spans {
        None => registry.with(lines).with(filter).try_init()?,
        // Each for itself: spans below the level of the log are exported too.
        Some(spans) => registry.with(lines.with_filter(filter)).with(spans.layer()).try_init()?,
    }
    Ok(())
}
