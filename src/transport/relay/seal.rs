//! How an instance knows that a request comes from another one.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Request};
use sha2::Sha256;

use crate::protocol::sid::Owner;

/// On a request: `<address of the client> <HMAC>`. On an answer: why there is
/// none.
pub const SEAL: HeaderName = HeaderName::from_static("cardroom-relay");

/// Seals requests for one owner, so that nobody else can say who a client is.
///
/// The seal covers owner, method, target and client. It has no time: the
/// target holds the `sid`, and whoever has that needs no seal to use it.
pub(super) struct Sealer {
    own: Owner,
    mac: Hmac<Sha256>,
}

impl Sealer {
    pub(super) fn new(own: Owner, secret: &[u8]) -> Self {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(b"cardroom relay 1\n");
        Self { own, mac }
    }

    pub(super) fn seal<B>(&self, owner: Owner, request: &mut Request<B>, client: SocketAddr) {
        let client = client.to_string();
        let mac = self.mac_of(owner, request, &client).finalize().into_bytes();
        let seal = format!("{client} {}", URL_SAFE_NO_PAD.encode(mac));
        if let Ok(seal) = HeaderValue::try_from(seal) {
            request.headers_mut().insert(SEAL, seal);
        }
    }

    /// The client, if one with the secret has sealed the request for us.
    pub(super) fn unseal<B>(&self, seal: &HeaderValue, request: &Request<B>) -> Option<SocketAddr> {
        let (client, mac) = seal.to_str().ok()?.split_once(' ')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        self.mac_of(self.own, request, client).verify_slice(&mac).ok()?;
        client.parse().ok()
    }

    fn mac_of<B>(&self, owner: Owner, request: &Request<B>, client: &str) -> Hmac<Sha256> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let method = request.method().as_str();
        // No part can hold a line feed.
        let parts = format!("{:016x}\n{method}\n{target}\n{client}", owner.0);
        self.mac.clone().chain_update(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "203.0.113.7:51000";

    fn request(target: &str) -> Request<()> {
        Request::get(target).body(()).expect("a target")
    }

    fn sealed(target: &str) -> HeaderValue {
        let mut request = request(target);
        let client = CLIENT.parse().expect("an address");
        Sealer::new(Owner(1), b"secret").seal(Owner(2), &mut request, client);
        request.headers()[SEAL].clone()
    }

    #[test]
    fn the_owner_learns_who_the_client_is() {
        let owner = Sealer::new(Owner(2), b"secret");
        let client = owner.unseal(&sealed("/x?sid=a"), &request("/x?sid=a"));
        assert_eq!(client, CLIENT.parse().ok());
    }

    #[test]
    fn a_seal_fits_one_owner_one_secret_and_one_request() {
        let seal = sealed("/x?sid=a");
        let refused = |own, secret: &[u8], seal: &HeaderValue, request: &Request<()>| {
            Sealer::new(Owner(own), secret).unseal(seal, request).is_none()
        };
        let right = request("/x?sid=a");
        assert!(refused(1, b"secret", &seal, &right));
        assert!(refused(2, b"another", &seal, &right));
        assert!(refused(2, b"secret", &seal, &request("/x?sid=b")));
        let post = Request::post("/x?sid=a").body(()).expect("a target");
        assert!(refused(2, b"secret", &seal, &post));
        let (_, mac) = seal.to_str().expect("text").split_once(' ').expect("two parts");
        for wrong in [&format!("203.0.113.8:51000 {mac}"), "", " ", CLIENT, "x y", mac] {
            let wrong = HeaderValue::try_from(wrong).expect("text");
            assert!(refused(2, b"secret", &wrong, &right), "{wrong:?}");
        }
    }
}
