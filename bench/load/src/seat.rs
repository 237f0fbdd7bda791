//! How a client gets its seat, and comes back to it.

use std::io::{self, Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::wire::{Frame, number, split_frame, text_behind, text_frame};

/// Where a client sits, and how it comes back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticket {
    pub(crate) session: String,
    pub(crate) player: usize,
    private_id: Option<String>,
    offset: Option<String>,
    token: Option<String>,
}

/// Connections from one address of this machine; the local ports of each are
/// few.
const PER_ADDRESS: usize = 500;

impl Ticket {
    pub(crate) fn new(session: &str, player: usize) -> Self {
        Self { session: session.to_owned(), player, ..Self::default() }
    }

    /// Remembers how far its client has come.
    pub(crate) fn heard(&mut self, message: &[u8]) {
        if message.starts_with(b"42")
            && self.private_id.is_some()
            && let Some(offset) = offset(message)
        {
            // Into the buffer of the one before: nothing is allocated.
            let kept = self.offset.get_or_insert_default();
            kept.clear();
            kept.push_str(offset);
        }
    }

    fn connect_packet(&self) -> String {
        let Self { session, player, .. } = self;
        let mut packet = format!(
            "40{{\"sessionId\":\"{session}\",\"playerName\":\"Player {player}\",\
             \"playerId\":\"00000000-0000-4000-8000-{player:012}\""
        );
        let secrets =
            [("playerToken", &self.token), ("pid", &self.private_id), ("offset", &self.offset)];
        for (name, value) in secrets {
            if let Some(value) = value {
                packet.push_str(&format!(",\"{name}\":\"{value}\""));
            }
        }
        packet.push('}');
        packet
    }
}

/// A client that has been let in and has its seat.
pub(crate) struct Seated {
    pub(crate) stream: TcpStream,
    /// What came behind the last message of the join.
    pub(crate) bytes: Vec<u8>,
    pub(crate) ticket: Ticket,
    pub(crate) is_recovered: bool,
    pub(crate) welcome: Welcome,
}

/// The answer to a join.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Welcome {
    /// From the wish for a seat until the answer.
    pub(crate) after: Duration,
    pub(crate) bytes: usize,
    /// The last number that the snapshot in it knows.
    pub(crate) sequence: u64,
}

impl Seated {
    pub(crate) async fn take(server: SocketAddr, mut ticket: Ticket) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let host = u8::try_from(2 + ticket.player / PER_ADDRESS % 200).unwrap_or(2);
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::new(127, 0, 1, host), 0).into())?;
        let mut stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        stream.write_all(UPGRADE.as_bytes()).await?;
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
                break end + 4;
            }
            read_more(&mut stream, &mut bytes).await?;
        };
        if !bytes.starts_with(b"HTTP/1.1 101") {
            let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
            return Err(Error::other(String::from_utf8_lossy(line).into_owned()));
        }
        bytes.drain(..head);
        next_message(&mut stream, &mut bytes).await?;
        let wished = Instant::now();
        stream.write_all(&text_frame(ticket.connect_packet().as_bytes())).await?;
        let asked = ticket.private_id.take();
        loop {
            let message = next_message(&mut stream, &mut bytes).await?;
            if message.starts_with(b"40") {
                ticket.private_id = text_behind(&message, "\"pid\":\"").map(str::to_owned);
                if asked.is_some() && ticket.private_id == asked {
                    let welcome = Welcome::default();
                    return Ok(Self { stream, bytes, ticket, is_recovered: true, welcome });
                }
            } else if message.starts_with(b"42[\"session:joined\"") {
                ticket.token = text_behind(&message, "\"playerToken\":\"").map(str::to_owned);
                ticket.offset = offset(&message).map(str::to_owned);
                let welcome = Welcome::read(&message, wished.elapsed());
                return Ok(Self { stream, bytes, ticket, is_recovered: false, welcome });
            } else if message.starts_with(b"44") || message.starts_with(b"42[\"session:error\"") {
                let text = String::from_utf8_lossy(&message).into_owned();
                return Err(Error::other(match text_behind(&message, "\"code\":\"") {
                    Some(code) => code.to_owned(),
                    None => text,
                }));
            }
        }
    }

    /// Gives the seat back, and waits until that is done.
    pub(crate) async fn leave(mut self) -> io::Result<()> {
        self.stream.write_all(&text_frame(b"420[\"session:leave\",{}]")).await?;
        loop {
            let message = next_message(&mut self.stream, &mut self.bytes).await?;
            if message.starts_with(b"430[{\"ok\":true") {
                return Ok(());
            }
            if message.starts_with(b"43") {
                let code = text_behind(&message, "\"code\":\"").unwrap_or("no code");
                return Err(Error::other(code.to_owned()));
            }
        }
    }
}

impl Welcome {
    fn read(joined: &[u8], after: Duration) -> Self {
        let snapshot = memchr::memmem::find(joined, b"\"snapshot\":");
        let snapshot = snapshot.and_then(|at| joined.get(at..)).unwrap_or_default();
        let at = memchr::memmem::find(snapshot, b"\"seq\":");
        let sequence = at.and_then(|at| snapshot.get(at + 6..)).map_or(0, number);
        Self { after, bytes: joined.len(), sequence }
    }
}

const UPGRADE: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\
    Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn next_message(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        let whole = split_frame(bytes).map(|(frame, taken)| match frame {
            Frame::Text(text) => (Ok(text.to_vec()), taken),
            Frame::Close => (Err(Error::other("closed by the server")), taken),
            Frame::Other => (Ok(Vec::new()), taken),
        });
        if let Some((message, taken)) = whole {
            bytes.drain(..taken);
            return message;
        }
        read_more(stream, bytes).await?;
    }
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The text at the end of an event's arguments.
fn offset(message: &[u8]) -> Option<&str> {
    let inner = message.strip_suffix(b"\"]")?;
    let start = memchr::memrchr(b'"', inner)? + 1;
    std::str::from_utf8(inner.get(start..)?).ok()
}
