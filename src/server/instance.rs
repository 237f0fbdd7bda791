//! One server process: from the configuration to a running instance, and to
//! its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::info;

use crate::config::Config;
use crate::connection::{Connections, Upper};
use crate::http::{EngineMount, Page, Router, RouterLimits};
use crate::hub::Hub;
use crate::identity::KeyError;
use crate::server::listener::{Drained, ListenerLimits, bind, serve};
use crate::server::wiring::{
    engine_options, keyring, listener_limits, router_limits, table_options,
};
use crate::shutdown::Shutdown;
use crate::store::SessionStore;
use crate::table::Table;
use crate::transport::engineio;

/// TCP connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 4_096;

/// From the goodbye to the close. A polling client that learns of both in one
/// answer takes the close first and hears nothing else.
const GOODBYE: Duration = Duration::from_millis(250);

/// An instance that listens; it answers once it [runs](Instance::run).
pub struct Instance {
    listener: TcpListener,
    limits: ListenerLimits,
    router_limits: RouterLimits,
    page: Page,
    connections: Connections,
    table: Table,
}

/// Why an instance did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("failed to listen on {address}: {error}")]
    Bind { address: SocketAddr, error: io::Error },
    #[error("failed to use the token keys: {0}")]
    Keys(#[from] KeyError),
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
    /// Must be called within a tokio runtime; `store` as [`open_store`](crate::server::open_store) gave it.
    pub fn start(config: &Config, store: Arc<dyn SessionStore>) -> Result<Self, StartError> {
        let address = config.server.listen;
        let listener =
            bind(address, BACKLOG).map_err(|error| StartError::Bind { address, error })?;
        let table = Table::new(store, Hub::new(), keyring(config)?, table_options(config));
        let connections =
            Connections::new(engine_options(config), Upper::SocketIo(Arc::new(table.clone())));
        Ok(Self {
            listener,
            limits: listener_limits(config),
            router_limits: router_limits(config),
            page: Page::new(&config.page.frame_ancestors),
            connections,
            table,
        })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown`, then lets go of everybody.
    pub async fn run(self, shutdown: Shutdown) -> Drained {
        let Self { listener, limits, router_limits, page, connections, table } = self;
        let engine = {
            let connections = connections.clone();
            let path = connections.options().path.clone();
            EngineMount::new(path, move |request, peer| {
                engineio::serve(connections.clone(), request, peer)
            })
        };
        let is_draining = {
            let shutdown = shutdown.clone();
            move || shutdown.is_requested()
        };
        let origins = connections.options().origins.clone();
        let router = Router::new(table.clone(), engine, origins, router_limits, page, is_draining);
        let handler = move |request, peer| router.handle(request, peer);
        let ending = {
            let connections = connections.clone();
            async move {
                shutdown.requested().await;
                info!(connections = connections.len(), "closing the connections");
                table.say_goodbye();
                tokio::time::sleep(GOODBYE).await;
                connections.drain();
            }
        };
        serve(listener, handler, limits, ending).await
    }
}
