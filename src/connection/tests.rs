//! Connections in virtual time, over a WebSocket made of channels.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};

use crate::connection::{
    App, ConnectRejected, ConnectRequest, Connections, Handshake, Incoming, Link, Options,
    PaceLimits, Progress, Socket, Upper,
};
use crate::hub::{Wire, held_bytes};
use crate::protocol::engineio::TransportName;
use crate::protocol::socketio::Event;
use crate::protocol::{CloseReason, Encoded};

const SECOND: Duration = Duration::from_secs(1);

/// The server's end: what it flushes arrives in one piece at the other.
struct FakeLink {
    from_client: mpsc::Receiver<&'static str>,
    to_client: mpsc::Sender<Vec<u8>>,
    queue: VecDeque<Bytes>,
    is_read: Arc<AtomicBool>,
}

impl Link for FakeLink {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        self.from_client.poll_recv(context).map(|packet| match packet {
            Some(packet) => Incoming::Text(BytesMut::from(packet)),
            None => Incoming::Ended(CloseReason::TransportClose),
        })
    }

    fn queue(&mut self, frames: Bytes) {
        self.queue.push_back(frames);
    }

    fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        if !self.is_read.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let flushed: Vec<u8> = self.queue.drain(..).flatten().collect();
        let _ = self.to_client.try_send(flushed);
        Poll::Ready(Ok(()))
    }

    fn behind_first_bytes(&self) -> usize {
        self.queue.iter().skip(1).map(held_bytes).sum()
    }

    fn taken_bytes(&self) -> u64 {
        0
    }

    fn wire(&self) -> Option<Arc<dyn Wire>> {
        None
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn abort(self: Box<Self>) {}
}

struct Client {
    connections: Connections,
    app: Arc<Recorder>,
    send: mpsc::Sender<&'static str>,
    receive: mpsc::Receiver<Vec<u8>>,
    is_reading: Arc<AtomicBool>,
}

impl Client {
    async fn open(options: Options) -> Self {
        let app = Arc::<Recorder>::default();
        let upper = Upper::SocketIo(Arc::clone(&app) as Arc<dyn App>);
        let connections = Connections::new(options, upper);
        let (send, from_client) = mpsc::channel(100);
        let (to_client, receive) = mpsc::channel(100);
        let handshake = Handshake {
            query: "EIO=4&transport=websocket".into(),
            headers: HeaderMap::new(),
            peer: ([127, 0, 0, 1], 1).into(),
            place: None,
            transport: TransportName::WebSocket,
        };
        let is_reading = Arc::new(AtomicBool::new(true));
        let is_read = Arc::clone(&is_reading);
        let link = FakeLink { from_client, to_client, queue: VecDeque::new(), is_read };
        connections.open_websocket(handshake, Box::new(link));
        let mut client = Self { connections, app, send, receive, is_reading };
        assert!(client.next().await.starts_with(&["0{"]));
        client
    }

    async fn join(options: Options) -> Self {
        let mut client = Self::open(options).await;
        client.say("40").await;
        assert!(client.next().await.starts_with(&["40{"]));
        client
    }

    async fn say(&self, packet: &'static str) {
        self.send.send(packet).await.expect("the connection reads");
    }

    /// The packets of the next write.
    async fn next(&mut self) -> Packets {
        let written = self.receive.recv().await.expect("the connection writes");
        let mut packets = Vec::new();
        let mut rest = &written[..];
        while let Some((_, payload, after)) = crate::protocol::frame::split_frame(rest) {
            packets.push(String::from_utf8_lossy(payload).into_owned());
            rest = after;
        }
        Packets(packets)
    }

    async fn expect_end(&mut self, reason: CloseReason) {
        assert_eq!(self.receive.recv().await, None, "the connection ends");
        assert!(self.connections.is_empty());
        assert_eq!(*self.app.ends.lock().expect("no panic"), [reason]);
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Packets(Vec<String>);

impl Packets {
    fn starts_with(&self, starts: &[&str]) -> bool {
        self.0.len() == starts.len()
            && self.0.iter().zip(starts).all(|(packet, start)| packet.starts_with(start))
    }
}

/// `burst` emits three events; `wait` is done when the test says so; the rest
/// is counted.
#[derive(Default)]
struct Recorder {
    ends: Mutex<Vec<CloseReason>>,
    events: AtomicUsize,
    go_on: Arc<Notify>,
    sockets: Mutex<Vec<Socket>>,
}

impl App for Recorder {
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        self.sockets.lock().expect("no panic").push(request.socket);
        Box::pin(ready(Ok(())))
    }

    fn event(&self, socket: &Socket, event: Event<'_>) -> Progress {
        match event.name {
            "burst" => {
                for n in 0..3 {
                    let event = Encoded::event_with("/", "n", &n).expect("numbers are JSON");
                    socket.emit(event).expect("there is room");
                }
            }
            "wait" => {
                let go_on = Arc::clone(&self.go_on);
                return Progress::Wait(Box::pin(async move { go_on.notified().await }));
            }
            _ => {
                self.events.fetch_add(1, Ordering::Relaxed);
            }
        }
        Progress::Done
    }

    fn disconnect(&self, _: &Socket, reason: CloseReason) {
        self.ends.lock().expect("no panic").push(reason);
    }
}

#[tokio::test(start_paused = true)]
async fn pings_follow_pongs_and_silence_ends() {
    let start = Instant::now();
    let mut client = Client::join(Options::default()).await;
    for _ in 0..3 {
        let since_pong = Instant::now();
        assert!(client.next().await.starts_with(&["2"]));
        assert_eq!(since_pong.elapsed().as_secs(), 25);
        client.say("3").await;
    }
    assert!(client.next().await.starts_with(&["2"]));
    client.expect_end(CloseReason::PingTimeout).await;
    assert_eq!(start.elapsed().as_secs(), 4 * 25 + 20);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_joins_nothing_is_closed() {
    let start = Instant::now();
    let mut client = Client::open(Options::default()).await;
    assert!(client.next().await.starts_with(&["2"]));
    client.say("3").await;
    assert_eq!(client.receive.recv().await, None);
    assert_eq!(start.elapsed().as_secs(), 45);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_written_at_once() {
    let mut client = Client::join(Options::default()).await;
    client.say(r#"42["burst"]"#).await;
    client.say(r#"42["burst"]"#).await;
    let n = |n| format!(r#"42["n",{n}]"#);
    assert_eq!(client.next().await, Packets([0, 1, 2, 0, 1, 2].map(n).to_vec()));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_waited_for_holds_back_packets_and_nothing_else() {
    let mut client = Client::join(Options::default()).await;
    client.say(r#"42["wait"]"#).await;
    client.say(r#"42["counted"]"#).await;
    // The heartbeat and other people's messages go on.
    assert!(client.next().await.starts_with(&["2"]));
    let socket = client.app.sockets.lock().expect("no panic")[0].clone();
    socket.emit(Encoded::event("/", br#"["news"]"#)).expect("there is room");
    assert!(client.next().await.starts_with(&[r#"42["news"]"#]));
    assert_eq!(client.app.events.load(Ordering::Relaxed), 0);

    client.app.go_on.notify_one();
    client.say("3").await;
    assert!(client.next().await.starts_with(&["2"]), "the pong was read");
    assert_eq!(client.app.events.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_gone_takes_nothing_more() {
    let mut client = Client::join(Options::default()).await;
    let socket = client.app.sockets.lock().expect("no panic")[0].clone();
    let answer = socket.emit_with_ack(br#"["question"]"#, 60 * SECOND);
    assert!(client.next().await.starts_with(&[r#"420["question"]"#]));
    socket.disconnect();
    assert!(client.next().await.starts_with(&["41"]));
    assert!(socket.emit(Encoded::PING).is_err() && !socket.emit_volatile(Encoded::PING));
    let answered = timeout(SECOND, answer).await.expect("at once");
    assert_eq!(answered, Err(crate::connection::AckError::Disconnected));
    socket.close(CloseReason::ForcedClose);
    client.expect_end(CloseReason::ServerNamespaceDisconnect).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_to_close_counts() {
    let mut client = Client::join(Options::default()).await;
    client.connections.close_all(CloseReason::ServerShuttingDown);
    client.connections.close_all(CloseReason::ForcedClose);
    client.expect_end(CloseReason::ServerShuttingDown).await;
}

/// Every second something of so many held bytes, to a client that stopped
/// reading; returns when it was closed.
async fn closed_after(pace: PaceLimits, messages_per_second: usize) -> Duration {
    let mut client = Client::join(Options { pace, ..Options::default() }).await;
    let socket = client.app.sockets.lock().expect("no panic")[0].clone();
    let metrics = Arc::clone(&client.connections.options().metrics);
    client.is_reading.store(false, Ordering::Relaxed);
    let start = Instant::now();
    while !client.connections.is_empty() {
        for _ in 0..messages_per_second {
            let _ = socket.outbox().push(Encoded::event("/", br#"["news"]"#));
        }
        tokio::time::sleep(SECOND).await;
        assert!(start.elapsed() < 60 * SECOND, "it is never closed");
    }
    client.expect_end(CloseReason::SlowConsumer).await;
    assert_eq!(metrics.wire.slow_consumers(), 1);
    start.elapsed()
}

const PACE: PaceLimits = PaceLimits { bytes_max: 49_152, timeout: Duration::from_secs(8) };

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_closed_in_time() {
    let closed_after = closed_after(PACE, 1).await.as_secs(); // seen once a second
    assert!((8..=9).contains(&closed_after), "{closed_after}");
}

#[tokio::test(start_paused = true)]
async fn a_client_for_which_too_much_waits_is_closed_sooner() {
    // 352 bytes each: more than the limit in the third second.
    assert_eq!(closed_after(PACE, 60).await.as_secs(), 3);
    // In the first, which is not yet a reason.
    assert_eq!(closed_after(PACE, 200).await.as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_waits_beyond_all_limits_closes_at_once() {
    assert_eq!(closed_after(PACE, 2_000).await.as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_message_of_any_size_is_waited_for() {
    let options = Options { pace: PACE, ..Options::default() };
    let mut client = Client::join(options).await;
    let socket = client.app.sockets.lock().expect("no panic")[0].clone();
    client.is_reading.store(false, Ordering::Relaxed);
    socket.emit(Encoded::message(&"x".repeat(1 << 20))).expect("there is room");
    tokio::time::sleep(7 * SECOND).await;
    client.is_reading.store(true, Ordering::Relaxed);
    socket.outbox().wake();
    assert!(client.next().await.starts_with(&["4xxx"]));
}

#[tokio::test(start_paused = true)]
async fn packets_that_ask_for_nothing_are_counted_and_events_are_not() {
    let options = Options { idle_packets_max: 3, ..Options::default() };
    let mut client = Client::join(options).await;
    for _ in 0..10 {
        client.say(r#"42["counted"]"#).await;
    }
    tokio::time::sleep(SECOND).await;
    assert_eq!(client.app.events.load(Ordering::Relaxed), 10);
    for packet in ["3", "6", "430[]"] {
        client.say(packet).await;
    }
    tokio::time::sleep(SECOND).await;
    for packet in ["3", "3", "3"] {
        client.say(packet).await;
    }
    assert_eq!(client.connections.len(), 1);
    client.say("40/n,").await;
    assert_eq!(client.receive.recv().await, None, "the connection ends");
    assert_eq!(*client.app.ends.lock().expect("no panic"), [CloseReason::Flooding]);
}
