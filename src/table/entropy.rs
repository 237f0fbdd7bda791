//! Random values: ids that nobody can guess.

use std::cell::RefCell;
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

/// What tells a commit from all others. Drawn by the dozen: a call of the
/// kernel for each would cost as much as the rest of a vote's decision.
pub(super) fn nonce() -> u64 {
    NONCES.with_borrow_mut(|drawn| {
        drawn.pop().unwrap_or_else(|| {
            let words: [u8; 8 * NONCES_DRAWN] = bytes();
            let words = words.as_chunks::<8>().0.iter();
            drawn.extend(words.map(|word| u64::from_le_bytes(*word)));
            drawn.pop().unwrap_or_default()
        })
    })
}

const NONCES_DRAWN: usize = 32;

thread_local! {
    static NONCES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
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
