//! The opening handshake (RFC 6455 §4.2), on a request that hyper has parsed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Body;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};

use crate::transport::slot::ConnectionSlot;
use crate::transport::stalling::Stalling;
use crate::transport::stream::Stream;
use crate::transport::websocket::reader::Reader;
use crate::transport::websocket::rules::ReadLimits;
use crate::transport::websocket::writer::Writer;

/// Why a request cannot become a WebSocket. Before the 101, so it is answered
/// with HTTP; see [`HandshakeError::response`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    #[error("method is not GET")]
    Method,
    #[error("version is not HTTP/1.1")]
    HttpVersion,
    /// `Connection` does not list `upgrade`, or `Upgrade` not `websocket`.
    #[error("not an upgrade to websocket")]
    NotAnUpgrade,
    /// Anything but 13; the answer names 13.
    #[error("unsupported Sec-WebSocket-Version")]
    WebSocketVersion,
    /// Not the base64 of 16 bytes, missing, or there twice.
    #[error("invalid Sec-WebSocket-Key")]
    Key,
    /// A body would be mistaken for frames.
    #[error("upgrade request has a body")]
    Body,
}

impl HandshakeError {
    /// Status and headers of the refusal; the body is for the caller to choose.
    pub fn response(self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = match self {
            Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            _ => StatusCode::BAD_REQUEST,
        };
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        match self {
            Self::WebSocketVersion => {
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::Method => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            _ => {}
        }
        response
    }
}

/// A WebSocket whose 101 is not written yet.
#[derive(Debug)]
pub struct Pending {
    upgrade: OnUpgrade,
    slot: Option<ConnectionSlot>,
}

/// The request was fine and still no socket came of it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The peer went away before the 101 was written.
    #[error("connection ended during the upgrade")]
    Ended(#[from] hyper::Error),
    /// The server runs HTTP over something else than `TokioIo<Stalling<Stream>>`.
    #[error("upgraded connection is not one of ours")]
    NotOurs,
}

/// Whether the request asks for a WebSocket at all, well or badly.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &UPGRADE, "websocket")
}

/// What is wrong with a request that asks for a WebSocket, if anything.
pub fn fault<B: Body>(request: &Request<B>) -> Option<HandshakeError> {
    check(request).err()
}

/// Checks the request and returns the 101 to send and what comes after it.
///
/// No extension and no subprotocol is ever chosen. The two halves exist once
/// hyper has written the 101, so await [`Pending::open`] in another task.
pub fn accept<B: Body>(
    request: &mut Request<B>,
) -> Result<(Response<()>, Pending), HandshakeError> {
    let accept = check(request)?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);

    let slot = request.extensions_mut().remove();
    Ok((response, Pending { upgrade: hyper::upgrade::on(request), slot }))
}

impl Pending {
    /// Waits for the 101 to be written and takes the stream from hyper, with
    /// what the client has sent ahead.
    ///
    /// The bare stream, not hyper's `Upgraded`: it splits without a lock, writes
    /// vectored, and says that it is readable without being given a buffer.
    pub async fn open(
        self,
        limits: ReadLimits,
        stall_timeout: Duration,
    ) -> Result<(Reader, Writer), OpenError> {
        let upgraded = self.upgrade.await?;
        let parts = upgraded
            .downcast::<TokioIo<Stalling<Stream>>>()
            .map_err(|_upgraded| OpenError::NotOurs)?;
        let (read, write) = parts.io.into_inner().into_inner().into_split();
        let reader = Reader::new(read, parts.read_buf, limits, self.slot);
        Ok((reader, Writer::new(write, stall_timeout)))
    }
}

/// Returns the `Sec-WebSocket-Accept` of a request without fault.
fn check<B: Body>(request: &Request<B>) -> Result<HeaderValue, HandshakeError> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(HandshakeError::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(HandshakeError::HttpVersion);
    }
    if !has_token(headers, &CONNECTION, "upgrade") || !is_upgrade(headers) {
        return Err(HandshakeError::NotAnUpgrade);
    }
    if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(HandshakeError::WebSocketVersion);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?;
    if !request.body().is_end_stream() {
        return Err(HandshakeError::Body);
    }
    accept_of(key)
}

/// RFC 6455 §4.2.2, 5.4.
fn accept_of(key: &HeaderValue) -> Result<HeaderValue, HandshakeError> {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut nonce = [0; 18]; // what 24 characters of base64 could hold
    match STANDARD.decode_slice(key, &mut nonce) {
        Ok(16) => {}
        _ => return Err(HandshakeError::Key),
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(STANDARD.encode(digest)).map_err(|_| HandshakeError::Key)
}

/// Whether a comma-separated header lists `token`, over all its lines.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The value of a header that stands there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    lines.next().filter(|_| lines.next().is_none())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;

    /// The example of RFC 6455 §1.3.
    fn request() -> Request<Full<Bytes>> {
        Request::get("/chat")
            .header("Upgrade", "WebSocket")
            .header("Connection", "keep-alive, Upgrade")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13")
            .body(Full::default())
            .unwrap()
    }

    fn refusal(change: impl FnOnce(&mut Request<Full<Bytes>>)) -> HandshakeError {
        let mut request = request();
        change(&mut request);
        accept(&mut request).expect_err("the request is faulty")
    }

    fn with(name: &'static str, value: &'static str) -> HandshakeError {
        refusal(|request| {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        })
    }

    #[test]
    fn the_answer_of_the_rfc() {
        let (response, _) = accept(&mut request()).unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn each_fault_has_its_name() {
        use HandshakeError as Fault;
        assert_eq!(refusal(|request| *request.method_mut() = Method::POST), Fault::Method);
        assert_eq!(
            refusal(|request| *request.version_mut() = Version::HTTP_10),
            Fault::HttpVersion
        );
        assert_eq!(with("connection", "keep-alive"), Fault::NotAnUpgrade);
        assert_eq!(with("upgrade", "h2c"), Fault::NotAnUpgrade);
        assert_eq!(with("sec-websocket-version", "8"), Fault::WebSocketVersion);
        assert_eq!(with("sec-websocket-key", "c2hvcnQ="), Fault::Key);
        assert_eq!(with("sec-websocket-key", "not base64 at all ======"), Fault::Key);
        assert_eq!(refusal(|request| *request.body_mut() = Full::from("x")), Fault::Body);
        let twice = refusal(|request| {
            let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
            request.headers_mut().append("sec-websocket-key", key);
        });
        assert_eq!(twice, Fault::Key);
    }

    #[test]
    fn a_wrong_version_is_told_the_right_one() {
        let response = HandshakeError::WebSocketVersion.response();
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(response.headers()[SEC_WEBSOCKET_VERSION], "13");
    }
}
