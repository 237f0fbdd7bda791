//! What is left of a planning-poker server when there is no game: hyper and
//! fastwebsockets, rooms of outboxes, and one ready-made frame per vote.
//!
//! It speaks as much Engine.IO and Socket.IO as `bench/load` needs to take it
//! for a server, looks at nothing that a client says but the name of the
//! room, and keeps nothing. What it costs is what no server on these
//! libraries can go below.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use clap::Parser;
use fastwebsockets::{OpCode, Role, WebSocketError, after_handshake_split};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep;

#[derive(Parser)]
struct Options {
    #[arg(long, default_value = "127.0.0.1:3900")]
    listen: SocketAddr,
}

/// Messages that may wait for one connection; who lets more wait is dropped.
const OUTBOX_MESSAGES_MAX: usize = 8_192;
/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Messages in one vectored write.
const WRITE_MESSAGES_MAX: usize = 256;

type Outbox = mpsc::Sender<Bytes>;

#[derive(Default)]
struct Room {
    members: Vec<Outbox>,
    sequence: u64,
}

type Rooms = Arc<Mutex<HashMap<String, Arc<Mutex<Room>>>>>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let listener = TcpListener::bind(options.listen).await?;
    let rooms = Rooms::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No file descriptors left: those of the last scenario are closing.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        stream.set_nodelay(true)?;
        let rooms = Arc::clone(&rooms);
        tokio::spawn(async move {
            let service = service_fn(move |request| upgrade(Arc::clone(&rooms), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A connection that breaks is the client's affair.
            let _ = connection.with_upgrades().await;
        });
    }
}

async fn upgrade(
    rooms: Rooms,
    mut request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    // Taken first: fastwebsockets' own hides the socket behind hyper's wrapper.
    let upgraded = hyper::upgrade::on(&mut request);
    let (response, _) = fastwebsockets::upgrade::upgrade(&mut request)?;
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
        let _ = serve(rooms, parts.io.into_inner()).await;
    });
    Ok(response)
}

/// One connection: its reader here, its writer in a task of its own.
async fn serve(rooms: Rooms, stream: TcpStream) -> Result<(), WebSocketError> {
    let (read, write) = stream.into_split();
    let (mut reader, _) = after_handshake_split(read, tokio::io::sink(), Role::Server);
    let (outbox, waiting) = mpsc::channel(OUTBOX_MESSAGES_MAX);
    tokio::spawn(write_all(waiting, write));
    push(&outbox, framed(&[OPEN]));
    let mut seat = None;
    loop {
        let frame = reader.read_frame(&mut |_| async { Ok::<_, WebSocketError>(()) }).await?;
        if frame.opcode == OpCode::Close {
            return Ok(());
        }
        match (&*frame.payload, &seat) {
            (payload, None) if payload.starts_with(b"40") => {
                let room = Arc::clone(lock(&rooms).entry(room_name(payload)).or_default());
                lock(&room).members.push(outbox.clone());
                push(&outbox, framed(&[b"40{\"sid\":\"floorfloorfloorfloor\"}"]));
                push(&outbox, framed(&[b"42[\"session:joined\",{\"player\":{\"id\":\"\"}}]"]));
                seat = Some((room, text_of(payload, b"\"playerId\":\"")));
            }
            (payload, Some((room, player))) if payload.starts_with(b"42") => {
                let digits = payload.iter().skip(2).take_while(|byte| byte.is_ascii_digit());
                let ack = 2 + digits.count();
                let (id, _) = payload.split_at(ack);
                {
                    let mut room = lock(room);
                    room.sequence += 1;
                    let vote = vote(player, room.sequence);
                    room.members.retain(|member| push(member, vote.clone()));
                }
                push(&outbox, framed(&[b"43", id.get(2..).unwrap_or_default(), ACK]));
            }
            _ => {}
        }
    }
}

/// All that waits, in one write.
async fn write_all(mut waiting: mpsc::Receiver<Bytes>, mut stream: OwnedWriteHalf) {
    let mut messages = Vec::new();
    while 0 < waiting.recv_many(&mut messages, WRITE_MESSAGES_MAX).await {
        let written = match &mut *messages {
            [one] => stream.write_all(one).await,
            many => {
                let mut whole = Chain::new(many);
                stream.write_all_buf(&mut whole).await
            }
        };
        if written.is_err() {
            return;
        }
        messages.clear();
    }
}

/// Messages as one buffer, for a vectored write.
struct Chain<'a> {
    messages: &'a mut [Bytes],
    first: usize,
}

impl<'a> Chain<'a> {
    fn new(messages: &'a mut [Bytes]) -> Self {
        Self { messages, first: 0 }
    }
}

impl bytes::Buf for Chain<'_> {
    fn remaining(&self) -> usize {
        self.messages.iter().skip(self.first).map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.messages.get(self.first).map_or(&[], |message| message)
    }

    fn chunks_vectored<'b>(&'b self, into: &mut [std::io::IoSlice<'b>]) -> usize {
        let waiting = self.messages.iter().skip(self.first);
        let mut count = 0;
        for (slice, message) in into.iter_mut().zip(waiting) {
            *slice = std::io::IoSlice::new(message);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut bytes: usize) {
        while let Some(message) = self.messages.get_mut(self.first) {
            if bytes < message.len() {
                bytes::Buf::advance(message, bytes);
                return;
            }
            bytes -= message.len();
            self.first += 1;
        }
    }
}

/// As long as cardroom's broadcast of a vote; the voter and the number are
/// filled in, so that the load generator can tell one vote from another.
fn vote(player: &str, sequence: u64) -> Bytes {
    let sequence = format!("{sequence:06}");
    framed(&[
        b"42[\"vote:submitted\",{\"playerId\":\"",
        player.as_bytes(),
        b"\",\"hasVoted\":true,\"voteCount\":1,\"eligibleCount\":1,\"totalPlayers\":1,\
          \"storyId\":\"s1\",\"roundId\":1,\"seq\":",
        sequence.as_bytes(),
        b",\"serverTime\":1795419511508},\"5-ea47e40da39ed153\"]",
    ])
}

const OPEN: &[u8] = b"0{\"sid\":\"floorfloorfloorfloor\",\"upgrades\":[],\"pingInterval\":300000,\
    \"pingTimeout\":200000,\"maxPayload\":65536}";
const ACK: &[u8] = b"[{\"ok\":true,\"seq\":3,\"storyId\":\"s1\",\"roundId\":1,\"value\":\"5\"}]";

/// An unmasked text frame (RFC 6455, section 5.2).
fn framed(parts: &[&[u8]]) -> Bytes {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = BytesMut::with_capacity(length + 4);
    frame.put_u8(0x81);
    match u8::try_from(length) {
        Ok(length) if length < 126 => frame.put_u8(length),
        _ => {
            frame.put_u8(126);
            frame.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
        }
    }
    parts.iter().for_each(|part| frame.put_slice(part));
    frame.freeze()
}

fn room_name(payload: &[u8]) -> String {
    text_of(payload, b"\"sessionId\":\"")
}

/// The text behind `key`, up to the next quotation mark.
fn text_of(payload: &[u8], key: &[u8]) -> String {
    let at = payload.windows(key.len()).position(|window| window == key);
    let rest = at.and_then(|at| payload.get(at + key.len()..)).unwrap_or_default();
    let text = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

fn push(outbox: &Outbox, message: Bytes) -> bool {
    outbox.try_send(message).is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
