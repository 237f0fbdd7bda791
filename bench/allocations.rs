//! Allocations per operation, counted exactly; fails if a promise is broken.
//!
//! ```text
//! promised  allocations  bytes  operation
//!        0            0      0  vote, from the frame to the command
//! ```

mod support;

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::FutureExt as _;
use secrecy::ExposeSecret as _;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use cardroom::api::ClientEvent;
use cardroom::api::ack::{Ack, Done};
use cardroom::api::client_event::{self, EventName};
use cardroom::api::offset::Mark;
use cardroom::api::projection::{NAMESPACE, project_at};
use cardroom::api::server_event::{ServerEvent, VoteSubmitted};
use cardroom::identity::{Claims, Keyring};
use cardroom::poker::command::{Action, Actor, Ballot, Command};
use cardroom::poker::decide::decide;
use cardroom::poker::ids::{RoundId, SessionId, StoryId};
use cardroom::poker::play::play;
use cardroom::protocol::engineio::{PacketType, split_packet};
use cardroom::protocol::socketio::{Client, Limits, Received};
use cardroom::protocol::{Draft, Encoded};

use support::crowd::Crowd;
use support::stores::{self, Writer};
use support::table::{self, NOW};
use support::{frames, replay};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often an operation is counted; before that once, for what is kept from
/// then on (buffers of the thread).
const TIMES: usize = 100;

#[expect(clippy::print_stdout, reason = "the table")]
fn main() -> ExitCode {
    println!("promised  allocations    bytes  operation");
    let mut table = Table { is_kept: true };
    read_path(&mut table);
    rooms(&mut table);
    rest(&mut table);
    if table.is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Table {
    is_kept: bool,
}

impl Table {
    /// Of one of `TIMES` equal operations. `prepare` is not counted, nor what
    /// is done with the results.
    #[expect(clippy::print_stdout, reason = "the table")]
    fn row<I, O>(
        &mut self,
        promised: Option<usize>,
        operation: &str,
        mut prepare: impl FnMut() -> I,
        mut operate: impl FnMut(&mut I) -> O,
    ) {
        drop(operate(&mut prepare()));
        let (mut allocations, mut bytes) = (0, 0);
        for _ in 0..TIMES {
            let mut input = prepare();
            let region = Region::new(ALLOCATOR);
            let output = operate(&mut input);
            let counted = region.change();
            drop(output);
            allocations += counted.allocations + counted.reallocations;
            bytes += counted.bytes_allocated;
        }
        let each = allocations.div_ceil(TIMES);
        let is_kept = promised.is_none_or(|promised| allocations <= promised * TIMES);
        self.is_kept &= is_kept;
        let promised = promised.map_or_else(|| "-".to_owned(), |promised| promised.to_string());
        let bytes = bytes / TIMES;
        let verdict = if is_kept { "" } else { "  <- BROKEN" };
        println!("{promised:>8}  {each:>11}  {bytes:>7}  {operation}{verdict}");
    }
}

/// From the bytes of a frame to what the rules are asked.
fn read_path(table: &mut Table) {
    let connect_timeout = Duration::from_secs(45);
    let limits = Limits { attachments_max: 2, namespaces_max: 2, connect_timeout };
    let mut client = Client::new(Duration::ZERO, limits);
    client.join("/", ());
    let frame = |text: &str| text.as_bytes().to_vec();
    let mut vote = |frame: &mut Vec<u8>| command(&mut client, frame).expect("a vote");
    let name = "vote, from the frame to the command";
    table.row(Some(0), name, || frame(frames::VOTE), &mut vote);
    let name = "the same with a confidence, a round and a request id";
    table.row(Some(1), name, || frame(frames::FULL_VOTE), &mut vote);
    for (name, event, text) in [
        (
            "story:create of 3,600 bytes, to the typed event",
            EventName::StoryCreate,
            frames::story(),
        ),
        ("story:import of 50 KB, to the typed event", EventName::StoryImport, frames::import()),
    ] {
        let arguments = frames::arguments(&text);
        let parse = |frame: &mut Vec<u8>| client_event::parse(event, frame).is_ok();
        table.row(None, name, || frame(&arguments), parse);
    }
}

/// What the connection's task and `table/app.rs` do with a frame.
fn command(client: &mut Client<()>, frame: &mut [u8]) -> Option<Command> {
    let Some((PacketType::Message, message)) = split_packet(frame) else { return None };
    let Ok(Received::Event((), event)) = client.text(Duration::ZERO, message) else { return None };
    let name = EventName::parse(event.name)?;
    let Ok((event, request)) = client_event::parse(name, event.arguments) else { return None };
    let ClientEvent::VoteSubmit(vote) = event else { return None };
    let action = Action::SubmitVote(Ballot {
        story: vote.story_id,
        round: vote.round_id,
        value: vote.value.0,
        confidence: vote.confidence,
    });
    Some(Command { by: Actor::Seat(table::player(1)), request, action })
}

/// From a payload to the outboxes of a room.
fn rooms(table: &mut Table) {
    let payload = VoteSubmitted {
        player_id: table::player(1),
        has_voted: true,
        vote_count: 3,
        eligible_count: 10,
        total_players: 10,
        story_id: StoryId(1),
        round_id: RoundId(1),
        seq: 12,
        server_time: NOW,
    };
    for members in [10, 100, 1_000] {
        let crowd = Crowd::of(members);
        let name = format!("vote:submitted, encoded and told to {members}");
        let draft = || Draft::event(NAMESPACE, VoteSubmitted::NAME, &payload).expect("JSON");
        let tell = |(): &mut ()| crowd.room.send(&draft().finish_at(&MARK.end()));
        table.row(Some(1), &name, || crowd.drain(), tell);
    }
    let (session, event) = (SessionId::from_random([1; 10]), &table::votes(1)[0]);
    let project = |(): &mut ()| project_at(session, event, MARK);
    table.row(
        Some(2),
        "vote, projected: to the room, and to the voter's other tabs",
        || (),
        project,
    );
    let ack = |(): &mut ()| Encoded::ack_with(NAMESPACE, 7, &Ack::new(12, Done {}));
    table.row(Some(1), "acknowledgement", || (), ack);
}

const MARK: Mark = Mark { version: 123, nonce: 0x9a0c_73e1_b2d4, nonce_before: Some(0x77b1_e0c4) };

/// What is promised nowhere, and good to know.
fn rest(table: &mut Table) {
    let session = table::voted(10);
    let vote = table::change(1, "13");
    let decide = |(): &mut ()| decide(&session, &vote, NOW).is_ok();
    table.row(None, "vote among 10, decided", || (), decide);
    let name = "vote among 10, decided and evolved";
    table.row(None, name, || session.clone(), |session| play(session, &vote, NOW));
    let reveal = table::reveal();
    let name = "reveal of 10, decided and evolved";
    table.row(None, name, || session.clone(), |session| play(session, &reveal, NOW));

    let votes = table::votes(100);
    let store = stores::memory();
    let written = async {
        let mut writer = Writer::new(&store, 1).await;
        let before = writer.position();
        writer.commit(&votes).await;
        (writer, before)
    };
    // The embedded store never waits.
    let (mut writer, before) = written.now_or_never().expect("at once");
    let read = |(): &mut ()| writer.read_after(before).now_or_never();
    table.row(None, "100 missed events, read from memory", || (), read);
    let entries = writer.read_after(before).now_or_never().expect("at once");
    table.row(None, "100 missed events, told", || (), |()| replay::tell(&entries));
    let commit = |(): &mut ()| writer.commit(&votes[..1]).now_or_never();
    table.row(None, "commit of a vote in memory", || (), commit);

    let key = ("k1".to_owned(), "x".repeat(32).into());
    let keyring = Keyring::new([key]).expect("a key");
    let expires = NOW.add_ms(3_600_000);
    let (session, player) = (session.id, table::player(1));
    let claims = Claims { session, player, generation: 0, issued: NOW, expires };
    let token = keyring.mint(&claims);
    let verify = |(): &mut ()| keyring.verify_token(token.expose_secret(), NOW).is_ok();
    table.row(None, "token verified", || (), verify);
}
