//! The life of an Engine.IO connection under any order of events: it closes
//! once, answers every request once, accepts nothing afterwards, and ends by
//! itself when nobody answers its pings.

#![no_main]

use std::time::Duration;

use cardroom::protocol::CloseReason;
use cardroom::protocol::engineio::{
    Engine, Input, Outlet, Output, PacketType, Timing, TransportName, UpgradePacket, split_packet,
};

cardroom_fuzz::target!(run);

const TIMING: Timing = Timing {
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(20),
    upgrade_timeout: Duration::from_secs(10),
    close_timeout: Duration::from_secs(30),
};
/// Pings, an upgrade, a farewell: far fewer deadlines than this are left.
const DEADLINES_MAX: usize = 2_000;

/// The first byte chooses the transport; then two bytes per event: what, and
/// how long after the last one.
fn run(input: &[u8]) {
    let Some((transport, events)) = input.split_first() else { return };
    let transport = match transport & 1 {
        0 => TransportName::Polling,
        _ => TransportName::WebSocket,
    };
    let mut now = Duration::from_secs(1);
    let mut engine = Engine::open(now, transport, TIMING);
    let mut told = Told::default();
    for event in events.chunks_exact(2) {
        now += Duration::from_millis(u64::from(event[1]).pow(2));
        let input = input_of(event[0]);
        engine.handle(now, input);
        told.take(&mut engine, Some(input));
    }
    for _ in 0..DEADLINES_MAX {
        let Some(deadline) = engine.deadline() else { break };
        now = now.max(deadline);
        engine.handle(now, Input::Timeout);
        told.take(&mut engine, None);
    }
    assert!(!engine.is_open(), "it ends when nobody answers");
    assert_eq!((told.closed, told.gone), (1, 1));
}

#[derive(Default)]
struct Told {
    closed: usize,
    gone: usize,
}

impl Told {
    fn take(&mut self, engine: &mut Engine, input: Option<Input>) {
        let mut of_newcomer = 0;
        let was_over = 0 < self.closed;
        while let Some(output) = engine.poll() {
            match output {
                Output::Closed(_) => self.closed += 1,
                Output::Gone => self.gone += 1,
                Output::Ping
                | Output::SendProbePong
                | Output::CompleteUpgrade
                | Output::AcceptPost
                | Output::AcceptUpgrade => {
                    assert!(!was_over, "{output:?} after the end");
                }
                _ => {}
            }
            of_newcomer += usize::from(matches!(
                (input, output),
                (Some(Input::Poll), Output::ParkPoll | Output::RefusePoll | Output::MismatchPoll)
                    | (Some(Input::Post), Output::AcceptPost | Output::RefusePost)
                    | (Some(Input::Upgrade), Output::AcceptUpgrade | Output::RefuseUpgrade)
            ));
        }
        let is_newcomer = matches!(input, Some(Input::Poll | Input::Post | Input::Upgrade));
        assert_eq!(of_newcomer, usize::from(is_newcomer), "{input:?}");
        assert!(self.gone <= self.closed && self.closed <= 1);
        assert_eq!(engine.is_open(), self.closed == 0);
        assert_eq!(engine.deadline().is_none(), self.gone == 1);
        if !engine.is_open() {
            assert_eq!(engine.outlet(), Outlet::None);
        }
    }
}

/// Digits are packets as they come over the wire.
fn input_of(byte: u8) -> Input {
    if let Some((packet_type, rest)) = split_packet(&mut [byte]) {
        assert!(rest.is_empty());
        return Input::Packet(packet_type);
    }
    const REASONS: &[CloseReason] = CloseReason::ALL;
    let reason = REASONS[usize::from(byte >> 4) % REASONS.len()];
    match byte & 0x0F {
        0 => Input::Poll,
        1 => Input::PollAnswered,
        2 => Input::PollAborted,
        3 => Input::Post,
        4 => Input::PostAnswered,
        5 => Input::PostAborted,
        6 => Input::Upgrade,
        7 => Input::UpgradePacket(UpgradePacket::Probe),
        8 => Input::UpgradePacket(UpgradePacket::Upgrade),
        9 => Input::UpgradePacket(UpgradePacket::Other),
        10 => Input::UpgradeEnded,
        11 => Input::CarrierEnded(reason),
        12 => Input::Failed(reason),
        13 => Input::Close(reason),
        14 => Input::Packet(PacketType::Pong),
        _ => Input::Timeout,
    }
}
