//! How far a client has come in the log of its session, as it tells us when
//! it comes back (Socket.IO, "Connection state recovery").
//!
//! ```text
//!   1f-9a0c73e1b2d4               all that is told of entry 0x1f, and of those before it
//!   1f-9a0c73e1b2d4.1-77b1e0c4    of entry 0x1f only the first message; the nonce of
//!                                 entry 0x1e is 77b1e0c4 (left out when it is the same)
//! ```
//!
//! Most facts are told in one message and have the short form. The long form
//! names the entry before, behind which a store can read: of an entry that is
//! half told the other half is still to be replayed. Numbers are hexadecimal.

use std::fmt;

/// The longest text that is an offset.
pub const OFFSET_BYTES_MAX: usize = 16 + 1 + 16 + 1 + 8 + 1 + 16;

/// A place between two messages of a session's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    pub version: u64,
    pub nonce: u64,
    /// `None`: the whole entry has been told.
    pub part: Option<Part>,
}

/// How much of an entry has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Messages, whomever they were for; at least one.
    pub told: u32,
    /// The nonce of the entry before.
    pub nonce_before: u64,
}

/// Where an entry stands, as far as its offsets need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub version: u64,
    pub nonce: u64,
    /// The nonce of the entry before, where it is known.
    pub nonce_before: Option<u64>,
}

impl Mark {
    /// Behind the whole entry.
    pub const fn end(self) -> Offset {
        Offset { version: self.version, nonce: self.nonce, part: None }
    }

    /// Behind so many of its messages.
    pub fn within(self, told: u32) -> Option<Offset> {
        let part = Part { told, nonce_before: self.nonce_before? };
        Some(Offset { part: Some(part), ..self.end() })
    }
}

impl Offset {
    /// `None` for whatever no [`Offset`] is written as. Clients say it, so
    /// anything may stand here.
    pub fn parse(text: &str) -> Option<Self> {
        if OFFSET_BYTES_MAX < text.len() {
            return None;
        }
        let (entry, part) = match text.split_once('.') {
            Some((entry, part)) => (entry, Some(part)),
            None => (text, None),
        };
        let (version, nonce) = entry.split_once('-')?;
        let (version, nonce) = (number(version)?, number(nonce)?);
        let part = match part {
            None => None,
            Some(part) => {
                let (told, nonce_before) = match part.split_once('-') {
                    Some((told, nonce_before)) => (told, number(nonce_before)?),
                    None => (part, nonce),
                };
                let told = u32::try_from(number(told)?).ok().filter(|told| 0 < *told)?;
                Some(Part { told, nonce_before })
            }
        };
        Some(Self { version, nonce, part })
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.version, self.nonce)?;
        match self.part {
            None => Ok(()),
            Some(Part { told, nonce_before }) if nonce_before == self.nonce => {
                write!(f, ".{told:x}")
            }
            Some(Part { told, nonce_before }) => write!(f, ".{told:x}-{nonce_before:x}"),
        }
    }
}

/// Digits only: no sign, which the standard library would take.
fn number(text: &str) -> Option<u64> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(text, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_offset_is_none() {
        for text in ["", "-", "1", "1-", "-1", "1-2.", "1-2.0", "1-2.3-", "+1-2", "1-2-3", "1-G"] {
            assert_eq!(Offset::parse(text), None, "{text}");
        }
        assert_eq!(Offset::parse("1-2.ffffffff0"), None);
        assert_eq!(Offset::parse(&format!("1-{}", "0".repeat(OFFSET_BYTES_MAX))), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(version: u64, nonce: u64, told in 1u32.., before: Option<u64>, same: bool) {
            let nonce_before = if same { Some(nonce) } else { before };
            let mark = Mark { version, nonce, nonce_before };
            for offset in std::iter::once(mark.end()).chain(mark.within(told)) {
                let text = offset.to_string();
                prop_assert!(text.len() <= OFFSET_BYTES_MAX);
                prop_assert_eq!(Offset::parse(&text), Some(offset));
            }
        }

        #[test]
        fn whatever_clients_say_is_survived(text in ".{0,80}") {
            let _ = Offset::parse(&text);
        }
    }
}
