//! A WebSocket client that can be as wrong as a test wants: it sends bytes and
//! reads frames, and has no opinion.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// The first byte of a frame, to be combined with an opcode.
pub(crate) const FIN: u8 = 0x80;

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server sends, by frames.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Frame {
        opcode: u8,
        payload: Vec<u8>,
    },
    /// Orderly, by FIN; a reset is a panic of the test.
    Eof,
}

pub(crate) struct RawWs {
    stream: TcpStream,
}

impl RawWs {
    /// Upgrades on `path`; panics unless the server agrees.
    pub(crate) async fn connect(server: SocketAddr, path: &str) -> Self {
        Self::connect_ahead(server, path, &[]).await
    }

    /// Sends `ahead` in one piece with the request, before it is answered.
    pub(crate) async fn connect_ahead(server: SocketAddr, path: &str, ahead: &[u8]) -> Self {
        let mut stream = TcpStream::connect(server).await.expect("server accepts");
        stream.set_nodelay(true).expect("socket is open");
        let request = [upgrade_request("GET", path, "13").as_bytes(), ahead].concat();
        stream.write_all(&request).await.expect("server reads");
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { stream }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("server reads");
    }

    /// As `send`, to a server that may have stopped reading.
    pub(crate) async fn send_in_vain(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await;
    }

    /// One byte per segment, as far as that can be asked for.
    pub(crate) async fn send_bytewise(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn see(&mut self) -> Seen {
        timeout(PATIENCE, self.read_frame()).await.expect("server answers in time")
    }

    pub(crate) async fn expect(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        assert_eq!(self.see().await, Seen::Frame { opcode, payload: payload.as_ref().to_vec() });
    }

    /// The close frame must arrive, be the last thing, and end in FIN.
    pub(crate) async fn expect_close(&mut self, code: u16) {
        self.expect(CLOSE, code.to_be_bytes()).await;
        assert_eq!(self.see().await, Seen::Eof);
    }

    async fn read_frame(&mut self) -> Seen {
        let mut head = [0; 2];
        match self.stream.read(&mut head[..1]).await.expect("no reset") {
            0 => return Seen::Eof,
            _ => self.stream.read_exact(&mut head[1..]).await.expect("head is whole"),
        };
        assert_eq!(head[0] & 0xF0, FIN, "servers send final frames without extensions");
        let len = match head[1] {
            126 => u64::from(self.stream.read_u16().await.expect("length is whole")),
            127 => self.stream.read_u64().await.expect("length is whole"),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(len).expect("fits in memory")];
        self.stream.read_exact(&mut payload).await.expect("payload is whole");
        Seen::Frame { opcode: head[0] & 0x0F, payload }
    }
}

/// A masked frame; `first` is its first byte as it is.
pub(crate) fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend((medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

pub(crate) fn upgrade_request(method: &str, path: &str, version: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: {version}\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Sends a raw request and returns all that comes back until EOF.
pub(crate) async fn http(server: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(server).await.expect("server accepts");
    stream.write_all(request.as_bytes()).await.expect("server reads");
    let mut response = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut response))
        .await
        .expect("server answers in time")
        .expect("no reset");
    response
}

/// Byte by byte, so that no frame after the head is swallowed.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        head.push(byte.expect("server answers in time").expect("head is whole"));
    }
    String::from_utf8(head).expect("heads are ASCII")
}
