//! The public identifier on the wire: 20 characters of base64url over 15
//! random bytes. The secret one is in [`sid`](crate::protocol::sid).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes that make one identifier.
pub const ID_RANDOM_BYTES: usize = 15;
const ID_CHARS: usize = 20;

/// The public id of a socket: one namespace membership on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId([u8; ID_CHARS]);

impl SocketId {
    pub fn from_random(random: [u8; ID_RANDOM_BYTES]) -> Self {
        let mut chars = [0; ID_CHARS];
        let written = URL_SAFE_NO_PAD.encode_slice(random, &mut chars);
        debug_assert_eq!(written.ok(), Some(ID_CHARS));
        Self(chars)
    }

    /// `None` for anything that [`SocketId::from_random`] could not have made.
    pub fn parse(text: &str) -> Option<Self> {
        let is_base64url = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        let chars: [u8; ID_CHARS] = text.as_bytes().try_into().ok()?;
        chars.iter().all(is_base64url).then_some(Self(chars))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
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
}
