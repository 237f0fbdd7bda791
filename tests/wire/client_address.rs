//! `reliability.md` §4.2, X-Forwarded-For spoofing: who a client is, is never
//! the client's to say.

use std::future::{pending, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ::http::{Request, Response};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use cardroom::server::{self, ListenerLimits, TrustedProxies};
use cardroom::transport::body::Body;

use crate::seeing::house::House;
use crate::support::eio::POLLING;
use crate::support::http::{Request as Asked, ask_from, connect_from, get};

const PATIENCE: Duration = Duration::from_secs(30);

/// Answers with whom it takes the client for. 127.0.0.1 is a proxy.
fn whoami(limits: ListenerLimits) -> SocketAddr {
    let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into(), 16).expect("a port is free");
    let address = listener.local_addr().expect("listener is bound");
    let handler =
        |_: Request<Incoming>, peer: SocketAddr| ready(Response::new(Body::from(peer.to_string())));
    let trusted_proxies = TrustedProxies::new(["127.0.0.1/32".parse().expect("a network")]);
    let limits = ListenerLimits { trusted_proxies, ..limits };
    tokio::spawn(server::serve(listener, handler, limits, pending()));
    address
}

async fn client_of(source: u8, server: SocketAddr, lines: &[&str]) -> String {
    let headers: Vec<_> = lines.iter().map(|line| ("X-Forwarded-For", *line)).collect();
    ask_from(source, server, "GET", "/", &headers, b"").await.body().to_owned()
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_nobody_else() {
    let server = whoami(ListenerLimits::default());
    assert_eq!(client_of(1, server, &["198.51.100.1"]).await, "198.51.100.1:0");
    assert_eq!(client_of(1, server, &["9.9.9.9", "198.51.100.1"]).await, "198.51.100.1:0");
    for lines in [&["198.51.100.1"][..], &["127.0.0.1"], &["198.51.100.1, 127.0.0.1"], &[]] {
        let client = client_of(2, server, lines).await;
        assert!(client.starts_with("127.0.0.2:"), "{lines:?}: {client}");
        assert!(!client.ends_with(":0"), "{client}");
    }
}

#[tokio::test]
async fn each_request_of_a_proxy_has_a_client_of_its_own() {
    let server = whoami(ListenerLimits::default());
    let mut stream = connect_from(1, server).await;
    for n in 1..=5 {
        let client = format!("198.51.100.{n}");
        let headers = [("X-Forwarded-For", client.as_str())];
        let mut request = Asked::over(stream, "GET", "/", &headers, b"", 0).await;
        let answer = request.answer().await.expect("an answer");
        assert_eq!(answer.body(), format!("{client}:0"));
        stream = request.into_stream();
    }
}

#[tokio::test]
async fn spoofed_left_values_never_change_the_key() {
    let house = House::with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1".to_owned()];
        config.limits.connections_per_address_max = 1;
    });
    let open = async |source, forwarded: &str| {
        let headers = [("X-Forwarded-For", forwarded)];
        ask_from(source, house.address, "GET", POLLING, &headers, b"").await.status
    };
    assert_eq!(open(1, "198.51.100.1").await, 200);
    for n in 0..20 {
        assert_eq!(open(1, &format!("203.0.113.{n}, 198.51.100.1")).await, 503);
        assert_eq!(open(1, &format!("127.0.0.1, 10.0.0.{n},198.51.100.1")).await, 503);
    }
    assert_eq!(open(1, "198.51.100.1, 198.51.100.2").await, 200);
    // Who is no proxy is who it is.
    assert_eq!(open(2, "198.51.100.3").await, 200);
    for n in 0..20 {
        assert_eq!(open(2, &format!("198.51.100.{}", 10 + n)).await, 503);
    }
}

/// PROXY protocol, version 2: this client, in TCP over IPv4.
fn proxied(client: [u8; 4], port: u16) -> Vec<u8> {
    let head = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    [&head[..], &client, &[127, 0, 0, 1], &port.to_be_bytes(), &[0, 80]].concat()
}

const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Waits for heads longer than a busy machine takes to send one.
fn behind_tcp_proxies() -> SocketAddr {
    behind_tcp_proxies_that_send_within(Duration::from_secs(3))
}

fn behind_tcp_proxies_that_send_within(first_head_timeout: Duration) -> SocketAddr {
    whoami(ListenerLimits {
        takes_proxy_protocol: true,
        first_head_timeout,
        ..ListenerLimits::default()
    })
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends in time");
    String::from_utf8_lossy(&answer).into_owned()
}

/// All that comes back after these pieces.
async fn said(source: u8, server: SocketAddr, pieces: &[&[u8]]) -> String {
    let mut stream = connect_from(source, server).await;
    stream.set_nodelay(true).expect("socket is open");
    for piece in pieces {
        let _ = stream.write_all(piece).await;
        tokio::task::yield_now().await;
    }
    read_to_end(&mut stream).await
}

#[tokio::test]
async fn the_proxy_protocol_says_who_the_client_is() {
    let server = behind_tcp_proxies();
    let header = proxied([198, 51, 100, 7], 4711);
    let answer = said(1, server, &[&header, GET]).await;
    assert!(answer.ends_with("\r\n\r\n198.51.100.7:4711"), "{answer}");
    // In one segment, and byte by byte.
    let whole = [&header[..], GET].concat();
    let bytes: Vec<&[u8]> = whole.chunks(1).collect();
    for pieces in [&[&whole[..]][..], &bytes] {
        let answer = said(1, server, pieces).await;
        assert!(answer.ends_with("\r\n\r\n198.51.100.7:4711"), "{answer}");
    }
    // What that client says in HTTP is its own word.
    let spoofed =
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n";
    let answer = said(1, server, &[&header, spoofed]).await;
    assert!(answer.ends_with("\r\n\r\n198.51.100.7:4711"), "{answer}");
    // A health check speaks for itself.
    let answer = said(1, server, &[LOCAL, GET]).await;
    assert!(answer.contains("\r\n\r\n127.0.0.1:"), "{answer}");
}

#[tokio::test]
async fn without_a_header_or_from_elsewhere_nothing_is_answered() {
    let server = behind_tcp_proxies();
    let header = proxied([198, 51, 100, 7], 4711);
    let mut too_long = header.clone();
    too_long[14..16].copy_from_slice(&0x0300_u16.to_be_bytes());
    for pieces in [&[GET][..], &[b"PROXY TCP4 9.9.9.9 127.0.0.1 1 80\r\n", GET], &[&too_long, GET]]
    {
        assert_eq!(said(1, server, pieces).await, "", "{pieces:?}");
    }
    for pieces in [&[&header[..], GET][..], &[LOCAL, GET], &[GET]] {
        assert_eq!(said(2, server, pieces).await, "", "{pieces:?}");
    }
}

#[tokio::test]
async fn a_slow_header_is_not_waited_for() {
    let server = behind_tcp_proxies_that_send_within(Duration::from_millis(500));
    let header = proxied([198, 51, 100, 7], 4711);
    for part in [0, 1, 15, 16, 27] {
        let started = Instant::now();
        assert_eq!(said(1, server, &[&header[..part]]).await, "");
        assert!(started.elapsed() < Duration::from_secs(5), "{part}: {:?}", started.elapsed());
    }
    // One time-out for both heads.
    let started = Instant::now();
    assert_eq!(said(1, server, &[&header, b"GET / HT"]).await, "");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn who_is_refused_is_counted() {
    let house = House::with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1".to_owned()];
        config.server.proxy_protocol = cardroom::config::ProxyProtocol::V2;
    });
    assert_eq!(said(2, house.address, &[LOCAL, GET]).await, "");
    assert_eq!(said(1, house.address, &[GET]).await, "");
    let series = "cardroom_tcp_connections_turned_away_total{reason=\"unproxied\"}";
    let numbers = house.scrape_until(|numbers| numbers.get(series) == 2.0).await;
    assert_eq!(numbers.get("cardroom_tcp_connections"), 0.0);
    let header = proxied([198, 51, 100, 7], 4711);
    let health = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(said(1, house.address, &[&header, health]).await.starts_with("HTTP/1.1 200 "));
    // The port of the numbers is no client's.
    assert_eq!(get(house.metrics.expect("a port"), "/metrics").await.status, 200);
}
