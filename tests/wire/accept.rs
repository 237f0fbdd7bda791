//! The accept loop by raw HTTP: who is let in, for how long, and how it ends.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use cardroom::server::{self, Drained, ListenerLimits};
use cardroom::transport::body::Body;
use cardroom::transport::websocket::{ReadLimits, handshake};

use crate::support::raw_ws::{FIN, RawWs, Seen, TEXT, frame};

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct Server {
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    drained: JoinHandle<Drained>,
}

/// Answers `hello`; on `/parked` never, on `/huge` with too much for any socket
/// buffer, and on `/ws` with a WebSocket that ends
/// with its first message.
async fn hello(mut request: Request<Incoming>, _peer: SocketAddr) -> Response<Body> {
    const LIMITS: ReadLimits = ReadLimits { message_bytes_max: 10, fragments_max: 1 };
    match request.uri().path() {
        "/parked" => pending().await,
        "/huge" => Response::new(Body::from(vec![b'x'; 64 << 20])),
        "/ws" => {
            let (response, upgrade) = handshake::accept(&mut request).expect("upgrade is fine");
            tokio::spawn(async move {
                let opened = upgrade.open(LIMITS, Duration::from_secs(1)).await;
                let (mut reader, _writer) = opened.expect("client stays");
                drop(reader.next().await);
            });
            response.map(|()| Body::default())
        }
        _ => Response::new(Body::from("hello")),
    }
}

fn start(limits: ListenerLimits) -> Server {
    let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into(), 16).expect("a port is free");
    let address = listener.local_addr().expect("listener is bound");
    let (shutdown, stop) = oneshot::channel();
    let stop = async move { drop(stop.await) };
    let drained = tokio::spawn(server::serve(listener, hello, limits, stop));
    Server { address, shutdown, drained }
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.expect("server accepts")
}

/// Sends a request and reads its whole answer; the connection stays open.
async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nhello") {
        answer.push(stream.read_u8().await.expect("answer is whole"));
    }
    String::from_utf8(answer).expect("answer is ASCII")
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.expect("no reset");
    rest
}

#[tokio::test]
async fn one_connection_too_many_is_told_503_and_a_place_is_given_back() {
    let server = start(ListenerLimits { connections_max: 1, ..ListenerLimits::default() });
    let mut first = connect(&server).await;
    ask(&mut first, GET).await;

    let mut second = connect(&server).await;
    second.write_all(GET.as_bytes()).await.expect("server reads");
    let refused = read_to_end(&mut second).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");

    ask(&mut first, GET).await;
    first
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .expect("server reads");
    read_to_end(&mut first).await;
    let mut third = connect(&server).await;
    ask(&mut third, GET).await;
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_place_until_it_ends() {
    let server = start(ListenerLimits { connections_max: 1, ..ListenerLimits::default() });
    let mut socket = RawWs::connect(server.address, "/ws").await;
    let mut second = connect(&server).await;
    let refused = read_to_end(&mut second).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");

    socket.send(&frame(FIN | TEXT, "bye")).await;
    assert_eq!(socket.see().await, Seen::Eof);
    ask(&mut connect(&server).await, GET).await;
}

#[tokio::test(start_paused = true)]
async fn half_a_first_head_is_not_waited_for() {
    let limits = ListenerLimits::default();
    let server = start(limits.clone());
    let started = Instant::now();
    let mut stream = connect(&server).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: ").await.expect("server reads");
    read_to_end(&mut stream).await;
    assert!(started.elapsed() < limits.first_head_timeout + Duration::from_secs(1));
}

#[tokio::test]
async fn an_idle_connection_ends_later_than_a_silent_one() {
    let limits = ListenerLimits::default();
    let server = start(limits.clone());
    let mut stream = connect(&server).await;
    ask(&mut stream, GET).await;
    // Not before: paused time runs ahead of what the kernel has under way.
    tokio::time::pause();
    let answered = Instant::now();
    read_to_end(&mut stream).await;
    assert!(answered.elapsed() > limits.idle_timeout - Duration::from_secs(1));
}

#[tokio::test]
async fn heads_are_limited_in_lines_and_in_bytes() {
    let server = start(ListenerLimits::default());
    let lines: String = (0..100).map(|n| format!("X-{n}: x\r\n")).collect();
    let mut stream = connect(&server).await;
    let request = format!("GET / HTTP/1.1\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).await.expect("server reads");
    let refused = read_to_end(&mut stream).await;
    assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");

    let mut stream = connect(&server).await;
    let request = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(16 * 1024));
    stream.write_all(request.as_bytes()).await.expect("server reads");
    let refused = read_to_end(&mut stream).await;
    assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
}

#[tokio::test]
async fn shutdown_ends_idle_connections_and_closes_the_port() {
    let server = start(ListenerLimits::default());
    let mut idle = connect(&server).await;
    ask(&mut idle, GET).await;
    server.shutdown.send(()).expect("server runs");
    assert_eq!(read_to_end(&mut idle).await, "");
    assert_eq!(server.drained.await.expect("no panic"), Drained { connections_left: 0 });
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn shutdown_waits_for_requests_in_flight_but_not_for_good() {
    let server = start(ListenerLimits::default());
    let mut parked = connect(&server).await;
    parked.write_all(GET.replace("/ ", "/parked ").as_bytes()).await.expect("server reads");
    let mut other = connect(&server).await;
    ask(&mut other, GET).await; // the server has had time for the first one
    tokio::time::pause();

    let asked = Instant::now();
    server.shutdown.send(()).expect("server runs");
    let drained = server.drained.await.expect("no panic");
    assert_eq!(asked.elapsed().as_secs(), ListenerLimits::default().drain_timeout.as_secs());
    assert!(drained.connections_left <= 1);
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "the kernel has no such limit")]
async fn a_peer_that_does_not_read_its_response_is_dropped() {
    let unacknowledged_timeout = Duration::from_millis(200);
    let server = start(ListenerLimits { unacknowledged_timeout, ..ListenerLimits::default() });
    let mut lazy = connect(&server).await;
    lazy.write_all(GET.replace("/ ", "/huge ").as_bytes()).await.expect("server reads");
    lazy.readable().await.expect("server answers");

    server.shutdown.send(()).expect("server runs");
    let asked = Instant::now();
    assert_eq!(server.drained.await.expect("no panic"), Drained { connections_left: 0 });
    assert!(asked.elapsed() < ListenerLimits::default().drain_timeout / 2);
}
