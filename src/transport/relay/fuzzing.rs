//! A door for `fuzz/`: seals, and the headers that go on.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, Request};

use crate::protocol::sid::Owner;
use crate::transport::relay::headers;
use crate::transport::relay::seal::Sealer;

pub use crate::transport::relay::SEAL;

pub fn seal(to: Owner, secret: &[u8], request: &mut Request<()>, client: SocketAddr) {
    Sealer::new(Owner(0), secret).seal(to, request, client);
}

pub fn unseal(
    own: Owner,
    secret: &[u8],
    seal: &HeaderValue,
    request: &Request<()>,
) -> Option<SocketAddr> {
    Sealer::new(own, secret).unseal(seal, request)
}

/// The head of a request as it goes to its owner; `is_upgrade` asks for a
/// WebSocket.
pub fn forwarded(request: Request<()>, is_upgrade: bool) -> Request<()> {
    let (parts, ()) = request.into_parts();
    let parts = if is_upgrade { headers::of_upgrade(parts) } else { headers::of_request(parts) };
    Request::from_parts(parts, ())
}

pub fn strip(headers: &mut HeaderMap) {
    headers::strip(headers);
}
