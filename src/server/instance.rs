//! One server process: from the configuration to a running instance, and to
//! its end.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::api::client_event::EventName;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::connection::{Connections, Options, Origins, Upper};
use crate::http::{EngineMount, Router, RouterLimits};
use crate::hub::{Hub, OutboxLimits};
use crate::identity::{KeyError, Keyring};
use crate::limits::Limit;
use crate::poker::command::Reclaim;
use crate::poker::policy::Policy;
use crate::server::listener::{Drained, ListenerLimits, bind, serve};
use crate::shutdown::Shutdown;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
#[cfg(feature = "redis")]
use crate::store::redis::RedisOptions;
use crate::store::{MemoryStore, SessionStore};
use crate::table::{Table, TableOptions};
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
    /// Must be called within a tokio runtime; `store` as [`open_store`] gave it.
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
            connections,
            table,
        })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown`, then lets go of everybody.
    pub async fn run(self, shutdown: Shutdown) -> Drained {
        let Self { listener, limits, router_limits, connections, table } = self;
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
        let router = Router::new(table.clone(), engine, origins, router_limits, is_draining);
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

/// Redis where one is configured, else the embedded store.
pub async fn open_store(config: &Config) -> Result<Arc<dyn SessionStore>, StartError> {
    if config.redis.url.is_empty() {
        return Ok(Arc::new(MemoryStore::new(Clock::system(), config.limits.sessions_max)));
    }
    #[cfg(feature = "redis")]
    {
        let redis = &config.redis;
        let store = RedisStore::connect(RedisOptions {
            url: redis.url.secret().clone(),
            key_prefix: redis.key_prefix.clone(),
            connect_timeout: Duration::from_millis(redis.connect_timeout_ms),
            command_timeout: Duration::from_millis(redis.command_timeout_ms),
            ready_timeout: Duration::from_millis(redis.ready_timeout_ms),
            replay_window: Duration::from_secs(redis.replay_window_seconds),
        });
        let store = store.await?;
        info!(redis.url = ?redis.url, "sessions live in Redis");
        Ok(Arc::new(store))
    }
    #[cfg(not(feature = "redis"))]
    Err(StartError::NoRedis)
}

fn keyring(config: &Config) -> Result<Keyring, StartError> {
    let keys = &config.auth.token_keys;
    if keys.is_empty() {
        warn!("no auth.token_keys configured: player tokens end with this process");
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(StartError::Randomness)?;
        return Ok(Keyring::ephemeral(secret));
    }
    let keys = keys.iter().map(|key| (key.kid.clone(), key.secret.clone()));
    Ok(Keyring::new(keys)?)
}

fn table_options(config: &Config) -> TableOptions {
    let session = &config.session;
    let limits = &config.limits;
    let rate_limits: BTreeMap<EventName, Limit> = config
        .rate_limits
        .iter()
        .filter_map(|(event, per_minute)| {
            Some((EventName::parse(event)?, Limit::per_minute(per_minute)))
        })
        .collect();
    let creates = rate_limits.get(&EventName::SessionCreate).copied();
    let defaults = TableOptions::default();
    TableOptions {
        policy: Policy {
            disconnect_grace_ms: session.disconnect_grace_ms,
            facilitator_grace_ms: session.facilitator_grace_ms,
            host_grace_ms: session.host_grace_ms,
            seat_kept_ms: session.seat_kept_minutes * 60_000,
            session_ttl_ms: session.ttl_ms,
            expiry_notice_ms: session.expiry_notice_ms,
            online_coalesce_ms: session.status_debounce_ms,
            away_coalesce_ms: session.away_debounce_ms,
            players_max: saturated(limits.players_per_session_max),
            stories_max: saturated(limits.stories_per_session_max),
            ..Policy::default()
        },
        reclaim: match config.auth.reclaim {
            config::Reclaim::Token => Reclaim::Token,
            config::Reclaim::Open => Reclaim::Open,
        },
        join_timeout: Duration::from_millis(session.join_timeout_ms),
        token_ttl_ms: config.auth.token_ttl_ms,
        tombstone_ttl_ms: session.tombstone_ttl_ms,
        creates: creates.unwrap_or(defaults.creates),
        rate_limits,
        failed_joins: Limit {
            attempts_max: saturated(limits.failed_joins_max),
            window_ms: limits.failed_joins_window_seconds * 1_000,
        },
        failed_joins_in_all: Limit::per_minute(saturated(limits.failed_joins_per_minute_max)),
        rejected: Limit::per_minute(saturated(limits.rejected_events_max)),
        ..defaults
    }
}

fn engine_options(config: &Config) -> Options {
    let engine = &config.engine;
    let allows = |transport| config.server.transports.contains(&transport);
    let origins = &config.server.origins;
    Options {
        ping_interval: Duration::from_millis(engine.ping_interval_ms),
        ping_timeout: Duration::from_millis(engine.ping_timeout_ms),
        connect_timeout: Duration::from_millis(engine.connect_timeout_ms),
        upgrade_timeout: Duration::from_millis(engine.upgrade_timeout_ms),
        max_payload_bytes: saturated(engine.max_payload_bytes),
        fragments_max: saturated(engine.fragments_max),
        packets_per_post_max: saturated(engine.packets_per_post_max),
        body_timeout: Duration::from_millis(config.server.body_timeout_ms),
        write_stall_timeout: Duration::from_millis(config.server.write_stall_ms),
        attachments_max: saturated(engine.attachments_max),
        connections_max: saturated(config.server.connections_max),
        allow_polling: allows(config::Transport::Polling),
        allow_websocket: allows(config::Transport::Websocket),
        outbox: OutboxLimits {
            messages_max: saturated(engine.outbox_messages_max),
            bytes_max: saturated(engine.outbox_bytes_max),
        },
        origins: if origins.iter().any(|origin| origin == "*") {
            Origins::Any
        } else {
            Origins::Listed(origins.clone())
        },
        // The game reads none of them.
        headers_kept: Some(Vec::new()),
        ..Options::default()
    }
}

fn listener_limits(config: &Config) -> ListenerLimits {
    let server = &config.server;
    ListenerLimits {
        connections_max: saturated(server.connections_max),
        first_head_timeout: Duration::from_millis(server.header_timeout_ms),
        idle_timeout: Duration::from_millis(server.keep_alive_ms),
        headers_max: server.header_count_max,
        buffer_bytes_max: server.header_bytes_max,
        unacknowledged_timeout: Duration::from_millis(server.write_stall_ms),
        drain_timeout: Duration::from_secs(server.drain_seconds),
    }
}

fn router_limits(config: &Config) -> RouterLimits {
    let server = &config.server;
    RouterLimits {
        body_bytes_max: server.body_bytes_max,
        body_timeout: Duration::from_millis(server.body_timeout_ms),
        ..RouterLimits::default()
    }
}

/// The configuration has checked the ranges; this only narrows the type.
fn saturated<T: TryFrom<usize> + Bounded>(value: usize) -> T {
    T::try_from(value).unwrap_or(T::MAX)
}

trait Bounded {
    const MAX: Self;
}

impl Bounded for u16 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}
