//! Entries of a session's log, as a store gives them: what is read is written
//! the same, can be told to clients, and can be applied to a session.

#![no_main]

use cardroom::api::projection::project;
use cardroom::poker::deck::Deck;
use cardroom::poker::evolve::evolve;
use cardroom::poker::ids::{JoinCode, Millis, PlayerId, SessionId};
use cardroom::poker::policy::Policy;
use cardroom::poker::session::{Opening, Session};
use cardroom::poker::settings::Settings;
use cardroom::protocol::encoded::Packet;
use cardroom::store::codec::{decode_event, kept, kept_session};
use serde::de::IgnoredAny;

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Ok(event) = decode_event(input) else { return };
    assert_eq!(kept(&event).as_ref(), Ok(&event));
    for outgoing in project(SessionId::from_random([1; 10]), &event) {
        for packet in outgoing.message.packets() {
            let Packet::Text(text) = packet else { panic!("the game speaks text") };
            let array = text.strip_prefix(b"42").expect("an event");
            assert!(serde_json::from_slice::<IgnoredAny>(array).is_ok(), "what is told is JSON");
        }
    }
    let mut session = opened();
    evolve(&mut session, &event);
    assert_eq!(kept_session(&session), Ok(session));
}

fn opened() -> Session {
    let opening = Opening {
        id: SessionId::from_random([1; 10]),
        code: JoinCode::from_random([2; 5]),
        policy: Policy::default(),
        settings: Settings::new("Sprint 12".parse().expect("a name"), Deck::default()),
        password: None,
        host: PlayerId::from_random([3; 16]),
        host_name: "Ann".parse().expect("a name"),
        host_avatar: Default::default(),
    };
    Session::open(&opening, Millis(1_700_000_000_000))
}
