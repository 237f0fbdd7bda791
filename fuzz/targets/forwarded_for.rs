//! `X-Forwarded-For` behind a trusted proxy: what a client wrote itself, at the
//! left of what the proxy wrote, never counts.

#![no_main]

use std::net::{IpAddr, SocketAddr};

use cardroom::server::TrustedProxies;
use http::{HeaderMap, HeaderName, HeaderValue};

cardroom_fuzz::target!(run);

const HEADER: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOPS_MAX: usize = 32;

/// Lines of the header, one per line.
fn run(input: &[u8]) {
    let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().expect("one"));
    let proxies = TrustedProxies::new(networks);
    let proxy: SocketAddr = "10.0.0.1:5000".parse().expect("an address");
    let stranger: SocketAddr = "203.0.113.7:5000".parse().expect("an address");
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(64) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(HEADER, value);
        }
    }
    assert_eq!(proxies.behind(stranger).of(&headers), stranger, "nobody trusts a stranger");
    assert_eq!(proxies.behind(proxy).of(&headers), model(proxy, &headers));
    headers.append(HEADER, HeaderValue::from_static("198.51.100.1"));
    let client = proxies.behind(proxy).of(&headers);
    assert_eq!(client.to_string(), "198.51.100.1:0", "the proxy's word, and no other");
}

fn model(proxy: SocketAddr, headers: &HeaderMap) -> SocketAddr {
    let lines: Vec<&HeaderValue> = headers.get_all(HEADER).iter().collect();
    let mut entries = Vec::new();
    for line in lines.iter().rev() {
        entries.extend(line.to_str().unwrap_or_default().rsplit(','));
    }
    let mut client = proxy;
    for entry in entries.into_iter().take(HOPS_MAX) {
        let entry = entry.trim_matches([' ', '\t']);
        let in_brackets = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']'));
        let ip: Option<IpAddr> = match in_brackets {
            Some(v6) => v6.parse().ok().filter(IpAddr::is_ipv6),
            None => entry.parse().ok(),
        };
        let Some(next) = ip.map(|ip| SocketAddr::new(ip, 0)).or_else(|| entry.parse().ok()) else {
            return client;
        };
        client = SocketAddr::new(next.ip().to_canonical(), next.port());
        let is_trusted = match client.ip() {
            IpAddr::V4(ip) => ip.octets()[0] == 10,
            IpAddr::V6(ip) => ip.segments()[..3] == [0x2001, 0xdb8, 1],
        };
        if !is_trusted {
            return client;
        }
    }
    client
}
