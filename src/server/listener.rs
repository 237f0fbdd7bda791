//! The accept loop: how many connections, what when there are too many, and
//! how it ends.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::metrics::{Metrics, TcpTurnedAway};
use crate::server::arrival::Arrivals;
use crate::server::client_address::TrustedProxies;
use crate::server::http_connection::HttpConnection;
use crate::server::tls::Tls;
use crate::transport::body::Body;

/// What one instance gives to its peers.
#[derive(Debug, Clone)]
pub struct ListenerLimits {
    /// Secures the connections; `None`: they are plain.
    pub tls: Option<Arc<Tls>>,
    /// TCP connections at one time, upgraded ones included. Further ones are
    /// told 503, so that a load balancer tries another instance.
    pub connections_max: u32,
    /// TCP connections of one address. Further ones are good only for what is
    /// open already; twice as many are told 503. Proxies are exempt.
    pub connections_per_address_max: u32,
    pub trusted_proxies: TrustedProxies,
    /// Whether each connection begins with the PROXY protocol, version 2: then
    /// only those of trusted proxies are served.
    pub takes_proxy_protocol: bool,
    /// Where what happens is counted.
    pub metrics: Arc<Metrics>,
    /// From accept to the end of the first request's head.
    pub first_head_timeout: Duration,
    /// From a response to the end of the next request's head: a connection may
    /// be idle that long. Above the idle time of a load balancer in front, or
    /// it will send requests into connections that are just being closed.
    pub idle_timeout: Duration,
    /// Header lines of one request; 431 beyond.
    pub headers_max: usize,
    /// Bytes of one request's head, and of what is buffered per connection;
    /// at least 8,192.
    pub buffer_bytes_max: usize,
    /// How long a peer may leave bytes unacknowledged, or its window shut,
    /// before the kernel ends the connection: nobody else limits how slowly a
    /// response is read. Linux only.
    pub unacknowledged_timeout: Duration,
    /// SO_SNDBUF of each connection, which the kernel doubles; 0: the kernel's
    /// own, which grows while a peer reads slowly.
    pub send_buffer_bytes: usize,
    /// SO_RCVBUF, likewise.
    pub receive_buffer_bytes: usize,
    /// From the shutdown signal until whatever is left is dropped.
    pub drain_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            tls: None,
            connections_max: 50_000,
            connections_per_address_max: 4_000,
            trusted_proxies: TrustedProxies::default(),
            takes_proxy_protocol: false,
            metrics: Arc::default(),
            first_head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            headers_max: 64,
            buffer_bytes_max: 16 * 1024,
            unacknowledged_timeout: Duration::from_secs(30),
            send_buffer_bytes: 0,
            receive_buffer_bytes: 0,
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// Answers requests. Infallible: every failure has a response.
///
/// The future is dropped when the peer hangs up, so state that must outlive
/// that belongs elsewhere.
pub trait Handler: Send + Sync + 'static {
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Body>> + Send + 'static;
}

impl<F, Fut> Handler for F
where
    F: Fn(Request<Incoming>, SocketAddr) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Body>> + Send + 'static {
        self(request, peer)
    }
}

/// Listens on `address`; connections wait in the kernel, `backlog` at most,
/// until [`serve`] accepts them.
pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// How the drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open at `drain_timeout`.
    pub connections_left: usize,
}

/// Accepts and serves until `shutdown` is done, then drains.
///
/// From then on the port is closed, idle connections end, and each request in
/// flight is finished and told `Connection: close`. Long polls and upgraded
/// connections end only if their owner ends them; they are waited for.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    handler: H,
    limits: ListenerLimits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let slots = Arc::new(Semaphore::new(limits.connections_max as usize));
    let (drain, draining) = watch::channel(false);
    let handler = Arc::new(handler);
    let limits = Arc::new(limits);
    let arrivals = Arc::new(Arrivals::new(Arc::clone(&limits)));
    let mut shutdown = pin!(shutdown);
    let mut backoff = Backoff::default();

    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_the_peer(&error) => continue,
            Err(error) => {
                let pause = backoff.next();
                tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "failed to accept");
                match timeout(pause, &mut shutdown).await {
                    Ok(()) => break,
                    Err(_elapsed) => continue,
                }
            }
        };
        backoff = Backoff::default();
        let Ok(permit) = Arc::clone(&slots).try_acquire_owned() else {
            arrivals.turn_away(stream, TcpTurnedAway::Full);
            continue;
        };
        set_options(&stream, &limits);
        let connection = HttpConnection {
            stream,
            peer,
            permit,
            arrivals: Arc::clone(&arrivals),
            handler: Arc::clone(&handler),
            limits: Arc::clone(&limits),
            draining: draining.clone(),
        };
        tokio::spawn(connection.run());
    }

    drop(listener);
    drain.send_replace(true);
    let all_slots = slots.acquire_many(limits.connections_max);
    let connections_left = match timeout(limits.drain_timeout, all_slots).await {
        Ok(_) => 0,
        Err(_) => (limits.connections_max as usize).saturating_sub(slots.available_permits()),
    };
    Drained { connections_left }
}

/// Frames are small and written whole: Nagle would only hold them back. All
/// options fail on a socket that is already gone, which the next read will tell.
fn set_options(stream: &TcpStream, limits: &ListenerLimits) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // Fixed, they no longer grow with a peer's slowness: what waits beyond them
    // waits in the outbox, where it is counted.
    if 0 < limits.send_buffer_bytes {
        let _ = socket.set_send_buffer_size(limits.send_buffer_bytes);
    }
    if 0 < limits.receive_buffer_bytes {
        let _ = socket.set_recv_buffer_size(limits.receive_buffer_bytes);
    }
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(limits.unacknowledged_timeout));
}

/// The connection was gone before it was accepted; the next one may be fine.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | ConnectionRefused | Interrupted)
}

/// Out of descriptors or memory, accept fails at once and again: a loop
/// without a pause would take a whole core from those who could free some.
#[derive(Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(1);

    fn next(&mut self) -> Duration {
        let pause = Self::FIRST * 2u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        pause.min(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_limit() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..9).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }
}
