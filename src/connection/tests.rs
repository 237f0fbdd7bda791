//! Connections in virtual time, over a WebSocket made of channels.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    Progress, Socket, Upper,
};
use crate::protocol::engineio::TransportName;
use crate::protocol::socketio::Event;
use crate::protocol::{CloseReason, Encoded};

const SECOND: Duration = Duration::from_secs(1);

/// The server's end: what it flushes arrives in one piece at the other.
struct FakeLink {
    from_client: mpsc::Receiver<&'static str>,
    to_client: mpsc::Sender<Vec<u8>>,
    queue: VecDeque<Bytes>,
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
        let flushed: Vec<u8> = self.queue.drain(..).flatten().collect();
        let _ = self.to_client.try_send(flushed);
        Poll::Ready(Ok(()))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

struct Client {
    connections: Connections,
    app: Arc<Recorder>,
    send: mpsc::Sender<&'static str>,
    receive: mpsc::Receiver<Vec<u8>>,
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
        let link = FakeLink { from_client, to_client, queue: VecDeque::new() };
        connections.open_websocket(handshake, Box::new(link));
        let mut client = Self { connections, app, send, receive };
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
