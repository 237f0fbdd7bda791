//! Who a client is, seen through the proxies in between.
//!
//! `X-Forwarded-For` is written by whoever likes to: each proxy adds, at the
//! right end, the address that it heard from. So it is read from the right,
//! and believed only as far as trusted networks have written it; what a
//! client puts at the left is never reached. The header is described in
//! RFC 7239 §7.4; `Forwarded` itself is not read.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The networks whose word on a client's address counts.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    has_complained: Arc<AtomicBool>,
}

/// The address of who speaks on one connection, or through it.
#[derive(Debug, Clone)]
pub struct ClientAddress {
    peer: SocketAddr,
    is_proxy: bool,
    proxies: TrustedProxies,
}

impl TrustedProxies {
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self { networks: networks.into_iter().collect(), has_complained: Arc::default() }
    }

    pub(super) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// `peer`: who has opened the connection, or for whom it was opened as the
    /// PROXY protocol says.
    pub fn behind(&self, peer: SocketAddr) -> ClientAddress {
        let peer = canonical(peer);
        ClientAddress { peer, is_proxy: self.trust(peer.ip()), proxies: self.clone() }
    }

    /// Without it every limit by address is one limit for all: told once.
    fn complain(&self, peer: SocketAddr) {
        if is_private(peer.ip()) && !self.has_complained.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                peer = %peer.ip(),
                "requests come through a proxy that server.trusted_proxies does not name: \
                 all its clients count as one address"
            );
        }
    }
}

impl ClientAddress {
    pub(super) const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether the peer speaks for others.
    pub(super) const fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    /// The client behind a request with these headers. Its port is 0 where a
    /// proxy has not told it.
    pub fn of(&self, headers: &HeaderMap) -> SocketAddr {
        if !self.is_proxy {
            if headers.contains_key(X_FORWARDED_FOR) {
                self.proxies.complain(self.peer);
            }
            return self.peer;
        }
        let mut client = self.peer;
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        // A line that is not text says nothing, and what is left of it neither.
        let entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for entry in entries.take(HOPS_MAX) {
            let Some(address) = address(entry) else { break };
            client = address;
            if !self.proxies.trust(address.ip()) {
                break;
            }
        }
        client
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies one behind the other.
const HOPS_MAX: usize = 32;

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(entry: &str) -> Option<SocketAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']'));
    let ip = match bare {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => entry.parse().ok(),
    };
    let address = ip.map(|ip| SocketAddr::new(ip, 0)).or_else(|| entry.parse().ok())?;
    Some(canonical(address))
}

/// An IPv4 address stays one when it comes over an IPv6 socket.
const fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// As proxies of one's own are: RFC 1918, RFC 4193, and this machine.
const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn proxies() -> TrustedProxies {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.9/32"];
        TrustedProxies::new(networks.map(|network| network.parse().expect("a network")))
    }

    fn client_of(peer: &str, lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).expect("a value"));
        }
        let client = proxies().behind(peer.parse().expect("an address")).of(&headers);
        client.to_string()
    }

    /// Peer, the lines of the header, who the client is.
    type Row = (&'static str, &'static [&'static [u8]], &'static str);

    #[rustfmt::skip]
    const TABLE: &[Row] = &[
        // Nobody in between, or nobody who is trusted.
        ("203.0.113.7:5000", &[], "203.0.113.7:5000"),
        ("203.0.113.7:5000", &[b"198.51.100.1"], "203.0.113.7:5000"),
        ("203.0.113.7:5000", &[b"10.0.0.1"], "203.0.113.7:5000"),
        ("[2001:db8:2::1]:5000", &[b"198.51.100.1"], "[2001:db8:2::1]:5000"),
        // One proxy.
        ("10.0.0.1:5000", &[], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100.1"], "198.51.100.1:0"),
        ("192.0.2.9:5000", &[b"198.51.100.1"], "198.51.100.1:0"),
        ("192.0.2.8:5000", &[b"198.51.100.1"], "192.0.2.8:5000"),
        ("[2001:db8:1::1]:5000", &[b"198.51.100.1"], "198.51.100.1:0"),
        // The same over an IPv6 socket.
        ("[::ffff:10.0.0.1]:5000", &[b"::ffff:198.51.100.1"], "198.51.100.1:0"),
        ("[::ffff:203.0.113.7]:5000", &[b"198.51.100.1"], "203.0.113.7:5000"),
        // What a client wrote itself stands at the left.
        ("10.0.0.1:5000", &[b"1.1.1.1, 198.51.100.1"], "198.51.100.1:0"),
        ("10.0.0.1:5000", &[b"10.0.0.2, 198.51.100.1"], "198.51.100.1:0"),
        ("10.0.0.1:5000", &[b"198.51.100.1, 1.1.1.1, 198.51.100.1"], "198.51.100.1:0"),
        ("10.0.0.1:5000", &[b"garbage, 198.51.100.1"], "198.51.100.1:0"),
        ("10.0.0.1:5000", &[b"\xff\xfe", b"198.51.100.1"], "198.51.100.1:0"),
        // Several proxies, in one line or in several.
        ("10.0.0.1:5000", &[b"198.51.100.1, 10.0.0.2, 2001:db8:1::7"], "198.51.100.1:0"),
        ("10.0.0.1:5000", &[b"1.1.1.1", b"198.51.100.1", b"10.0.0.2"], "198.51.100.1:0"),
        ("10.0.0.1:5000", &[b"1.1.1.1, 198.51.100.1", b"10.0.0.3,10.0.0.2"], "198.51.100.1:0"),
        // All are trusted: the furthest is the client.
        ("10.0.0.1:5000", &[b"10.0.0.3, 10.0.0.2"], "10.0.0.3:0"),
        // Ports, brackets, spaces.
        ("10.0.0.1:5000", &[b"198.51.100.1:4711"], "198.51.100.1:4711"),
        ("10.0.0.1:5000", &[b"[2001:db8:2::1]:4711"], "[2001:db8:2::1]:4711"),
        ("10.0.0.1:5000", &[b"[2001:db8:2::1]"], "[2001:db8:2::1]:0"),
        ("10.0.0.1:5000", &[b"2001:db8:2::1"], "[2001:db8:2::1]:0"),
        ("10.0.0.1:5000", &[b" \t198.51.100.1\t "], "198.51.100.1:0"),
        // What cannot be read ends the walk: the last that could counts.
        ("10.0.0.1:5000", &[b"198.51.100.1, unknown"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2:0"),
        ("10.0.0.1:5000", &[b"198.51.100.1,"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b""], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100.1", b"\xff"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100.1 198.51.100.2"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100.1:99999"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"[198.51.100.1]"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"[2001:db8:2::1"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"fe80::1%eth0"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"for=198.51.100.1"], "10.0.0.1:5000"),
        ("10.0.0.1:5000", &[b"198.51.100.1;10.0.0.2"], "10.0.0.1:5000"),
    ];

    #[test]
    fn the_client_is_the_first_from_the_right_that_nobody_trusts() {
        for (peer, lines, client) in TABLE {
            assert_eq!(client_of(peer, lines), *client, "{peer}, {lines:?}");
        }
    }

    #[test]
    fn a_chain_without_an_end_is_not_walked_to_its_end() {
        let line = format!("198.51.100.1{}", ", 10.0.0.2".repeat(1_000));
        assert_eq!(client_of("10.0.0.1:5000", &[line.as_bytes()]), "10.0.0.2:0");
    }

    proptest::proptest! {
        /// Whatever stands to the left of what a trusted proxy wrote.
        #[test]
        fn what_is_spoofed_never_counts(spoofed in "[ -~\t]{0,64}", more in proptest::collection::vec("[ -~]{0,20}", 0..4)) {
            let line = format!("{spoofed},198.51.100.1");
            let mut lines: Vec<&[u8]> = more.iter().map(|line| line.as_bytes()).collect();
            lines.push(line.as_bytes());
            proptest::prop_assert_eq!(client_of("10.0.0.1:5000", &lines), "198.51.100.1:0");
        }
    }
}
