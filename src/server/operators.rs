//! What those who run the server are given: the numbers, and a port for them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::info;

use crate::config::Config;
use crate::connection::Connections;
use crate::http::metrics::on_own_port;
use crate::http::{OperatorToken, Operators};
use crate::metrics::{Metrics, Observed};
use crate::server::instance::StartError;
use crate::server::listener::{ListenerLimits, bind, serve};
use crate::server::store::Stores;
use crate::table::Table;

const BACKLOG: u32 = 64;

/// The same stores, and they count what they are asked.
pub(super) fn observed(stores: Stores, metrics: &Arc<Metrics>) -> Stores {
    Stores {
        sessions: Arc::new(Observed::new(stores.sessions, Arc::clone(metrics))),
        directory: Arc::new(Observed::new(stores.directory, Arc::clone(metrics))),
    }
}

pub(super) fn operators(
    config: &Config,
    table: &Table,
    connections: &Connections,
    metrics: &Arc<Metrics>,
    advertised_address: String,
) -> Arc<Operators> {
    Arc::new(Operators {
        metrics: Arc::clone(metrics),
        connections: connections.clone(),
        table: table.clone(),
        store: if config.redis.url.is_empty() { "memory" } else { "redis" },
        advertised_address,
        scraper: OperatorToken::new(config.metrics.token.expose()),
        administrator: OperatorToken::new(config.admin.token.expose()),
    })
}

/// The port of the numbers, if they have one.
pub(super) fn bind_metrics(config: &Config) -> Result<Option<TcpListener>, StartError> {
    // The configuration has been checked: what is no address is empty.
    let Ok(address) = config.metrics.listen.parse::<SocketAddr>() else { return Ok(None) };
    let listener = bind(address, BACKLOG).map_err(|error| StartError::Bind { address, error })?;
    if let Ok(address) = listener.local_addr() {
        info!(%address, "listening for scrapes");
    }
    Ok(Some(listener))
}

/// Serves the numbers until it is dropped: to the very end, so that a drain
/// can be watched.
pub(super) async fn serve_metrics(listener: TcpListener, operators: Arc<Operators>) {
    let limits = ListenerLimits {
        // A few scrapers; whoever holds more is not one.
        connections_max: 16,
        first_head_timeout: Duration::from_secs(5),
        drain_timeout: Duration::ZERO,
        ..ListenerLimits::default()
    };
    let handler = move |request, _peer| on_own_port(Arc::clone(&operators), request);
    serve(listener, handler, limits, std::future::pending()).await;
}
