//! Where log lines go: standard error, as text for people or JSON for
//! machines. Call one of the two once, first thing.
//!
//! A line that cannot be written is lost and nothing else happens: complaining
//! about it on the same standard error, as the subscriber would by default,
//! panics the task that logs once the log's reader is gone.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the log level cannot be read: {0}")]
    Filter(#[from] ParseError),
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
}

/// One line per event, coloured on a terminal. `filter` is a level (`info`)
/// or directives (`info,cardroom::table=debug`).
pub fn init_text(filter: &str) -> Result<(), TelemetryError> {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .finish();
    Ok(subscriber.try_init()?)
}

/// One JSON object per event, fields at the top level.
pub fn init_json(filter: &str) -> Result<(), TelemetryError> {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .finish();
    Ok(subscriber.try_init()?)
}
