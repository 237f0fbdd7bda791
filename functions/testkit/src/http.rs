//! A small HTTP server on a free port of 127.0.0.1.

use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) type Answer = Response<Full<Bytes>>;

/// Serves until the runtime ends; returns the port.
pub(crate) async fn serve<Handle, Handling>(handle: Handle) -> u16
where
    Handle: Fn(Request<Incoming>) -> Handling + Clone + Send + 'static,
    Handling: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Without it each call takes 40 ms.
            stream.set_nodelay(true).expect("a socket");
            let handle = handle.clone();
            let service = service_fn(move |request| {
                let handling = handle(request);
                async move { Ok::<_, Infallible>(handling.await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    Response::builder().status(status).body(Full::new(body.into())).expect("a response")
}

pub(crate) async fn body(request: Request<Incoming>) -> Bytes {
    request.into_body().collect().await.expect("a whole body").to_bytes()
}
