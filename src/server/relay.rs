//! How this instance asks the others, where several share Redis and a secret.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::config::{Config, ProxyProtocol};
use crate::connection::Connections;
use crate::poker::ids::InstanceId;
use crate::protocol::sid::{Issuer, Owner};
use crate::server::instance::StartError;
use crate::server::listener::{ListenerLimits, bind, serve};
use crate::server::proxy_protocol;
use crate::server::wiring::saturated;
use crate::store::Directory;
use crate::transport::body::Body;
use crate::transport::engineio;
use crate::transport::relay::{Owners, OwnersUnavailable, Relay, RelayLimits, SEAL};

/// TCP connections of other instances that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// The port that the other instances have for themselves, if they have one.
pub(super) fn bind_sealed(config: &Config) -> Result<Option<TcpListener>, StartError> {
    // The configuration has been checked: what is no address is empty.
    let Ok(address) = config.instances.listen.parse::<SocketAddr>() else {
        let speaks_tls = !config.server.tls_certificate_file.is_empty();
        return match is_relaying(config) && speaks_tls {
            true => Err(StartError::NoSealedAddress),
            false => Ok(None),
        };
    };
    if !is_relaying(config) {
        return Ok(None);
    }
    let listener = bind(address, BACKLOG).map_err(|error| StartError::Bind { address, error })?;
    Ok(Some(listener))
}

/// Serves what other instances have sealed, and nothing else, until it is
/// dropped.
pub(super) async fn serve_sealed(
    listener: TcpListener,
    connections: Connections,
    relay: Option<Relay>,
    limits: ListenerLimits,
) {
    let handler = move |request: Request<Incoming>, peer| {
        let (connections, relay) = (connections.clone(), relay.clone());
        async move {
            match request.headers().contains_key(SEAL) {
                true => engineio::serve(connections, relay, request, peer).await,
                false => Response::builder()
                    .status(StatusCode::NOT_FOUND)
                    .body(Body::default())
                    .expect("a status is a response"),
            }
        }
    };
    let limits = ListenerLimits {
        tls: None,
        takes_proxy_protocol: false,
        drain_timeout: Duration::ZERO,
        ..limits
    };
    serve(listener, handler, limits, pending()).await;
}

/// Who makes the ids of the connections here.
pub(super) fn issuer(config: &Config, instance: InstanceId) -> Result<Issuer, getrandom::Error> {
    let owner = Owner(instance.0);
    match config.instances.shared_secret.expose() {
        "" => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret)?;
            Ok(Issuer::new(owner, &secret))
        }
        secret => Ok(Issuer::new(owner, secret.as_bytes())),
    }
}

/// `None` where there are no others, or nothing by which to know them.
pub(super) fn relay(
    config: &Config,
    instance: InstanceId,
    directory: Arc<dyn Directory>,
) -> Option<Relay> {
    if !is_relaying(config) {
        return None;
    }
    let secret = config.instances.shared_secret.expose().as_bytes();
    let owners = Arc::new(Listed { directory });
    Some(Relay::new(Owner(instance.0), secret, owners, &limits(config)))
}

/// Whether this instance asks others, and is asked.
pub(super) fn is_relaying(config: &Config) -> bool {
    let has_others = !config.redis.url.is_empty();
    has_others && !config.instances.shared_secret.is_empty()
}

fn limits(config: &Config) -> RelayLimits {
    let (server, engine) = (&config.server, &config.engine);
    let keep_alive = Duration::from_millis(server.keep_alive_ms);
    // What is relayed came over a connection each, and goes out over another.
    let connections_max = saturated(server.connections_max);
    RelayLimits {
        requests_max: connections_max,
        tunnels_max: connections_max,
        connect_timeout: CONNECT_TIMEOUT,
        preamble: match server.proxy_protocol {
            // No proxy stands in front of the port that is the instances' own.
            ProxyProtocol::V2 if config.instances.listen.is_empty() => proxy_protocol::LOCAL,
            _ => &[],
        },
        answer_timeout: Duration::from_millis(engine.ping_interval_ms + engine.ping_timeout_ms)
            + SLACK,
        // One large message in base64 goes out whole, whatever the limit of a payload.
        answer_bytes_max: engine.outbox_bytes_max * 3 / 2 + engine.max_payload_bytes,
        idle_timeout: IDLE_TIMEOUT.min(keep_alive / 3),
        idle_connections_max: IDLE_CONNECTIONS_MAX,
    }
}

/// Within one network; a machine that is gone does not answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Added to what the heartbeat takes at the longest.
const SLACK: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const IDLE_CONNECTIONS_MAX: usize = 256;

/// The instances that hold a lease.
struct Listed {
    directory: Arc<dyn Directory>,
}

impl Owners for Listed {
    fn address_of(
        &self,
        owner: Owner,
    ) -> BoxFuture<'_, Result<Option<Arc<str>>, OwnersUnavailable>> {
        async move {
            let found = self.directory.instance(InstanceId(owner.0)).await;
            let instance = found.map_err(|_| OwnersUnavailable)?;
            let address = instance.map(|instance| instance.address);
            Ok(address.filter(|address| !address.is_empty()).map(Arc::from))
        }
        .boxed()
    }
}
