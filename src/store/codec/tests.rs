//! The games of `tests/rules` send every fact and state they come by through
//! here ([`kept`](super::kept)); these are the edges.

use proptest::prelude::*;

use super::*;
use crate::poker::deck::{Deck, Preset};
use crate::poker::event::Fact;
use crate::poker::ids::{JoinCode, Millis, PlayerId, SessionId};
use crate::poker::policy::Policy;
use crate::poker::session::Opening;
use crate::poker::settings::{Holders, Settings, SettingsPatch};
use crate::poker::timer::OnExpire;

fn opening() -> Opening {
    Opening {
        id: SessionId::from_random([1; 10]),
        code: JoinCode::from_random([2; 5]),
        policy: Policy::default(),
        settings: Settings::new("Sprint 12".parse().expect("a name"), Deck::default()),
        password: None,
        host: PlayerId::from_random([3; 16]),
        host_name: "Ann".parse().expect("a name"),
        host_avatar: Default::default(),
    }
}

fn opened() -> Event {
    let fact = Fact::Opened(Box::new(opening()));
    Event { at: Millis(1_700_000_000_000), seq: 0, by: None, request: None, fact }
}

#[test]
fn what_was_written_is_read() {
    assert_eq!(kept(&opened()), Ok(opened()));
    let session = Session::open(&opening(), Millis(u64::MAX));
    assert_eq!(kept_session(&session), Ok(session));
}

#[test]
fn an_event_takes_few_bytes() {
    let fact = Fact::AwaySet { player: opening().host, is_away: true };
    let event = Event { at: Millis(1_700_000_000_000), seq: 9, by: None, request: None, fact };
    assert_eq!(encode_event(&event).len(), 28);
}

#[test]
fn an_unknown_schema_is_named() {
    let mut bytes = encode_event(&opened());
    bytes[0] = 9;
    assert_eq!(decode_event(&bytes), Err(CodecError::Schema { found: 9 }));
    assert_eq!(decode_event(&[]), Err(CodecError::Short));
}

#[test]
fn a_piece_is_not_taken_for_the_whole() {
    let whole = encode_event(&opened());
    for length in 0..whole.len() {
        assert!(decode_event(&whole[..length]).is_err(), "{length} of {}", whole.len());
    }
    let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
    assert_eq!(decode_event(&longer), Err(CodecError::Long(1)));
}

#[test]
fn every_setting_that_can_change_has_a_name_here() {
    let before = opening().settings;
    let patch = SettingsPatch {
        name: Some("Other".parse().expect("a name")),
        deck: Some(Deck::preset(Preset::Time)),
        auto_reveal: Some(!before.auto_reveal),
        reveal_countdown_ms: Some(before.reveal_countdown_ms + 1),
        allow_change_after_reveal: Some(!before.allow_change_after_reveal),
        anonymous: Some(!before.anonymous),
        confidence: Some(!before.confidence),
        list_passes: Some(!before.list_passes),
        timer_seconds: Some(before.timer_seconds + 1),
        timer_auto_start: Some(!before.timer_auto_start),
        timer_on_expire: Some(OnExpire::Reveal),
        consensus_percent: Some(before.consensus_percent + 1),
        reveal: Some(Holders::Everyone),
        reset: Some(Holders::Everyone),
        story: Some(Holders::Everyone),
        timer: Some(Holders::Everyone),
        locked: Some(!before.locked),
        max_players: Some(before.max_players + 1),
        reactions: Some(!before.reactions),
    };
    let (_, mut changed) = patch.applied_to(&before);
    changed.push("passwordProtected");
    changed.sort_unstable();
    let mut known = facts::SETTINGS.to_vec();
    known.sort_unstable();
    assert_eq!(changed, known);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn numbers_survive(small: u16, number: u64, signed: i64, short: i16) {
        let mut bytes = Vec::new();
        (small, number).put(&mut bytes);
        (signed, short).put(&mut bytes);
        let mut source = Source::new(&bytes);
        prop_assert_eq!(Coded::take(&mut source), Ok((small, number)));
        prop_assert_eq!(Coded::take(&mut source), Ok((signed, short)));
        prop_assert_eq!(source.len(), 0);
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        let _ = decode_event(&bytes);
        bytes[0] = SCHEMA;
        let _ = decode_event(&bytes);
        let _ = decode_session(&bytes);
    }

    #[test]
    fn broken_bytes_are_read_or_refused(place: prop::sample::Index, byte: u8) {
        let mut bytes = encode_session(&Session::open(&opening(), Millis(1)));
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = decode_session(&bytes);
    }
}
