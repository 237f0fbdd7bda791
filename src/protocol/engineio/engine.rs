//! The life of an Engine.IO connection, whatever carries it.
//!
//! ```text
//!   open over polling                 open over WebSocket
//!          │                                  │
//!       Polling ── `2probe`, then `5` ──> WebSocket
//!          │ server closes                    │
//!      Lingering (for a poll to tell)         │ anything that ends it
//!          └──────────> Gone <────────────────┘
//! ```
//!
//! The upgrade, as both sides see it:
//!
//! ```text
//!   client                           server
//!     │ ── GET transport=websocket&sid ──> │   101; the upgrade timer starts
//!     │ ── 2probe ───────────────────────> │
//!     │ <─────────────────────── 3probe ── │   polls are now answered within 100 ms
//!     │ <── `6` or messages, on the poll ─ │   so that the client can stop polling
//!     │ ── 5 ────────────────────────────> │   from here on the WebSocket carries all
//! ```
//!
//! Messages are none of this machine's business: the driver delivers what
//! comes in while [`Engine::is_open`], and drains the outbox to whatever
//! [`Engine::outlet`] names.

use std::time::Duration;

use smallvec::SmallVec;

use crate::protocol::CloseReason;
use crate::protocol::engineio::{PacketType, TransportName};

/// The durations an [`Engine`] lives by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From a pong, or the opening, to the next ping.
    pub ping_interval: Duration,
    /// From a ping to the latest pong.
    pub ping_timeout: Duration,
    /// From the arrival of an upgrading WebSocket to its `5`.
    pub upgrade_timeout: Duration,
    /// How long a closed polling connection waits for a poll to say so.
    pub close_timeout: Duration,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A GET arrived.
    Poll,
    /// The parked GET was answered with a payload.
    PollAnswered,
    /// The peer gave up the parked GET.
    PollAborted,
    /// The head of a POST arrived.
    Post,
    /// The POST in flight has been dealt with.
    PostAnswered,
    /// The peer gave up the POST in flight.
    PostAborted,
    /// A packet came over the present transport. Messages and binary packets
    /// need not be told.
    Packet(PacketType),
    /// The WebSocket that carries the connection ended.
    CarrierEnded(CloseReason),
    /// A second WebSocket arrived for this connection.
    Upgrade,
    /// It said something.
    UpgradePacket(UpgradePacket),
    /// It ended.
    UpgradeEnded,
    /// The peer, or we, made the connection unusable: it ends now.
    Failed(CloseReason),
    /// The server closes the connection, after what is queued.
    Close(CloseReason),
    /// The time that [`Engine::deadline`] named has come.
    Timeout,
}

/// What an upgrading WebSocket can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpgradePacket {
    /// `2probe`
    Probe,
    /// `5`
    Upgrade,
    Other,
}

/// What is to be done, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Queue a ping behind what waits already.
    Ping,
    /// Keep the GET that just arrived.
    ParkPoll,
    /// Answer the GET that just arrived with 400 and no body.
    RefusePoll,
    /// Answer the GET that just arrived with 400 code 3: the connection has left polling.
    MismatchPoll,
    /// Answer the parked GET.
    AnswerPoll(PollAnswer),
    /// Read and process the POST that just arrived.
    AcceptPost,
    /// Answer the POST that just arrived with 400 and no body.
    RefusePost,
    /// Break off the POST in flight without an answer.
    ResetPost,
    /// Keep the WebSocket that just arrived.
    AcceptUpgrade,
    /// Close the WebSocket that just arrived.
    RefuseUpgrade,
    /// Send `3probe` over the upgrading WebSocket.
    SendProbePong,
    /// The upgrading WebSocket carries the connection from now on.
    CompleteUpgrade,
    /// Close the upgrading WebSocket; polling goes on.
    DropUpgrade,
    /// Tell the application. Once per connection; at most a farewell follows.
    Closed(CloseReason),
    /// Forget the connection, and close the WebSocket that carried it.
    Gone,
}

/// With what a parked GET is answered, unless by a payload of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollAnswer {
    /// `6`
    Noop,
    /// What was queued when the connection closed, and `1` behind it.
    Close,
}

/// Where waiting messages may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// They wait.
    None,
    /// Into an answer to the parked GET.
    Poll,
    WebSocket,
}

/// From the answer to the probe to each noop on the poll.
const NOOP_INTERVAL: Duration = Duration::from_millis(100);

/// The state machine of one connection.
#[derive(Debug)]
pub struct Engine {
    timing: Timing,
    state: State,
    heartbeat: Heartbeat,
    is_posting: bool,
    outputs: SmallVec<[Output; 4]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Polling { is_poll_parked: bool, upgrade: Option<Upgrade> },
    WebSocket,
    Lingering { until: Duration },
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Upgrade {
    until: Duration,
    /// Set by the probe.
    noop_at: Option<Duration>,
}

/// Never paused: an upgrade does not keep a dead connection alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heartbeat {
    PingAt(Duration),
    PongBy(Duration),
}

impl Engine {
    pub fn open(now: Duration, transport: TransportName, timing: Timing) -> Self {
        let state = match transport {
            TransportName::Polling => State::Polling { is_poll_parked: false, upgrade: None },
            TransportName::WebSocket => State::WebSocket,
        };
        Self {
            timing,
            state,
            heartbeat: Heartbeat::PingAt(now + timing.ping_interval),
            is_posting: false,
            outputs: SmallVec::new(),
        }
    }

    pub fn handle(&mut self, now: Duration, input: Input) {
        match input {
            Input::Poll => self.poll_arrived(),
            Input::PollAnswered => {
                self.set_poll_parked(false);
            }
            Input::PollAborted => {
                self.set_poll_parked(false);
                self.fail(CloseReason::TransportError);
            }
            Input::Post => self.post_arrived(),
            Input::PostAnswered => self.is_posting = false,
            Input::PostAborted => {
                self.is_posting = false;
                self.fail(CloseReason::TransportError);
            }
            Input::Packet(packet_type) => self.packet_arrived(now, packet_type),
            Input::CarrierEnded(reason) => self.carrier_ended(reason),
            Input::Upgrade => self.upgrade_arrived(now),
            Input::UpgradePacket(packet) => self.upgrade_spoke(now, packet),
            Input::UpgradeEnded => self.set_upgrade(None),
            Input::Failed(reason) => self.fail(reason),
            Input::Close(reason) => self.close(now, reason),
            Input::Timeout => self.timed_out(now),
        }
    }

    /// The next thing to do; call until `None` after every [`Engine::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        if self.outputs.is_empty() { None } else { Some(self.outputs.remove(0)) }
    }

    /// When to [`handle`](Engine::handle) a [`Input::Timeout`], if nothing happens before.
    pub fn deadline(&self) -> Option<Duration> {
        let heartbeat = match self.heartbeat {
            Heartbeat::PingAt(at) | Heartbeat::PongBy(at) => at,
        };
        match self.state {
            State::Polling { is_poll_parked, upgrade: Some(upgrade) } => {
                let noop_at = upgrade.noop_at.filter(|_| is_poll_parked);
                Some(heartbeat.min(upgrade.until).min(noop_at.unwrap_or(Duration::MAX)))
            }
            State::Polling { upgrade: None, .. } | State::WebSocket => Some(heartbeat),
            State::Lingering { until } => Some(until),
            State::Gone => None,
        }
    }

    /// Whether messages are still delivered: false from [`Output::Closed`] on.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Polling { .. } | State::WebSocket)
    }

    pub fn outlet(&self) -> Outlet {
        match self.state {
            State::Polling { is_poll_parked: true, .. } => Outlet::Poll,
            State::WebSocket => Outlet::WebSocket,
            _ => Outlet::None,
        }
    }

    fn poll_arrived(&mut self) {
        match self.state {
            State::Polling { is_poll_parked: false, .. } => {
                self.set_poll_parked(true);
                self.put(Output::ParkPoll);
            }
            State::Polling { is_poll_parked: true, .. } => {
                self.put(Output::RefusePoll);
                self.fail(CloseReason::TransportError);
            }
            State::WebSocket => self.put(Output::MismatchPoll),
            State::Lingering { .. } => {
                self.put(Output::ParkPoll);
                self.put(Output::AnswerPoll(PollAnswer::Close));
                self.end();
            }
            State::Gone => self.put(Output::RefusePoll),
        }
    }

    fn post_arrived(&mut self) {
        match self.state {
            State::Polling { .. } if !self.is_posting => {
                self.is_posting = true;
                self.put(Output::AcceptPost);
            }
            State::Polling { .. } => {
                self.put(Output::RefusePost);
                self.put(Output::ResetPost);
                self.is_posting = false;
                self.fail(CloseReason::TransportError);
            }
            _ => self.put(Output::RefusePost),
        }
    }

    fn packet_arrived(&mut self, now: Duration, packet_type: PacketType) {
        match packet_type {
            PacketType::Pong => {
                self.heartbeat = Heartbeat::PingAt(now + self.timing.ping_interval);
            }
            // The direction is fixed in v4: only the server pings.
            PacketType::Ping => self.fail(CloseReason::TransportError),
            PacketType::Close => {
                if self.set_poll_parked(false) {
                    self.put(Output::AnswerPoll(PollAnswer::Noop));
                }
                self.fail(CloseReason::TransportClose);
            }
            // Without meaning here; the reference server ignores them as well.
            PacketType::Open | PacketType::Upgrade | PacketType::Noop => {}
            PacketType::Message => {}
        }
    }

    fn carrier_ended(&mut self, reason: CloseReason) {
        if self.state == State::WebSocket {
            self.fail(reason);
        }
    }

    fn upgrade_arrived(&mut self, now: Duration) {
        match &mut self.state {
            State::Polling { upgrade: upgrade @ None, .. } => {
                let until = now + self.timing.upgrade_timeout;
                *upgrade = Some(Upgrade { until, noop_at: None });
                self.put(Output::AcceptUpgrade);
            }
            _ => self.put(Output::RefuseUpgrade),
        }
    }

    fn upgrade_spoke(&mut self, now: Duration, packet: UpgradePacket) {
        let State::Polling { is_poll_parked, upgrade: Some(upgrade) } = self.state else { return };
        match packet {
            UpgradePacket::Probe => {
                let noop_at = Some(now + NOOP_INTERVAL);
                self.set_upgrade(Some(Upgrade { noop_at, ..upgrade }));
                self.put(Output::SendProbePong);
            }
            UpgradePacket::Upgrade => {
                if is_poll_parked {
                    self.put(Output::AnswerPoll(PollAnswer::Noop));
                }
                self.state = State::WebSocket;
                self.put(Output::CompleteUpgrade);
            }
            UpgradePacket::Other => self.drop_upgrade(),
        }
    }

    fn timed_out(&mut self, now: Duration) {
        if let State::Lingering { until } = self.state {
            if until <= now {
                self.end();
            }
            return;
        }
        if !self.is_open() {
            return;
        }
        match self.heartbeat {
            Heartbeat::PongBy(at) if at <= now => return self.fail(CloseReason::PingTimeout),
            Heartbeat::PingAt(at) if at <= now => {
                // By the schedule, unless the ping goes out so late that the
                // peer would pay for it.
                let timeout = self.timing.ping_timeout;
                self.heartbeat = Heartbeat::PongBy((at + timeout).max(now + timeout / 2));
                self.put(Output::Ping);
            }
            _ => {}
        }
        let State::Polling { is_poll_parked, upgrade: Some(upgrade) } = self.state else { return };
        if upgrade.until <= now {
            self.drop_upgrade();
        } else if is_poll_parked && upgrade.noop_at.is_some_and(|at| at <= now) {
            let noop_at = Some(now + NOOP_INTERVAL);
            self.state = State::Polling {
                is_poll_parked: false,
                upgrade: Some(Upgrade { noop_at, ..upgrade }),
            };
            self.put(Output::AnswerPoll(PollAnswer::Noop));
        }
    }

    /// The server's own close: politely, after what is queued.
    fn close(&mut self, now: Duration, reason: CloseReason) {
        match self.state {
            State::Polling { is_poll_parked, upgrade } => {
                if upgrade.is_some() {
                    self.put(Output::DropUpgrade);
                }
                self.put(Output::Closed(reason));
                self.state = State::Lingering { until: now + self.timing.close_timeout };
                if is_poll_parked {
                    self.put(Output::AnswerPoll(PollAnswer::Close));
                    self.end();
                }
            }
            State::WebSocket => {
                self.put(Output::Closed(reason));
                self.end();
            }
            State::Lingering { .. } | State::Gone => {}
        }
    }

    /// The end of a connection that cannot go on: at once, and for good.
    fn fail(&mut self, reason: CloseReason) {
        if !self.is_open() {
            return;
        }
        if let State::Polling { is_poll_parked, upgrade } = self.state {
            if is_poll_parked {
                self.put(Output::AnswerPoll(PollAnswer::Close));
            }
            if upgrade.is_some() {
                self.put(Output::DropUpgrade);
            }
        }
        self.put(Output::Closed(reason));
        self.end();
    }

    fn end(&mut self) {
        self.state = State::Gone;
        self.put(Output::Gone);
    }

    fn drop_upgrade(&mut self) {
        self.set_upgrade(None);
        self.put(Output::DropUpgrade);
    }

    fn set_upgrade(&mut self, to: Option<Upgrade>) {
        if let State::Polling { upgrade, .. } = &mut self.state {
            *upgrade = to;
        }
    }

    /// Returns whether one was parked before.
    fn set_poll_parked(&mut self, to: bool) -> bool {
        match &mut self.state {
            State::Polling { is_poll_parked, .. } => std::mem::replace(is_poll_parked, to),
            _ => false,
        }
    }

    fn put(&mut self, output: Output) {
        self.outputs.push(output);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMING: Timing = Timing {
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        upgrade_timeout: Duration::from_secs(10),
        close_timeout: Duration::from_secs(30),
    };

    /// An engine and its clock.
    struct Driven {
        engine: Engine,
        now: Duration,
    }

    impl Driven {
        fn open(transport: TransportName) -> Self {
            let now = Duration::from_secs(1_000);
            Self { engine: Engine::open(now, transport, TIMING), now }
        }

        fn handle(&mut self, input: Input) -> Vec<Output> {
            self.engine.handle(self.now, input);
            std::iter::from_fn(|| self.engine.poll()).collect()
        }

        /// Sleeps until the machine's own deadline.
        fn wait(&mut self) -> (Duration, Vec<Output>) {
            let deadline = self.engine.deadline().expect("a deadline").max(self.now);
            let waited = deadline - self.now;
            self.now = deadline;
            (waited, self.handle(Input::Timeout))
        }
    }

    use Input::{Packet, UpgradePacket as Spoke};
    use Output::{AnswerPoll, Closed, Gone};
    use PollAnswer::{Close, Noop};
    use TransportName::{Polling, WebSocket};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_ping_follows_the_last_pong_by_the_interval() {
        let mut driven = Driven::open(WebSocket);
        assert_eq!(driven.wait(), (25 * SECOND, vec![Output::Ping]));
        driven.now += 3 * SECOND;
        assert_eq!(driven.handle(Packet(PacketType::Pong)), []);
        assert_eq!(driven.wait(), (25 * SECOND, vec![Output::Ping]));
        let timed_out = vec![Closed(CloseReason::PingTimeout), Gone];
        assert_eq!(driven.wait(), (20 * SECOND, timed_out));
        assert_eq!(driven.engine.deadline(), None);
    }

    #[test]
    fn a_late_ping_leaves_time_for_its_pong() {
        let mut driven = Driven::open(WebSocket);
        driven.now += 26 * SECOND;
        assert_eq!(driven.handle(Input::Timeout), [Output::Ping]);
        assert_eq!(driven.engine.deadline(), Some(driven.now + 19 * SECOND));
        let mut driven = Driven::open(WebSocket);
        driven.now += 100 * SECOND;
        assert_eq!(driven.handle(Input::Timeout), [Output::Ping]);
        assert_eq!(driven.engine.deadline(), Some(driven.now + 10 * SECOND));
    }

    #[test]
    fn only_a_pong_proves_life() {
        let mut driven = Driven::open(WebSocket);
        driven.wait();
        driven.now += 19 * SECOND;
        driven.handle(Packet(PacketType::Message));
        driven.handle(Packet(PacketType::Noop));
        assert_eq!(driven.wait().0, SECOND);
        assert!(!driven.engine.is_open());
    }

    #[test]
    fn a_ping_from_the_client_goes_the_wrong_way() {
        let mut driven = Driven::open(WebSocket);
        let outputs = driven.handle(Packet(PacketType::Ping));
        assert_eq!(outputs, [Closed(CloseReason::TransportError), Gone]);
        assert_eq!(driven.handle(Input::CarrierEnded(CloseReason::TransportClose)), []);
    }

    #[test]
    fn polls_are_parked_one_at_a_time() {
        let mut driven = Driven::open(Polling);
        assert_eq!(driven.engine.outlet(), Outlet::None);
        assert_eq!(driven.handle(Input::Poll), [Output::ParkPoll]);
        assert_eq!(driven.engine.outlet(), Outlet::Poll);
        driven.handle(Input::PollAnswered);
        assert_eq!(driven.handle(Input::Poll), [Output::ParkPoll]);
        let outputs = driven.handle(Input::Poll);
        let expected =
            [Output::RefusePoll, AnswerPoll(Close), Closed(CloseReason::TransportError), Gone];
        assert_eq!(outputs, expected);
        assert_eq!(driven.handle(Input::Poll), [Output::RefusePoll]);
    }

    #[test]
    fn posts_are_in_flight_one_at_a_time() {
        let mut driven = Driven::open(Polling);
        assert_eq!(driven.handle(Input::Post), [Output::AcceptPost]);
        driven.handle(Input::PostAnswered);
        assert_eq!(driven.handle(Input::Post), [Output::AcceptPost]);
        let outputs = driven.handle(Input::Post);
        let expected =
            [Output::RefusePost, Output::ResetPost, Closed(CloseReason::TransportError), Gone];
        assert_eq!(outputs, expected);
    }

    #[test]
    fn an_aborted_request_ends_the_connection() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Poll);
        let outputs = driven.handle(Input::PollAborted);
        assert_eq!(outputs, [Closed(CloseReason::TransportError), Gone]);
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Post);
        let outputs = driven.handle(Input::PostAborted);
        assert_eq!(outputs, [Closed(CloseReason::TransportError), Gone]);
    }

    #[test]
    fn a_client_that_closes_gets_a_noop_on_its_poll() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Poll);
        let outputs = driven.handle(Packet(PacketType::Close));
        assert_eq!(outputs, [AnswerPoll(Noop), Closed(CloseReason::TransportClose), Gone]);
    }

    #[test]
    fn a_server_that_closes_tells_the_parked_poll() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Poll);
        let outputs = driven.handle(Input::Close(CloseReason::ForcedClose));
        assert_eq!(outputs, [Closed(CloseReason::ForcedClose), AnswerPoll(Close), Gone]);
    }

    #[test]
    fn a_server_that_closes_waits_for_a_poll_to_tell() {
        let mut driven = Driven::open(Polling);
        let outputs = driven.handle(Input::Close(CloseReason::ForcedClose));
        assert_eq!(outputs, [Closed(CloseReason::ForcedClose)]);
        assert_eq!(driven.handle(Input::Post), [Output::RefusePost]);
        let outputs = driven.handle(Input::Poll);
        assert_eq!(outputs, [Output::ParkPoll, AnswerPoll(Close), Gone]);

        let mut driven = Driven::open(Polling);
        driven.handle(Input::Close(CloseReason::ForcedClose));
        assert_eq!(driven.wait(), (30 * SECOND, vec![Gone]));
    }

    #[test]
    fn an_upgrade_takes_the_probe_and_then_the_connection() {
        let mut driven = Driven::open(Polling);
        assert_eq!(driven.handle(Input::Upgrade), [Output::AcceptUpgrade]);
        assert_eq!(driven.handle(Spoke(UpgradePacket::Probe)), [Output::SendProbePong]);
        // Messages stay with the poll until the client says `5`.
        assert_eq!(driven.engine.outlet(), Outlet::None);
        driven.handle(Input::Poll);
        assert_eq!(driven.engine.outlet(), Outlet::Poll);
        let outputs = driven.handle(Spoke(UpgradePacket::Upgrade));
        assert_eq!(outputs, [AnswerPoll(Noop), Output::CompleteUpgrade]);
        assert_eq!(driven.engine.outlet(), Outlet::WebSocket);
        assert_eq!(driven.handle(Input::Poll), [Output::MismatchPoll]);
        assert_eq!(driven.handle(Input::Upgrade), [Output::RefuseUpgrade]);
    }

    #[test]
    fn every_poll_during_an_upgrade_is_answered() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Upgrade);
        driven.handle(Spoke(UpgradePacket::Probe));
        for _ in 0..3 {
            assert_eq!(driven.handle(Input::Poll), [Output::ParkPoll]);
            assert_eq!(driven.wait(), (NOOP_INTERVAL, vec![AnswerPoll(Noop)]));
        }
    }

    #[test]
    fn an_upgrade_without_a_probe_is_taken_too() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Upgrade);
        let outputs = driven.handle(Spoke(UpgradePacket::Upgrade));
        assert_eq!(outputs, [Output::CompleteUpgrade]);
    }

    #[test]
    fn a_second_upgrade_is_refused_and_disturbs_nothing() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Upgrade);
        assert_eq!(driven.handle(Input::Upgrade), [Output::RefuseUpgrade]);
        assert_eq!(driven.handle(Spoke(UpgradePacket::Probe)), [Output::SendProbePong]);
    }

    #[test]
    fn a_bad_upgrade_leaves_polling_alive() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Upgrade);
        assert_eq!(driven.handle(Spoke(UpgradePacket::Other)), [Output::DropUpgrade]);
        assert_eq!(driven.handle(Input::Upgrade), [Output::AcceptUpgrade]);
        assert_eq!(driven.handle(Input::UpgradeEnded), []);
        assert_eq!(driven.handle(Input::Poll), [Output::ParkPoll]);
        assert!(driven.engine.is_open());
    }

    #[test]
    fn an_upgrade_that_takes_too_long_is_dropped() {
        let mut driven = Driven::open(Polling);
        driven.handle(Input::Upgrade);
        driven.handle(Spoke(UpgradePacket::Probe));
        assert_eq!(driven.wait(), (10 * SECOND, vec![Output::DropUpgrade]));
        assert!(driven.engine.is_open());
    }

    #[test]
    fn an_upgrade_does_not_pause_the_heartbeat() {
        let mut driven = Driven::open(Polling);
        assert_eq!(driven.wait(), (25 * SECOND, vec![Output::Ping]));
        driven.now += 15 * SECOND;
        driven.handle(Input::Upgrade);
        let outputs = vec![Output::DropUpgrade, Closed(CloseReason::PingTimeout), Gone];
        assert_eq!(driven.wait(), (5 * SECOND, outputs));
    }

    #[test]
    fn a_connection_closes_once() {
        for transport in [Polling, WebSocket] {
            let mut driven = Driven::open(transport);
            driven.handle(Input::Failed(CloseReason::SlowConsumer));
            for input in [
                Input::Close(CloseReason::ForcedClose),
                Input::Failed(CloseReason::ParseError),
                Input::PollAborted,
                Input::PostAborted,
                Input::UpgradeEnded,
                Packet(PacketType::Close),
                Input::Timeout,
            ] {
                assert_eq!(driven.handle(input), []);
            }
        }
    }

    fn inputs() -> impl Strategy<Value = Vec<(Input, u64)>> {
        use CloseReason::{ForcedClose, ParseError, TransportClose};
        let input = prop::sample::select(vec![
            Input::Poll,
            Input::PollAnswered,
            Input::PollAborted,
            Input::Post,
            Input::PostAnswered,
            Input::PostAborted,
            Packet(PacketType::Close),
            Packet(PacketType::Ping),
            Packet(PacketType::Pong),
            Packet(PacketType::Noop),
            Input::CarrierEnded(TransportClose),
            Input::Upgrade,
            Spoke(UpgradePacket::Probe),
            Spoke(UpgradePacket::Upgrade),
            Spoke(UpgradePacket::Other),
            Input::UpgradeEnded,
            Input::Failed(ParseError),
            Input::Close(ForcedClose),
            Input::Timeout,
        ]);
        prop::collection::vec((input, 0..30_000u64), 0..40)
    }

    proptest! {
        #[test]
        fn whatever_happens(inputs in inputs(), over_polling: bool) {
            let mut driven = Driven::open(if over_polling { Polling } else { WebSocket });
            let mut outputs = Vec::new();
            for (input, later_ms) in inputs {
                driven.now += Duration::from_millis(later_ms);
                let answers = driven.handle(input);
                let of_newcomer = answers.iter().filter(|output| {
                    use Output::*;
                    matches!(
                        (input, output),
                        (Input::Poll, ParkPoll | RefusePoll | MismatchPoll)
                            | (Input::Post, AcceptPost | RefusePost)
                            | (Input::Upgrade, AcceptUpgrade | RefuseUpgrade)
                    )
                });
                let is_newcomer = matches!(input, Input::Poll | Input::Post | Input::Upgrade);
                prop_assert_eq!(of_newcomer.count(), usize::from(is_newcomer), "{:?}", input);
                outputs.extend(answers);
            }
            let closed = outputs.iter().filter(|output| matches!(output, Closed(_))).count();
            let gone = outputs.iter().filter(|output| **output == Gone).count();
            prop_assert!(gone <= closed && closed <= 1);
            prop_assert_eq!(driven.engine.is_open(), closed == 0);
            prop_assert_eq!(driven.engine.deadline().is_none(), gone == 1);
            // Whatever it is, it ends by itself when nobody answers its pings.
            for _ in 0..100 {
                if driven.engine.deadline().is_some() {
                    driven.wait();
                }
            }
            prop_assert!(!driven.engine.is_open());
        }
    }
}
