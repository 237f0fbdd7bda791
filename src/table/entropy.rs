//! Random values: ids that nobody can guess.

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

pub(super) fn instance_id() -> InstanceId {
    InstanceId(u64::from_le_bytes(bytes()))
}

pub(super) fn salt() -> [u8; 16] {
    bytes()
}

/// What tells a commit from all others.
pub(super) fn nonce() -> u64 {
    u64::from_le_bytes(bytes())
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness every id would be guessable: better no server.
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}
