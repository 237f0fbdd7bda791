//! Where log lines go: standard error, which Lambda collects. Standard output
//! is for what a function says to CloudWatch.

use std::io;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::environment::{Environment, LOG_FORMAT, LOG_LEVEL};

/// Log as the environment says: `info`, or `info,cardroom::store=debug`; `json`
/// or `text`. To be called once, first thing.
pub fn init(environment: &Environment) {
    let (filter, is_readable) = filter(environment.get(LOG_LEVEL).unwrap_or("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let lines = lines.log_internal_errors(false);
    let layer = match environment.get(LOG_FORMAT) {
        Some("text") => lines.boxed(),
        // Lambda has its own JSON around nothing that is JSON already.
        _ => lines.json().flatten_event(true).boxed(),
    };
    // Somebody else's subscriber is as good.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    if !is_readable {
        tracing::warn!("{LOG_LEVEL} is no log filter; taking info");
    }
}

/// The filter, and whether it is the one that was asked for. What is below us
/// shows events and requests at its lower levels, tokens and all: of that only
/// warnings are let through, whatever was asked for.
fn filter(text: &str) -> (Targets, bool) {
    let parsed = text.parse::<Targets>();
    let is_readable = parsed.is_ok();
    let asked = parsed.unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let mut filter = Targets::new().with_default(LevelFilter::WARN);
    for ours in OURS {
        filter = filter.with_target(ours, asked.default_level().unwrap_or(LevelFilter::WARN));
    }
    let own = asked.iter().filter(|(name, _)| OURS.iter().any(|ours| name.starts_with(ours)));
    (filter.with_targets(own.collect::<Vec<_>>()), is_readable)
}

/// The beginnings of our targets.
const OURS: [&str; 4] = ["cardroom", "functions_support", "metrics_export", "session_validate"];

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn others_say_only_what_is_wrong() {
        let (filter, is_readable) = filter("trace,lambda_runtime=trace,cardroom::store=warn");
        assert!(is_readable);
        for others in ["lambda_runtime::layers", "hyper::proto", "redis"] {
            assert!(!filter.would_enable(others, &Level::INFO), "{others}");
            assert!(filter.would_enable(others, &Level::WARN), "{others}");
        }
        assert!(filter.would_enable("session_validate", &Level::TRACE));
        assert!(!filter.would_enable("cardroom::store::redis", &Level::INFO));
    }

    #[test]
    fn what_cannot_be_read_is_info() {
        let (filter, is_readable) = filter("[span]=loud");
        assert!(!is_readable);
        assert!(filter.would_enable("metrics_export", &Level::INFO));
        assert!(!filter.would_enable("metrics_export", &Level::DEBUG));
    }
}
