//! Random values: ids that nobody can guess.

use std::time::Duration;

use crate::poker::ids::{InstanceId, JoinCode, PlayerId, SessionId};

pub(super) fn session_id() -> SessionId {
    SessionId::from_random(bytes())
}

pub(super) fn join_code() -> JoinCode {
    JoinCode::from_random(bytes())
}

pub(super) fn player_id() -> PlayerId {
    PlayerId::from_random(bytes())
}

/// Under which an instance is known to the others, from its start to its end.
pub fn draw_instance_id() -> InstanceId {
    InstanceId(u64::from_le_bytes(bytes()))
}

pub(super) fn salt() -> [u8; 16] {
    bytes()
}

/// What tells a commit from all others.
pub(super) fn nonce() -> u64 {
    u64::from_le_bytes(bytes())
}

/// From nine to eleven tenths: not all instances at the same moment.
pub(super) fn jittered(duration: Duration) -> Duration {
    let tenth = duration / 10;
    let [random] = bytes();
    duration - tenth + tenth * 2 * u32::from(random) / u32::from(u8::MAX)
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness every id would be guessable: better no server.
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}
