//! Many clients on one thread, over real sockets.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet, spawn_local};
use tokio::time::{Instant, sleep, timeout};

use crate::ledger::{Ledger, Reaction};
use crate::wire::{Frame, Frames, split_frame, text_behind, text_frame};

/// The clients of one run. They share a ledger and the buffer that they read
/// into, so all of it belongs to one thread.
pub(crate) struct Swarm {
    pub(crate) ledger: RefCell<Ledger>,
    clients: RefCell<Vec<Client>>,
    scratch: RefCell<Box<[u8]>>,
    /// Whether every acknowledgement is followed by the next vote.
    is_closed_loop: Cell<bool>,
    ended: Cell<u32>,
}

struct Client {
    write: OwnedWriteHalf,
    reader: JoinHandle<()>,
    votes: u32,
    /// What it needs to come back with the same socket.
    ticket: Ticket,
}

/// Where a client sits, and how it comes back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticket {
    pub(crate) session: String,
    pub(crate) player: usize,
    private_id: Option<String>,
    offset: Option<String>,
    token: Option<String>,
}

/// What connecting many took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrival {
    pub(crate) took: Duration,
    /// Of those who asked for their old socket.
    pub(crate) recovered: usize,
}

const SCRATCH_BYTES: usize = 256 * 1_024;
/// Handshakes in flight; more would measure the backlog.
const CONNECTING_MAX: usize = 128;
/// Longer than a server collects changes of who is online.
const QUIET: Duration = Duration::from_millis(1_200);
const JOIN_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections from one address of this machine; the local ports of each are
/// few.
const PER_ADDRESS: usize = 500;

impl Swarm {
    pub(crate) fn new(ledger: Ledger) -> Rc<Self> {
        Rc::new(Self {
            ledger: RefCell::new(ledger),
            clients: RefCell::default(),
            scratch: RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice()),
            is_closed_loop: Cell::new(false),
            ended: Cell::new(0),
        })
    }

    /// Seats everybody; client number i is player number i.
    pub(crate) async fn connect(
        self: &Rc<Self>,
        servers: &[SocketAddr],
        tickets: Vec<Ticket>,
    ) -> io::Result<Arrival> {
        let start = Instant::now();
        let permits = Rc::new(Semaphore::new(CONNECTING_MAX));
        let mut joining = JoinSet::new();
        let count = tickets.len();
        for (index, ticket) in tickets.into_iter().enumerate() {
            let server = servers[index % servers.len()];
            let permits = Rc::clone(&permits);
            joining.spawn_local(async move {
                let _permit = permits.acquire().await.map_err(Error::other)?;
                let seated = timeout(JOIN_TIMEOUT, Seated::take(server, ticket)).await;
                seated.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
            });
        }
        let (mut clients, mut recovered) = (Vec::with_capacity(count), 0);
        while let Some(joined) = joining.join_next().await {
            let seated = joined.map_err(Error::other)??;
            recovered += usize::from(seated.is_recovered);
            // It reads from now on: a room tells of everybody who comes.
            clients.push((seated.ticket.player, self.adopt(seated)));
        }
        let took = start.elapsed();
        clients.sort_unstable_by_key(|(player, _)| *player);
        self.clients.replace(clients.into_iter().map(|(_, client)| client).collect());
        Ok(Arrival { took, recovered })
    }

    /// Waits until nothing comes any more, and begins to judge.
    pub(crate) async fn settle(&self) {
        let mut before = u64::MAX;
        loop {
            let messages = self.ledger.borrow().messages();
            if messages == before {
                break;
            }
            before = messages;
            sleep(QUIET).await;
        }
        self.ledger.borrow_mut().begin();
    }

    /// Sends the vote of `player` that was due at `due`.
    pub(crate) fn vote(&self, player: usize, due: Instant) {
        self.ledger.borrow_mut().sent(player, due);
        if let Some(client) = self.clients.borrow_mut().get_mut(player) {
            client.votes += 1;
            // The same card again would be no news.
            let card = if client.votes.is_multiple_of(2) { "8" } else { "5" };
            client.send(&format!(
                "42{}[\"vote:submit\",{{\"storyId\":\"s1\",\"value\":\"{card}\"}}]",
                client.votes
            ));
        }
    }

    /// Sends a command without a payload.
    pub(crate) fn command(&self, player: usize, event: &str) {
        self.ledger.borrow_mut().commanded(player, Instant::now());
        if let Some(client) = self.clients.borrow_mut().get_mut(player) {
            client.votes += 1;
            client.send(&format!("42{}[\"{event}\",{{}}]", client.votes));
        }
    }

    /// Everybody votes, and again as soon as that is acknowledged.
    pub(crate) fn close_loop(&self) {
        self.is_closed_loop.set(true);
        let count = self.clients.borrow().len();
        (0..count).for_each(|player| self.vote(player, Instant::now()));
    }

    pub(crate) fn open_loop(&self) {
        self.is_closed_loop.set(false);
    }

    /// What was not as it should be: lost, doubled, out of order, miscounted,
    /// refused, or ended by the server.
    pub(crate) fn wrong(&self) -> u64 {
        let ledger = self.ledger.borrow();
        let unheard = ledger.outstanding() as u64;
        ledger.tally.violations + ledger.tally.refused + unheard + u64::from(self.ended())
    }

    /// Connections that the server ended.
    pub(crate) fn ended(&self) -> u32 {
        self.ended.get()
    }

    /// Breaks all connections, as a network does, and returns what it takes to
    /// come back.
    pub(crate) fn drop_all(&self) -> Vec<Ticket> {
        let clients = self.clients.take();
        let leave = |client: Client| {
            client.reader.abort();
            let _ = client.write.as_ref().set_zero_linger();
            client.ticket
        };
        clients.into_iter().map(leave).collect()
    }

    fn adopt(self: &Rc<Self>, seated: Seated) -> Client {
        let Seated { stream, bytes, ticket, .. } = seated;
        let (read, write) = stream.into_split();
        let (swarm, player) = (Rc::clone(self), ticket.player);
        let reader = spawn_local(async move {
            let _ = swarm.read(player, read, bytes).await;
            swarm.ended.set(swarm.ended.get() + 1);
        });
        Client { write, reader, votes: 0, ticket }
    }

    async fn read(&self, player: usize, mut read: OwnedReadHalf, early: Vec<u8>) -> io::Result<()> {
        let mut frames = Frames::default();
        frames.take(&early, |frame| self.heard(player, frame));
        loop {
            let count = poll_fn(|context| {
                let mut scratch = self.scratch.borrow_mut();
                let mut buffer = ReadBuf::new(&mut scratch);
                ready!(Pin::new(&mut read).poll_read(context, &mut buffer))?;
                frames.take(buffer.filled(), |frame| self.heard(player, frame));
                Poll::Ready(io::Result::Ok(buffer.filled().len()))
            });
            if count.await? == 0 {
                return Ok(());
            }
        }
    }

    fn heard(&self, player: usize, frame: Frame<'_>) {
        let Frame::Text(message) = frame else { return };
        let reaction = self.ledger.borrow_mut().received(player, message, Instant::now());
        match reaction {
            Reaction::None => {}
            Reaction::Pong => {
                if let Some(client) = self.clients.borrow_mut().get_mut(player) {
                    client.send("3");
                }
            }
            Reaction::Acknowledged => {
                if self.is_closed_loop.get() {
                    self.vote(player, Instant::now());
                }
            }
        }
        if message.starts_with(b"42")
            && let Some(client) = self.clients.borrow_mut().get_mut(player)
            && client.ticket.private_id.is_some()
            && let Some(offset) = offset(message)
        {
            // Into the buffer of the one before: nothing is allocated.
            let kept = client.ticket.offset.get_or_insert_default();
            kept.clear();
            kept.push_str(offset);
        }
    }
}

impl Client {
    fn send(&self, message: &str) {
        let frame = text_frame(message.as_bytes());
        // A command is far smaller than the kernel's buffer. If it does not
        // fit, the votes that it carries are missing in the ledger.
        let _ = self.write.try_write(&frame);
    }
}

impl Ticket {
    pub(crate) fn new(session: &str, player: usize) -> Self {
        Self { session: session.to_owned(), player, ..Self::default() }
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
struct Seated {
    stream: TcpStream,
    /// What came behind the last message of the join.
    bytes: Vec<u8>,
    ticket: Ticket,
    is_recovered: bool,
}

impl Seated {
    async fn take(server: SocketAddr, mut ticket: Ticket) -> io::Result<Self> {
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
                return Err(Error::other(String::from_utf8_lossy(&message).into_owned()));
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
