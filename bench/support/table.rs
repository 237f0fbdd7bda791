//! A session with seats, and what is played in it.

use cardroom::poker::command::{Action, Actor, Aim, Ballot, Claim, Command, Join, PasswordCheck};
use cardroom::poker::deck::{Deck, Preset};
use cardroom::poker::event::Event;
use cardroom::poker::ids::{InstanceId, JoinCode, Millis, PlayerId, SessionId, StoryId};
use cardroom::poker::play::play;
use cardroom::poker::policy::Policy;
use cardroom::poker::session::{Opening, Session};
use cardroom::poker::settings::Settings;

pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

/// The session of this number, with nobody at the table yet.
pub(crate) fn opening(number: u8, seats: u16) -> Opening {
    let policy = Policy { players_max: seats.max(2), ..Policy::default() };
    let name = "Sprint 12".parse().expect("a name");
    let mut settings = Settings::new(name, Deck::preset(Preset::Fibonacci));
    settings.max_players = policy.players_max;
    Opening {
        id: SessionId::from_random([number; 10]),
        code: JoinCode::from_random([number; 5]),
        policy,
        settings,
        password: None,
        host: player(0),
        host_name: "Player 0".parse().expect("a name"),
        host_avatar: "🦊".parse().expect("an avatar"),
    }
}

/// So many at the table, the host among them; nobody has voted.
pub(crate) fn seated(seats: u16) -> Session {
    let mut session = Session::open(&opening(1, seats), NOW);
    for number in 0..seats {
        let claim = match number {
            0 => Claim::Token { player: player(0), generation: 0 },
            _ => Claim::New { player: player(number) },
        };
        let join = Join {
            claim,
            name: format!("Player {number}").parse().ok(),
            avatar: None,
            is_spectator: None,
            password: PasswordCheck::Absent,
            instance: Some(InstanceId(1)),
        };
        let by = Actor::Visitor;
        let command = Command { by, request: None, action: Action::Join(join) };
        play(&mut session, &command, NOW).expect("room for all");
    }
    session
}

/// All have voted, nothing is revealed.
pub(crate) fn voted(seats: u16) -> Session {
    let mut session = seated(seats);
    for number in 0..seats {
        let card = ["3", "5", "8"][usize::from(number) % 3];
        play(&mut session, &vote(number, card), NOW).expect("a vote");
    }
    session
}

/// The events of so many votes, one after the other, by ten players who
/// change their minds.
pub(crate) fn votes(events: usize) -> Vec<Event> {
    let mut session = voted(10);
    let mut out = Vec::with_capacity(events);
    for number in 0..events {
        let card = if number / 10 % 2 == 0 { "13" } else { "21" };
        let command = change((number % 10) as u16, card);
        out.extend(play(&mut session, &command, NOW).expect("a vote").events);
    }
    assert_eq!(out.len(), events, "a vote is one event");
    out
}

pub(crate) fn player(number: u16) -> PlayerId {
    let mut bytes = [7; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    PlayerId::from_bytes(bytes)
}

pub(crate) fn vote(number: u16, card: &str) -> Command {
    Command::by_seat(player(number), Action::SubmitVote(ballot(card)))
}

/// Another vote instead of one's own.
pub(crate) fn change(number: u16, card: &str) -> Command {
    Command::by_seat(player(number), Action::ChangeVote(ballot(card)))
}

pub(crate) fn reveal() -> Command {
    Command::by_seat(player(0), Action::Reveal { aim: Aim::default() })
}

fn ballot(card: &str) -> Ballot {
    Ballot { story: StoryId(1), round: None, value: card.into(), confidence: None }
}
