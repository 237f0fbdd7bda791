//! Clients made of bytes: they do what they are told, well or badly.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
pub(crate) const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// `receive_buffer` is the kernel's, in bytes: a small one fills soon.
pub(crate) async fn connect(
    server: SocketAddr,
    source: Option<Ipv4Addr>,
    receive_buffer: Option<u32>,
) -> Result<TcpStream, String> {
    let connecting = async {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(source) = source {
            socket.bind((source, 0).into())?;
        }
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok::<_, std::io::Error>(stream)
    };
    connecting.await.map_err(|error| format!("connect: {error}"))
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A request on a connection that goes on, and its answer.
pub(crate) async fn fetch(
    stream: &mut TcpStream,
    method: &str,
    target: &str,
    body: &[u8],
) -> Result<Answer, String> {
    let head = head(method, target, "text/plain;charset=UTF-8", body.len());
    write(stream, &[head.as_bytes(), body].concat()).await?;
    let head = read_head(stream).await?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
    });
    let mut bytes = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut bytes).await.map_err(|error| format!("read a body: {error}"))?;
    let body = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    Ok(Answer { status: status.ok_or("no status")?, body })
}

/// The head of a request that announces a body of `length` bytes.
pub(crate) fn head(method: &str, target: &str, content_type: &str, length: usize) -> String {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
    if method != "GET" {
        head += &format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n");
    }
    head + "\r\n"
}

pub(crate) fn upgrade_head(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

pub(crate) async fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), String> {
    stream.write_all(bytes).await.map_err(|error| format!("write: {error}"))
}

/// Byte by byte, so that nothing behind the head is swallowed.
async fn read_head(stream: &mut TcpStream) -> Result<String, String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.map_err(|error| format!("read a head: {error}"))?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The `sid` of an open packet.
pub(crate) fn sid_of(open: &str) -> Result<&str, String> {
    between(open, "\"sid\":\"", "\"").ok_or_else(|| format!("no sid in {open}"))
}

pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

pub(crate) struct WebSocket {
    pub(crate) stream: TcpStream,
    buffer: BytesMut,
}

impl WebSocket {
    pub(crate) async fn upgrade(mut stream: TcpStream, target: &str) -> Result<Self, String> {
        write(&mut stream, upgrade_head(target).as_bytes()).await?;
        let head = read_head(&mut stream).await?;
        match head.starts_with("HTTP/1.1 101 ") {
            true => Ok(Self { stream, buffer: BytesMut::new() }),
            false => Err(head.lines().next().unwrap_or_default().to_owned()),
        }
    }

    pub(crate) async fn say(&mut self, packet: &str) -> Result<(), String> {
        write(&mut self.stream, &text_frame(packet)).await
    }

    /// The next text; heartbeats are answered. Cancel-safe.
    pub(crate) async fn hear(&mut self) -> Result<String, String> {
        loop {
            while let Some((first, payload)) = self.take_frame() {
                match (first & 0x0F, payload.as_str()) {
                    (0x1, "2") => self.say("3").await?,
                    (0x1, _) => return Ok(payload),
                    (0x8, _) => return Err("closed by the server".to_owned()),
                    _ => {}
                }
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Err("end of the stream".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("read: {error}")),
            }
        }
    }

    fn take_frame(&mut self) -> Option<(u8, String)> {
        let (first, length, head) = match self.buffer[..] {
            [first, 126, a, b, ..] => (first, usize::from(u16::from_be_bytes([a, b])), 4),
            [first, 127, _, _, _, _, a, b, c, d, ..] => {
                (first, u32::from_be_bytes([a, b, c, d]) as usize, 10)
            }
            [first, short @ 0..=125, ..] => (first, usize::from(short), 2),
            _ => return None,
        };
        if self.buffer.len() < head + length {
            return None;
        }
        self.buffer.advance(head);
        let payload = self.buffer.split_to(length);
        Some((first, String::from_utf8_lossy(&payload).into_owned()))
    }
}

/// Masked with zeros, which is a mask too.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(short @ 0..=125) => frame.push(0x80 | short as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}
