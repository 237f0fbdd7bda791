//! One accepted connection as long as it speaks HTTP.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::server::ambiguity::{is_ambiguous, refusal};
use crate::server::arrival::{Arrivals, Arrived};
use crate::server::listener::{Handler, ListenerLimits};
use crate::transport::body::BreakOff;
use crate::transport::stalling::Stalling;
use crate::transport::stream::Stream;

pub(super) struct HttpConnection<H> {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) permit: OwnedSemaphorePermit,
    pub(super) arrivals: Arc<Arrivals>,
    pub(super) handler: Arc<H>,
    pub(super) limits: Arc<ListenerLimits>,
    pub(super) draining: watch::Receiver<bool>,
}

impl<H: Handler> HttpConnection<H> {
    /// Serves requests until either side has enough, or the connection is
    /// upgraded and lives on without this task.
    ///
    /// Its errors are the peer's: a broken request (which hyper has answered), a
    /// time-out, a reset. There is nobody to tell and nothing to do.
    pub(super) async fn run(self) {
        let Self { stream, peer, permit, arrivals, handler, limits, mut draining } = self;
        let first_head_due = Instant::now() + limits.first_head_timeout;
        let arrived = tokio::select! {
            biased;
            arrived = arrivals.judge(stream, peer, permit, first_head_due) => arrived,
            _ = draining.wait_for(|draining| *draining) => None,
        };
        let Some(Arrived { stream, client, slot }) = arrived else { return };
        let stream = match &limits.tls {
            None => Stream::Plain(stream),
            Some(tls) => match tls.secure(stream, limits.first_head_timeout).await {
                Some(stream) => stream,
                None => return,
            },
        };
        let is_secure = limits.tls.is_some();
        let has_asked = AtomicBool::new(false);
        let service = service_fn(|mut request: Request<Incoming>| {
            has_asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(slot.clone());
            let peer = client.of(request.headers());
            let asked = (!is_ambiguous(&request)).then(|| handler.handle(request, peer));
            let mut response = Box::pin(async {
                match asked {
                    Some(answer) => answer.await,
                    None => refusal(),
                }
            });
            // hyper drops a request unpolled if the peer's hanging up came
            // along with it; a poll that was sent and aborted must be seen.
            let mut at_once = Context::from_waker(Waker::noop());
            let first = response.as_mut().poll(&mut at_once);
            async move {
                let response = async {
                    match first {
                        Poll::Ready(response) => response,
                        Poll::Pending => response.await,
                    }
                };
                let mut response = response.await;
                if is_secure {
                    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, ONE_YEAR);
                }
                match response.extensions().get::<BreakOff>() {
                    Some(BreakOff) => Err(BreakOff),
                    None => Ok(response),
                }
            }
        });
        let connection = http1(&limits)
            .serve_connection(
                TokioIo::new(Stalling::new(stream, limits.unacknowledged_timeout)),
                service,
            )
            .with_upgrades();
        let mut connection = pin!(connection);
        let mut first_head = pin!(sleep_until(first_head_due));
        let mut is_first_head_due = false;

        loop {
            tokio::select! {
                _ended = connection.as_mut() => return,
                () = &mut first_head, if !is_first_head_due => {
                    is_first_head_due = true;
                    if !has_asked.load(Ordering::Relaxed) {
                        return;
                    }
                }
                _ = draining.wait_for(|draining| *draining) => break,
            }
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limits.drain_timeout, connection).await;
    }
}

fn http1(limits: &ListenerLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // Runs from the moment hyper waits for a head, so it limits both how
        // long a head may take and how long a connection may be idle.
        .header_read_timeout(limits.idle_timeout)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.buffer_bytes_max.max(HYPER_BUFFER_BYTES_MIN))
        // A peer that hung up cancels its request: a parked poll must notice.
        .half_close(false);
    builder
}

/// Whoever was here over TLS comes back over TLS (RFC 6797).
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// hyper panics below.
const HYPER_BUFFER_BYTES_MIN: usize = 8192;
