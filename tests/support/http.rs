//! An HTTP client that says what a test wants and reads what comes back.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// All values of a header, joined as HTTP allows; "" if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("body is text")
    }

    /// Status and body, which is what most tests are about.
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body()), (status, body));
    }
}

/// A request on a TCP connection of its own, under way.
pub(crate) struct Request {
    stream: TcpStream,
}

impl Request {
    /// Sends the head and perhaps a body; `Content-Length` is added.
    pub(crate) async fn send(
        server: SocketAddr,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Self {
        let length = body.len();
        Self::send_part(server, method, target, headers, body, length).await
    }

    /// As [`Request::send`], with only a part of the `length` bytes announced.
    pub(crate) async fn send_part(
        server: SocketAddr,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        part: &[u8],
        length: usize,
    ) -> Self {
        let stream = TcpStream::connect(server).await.expect("server accepts");
        Self::over(stream, method, target, headers, part, length).await
    }

    /// As [`Request::send_part`], over a connection that is there.
    pub(crate) async fn over(
        mut stream: TcpStream,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        part: &[u8],
        length: usize,
    ) -> Self {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method != "GET" {
            head += &format!("Content-Length: {length}\r\n");
        }
        head += "\r\n";
        stream.set_nodelay(true).expect("socket is open");
        stream.write_all(&[head.as_bytes(), part].concat()).await.expect("server reads");
        Self { stream }
    }

    /// The connection, for the next request.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// The response; `None` if the connection ends without one.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        timeout(PATIENCE, self.read()).await.expect("server answers in time")
    }

    async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("status is a number");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let mut bytes = vec![0; length.map_or(0, |(_, length)| length.parse().expect("a number"))];
        self.stream.read_exact(&mut bytes).await.expect("body is whole");
        Some(Answer { status, headers, bytes })
    }
}

/// One request and its response.
pub(crate) async fn ask(
    server: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut request = Request::send(server, method, target, headers, body).await;
    request.answer().await.expect("a response")
}

pub(crate) async fn get(server: SocketAddr, target: &str) -> Answer {
    ask(server, "GET", target, &[], b"").await
}

/// A connection from another address of this machine: all of 127.0.0.0/8 is.
pub(crate) async fn connect_from(source: u8, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, source), 0).into()).expect("an address of this machine");
    socket.connect(server).await.expect("server accepts")
}

/// [`ask`], from another address of this machine.
pub(crate) async fn ask_from(
    source: u8,
    server: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let stream = connect_from(source, server).await;
    let mut request = Request::over(stream, method, target, headers, body, body.len()).await;
    request.answer().await.expect("a response")
}

pub(crate) async fn get_from(source: u8, server: SocketAddr, target: &str) -> Answer {
    ask_from(source, server, "GET", target, &[], b"").await
}

/// The headers of a WebSocket handshake.
pub(crate) const UPGRADE: &[(&str, &str)] = &[
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
