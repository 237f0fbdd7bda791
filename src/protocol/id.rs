//! The identifiers of a socket: 20 characters of base64url over 15 random
//! bytes. That of a connection is in [`sid`](crate::protocol::sid).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes that make one identifier.
pub const ID_RANDOM_BYTES: usize = 15;
const ID_CHARS: usize = 20;

/// The public id of a socket: one namespace membership on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId([u8; ID_CHARS]);

/// The private id of a socket (`pid`): who presents it gets the socket back.
/// A secret like [`Sid`](crate::protocol::Sid).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PrivateId([u8; ID_CHARS]);

impl PrivateId {
    pub fn from_random(random: [u8; ID_RANDOM_BYTES]) -> Self {
        Self(encode(random))
    }

    /// `None` for anything that [`PrivateId::from_random`] could not have made.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// For the CONNECT answer and for the key of its record.
    pub fn expose(&self) -> &str {
        as_str(&self.0)
    }
}

impl fmt::Debug for PrivateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateId(…)")
    }
}

impl SocketId {
    pub fn from_random(random: [u8; ID_RANDOM_BYTES]) -> Self {
        Self(encode(random))
    }

    /// `None` for anything that [`SocketId::from_random`] could not have made.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        as_str(&self.0)
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn encode(random: [u8; ID_RANDOM_BYTES]) -> [u8; ID_CHARS] {
    let mut chars = [0; ID_CHARS];
    let written = URL_SAFE_NO_PAD.encode_slice(random, &mut chars);
    debug_assert_eq!(written.ok(), Some(ID_CHARS));
    chars
}

fn parse(text: &str) -> Option<[u8; ID_CHARS]> {
    let is_base64url = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let chars: [u8; ID_CHARS] = text.as_bytes().try_into().ok()?;
    chars.iter().all(is_base64url).then_some(chars)
}

fn as_str(chars: &[u8; ID_CHARS]) -> &str {
    std::str::from_utf8(chars).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_twenty_characters_of_base64url() {
        let id = SocketId::from_random([0xFB; ID_RANDOM_BYTES]);
        assert_eq!(id.as_str(), "-_v7-_v7-_v7-_v7-_v7");
        assert_eq!(SocketId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn what_is_not_an_id_is_none() {
        for text in
            ["", "abc", "-_v7-_v7-_v7-_v7-_v", "-_v7-_v7-_v7-_v7-_v7x", "+/v7-_v7-_v7-_v7-_v7"]
        {
            assert_eq!(SocketId::parse(text), None);
        }
    }

    #[test]
    fn a_private_id_is_not_shown() {
        let id = PrivateId::from_random([1; ID_RANDOM_BYTES]);
        assert!(!format!("{id:?}").contains(id.expose()));
    }
}
