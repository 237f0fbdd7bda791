//! Packets whose binary attachments are still on their way.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::protocol::socketio::packet::Kind;

/// A packet that waits for its attachments. Text is copied here, because its
/// frame is gone when the last attachment comes.
#[derive(Debug)]
pub(super) struct Awaiting<S> {
    pub(super) socket: S,
    pub(super) kind: Kind,
    pub(super) array: Vec<u8>,
    pub(super) attachments: Vec<Bytes>,
    pub(super) expected: usize,
}

impl<S> Awaiting<S> {
    pub(super) fn is_complete(&self) -> bool {
        self.expected <= self.attachments.len()
    }
}

/// Whether every `{"_placeholder":true,"num":i}` in a JSON text names one of
/// `attachments` attachments. Keeps nothing of the text. Its depth has been
/// checked, so recursion is bounded.
pub(super) fn are_placeholders_in_range(json: &[u8], attachments: usize) -> bool {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let seen = Check { attachments: attachments as u64 }.deserialize(&mut deserializer);
    seen.is_ok_and(|seen| seen != Seen::Wrong) && deserializer.end().is_ok()
}

#[derive(Clone, Copy)]
struct Check {
    attachments: u64,
}

/// What matters of a value.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    True,
    Number(u64),
    /// Anything else, without a wrong placeholder in it.
    Right,
    Wrong,
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "_placeholder")]
    Placeholder,
    #[serde(rename = "num")]
    Num,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Check {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Right)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Seen, E> {
        Ok(if value { Seen::True } else { Seen::Right })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Seen, E> {
        Ok(Seen::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Right)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Right)
    }

    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen::Right)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        let mut is_right = true;
        while let Some(seen) = items.next_element_seed(self)? {
            is_right &= seen != Seen::Wrong;
        }
        Ok(if is_right { Seen::Right } else { Seen::Wrong })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Seen, A::Error> {
        let (mut placeholder, mut num, mut is_right) = (Seen::Right, Seen::Right, true);
        while let Some(key) = fields.next_key::<Key>()? {
            let seen = fields.next_value_seed(self)?;
            is_right &= seen != Seen::Wrong;
            // Of a key given twice the last counts, as JavaScript has it.
            match key {
                Key::Placeholder => placeholder = seen,
                Key::Num => num = seen,
                Key::Other => {}
            }
        }
        // The attachment takes the place of all that its placeholder holds.
        let is_right = match placeholder {
            Seen::True => matches!(num, Seen::Number(num) if num < self.attachments),
            _ => is_right,
        };
        Ok(if is_right { Seen::Right } else { Seen::Wrong })
    }
}
