//! Profile `websocket`: a bare WebSocket on `/` that sends back each message,
//! for suites that judge RFC 6455 alone.

use std::collections::VecDeque;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming as RequestBody;
use tokio::net::TcpListener;

use cardroom::protocol::frame::{self, Opcode};
use cardroom::server::{self, ListenerLimits};
use cardroom::transport::body::Body;
use cardroom::transport::websocket::close::{self, CloseCode, CloseLimits};
use cardroom::transport::websocket::{
    Incoming, Pending, ReadEnd, ReadLimits, Reader, WriteEnd, Writer, handshake,
};

const STALL_TIMEOUT: Duration = Duration::from_secs(20);
const CLOSE_LIMITS: CloseLimits =
    CloseLimits { linger: Duration::from_secs(2), drain_bytes_max: 32 << 20 };

pub(crate) async fn serve(listener: TcpListener, limits: ReadLimits) {
    let handler = move |request, _peer: SocketAddr| {
        let response = respond(request, limits);
        async move { response }
    };
    server::serve(listener, handler, ListenerLimits::default(), pending()).await;
}

fn respond(mut request: Request<RequestBody>, limits: ReadLimits) -> Response<Body> {
    if request.uri().path() != "/" {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    match handshake::accept(&mut request) {
        Ok((response, pending)) => {
            tokio::spawn(echo(pending, limits));
            response.map(|()| Body::default())
        }
        Err(fault) => fault.response().map(|()| Body::from(fault.to_string())),
    }
}

async fn echo(pending: Pending, limits: ReadLimits) {
    let Ok((mut reader, mut writer)) = pending.open(limits, STALL_TIMEOUT).await else { return };
    if let Some(Farewell(code)) = echo_messages(&mut reader, &mut writer).await {
        close::close(reader, writer, code, CLOSE_LIMITS).await;
    }
}

/// The code to close with, if any.
struct Farewell(Option<CloseCode>);

/// Returns `None` if nobody is left to say farewell to.
async fn echo_messages(reader: &mut Reader, writer: &mut Writer) -> Option<Farewell> {
    loop {
        let sent = match reader.next().await {
            Ok(Incoming::Text(payload)) => send(writer, Opcode::Text, &payload).await,
            Ok(Incoming::Binary(payload)) => send(writer, Opcode::Binary, &payload).await,
            Ok(Incoming::Ping(payload)) => send(writer, Opcode::Pong, &payload).await,
            Ok(Incoming::Pong) => Ok(()),
            Ok(Incoming::Close(code)) => return Some(Farewell(code)),
            Err(ReadEnd::Violation(violation)) => {
                return Some(Farewell(Some(violation.close_code())));
            }
            Err(ReadEnd::Eof | ReadEnd::Io(_)) => return None,
        };
        sent.ok()?;
    }
}

async fn send(writer: &mut Writer, opcode: Opcode, payload: &[u8]) -> Result<(), WriteEnd> {
    let mut out = Vec::with_capacity(frame::HEAD_BYTES_MAX + payload.len());
    frame::put_head(&mut out, opcode, payload.len());
    out.extend_from_slice(payload);
    writer.write(&mut VecDeque::from([Bytes::from(out)])).await
}
