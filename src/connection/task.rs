//! The task of one connection.
//!
//! [`Task::poll_happened`] only names what happened; [`Task::decide`] decides,
//! synchronously, and [`Task::act`] carries out what the [`Engine`] says. What
//! is not ready is kept in the struct, so nothing is lost when something else
//! comes first, and the future of the task is little more than the struct.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::connection::app::ConnectRejected;
use crate::connection::chatter::Chatter;
use crate::connection::connections::Connections;
use crate::connection::handle::Connection;
use crate::connection::layer::{Layer, Waiting};
use crate::connection::link::{Incoming, Link};
use crate::connection::pace::Pace;
use crate::connection::requests::{PollReply, PostReply, Request};
use crate::connection::socket::Socket;
use crate::hub;
use crate::protocol::engineio::{
    Engine, Input, Outlet, Output, PacketType, Payload, PayloadPacket, PollAnswer, Timing,
    UpgradePacket, split_packet,
};
use crate::protocol::{CloseReason, Encoded, Sid};

/// Packets that are read in a row before what they led to is written.
const BURST_PACKETS_MAX: u32 = 32;

pub(super) struct Task {
    connections: Connections,
    sid: Sid,
    connection: Arc<Connection>,
    engine: Engine,
    layer: Layer,
    /// Carries the connection, unless that is polling.
    link: Option<Box<dyn Link>>,
    /// Has arrived to take over.
    upgrading: Option<Box<dyn Link>>,
    waiting: Option<Waiting>,
    parked: Option<oneshot::Sender<PollReply>>,
    /// A POST whose body is on its way.
    posting: Option<oneshot::Sender<PostReply>>,
    inbox: Option<Box<Inbox>>,
    /// What was queued when the connection closed.
    rest: hub::Waiting,
    burst_packets: u32,
    pace: Pace,
    /// Of the link, as of the last time that something had to wait.
    taken_bytes: u64,
    chatter: Chatter,
    is_gone: bool,
    /// Closed because it takes nothing: there is no use in a farewell.
    is_slow: bool,
    /// The machines' zero.
    origin: Instant,
    alarm: Alarm,
}

/// A POST that is being processed.
struct Inbox {
    reply: oneshot::Sender<PostReply>,
    payload: Payload,
    headers: Box<HeaderMap>,
}

enum Happened {
    Requested(Request),
    Overflown,
    TooSlow,
    SocketLeaves,
    CloseAsked(CloseReason),
    DeadlineCame,
    PollAborted,
    UpgradeReceived(Incoming),
    Decided(Socket, Result<(), ConnectRejected>),
    EventFinished,
    PostHasNext,
    Received(Incoming),
    CarrierEnded(CloseReason),
    PollCanBeAnswered,
}

/// A request that the engine has still to accept or refuse.
enum Newcomer {
    None,
    Poll(oneshot::Sender<PollReply>),
    Post(oneshot::Sender<PostReply>),
    Upgrade(Box<dyn Link>),
}

impl Task {
    pub(super) fn new(
        connections: Connections,
        sid: Sid,
        connection: Arc<Connection>,
        layer: Layer,
        link: Option<Box<dyn Link>>,
    ) -> Self {
        let options = connections.options();
        let timing = Timing {
            ping_interval: options.ping_interval,
            ping_timeout: options.ping_timeout,
            upgrade_timeout: options.upgrade_timeout,
            close_timeout: options.close_timeout,
        };
        let engine = Engine::open(Duration::ZERO, connection.transport(), timing);
        let origin = Instant::now();
        Self {
            sid,
            connection,
            engine,
            layer,
            link,
            upgrading: None,
            waiting: None,
            parked: None,
            posting: None,
            inbox: None,
            rest: hub::Waiting::new(),
            burst_packets: 0,
            pace: Pace::new(options.pace),
            taken_bytes: 0,
            chatter: Chatter::default(),
            is_gone: false,
            is_slow: false,
            origin,
            alarm: Alarm::new(),
            connections,
        }
    }

    /// Not an `async fn`, which would hold the struct twice: as its argument
    /// and as its variable.
    pub(super) fn run(self) -> impl Future<Output = ()> + Send {
        let mut task = Some(self);
        async move {
            let link = match &mut task {
                Some(task) => task.drive().await,
                None => None,
            };
            // Closing may take a while: the rest of the connection goes before it.
            drop(task.take());
            if let Some(link) = link {
                link.close().await;
            }
        }
    }

    /// Runs until the connection is gone; returns the WebSocket to close, if any.
    async fn drive(&mut self) -> Option<Box<dyn Link>> {
        self.attach_wire();
        self.layer.open();
        while !self.is_gone {
            let happened = poll_fn(|context| self.poll_happened(context)).await;
            self.decide(happened);
        }
        let mut link = self.link.take()?;
        if self.is_slow {
            link.abort();
            return None;
        }
        for message in self.rest.drain(..) {
            link.queue(message.into_websocket());
        }
        Some(link)
    }

    fn poll_happened(&mut self, context: &mut Context<'_>) -> Poll<Happened> {
        // First of all, so that nothing which comes from now on is missed.
        let is_outbox_ready = self.connection.outbox.poll_ready(context).is_ready();
        // Before requests: what comes too late must not find the connection open.
        if self.poll_timer(context).is_ready() {
            return Poll::Ready(Happened::DeadlineCame);
        }
        // Likewise: a request sent after an aborted poll finds the connection gone,
        if let Some(parked) = &mut self.parked
            && parked.poll_closed(context).is_ready()
        {
            return Poll::Ready(Happened::PollAborted);
        }
        // and one sent after the `5` finds the upgrade done.
        if let Some(upgrading) = &mut self.upgrading {
            if upgrading.has_queued()
                && let Poll::Ready(Err(reason)) = upgrading.poll_flush(context)
            {
                return Poll::Ready(Happened::UpgradeReceived(Incoming::Ended(reason)));
            }
            if let Poll::Ready(incoming) = upgrading.poll_receive(context) {
                return Poll::Ready(Happened::UpgradeReceived(incoming));
            }
        }
        if let Some(request) = self.connection.take_request() {
            return Poll::Ready(Happened::Requested(request));
        }
        if self.engine.is_open() {
            if is_outbox_ready && self.connection.outbox.has_overflown() {
                return Poll::Ready(Happened::Overflown);
            }
            if self.layer.has_leaving() {
                return Poll::Ready(Happened::SocketLeaves);
            }
            if let Some(reason) = self.connection.closing()
                && !self.must_tell_first(reason)
            {
                return Poll::Ready(Happened::CloseAsked(reason));
            }
        }
        if let Poll::Ready(happened) = self.poll_waiting(context) {
            return Poll::Ready(happened);
        }
        let is_burst_over = self.burst_packets >= BURST_PACKETS_MAX;
        if !is_burst_over && let Poll::Ready(happened) = self.poll_read(context) {
            self.burst_packets += 1;
            return Poll::Ready(happened);
        }
        self.burst_packets = 0;
        if is_burst_over {
            // Others want to run, those too who make way for others: reading
            // goes on after them.
            let _ = pin!(yield_now()).poll(context);
        }
        if let Poll::Ready(happened) = self.poll_write(context) {
            return Poll::Ready(happened);
        }
        self.poll_pace(context)
    }

    /// Behind the writing, so that a task which was late itself blames nobody.
    fn poll_pace(&mut self, context: &mut Context<'_>) -> Poll<Happened> {
        let Some(deadline) = self.pace.deadline().filter(|_| self.engine.is_open()) else {
            return Poll::Pending;
        };
        match self.alarm.poll_until(self.origin + deadline, context) {
            Poll::Ready(()) => Poll::Ready(Happened::TooSlow),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let upper = self.layer.deadline().filter(|_| self.engine.is_open());
        let deadline = self.engine.deadline().into_iter().chain(upper).min();
        let Some(deadline) = deadline else { return Poll::Pending };
        self.alarm.poll_until(self.origin + deadline, context)
    }

    /// Events that come in one polling answer with the close, socket.io-client
    /// takes for later ones: it keeps them until it is back, without noting how
    /// far it got, and hears them again in the replay.
    fn must_tell_first(&self, reason: CloseReason) -> bool {
        reason == CloseReason::ServerShuttingDown
            && self.link.is_none()
            && !self.connection.outbox.is_empty()
    }

    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<Happened> {
        let happened = match &mut self.waiting {
            None => return Poll::Pending,
            Some(Waiting::Event(future)) => {
                std::task::ready!(future.as_mut().poll(context));
                Happened::EventFinished
            }
            Some(Waiting::Connect { socket, decision }) => {
                let decision = std::task::ready!(decision.as_mut().poll(context));
                Happened::Decided(socket.clone(), decision)
            }
        };
        self.waiting = None;
        Poll::Ready(happened)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Happened> {
        if self.waiting.is_some() || !self.engine.is_open() {
            return Poll::Pending;
        }
        if self.inbox.is_some() {
            // Nor does one POST ask for more than its client polls for. While
            // an upgrade waits for the POST to end there is no such pause.
            let is_polling = self.link.is_none() && self.upgrading.is_none();
            let must_poll_first = is_polling && self.connection.outbox.is_crowded();
            return if must_poll_first {
                Poll::Pending
            } else {
                Poll::Ready(Happened::PostHasNext)
            };
        }
        match &mut self.link {
            // A peer that sends faster than it reads is not read from. It
            // is read as long as possible: a slow peer's pong must be seen.
            Some(link) if !(link.has_queued() && self.connection.outbox.is_crowded()) => {
                link.poll_receive(context).map(Happened::Received)
            }
            _ => Poll::Pending,
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Happened> {
        loop {
            let outbox = &self.connection.outbox;
            let link = match (self.engine.outlet(), &mut self.link) {
                (Outlet::Poll, _) if !outbox.is_empty() => {
                    return Poll::Ready(Happened::PollCanBeAnswered);
                }
                (Outlet::WebSocket, Some(link)) => link,
                _ => {
                    self.wait_for_poll();
                    return Poll::Pending;
                }
            };
            if !link.has_queued() {
                for message in outbox.take_all() {
                    link.queue(message.into_websocket());
                }
                if !link.has_queued() {
                    self.pace.rest();
                    return Poll::Pending;
                }
            }
            match link.poll_flush(context) {
                // All that waited when it was taken; what came since is new.
                Poll::Ready(Ok(())) => self.pace.rest(),
                Poll::Ready(Err(reason)) => return Poll::Ready(Happened::CarrierEnded(reason)),
                Poll::Pending => {
                    let taken_bytes = link.taken_bytes();
                    if self.taken_bytes < taken_bytes {
                        self.taken_bytes = taken_bytes;
                        self.pace.took();
                    }
                    let behind_first_bytes = link.behind_first_bytes() + outbox.backlog().bytes;
                    self.pace.waits(self.origin.elapsed(), behind_first_bytes);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Without a parked poll nothing can go. Pings alone, which hold nothing,
    /// wait as long as the heartbeat says.
    fn wait_for_poll(&mut self) {
        let backlog = self.connection.outbox.backlog();
        if backlog.bytes == 0 {
            self.pace.rest();
        } else {
            self.pace.waits(self.now(), backlog.behind_first_bytes);
        }
    }

    fn decide(&mut self, happened: Happened) {
        match happened {
            Happened::Requested(request) => self.requested(request),
            Happened::Overflown | Happened::TooSlow => {
                self.act(Input::Failed(CloseReason::SlowConsumer));
            }
            Happened::SocketLeaves => self.layer.disconnect_leaving(self.now()),
            Happened::CloseAsked(reason) => self.act(Input::Close(reason)),
            Happened::DeadlineCame => self.deadline_came(),
            Happened::PollAborted => {
                self.parked = None;
                self.act(Input::PollAborted);
            }
            Happened::UpgradeReceived(incoming) => self.upgrade_received(incoming),
            Happened::Decided(socket, decision) => self.layer.decided(socket, decision),
            Happened::EventFinished => {}
            Happened::PostHasNext => self.post_has_next(),
            Happened::Received(Incoming::Text(mut packet)) => {
                let connection = Arc::clone(&self.connection);
                self.packet(PayloadPacket::read(&mut packet), &connection.handshake.headers);
            }
            Happened::Received(Incoming::Binary(message)) => {
                let connection = Arc::clone(&self.connection);
                self.binary(message, &connection.handshake.headers);
            }
            Happened::Received(Incoming::Ended(reason)) | Happened::CarrierEnded(reason) => {
                self.act(Input::CarrierEnded(reason));
            }
            Happened::PollCanBeAnswered => {
                let max = self.connections.options().max_payload_bytes as usize;
                let payload = polling_payload(&self.connection.outbox.take_payload(max));
                // A peer that left at the last moment has missed messages.
                let is_taken = self.answer_poll(payload);
                self.pace.took();
                self.act(if is_taken { Input::PollAnswered } else { Input::PollAborted });
            }
        }
    }

    fn requested(&mut self, request: Request) {
        match request {
            Request::Poll(reply) => self.act_on(Input::Poll, Newcomer::Poll(reply)),
            Request::Post(reply) => self.act_on(Input::Post, Newcomer::Post(reply)),
            Request::Upgrade(link) => self.act_on(Input::Upgrade, Newcomer::Upgrade(link)),
            Request::PostBody { payload, headers } => {
                // Whatever a POST brings after it was refused is nobody's.
                if let Some(reply) = self.posting.take() {
                    let payload = Payload::new(payload);
                    self.inbox = Some(Box::new(Inbox { reply, payload, headers }));
                }
            }
            Request::PostGivenUp if self.posting.take().is_some() => self.act(Input::PostAnswered),
            Request::PostMalformed if self.posting.is_some() => {
                self.act(Input::Failed(CloseReason::ParseError));
            }
            Request::PostAborted if self.posting.is_some() => self.act(Input::PostAborted),
            Request::PostGivenUp | Request::PostMalformed | Request::PostAborted => {}
        }
    }

    fn deadline_came(&mut self) {
        let now = self.now();
        if self.layer.deadline().is_some_and(|deadline| deadline <= now) {
            self.act(Input::Close(CloseReason::ConnectTimeout));
        }
        self.act(Input::Timeout);
    }

    fn upgrade_received(&mut self, incoming: Incoming) {
        let packet = match incoming {
            Incoming::Text(text) if text == "2probe" => UpgradePacket::Probe,
            Incoming::Text(text) if text == "5" => UpgradePacket::Upgrade,
            Incoming::Text(_) | Incoming::Binary(_) => UpgradePacket::Other,
            Incoming::Ended(_) => {
                self.drop_upgrade();
                return self.act(Input::UpgradeEnded);
            }
        };
        self.act(Input::UpgradePacket(packet));
    }

    fn post_has_next(&mut self) {
        let Some(mut inbox) = self.inbox.take() else { return };
        let Inbox { payload, headers, .. } = &mut *inbox;
        let goes_on = match payload.next_packet() {
            None => {
                self.act(Input::PostAnswered);
                false
            }
            Some(packet) => self.packet(packet, headers),
        };
        if goes_on {
            self.inbox = Some(inbox);
        } else {
            let _ = inbox.reply.send(PostReply::Done);
        }
    }

    /// A packet as text; returns whether the connection goes on.
    fn packet(&mut self, packet: PayloadPacket<'_>, headers: &HeaderMap) -> bool {
        match packet {
            PayloadPacket::Text(packet) => self.text(packet, headers),
            PayloadPacket::Binary(message) => self.binary(message, headers),
            PayloadPacket::Malformed => self.fail(CloseReason::ParseError),
        }
    }

    /// A text packet; returns whether the connection goes on.
    fn text(&mut self, packet: &mut [u8], headers: &HeaderMap) -> bool {
        match split_packet(packet) {
            None => self.fail(CloseReason::ParseError),
            Some((PacketType::Message, message)) => {
                if self.layer.is_chatter(message) && self.is_flood() {
                    return self.fail(CloseReason::Flooding);
                }
                let delivered = self.layer.text(self.now(), message, headers);
                self.delivered(delivered)
            }
            Some(_) if self.is_flood() => self.fail(CloseReason::Flooding),
            Some((packet_type, _)) => {
                self.act(Input::Packet(packet_type));
                self.engine.is_open()
            }
        }
    }

    /// A binary packet; returns whether the connection goes on.
    fn binary(&mut self, message: Bytes, headers: &HeaderMap) -> bool {
        let delivered = self.layer.binary(self.now(), message, headers);
        self.delivered(delivered)
    }

    fn delivered(&mut self, delivered: Result<Option<Waiting>, CloseReason>) -> bool {
        match delivered {
            Ok(waiting) => {
                self.waiting = waiting;
                true
            }
            Err(reason) => self.fail(reason),
        }
    }

    /// One more packet that no application limits.
    fn is_flood(&mut self) -> bool {
        self.chatter.is_too_much(self.origin.elapsed(), self.connections.options().idle_packets_max)
    }

    fn fail(&mut self, reason: CloseReason) -> bool {
        self.act(Input::Failed(reason));
        false
    }

    fn act(&mut self, input: Input) {
        self.act_on(input, Newcomer::None);
    }

    /// Tells the engine, and does what it says.
    fn act_on(&mut self, input: Input, mut newcomer: Newcomer) {
        self.engine.handle(self.now(), input);
        while let Some(output) = self.engine.poll() {
            newcomer = match (output, newcomer) {
                (Output::ParkPoll, Newcomer::Poll(reply)) => {
                    self.parked = Some(reply);
                    Newcomer::None
                }
                (Output::RefusePoll, Newcomer::Poll(reply)) => {
                    let _ = reply.send(PollReply::Refused);
                    Newcomer::None
                }
                (Output::MismatchPoll, Newcomer::Poll(reply)) => {
                    let _ = reply.send(PollReply::Mismatch);
                    Newcomer::None
                }
                (Output::AcceptPost, Newcomer::Post(reply)) => {
                    self.posting = Some(reply);
                    Newcomer::None
                }
                (Output::RefusePost, Newcomer::Post(reply)) => {
                    let _ = reply.send(PostReply::Refused);
                    Newcomer::None
                }
                (Output::AcceptUpgrade, Newcomer::Upgrade(link)) => {
                    self.upgrading = Some(link);
                    Newcomer::None
                }
                (Output::RefuseUpgrade, Newcomer::Upgrade(link)) => {
                    close_aside(link);
                    Newcomer::None
                }
                (output, newcomer) => {
                    self.carry_out(output);
                    newcomer
                }
            };
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Ping => {
                let _ = self.connection.outbox.push(Encoded::PING);
            }
            Output::AnswerPoll(PollAnswer::Noop) => {
                self.answer_poll(polling_payload(&[Encoded::NOOP]));
            }
            Output::AnswerPoll(PollAnswer::Close) => {
                self.seal_outbox();
                if self.connection.closing() == Some(CloseReason::ServerShuttingDown) {
                    // Came in between: see `must_tell_first`.
                    self.rest.clear();
                }
                self.rest.push(Encoded::CLOSE);
                let payload = polling_payload(&self.rest);
                self.answer_poll(payload);
            }
            Output::ResetPost => {
                self.answer_post(PostReply::Reset, PostReply::Reset);
            }
            Output::SendProbePong => {
                if let Some(upgrading) = &mut self.upgrading {
                    upgrading.queue(Encoded::PROBE_PONG.into_websocket());
                }
            }
            Output::CompleteUpgrade => {
                self.link = self.upgrading.take();
                self.attach_wire();
                self.connection.set_upgraded();
                self.connections.options().metrics.wire.connection_upgraded();
            }
            Output::DropUpgrade => self.drop_upgrade(),
            Output::Closed(reason) => self.closed(reason),
            Output::Gone => {
                self.is_gone = true;
                self.connections.forget(self.sid);
                self.connection.retire();
            }
            // They answer a newcomer, which `act_on` has at hand.
            Output::ParkPoll
            | Output::RefusePoll
            | Output::MismatchPoll
            | Output::AcceptPost
            | Output::RefusePost
            | Output::AcceptUpgrade
            | Output::RefuseUpgrade => {}
        }
    }

    /// The one way out.
    fn closed(&mut self, reason: CloseReason) {
        self.seal_outbox();
        let metrics = Arc::clone(&self.connections.options().metrics);
        if reason == CloseReason::SlowConsumer {
            self.is_slow = true;
            self.rest.clear();
            metrics.wire.slow_consumer_closed(self.pace.waited(self.now()));
        }
        self.waiting = None;
        // A payload that ends its connection was still a payload.
        self.answer_post(PostReply::Refused, PostReply::Done);
        self.layer.close(self.now(), reason);
        metrics.wire.connection_closed(reason);
        tracing::debug!(reason = reason.as_str(), peer = %self.connection.handshake.peer, "connection closed");
    }

    /// From now on rooms may write past this task.
    fn attach_wire(&self) {
        if let Some(wire) = self.link.as_ref().and_then(|link| link.wire()) {
            self.connection.outbox.attach(wire);
        }
    }

    /// Nothing is queued from here on; what is queued is said in parting.
    fn seal_outbox(&mut self) {
        self.rest.extend(self.connection.outbox.take_all());
        self.connection.outbox.close();
    }

    /// Returns whether somebody was there to take it.
    fn answer_poll(&mut self, payload: Vec<u8>) -> bool {
        let parked = self.parked.take();
        parked.is_some_and(|parked| parked.send(PollReply::Payload(payload)).is_ok())
    }

    /// Ends the POST in flight, be its body on its way or being processed.
    fn answer_post(&mut self, on_its_way: PostReply, in_process: PostReply) {
        if let Some(posting) = self.posting.take() {
            let _ = posting.send(on_its_way);
        }
        if let Some(inbox) = self.inbox.take() {
            let _ = inbox.reply.send(in_process);
        }
    }

    fn drop_upgrade(&mut self) {
        if let Some(link) = self.upgrading.take() {
            close_aside(link);
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// A task that is dropped, at the end of the runtime or by a panic of the
/// application, still takes the way out.
impl Drop for Task {
    fn drop(&mut self) {
        self.act(Input::Failed(CloseReason::ForcedClose));
        if !self.is_gone {
            self.carry_out(Output::Gone);
        }
    }
}

fn polling_payload(messages: &[Encoded]) -> Vec<u8> {
    let mut payload = Vec::new();
    for message in messages {
        message.put_polling(&mut payload);
    }
    payload
}

/// Closes a WebSocket that carries nothing, without making the connection wait.
fn close_aside(link: Box<dyn Link>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(link.close());
    }
}
