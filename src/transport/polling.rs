//! HTTP long polling: GET takes, POST brings.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::connection::{Connection, Connections, Handshake, Options, PollReply, PostReply};
use crate::protocol::encoded::SEPARATOR;
use crate::protocol::engineio::HandshakeError;
use crate::transport::body::{Body, BodyError, BreakOff, read_body};
use crate::transport::compress::gzip;
use crate::transport::engineio::{refuse, status};

/// The first GET: opens a connection.
pub(super) fn open(connections: &Connections, handshake: Handshake) -> Response<Body> {
    payload_response(connections.open_polling(handshake))
}

/// A GET: waits for the connection to have something to say. Dropped when the
/// peer goes away, which the connection notices.
pub(super) async fn get(
    connection: &Connection,
    options: &Options,
    headers: &HeaderMap,
) -> Response<Body> {
    let Ok(reply) = connection.poll() else { return unknown() };
    match reply.await {
        Ok(PollReply::Payload(payload)) => {
            match gzip(&payload, options.compress_from_bytes, headers) {
                Some(gzipped) => {
                    let mut response = payload_response(gzipped);
                    let gzip = HeaderValue::from_static("gzip");
                    response.headers_mut().insert(CONTENT_ENCODING, gzip);
                    response
                }
                None => payload_response(payload),
            }
        }
        Ok(PollReply::Refused) => status(StatusCode::BAD_REQUEST),
        Ok(PollReply::Mismatch) => refuse(HandshakeError::BadRequest, false),
        Err(_gone) => unknown(),
    }
}

/// A POST: brings packets, and is answered when they have been dealt with.
pub(super) async fn post(
    connection: &Arc<Connection>,
    options: &Options,
    request: Request<Incoming>,
) -> Response<Body> {
    let Ok(mut post) = connection.post() else { return unknown() };
    let (parts, body) = request.into_parts();
    // A form of EIO 3. Left unanswered it would hold connections open
    // (GHSA-r635-g3xr-vw7x).
    let form = parts.headers.get(CONTENT_TYPE);
    if form.is_some_and(|form| form.as_bytes().starts_with(b"application/octet-stream")) {
        post.malformed();
        return status(StatusCode::BAD_REQUEST);
    }
    let body = tokio::select! {
        body = read_body(body, options.max_payload_bytes as usize, options.body_timeout) => body,
        reply = &mut post.reply => return post_response(reply.ok()),
    };
    match body {
        Ok(body) if is_payload(&body, options.packets_per_post_max) => {
            post.body(into_mutable(body), parts.headers);
            post_response((&mut post.reply).await.ok())
        }
        Ok(_) => {
            post.malformed();
            status(StatusCode::BAD_REQUEST)
        }
        Err(BodyError::TooLarge) => {
            post.give_up();
            status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Err(BodyError::TimedOut) => status(StatusCode::REQUEST_TIMEOUT),
        Err(BodyError::Aborted) => status(StatusCode::BAD_REQUEST),
    }
}

fn is_payload(body: &[u8], packets_max: u32) -> bool {
    let separators = body.iter().filter(|byte| **byte == SEPARATOR).count();
    separators < packets_max as usize && std::str::from_utf8(body).is_ok()
}

fn into_mutable(body: Bytes) -> BytesMut {
    body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]))
}

fn payload_response(payload: Vec<u8>) -> Response<Body> {
    answer(payload, "text/plain; charset=UTF-8")
}

fn post_response(reply: Option<PostReply>) -> Response<Body> {
    match reply {
        Some(PostReply::Done) => answer(b"ok".to_vec(), "text/html"),
        Some(PostReply::Refused) => status(StatusCode::BAD_REQUEST),
        Some(PostReply::Reset) => {
            let mut response = Response::default();
            response.extensions_mut().insert(BreakOff);
            response
        }
        None => unknown(),
    }
}

fn answer(body: Vec<u8>, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The connection ended before it could answer.
fn unknown() -> Response<Body> {
    refuse(HandshakeError::SessionIdUnknown, false)
}
