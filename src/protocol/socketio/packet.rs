//! Socket.IO packets.

use bytes::Bytes;

/// An event of a client, decoded in the frame's own buffer.
#[derive(Debug)]
pub struct Event<'a> {
    pub name: &'a str,
    /// The arguments after the name, as a JSON array (`[]` if there are
    /// none). Syntax and depth have been checked; simd-json may parse it in
    /// place.
    pub arguments: &'a mut [u8],
    /// The id to acknowledge with, if the client asks for it.
    pub ack: Option<u64>,
    /// What the placeholders in `arguments` stand for; every `num` is in range.
    pub attachments: Vec<Bytes>,
}
