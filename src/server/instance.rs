//! One server process: from the configuration to a running instance, and to
//! its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::info;

use crate::config::Config;
use crate::connection::{Connections, Options, Upper};
use crate::http::{EngineMount, Operators, Page, Router, RouterLimits};
use crate::hub::Hub;
use crate::identity::KeyError;
use crate::metrics::Metrics;
use crate::server::advertised::advertised_address;
#[cfg(feature = "redis")]
use crate::server::emitter::{self, Emitter};
use crate::server::listener::{Drained, ListenerLimits, bind, serve};
use crate::server::memory::{self, MemoryWatch};
use crate::server::operators::{bind_metrics, observed, operators, serve_metrics};
use crate::server::relay::{is_relaying, issuer, relay};
use crate::server::store::Stores;
use crate::server::wiring::{
    engine_options, keyring, listener_limits, router_limits, table_options,
};
use crate::shutdown::Shutdown;
use crate::table::Table;
use crate::transport::engineio;
use crate::transport::relay::Relay;

/// TCP connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 4_096;

/// From the goodbye to the close. A polling client that learns of both in one
/// answer takes the close first and hears nothing else.
const GOODBYE: Duration = Duration::from_millis(250);

/// An instance that listens; it answers once it [runs](Instance::run).
pub struct Instance {
    listener: TcpListener,
    memory: Option<MemoryWatch>,
    limits: ListenerLimits,
    router_limits: RouterLimits,
    page: Page,
    connections: Connections,
    relay: Option<Relay>,
    table: Table,
    metrics: Arc<Metrics>,
    operators: Arc<Operators>,
    metrics_listener: Option<TcpListener>,
    #[cfg(feature = "redis")]
    _emitter: Option<Emitter>,
}

/// Why an instance did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("failed to listen on {address}: {error}")]
    Bind { address: SocketAddr, error: io::Error },
    #[error("failed to use the token keys: {0}")]
    Keys(#[from] KeyError),
    #[error(
        "instances.shared_secret is set, and server.listen is every address: \
         set instances.advertised_address to the one that the other instances reach"
    )]
    NoAddress,
    #[error("failed to draw a random key: {0}")]
    Randomness(getrandom::Error),
    #[cfg(feature = "redis")]
    #[error(transparent)]
    Redis(#[from] crate::store::redis::ConnectError),
    #[cfg(not(feature = "redis"))]
    #[error("redis.url is set, but this program was built without the feature `redis`")]
    NoRedis,
}

impl Instance {
    /// Must be called within a tokio runtime; `stores` as [`open_store`](crate::server::open_store) gave it.
    pub fn start(config: &Config, stores: Stores) -> Result<Self, StartError> {
        let address = config.server.listen;
        let listener =
            bind(address, BACKLOG).map_err(|error| StartError::Bind { address, error })?;
        let listens_on =
            listener.local_addr().map_err(|error| StartError::Bind { address, error })?;
        let metrics = Arc::<Metrics>::default();
        let metrics_listener = bind_metrics(config)?;
        let Stores { sessions, directory } = observed(stores, &metrics);
        let advertised_address = advertised_address(config, listens_on)?;
        let mut options = table_options(config, advertised_address.clone());
        options.metrics = Arc::clone(&metrics);
        if !config.redis.url.is_empty() && !is_relaying(config) {
            info!("no instances.shared_secret: several instances need sticky sessions");
        }
        let hub = Hub::new();
        #[cfg(feature = "redis")]
        let emitter = emitter::start(config, hub.clone());
        let lookups = Arc::clone(&directory);
        let table = Table::new(sessions, directory, hub, keyring(config)?, options);
        let issuer = issuer(config, table.instance()).map_err(StartError::Randomness)?;
        let upper = Upper::SocketIo(Arc::new(table.clone()));
        let engine_options = Options { metrics: Arc::clone(&metrics), ..engine_options(config) };
        let connections = Connections::with_issuer(engine_options, upper, issuer);
        let operators = operators(config, &table, &connections, &metrics, advertised_address);
        let relay = relay(config, table.instance(), lookups);
        Ok(Self {
            listener,
            memory: memory::watch(config.server.memory_bytes_max, connections.clone()),
            limits: ListenerLimits { metrics: Arc::clone(&metrics), ..listener_limits(config) },
            router_limits: router_limits(config),
            page: Page::new(&config.page.frame_ancestors),
            connections,
            relay,
            table,
            metrics,
            operators,
            metrics_listener,
            #[cfg(feature = "redis")]
            _emitter: emitter,
        })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where the numbers are served, if on a port of their own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// Serves until `shutdown`, then lets go of everybody.
    pub async fn run(self, shutdown: Shutdown) -> Drained {
        #[cfg(feature = "redis")]
        let _emitter = self._emitter;
        let Self {
            listener,
            memory: _memory,
            limits,
            router_limits,
            connections,
            relay,
            page,
            table,
            metrics,
            operators,
            metrics_listener,
            ..
        } = self;
        let scraped = metrics_listener
            .map(|listener| tokio::spawn(serve_metrics(listener, Arc::clone(&operators))));
        let engine = {
            let connections = connections.clone();
            let relay = relay.clone();
            let path = connections.options().path.clone();
            EngineMount::new(path, move |request, peer| {
                engineio::serve(connections.clone(), relay.clone(), request, peer)
            })
        };
        let is_draining = {
            let shutdown = shutdown.clone();
            move || shutdown.is_requested()
        };
        let origins = connections.options().origins.clone();
        let leaving = table.clone();
        let router = Router::new(
            table.clone(),
            engine,
            origins,
            router_limits,
            page,
            operators,
            is_draining,
        );
        let handler = move |request, peer| router.handle(request, peer);
        let ending = {
            let connections = connections.clone();
            async move {
                shutdown.requested().await;
                metrics.draining.set(1);
                info!(connections = connections.len(), "closing the connections");
                table.say_goodbye();
                tokio::time::sleep(GOODBYE).await;
                connections.drain();
                if let Some(relay) = relay {
                    relay.close();
                }
            }
        };
        let drained = serve(listener, handler, limits, ending).await;
        leaving.retire().await;
        if let Some(scraped) = scraped {
            scraped.abort();
        }
        drained
    }
}
