//! What comes as bytes, and slowly.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::seeing::house::House;
use crate::support::eio::{POLLING, WEBSOCKET};
use crate::support::http::{ask, ask_from};
use crate::support::raw_ws::{FIN, TEXT, frame, upgrade_request};
use crate::threats::witness::hosted;

pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// All that comes back until the server hangs up.
pub(super) async fn said_to(server: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.expect("server accepts");
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

pub(super) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // A reset may follow the answer, when not all was read.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn smuggling_and_header_tricks() {
    let house = House::open();
    let post = "POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: smuggled\r\nConnection: close\r\n\r\n";
    for tricks in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: +2\r\n\r\n{}",
        "Content-Length:\r\n 2\r\n\r\n{}",
        "X: a\rContent-Length: 2\r\n\r\n{}",
        "X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        "Host: b\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let said = said_to(house.address, format!("{post}{tricks}{smuggled}").as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{tricks:?}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{tricks:?}: {said}");
    }
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    assert!(said_to(house.address, large.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    // No HTTP/2 without TLS, asked for in either way.
    assert_eq!(said_to(house.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "");
    let h2c = [
        ("Connection", "Upgrade, HTTP2-Settings, close"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ];
    assert_eq!(ask(house.address, "GET", "/healthz", &h2c, b"").await.status, 200);
}

#[tokio::test]
async fn slowloris_slow_post_slow_read() {
    /// Within it whoever is good has connected, however busy the machine is.
    const LIMIT: Duration = Duration::from_secs(4);
    let house = House::with(|config| {
        let limit = LIMIT.as_millis() as u64;
        config.server.header_timeout_ms = limit;
        config.server.body_timeout_ms = limit;
        config.server.keep_alive_ms = 2 * limit;
        config.engine.connect_timeout_ms = limit;
        config.engine.fragment_timeout_ms = limit;
    });
    let (mut good, _) = hosted(house.address).await;
    let upgrade = upgrade_request("GET", WEBSOCKET, "13");
    let half = [upgrade.as_bytes(), &frame(FIN | TEXT, "40"), &frame(TEXT, "42[")].concat();
    let attacks: [(&str, &[u8]); 6] = [
        ("nothing at all", b""),
        ("half a head", b"GET / HTTP/1.1\r\nHost: a\r\nX: "),
        ("half a body", b"POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
        ("no CONNECT", upgrade.as_bytes()),
        ("half a message", &half),
        ("idle after an answer", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    let held = attacks.map(|(name, bytes)| {
        let (server, bytes) = (house.address, bytes.to_vec());
        tokio::spawn(async move {
            let start = Instant::now();
            let mut stream = TcpStream::connect(server).await.expect("server accepts");
            stream.write_all(&bytes).await.expect("server reads");
            let said = read_all(&mut stream).await;
            (name, start.elapsed(), said)
        })
    });
    for attack in held {
        let (name, time, said) = attack.await.expect("no panic");
        assert!(LIMIT <= time && time < PATIENCE / 2, "{name}: {time:?}");
        assert!(!said.starts_with("HTTP/1.1 201"), "{name}: {said}");
        good.does("session:sync", json!({})).await;
    }
}

#[tokio::test]
async fn x_forwarded_for_spoofing() {
    let house = House::with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1".to_owned()];
        config.limits.connections_per_address_max = 1;
    });
    let open = async |source: u8, headers: &[(&str, &str)]| {
        ask_from(source, house.address, "GET", POLLING, headers, b"").await.status
    };
    // From an address that is no proxy: whatever it says, it is one client.
    assert_eq!(open(2, &[]).await, 200);
    for name in [
        "X-Forwarded-For",
        "Forwarded",
        "X-Real-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
    ] {
        for spoofed in ["198.51.100.1", "127.0.0.1", "::1", "for=198.51.100.1"] {
            assert_eq!(open(2, &[(name, spoofed)]).await, 503, "{name}: {spoofed}");
        }
    }
    // Through the proxy: only what the proxy itself has written, on the right.
    let own = "X-Forwarded-For";
    assert_eq!(open(1, &[(own, "198.51.100.1")]).await, 200);
    for n in 0..20 {
        let spoofed = format!("203.0.113.{n}, 198.51.100.1");
        assert_eq!(open(1, &[(own, &spoofed)]).await, 503);
        let line = format!("203.0.113.{n}");
        assert_eq!(open(1, &[(own, &line), (own, "198.51.100.1")]).await, 503);
    }
    assert_eq!(open(1, &[(own, "198.51.100.1, 198.51.100.2")]).await, 200);
}
