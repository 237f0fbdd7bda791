//! A door for `fuzz/`: what other programs write into Redis.

use crate::store::redis::emission::Emission;

/// What the emitter published, if it can be read.
pub fn read_emission(payload: &[u8]) -> Option<Emission> {
    Emission::read(payload).ok()
}
