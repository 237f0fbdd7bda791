//! Many clients on one thread, over real sockets.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet, spawn_local};
use tokio::time::{Instant, sleep, timeout};

use crate::ledger::{Ledger, Reaction};
use crate::seat::{Seated, Ticket};
use crate::wire::{Frame, Frames, text_frame};
use crate::wrong::{Wrong, Wrongs};

/// The clients of one run. They share a ledger and the buffer that they read
/// into, so all of it belongs to one thread.
pub(crate) struct Swarm {
    pub(crate) ledger: RefCell<Ledger>,
    /// Client number i is player number i; `None`: not seated.
    clients: RefCell<Vec<Option<Client>>>,
    scratch: RefCell<Box<[u8]>>,
    /// Whether every acknowledgement is followed by the next vote.
    is_closed_loop: Cell<bool>,
    /// About connections; the ledger knows the rest.
    broken: RefCell<Wrongs>,
}

struct Client {
    write: OwnedWriteHalf,
    reader: JoinHandle<()>,
    votes: u32,
    /// What it needs to come back with the same socket.
    ticket: Ticket,
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
/// Who is not seated is noted and the others go on; so many, and it is not the
/// run that was meant.
const NOT_SEATED_MAX: usize = 100;

impl Swarm {
    pub(crate) fn new(ledger: Ledger) -> Rc<Self> {
        Rc::new(Self {
            ledger: RefCell::new(ledger),
            clients: RefCell::default(),
            scratch: RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice()),
            is_closed_loop: Cell::new(false),
            broken: RefCell::default(),
        })
    }

    /// Seats everybody.
    pub(crate) async fn connect(
        self: &Rc<Self>,
        servers: &[SocketAddr],
        tickets: Vec<Ticket>,
    ) -> io::Result<Arrival> {
        let start = Instant::now();
        let permits = Rc::new(Semaphore::new(CONNECTING_MAX));
        let mut joining = JoinSet::new();
        let places = tickets.iter().map(|ticket| ticket.player + 1).max().unwrap_or_default();
        self.clients.borrow_mut().resize_with(places, || None);
        for (index, ticket) in tickets.into_iter().enumerate() {
            let server = servers[index % servers.len()];
            let permits = Rc::clone(&permits);
            joining.spawn_local(async move {
                let _permit = permits.acquire().await.map_err(Error::other)?;
                let seated = timeout(JOIN_TIMEOUT, Seated::take(server, ticket)).await;
                seated.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
            });
        }
        let (mut recovered, mut not_seated) = (0, 0);
        while let Some(joined) = joining.join_next().await {
            match joined.map_err(Error::other)? {
                Ok(seated) => {
                    recovered += usize::from(seated.is_recovered);
                    // It reads from now on: a room tells of everybody who comes.
                    let player = seated.ticket.player;
                    let client = self.adopt(seated);
                    self.clients.borrow_mut()[player] = Some(client);
                }
                Err(error) => {
                    not_seated += 1;
                    if NOT_SEATED_MAX < not_seated {
                        return Err(error);
                    }
                    self.broken.borrow_mut().note(Wrong::NotSeated(error.to_string()));
                }
            }
        }
        Ok(Arrival { took: start.elapsed(), recovered })
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
        if let Some(client) = seated(&mut self.clients.borrow_mut(), player) {
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
        if let Some(client) = seated(&mut self.clients.borrow_mut(), player) {
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

    /// Waits until all that was sent is acknowledged and told to everybody, or
    /// for `patience`.
    pub(crate) async fn drained(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while 0 < self.ledger.borrow().outstanding() && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// All that was not as it should be.
    pub(crate) fn wrongs(&self) -> Wrongs {
        let mut wrongs = self.ledger.borrow().wrongs();
        wrongs.add(self.broken());
        wrongs
    }

    /// Connections that failed or ended.
    pub(crate) fn broken(&self) -> Wrongs {
        self.broken.borrow().clone()
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
        clients.into_iter().flatten().map(leave).collect()
    }

    fn adopt(self: &Rc<Self>, seated: Seated) -> Client {
        let Seated { stream, bytes, ticket, .. } = seated;
        let (read, write) = stream.into_split();
        let (swarm, player) = (Rc::clone(self), ticket.player);
        let reader = spawn_local(async move {
            let why = match swarm.read(player, read, bytes).await {
                Ok(()) => "with a close frame".to_owned(),
                Err(error) => error.to_string(),
            };
            swarm.broken.borrow_mut().note(Wrong::Ended(why));
        });
        Client { write, reader, votes: 0, ticket }
    }

    /// Until the server says goodbye.
    async fn read(&self, player: usize, mut read: OwnedReadHalf, early: Vec<u8>) -> io::Result<()> {
        let mut frames = Frames::default();
        let is_closed = Cell::new(false);
        let each = |frame: Frame<'_>| match frame {
            Frame::Text(message) => self.heard(player, message),
            Frame::Close => is_closed.set(true),
            Frame::Other => {}
        };
        frames.take(&early, each);
        while !is_closed.get() {
            let count = poll_fn(|context| {
                let mut scratch = self.scratch.borrow_mut();
                let mut buffer = ReadBuf::new(&mut scratch);
                ready!(Pin::new(&mut read).poll_read(context, &mut buffer))?;
                frames.take(buffer.filled(), each);
                Poll::Ready(io::Result::Ok(buffer.filled().len()))
            });
            if count.await? == 0 {
                return Err(Error::other("without a close frame"));
            }
        }
        Ok(())
    }

    fn heard(&self, player: usize, message: &[u8]) {
        let reaction = self.ledger.borrow_mut().received(player, message, Instant::now());
        match reaction {
            Reaction::None => {}
            Reaction::Pong => {
                if let Some(client) = seated(&mut self.clients.borrow_mut(), player) {
                    client.send("3");
                }
            }
            Reaction::Acknowledged => {
                if self.is_closed_loop.get() {
                    self.vote(player, Instant::now());
                }
            }
        }
        if let Some(client) = seated(&mut self.clients.borrow_mut(), player) {
            client.ticket.heard(message);
        }
    }
}

fn seated(clients: &mut [Option<Client>], player: usize) -> Option<&mut Client> {
    clients.get_mut(player)?.as_mut()
}

impl Client {
    fn send(&self, message: &str) {
        let frame = text_frame(message.as_bytes());
        // A command is far smaller than the kernel's buffer. If it does not
        // fit, the votes that it carries are missing in the ledger.
        let _ = self.write.try_write(&frame);
    }
}
