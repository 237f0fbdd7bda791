//! How sessions and events are kept outside of the process: a compact binary
//! form, one byte of schema in front.
//!
//! Every field and every variant is listed once, by hand, in `state` and
//! `facts`: a field that is added does not compile until it is kept, and
//! reordering a struct changes nothing on disk. The numbers of variants are
//! part of the format.
//!
//! This is the only place besides the reveal and the voter's own view that
//! opens a vote ([`Vote::disclose`]); the trait that does it stays private,
//! so that nobody can serialise one towards others by way of the store.
//!
//! [`Vote::disclose`]: crate::poker::round::Vote::disclose

mod facts;
mod primitives;
mod state;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::poker::event::Event;
use crate::poker::session::Session;
use crate::store::codec::primitives::{Coded, Source};

/// The form that is written. Readers of an older one stay as long as entries
/// of it may be around: sessions live up to 30 days.
const SCHEMA: u8 = 1;

/// Why bytes are no event or no session. Says nothing of their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    #[error("schema {found} is not known here (a newer version wrote it?)")]
    Schema { found: u8 },
    #[error("it ends too early")]
    Short,
    #[error("{0} bytes follow its end")]
    Long(usize),
    #[error("no {0} looks like this")]
    Value(&'static str),
}

pub(super) fn encode_event(event: &Event) -> Vec<u8> {
    encode(event)
}

/// Open to judges of the log; nothing leaves a vote by being read.
pub fn decode_event(bytes: &[u8]) -> Result<Event, CodecError> {
    decode(bytes)
}

pub(super) fn encode_session(session: &Session) -> Vec<u8> {
    encode(session)
}

/// As [`decode_event`], for snapshots.
pub fn decode_session(bytes: &[u8]) -> Result<Session, CodecError> {
    decode(bytes)
}

/// The event as a store gives it back: for judging the format from outside
/// without handing out its bytes.
pub fn kept(event: &Event) -> Result<Event, CodecError> {
    decode_event(&encode_event(event))
}

/// The session as a store gives it back.
pub fn kept_session(session: &Session) -> Result<Session, CodecError> {
    decode_session(&encode_session(session))
}

fn encode(value: &impl Coded) -> Vec<u8> {
    let mut out = vec![SCHEMA];
    value.put(&mut out);
    out
}

fn decode<T: Coded>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut source = Source::new(bytes);
    match u8::take(&mut source)? {
        SCHEMA => {}
        found => return Err(CodecError::Schema { found }),
    }
    let value = T::take(&mut source)?;
    match source.len() {
        0 => Ok(value),
        rest => Err(CodecError::Long(rest)),
    }
}
