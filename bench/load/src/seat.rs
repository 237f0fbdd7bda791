//! How a client gets its seat, and comes back to it.

use std::io::{self, Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::wire::{Frame, split_frame, text_behind, text_frame};

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
        stream.write_all(&text_frame(ticket.connect_packet().as_bytes())).await?;
        let asked = ticket.private_id.take();
        loop {
            let message = next_message(&mut stream, &mut bytes).await?;
            if message.starts_with(b"40") {
                ticket.private_id = text_behind(&message, "\"pid\":\"").map(str::to_owned);
                if asked.is_some() && ticket.private_id == asked {
                    return Ok(Self { stream, bytes, ticket, is_recovered: true });
                }
            } else if message.starts_with(b"42[\"session:joined\"") {
                ticket.token = text_behind(&message, "\"playerToken\":\"").map(str::to_owned);
                ticket.offset = offset(&message).map(str::to_owned);
                return Ok(Self { stream, bytes, ticket, is_recovered: false });
            } else if message.starts_with(b"44") || message.starts_with(b"42[\"session:error\"") {
                let text = String::from_utf8_lossy(&message).into_owned();
                return Err(Error::other(match text_behind(&message, "\"code\":\"") {
                    Some(code) => code.to_owned(),
                    None => text,
                }));
            }
        }
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
