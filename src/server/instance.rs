//! One server process: from the configuration to a running instance, and to
//! its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::info;

use crate::config::Config;
use crate::connection::{Connections, Options, Upper};
use crate::http::{EngineMount, Operators, Page, Router, RouterLimits};
use crate::hub::Hub;
use crate::identity::KeyError;
use crate::metrics::Metrics;
use crate::poker::ids::InstanceId;
use crate::server::advertised::advertised_address;
use crate::server::drain::{Drain, DrainPlan};
#[cfg(feature = "redis")]
use crate::server::emitter::{self, Emitter};
use crate::server::listener::{ListenerLimits, bind, serve};
use crate::server::memory::{self, MemoryWatch};
use crate::server::operators::{bind_metrics, observed, operators, serve_metrics};
use crate::server::relay::{bind_sealed, is_relaying, issuer, relay, serve_sealed};
use crate::server::store::Stores;
use crate::server::tls::{TlsError, reload_on_hangup};
use crate::server::wiring::{
    drain_plan, engine_options, keyring, listener_limits, router_limits, table_options, tls,
};
use crate::shutdown::Shutdown;
use crate::table::Table;
use crate::transport::engineio;
use crate::transport::relay::Relay;

/// TCP connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 4_096;

/// For what is still to be saved when nobody is connected any more.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(3);

/// An instance that listens; it answers once it [runs](Instance::run).
pub struct Instance {
    listener: TcpListener,
    /// For the other instances alone.
    sealed: Option<TcpListener>,
    memory: Option<MemoryWatch>,
    limits: ListenerLimits,
    router_limits: RouterLimits,
    page: Page,
    connections: Connections,
    relay: Option<Relay>,
    drain_plan: DrainPlan,
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
    #[error(
        "server.tls_certificate_file and server.tls_key_file belong together: set both, or none"
    )]
    HalfTls,
    #[error(
        "instances.shared_secret is set, and server.listen speaks TLS: \
         set instances.listen to an address for the other instances"
    )]
    NoSealedAddress,
    #[error(transparent)]
    Tls(#[from] TlsError),
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
        Self::start_as(None, config, stores)
    }

    /// The same, under an id that was drawn before.
    pub fn start_as(
        id: Option<InstanceId>,
        config: &Config,
        stores: Stores,
    ) -> Result<Self, StartError> {
        let address = config.server.listen;
        let listener =
            bind(address, BACKLOG).map_err(|error| StartError::Bind { address, error })?;
        let mut limits = listener_limits(config);
        limits.tls = tls(config)?;
        let sealed = bind_sealed(config)?;
        let reached_at = sealed.as_ref().unwrap_or(&listener).local_addr();
        let reached_at = reached_at.map_err(|error| StartError::Bind { address, error })?;
        let metrics = Arc::<Metrics>::default();
        limits.metrics = Arc::clone(&metrics);
        let metrics_listener = bind_metrics(config)?;
        let Stores { sessions, directory } = observed(stores, &metrics);
        let advertised_address = advertised_address(config, reached_at)?;
        let mut options = table_options(config, advertised_address.clone());
        options.metrics = Arc::clone(&metrics);
        options.instance = id;
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
            sealed,
            limits,
            drain_plan: drain_plan(config),
            memory: memory::watch(config.server.memory_bytes_max, connections.clone()),
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

    pub fn scheme(&self) -> &'static str {
        if self.limits.tls.is_some() { "https" } else { "http" }
    }

    /// Where the numbers are served, if on a port of their own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// Serves until `shutdown`, then lets go of everybody. Whoever asks it to
    /// drain through the directory is obeyed at once, and the instance then
    /// waits for `shutdown` without anybody.
    pub async fn run(self, shutdown: Shutdown) -> Ended {
        #[cfg(feature = "redis")]
        let _emitter = self._emitter;
        let Self {
            listener,
            sealed,
            memory: _memory,
            limits,
            router_limits,
            connections,
            relay,
            drain_plan,
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
        let sealed = sealed.map(|listener| {
            let (connections, relay) = (connections.clone(), relay.clone());
            tokio::spawn(serve_sealed(listener, connections, relay, limits.clone()))
        });
        let hangups = limits.tls.clone().map(|tls| tokio::spawn(reload_on_hangup(tls)));
        let is_draining = {
            let connections = connections.clone();
            move || connections.are_turned_away()
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
        let drain = Drain { connections, relay, table, plan: drain_plan };
        let ending = async {
            tokio::select! {
                () = shutdown.requested() => {}
                () = drain.table.asked_to_drain() => info!("asked to drain"),
            }
            metrics.draining.set(1);
            drain.run().await;
            // Behind some load balancers the signal comes when they are done.
            shutdown.requested().await;
            if let Some(relay) = &drain.relay {
                relay.close();
            }
        };
        let drained = serve(listener, handler, limits, ending).await;
        let is_settled = timeout(SETTLE_TIMEOUT, leaving.settle()).await.is_ok();
        let is_retired = leaving.retire().await;
        let is_saved = is_settled && is_retired;
        for task in [scraped, sealed, hangups].into_iter().flatten() {
            task.abort();
        }
        Ended { connections_left: drained.connections_left, is_saved }
    }
}

/// How an instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were open to the last and had to be dropped. A client
    /// that polls and was away is none: it is told by another instance.
    pub connections_left: usize,
    /// That all are gone is written, in the sessions and in the directory.
    pub is_saved: bool,
}

impl Ended {
    pub fn is_clean(&self) -> bool {
        self.connections_left == 0 && self.is_saved
    }
}
