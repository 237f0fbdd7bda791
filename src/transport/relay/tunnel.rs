//! WebSockets whose connection another instance has: their bytes go there and
//! back, and nobody here looks at them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::transport::body::Body;
use crate::transport::relay::dial::{Bound, dial};
use crate::transport::relay::{RelayLimits, Unanswered, headers};
use crate::transport::slot::ConnectionSlot;
use crate::transport::stalling::Stalling;

/// From the owner's 101 to the client's, and from the end of one direction to
/// that of the other: closing a WebSocket takes a moment.
const LINGER: Duration = Duration::from_secs(10);

pub(super) struct Tunnels {
    places: Arc<Semaphore>,
    connect_timeout: Duration,
    answer_bytes_max: usize,
}

impl Tunnels {
    pub(super) fn new(limits: &RelayLimits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.tunnels_max as usize)),
            connect_timeout: limits.connect_timeout,
            answer_bytes_max: limits.answer_bytes_max,
        }
    }

    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Asks the owner for the WebSocket that the client asks for. If it
    /// agrees, so do we, and the two are connected until either ends, or
    /// `until` does.
    pub(super) async fn open(
        &self,
        place: OwnedSemaphorePermit,
        address: &str,
        mut request: Request<Incoming>,
        until: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Response<Body>, Unanswered> {
        let slot = request.extensions_mut().remove();
        let client = hyper::upgrade::on(&mut request);
        let request = Request::from_parts(headers::of_upgrade(request.into_parts().0), NO_BODY);

        let stream = dial(address, self.connect_timeout).await?;
        let (mut sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| Unanswered::Lost)?;
        let driver = Bound(tokio::spawn(async move {
            let _ = driver.with_upgrades().await;
        }));
        let mut response = sender.send_request(request).await.map_err(|_| Unanswered::Lost)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return self.pass_on(response).await;
        }
        let owner = hyper::upgrade::on(&mut response);
        let tunnel = Tunnel { client, owner, _slot: slot, _place: place, _driver: driver };
        tokio::spawn(tunnel.run(until));
        Ok(response.map(|_| Body::default()))
    }

    async fn pass_on(&self, response: Response<Incoming>) -> Result<Response<Body>, Unanswered> {
        let (mut parts, body) = response.into_parts();
        let body = Limited::new(body, self.answer_bytes_max).collect();
        let body = body.await.map_err(|_| Unanswered::Lost)?.to_bytes();
        headers::strip(&mut parts.headers);
        parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Ok(Response::from_parts(parts, Body::new(body)))
    }
}

const NO_BODY: Empty<Bytes> = Empty::new();

struct Tunnel {
    client: OnUpgrade,
    owner: OnUpgrade,
    /// It goes on counting among the connections of this instance.
    _slot: Option<ConnectionSlot>,
    _place: OwnedSemaphorePermit,
    _driver: Bound<()>,
}

impl Tunnel {
    async fn run(self, until: impl Future<Output = ()>) {
        let Self { client, owner, .. } = self;
        let both = async { tokio::try_join!(client, owner) };
        // A client that leaves before its 101 needs no tunnel; dropped, the
        // other end tells the owner.
        let Ok(Ok((client, owner))) = timeout(LINGER, both).await else { return };
        let (Some(client), Some(owner)) = (End::client(client), End::owner(owner)) else { return };
        tokio::select! {
            () = connect(client, owner) => {}
            () = until => {}
        }
    }
}

/// One end: the TCP stream, and what was read of it with the HTTP head.
struct End {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    ahead: Bytes,
}

impl End {
    fn client(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<Stalling<TcpStream>>>().ok()?;
        Some(Self::new(parts.io.into_inner().into_inner(), parts.read_buf))
    }

    fn owner(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
        Some(Self::new(parts.io.into_inner(), parts.read_buf))
    }

    fn new(stream: TcpStream, ahead: Bytes) -> Self {
        let (read, write) = stream.into_split();
        Self { read, write, ahead }
    }
}

/// The owner's heartbeat ends what is silent. Once one direction has ended,
/// the other has little to say.
async fn connect(client: End, owner: End) {
    let mut up = Box::pin(carry(client.ahead, client.read, owner.write));
    let mut down = Box::pin(carry(owner.ahead, owner.read, client.write));
    let _ = tokio::select! {
        _ = &mut up => timeout(LINGER, down).await,
        _ = &mut down => timeout(LINGER, up).await,
    };
}

async fn carry(ahead: Bytes, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    to.write_all(&ahead).await?;
    drop(ahead);
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}
