//! The body of a POST: packets joined by 0x1E, binary ones as `b` and base64.
//!
//! A client that is told to send base64 (`forceBase64`) writes its binary
//! packets so over WebSocket too, in text messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

use crate::protocol::encoded::SEPARATOR;

/// A payload that is being taken apart, a packet at a time.
#[derive(Debug)]
pub struct Payload {
    bytes: BytesMut,
    /// Where the next packet begins; `None` after the last.
    at: Option<usize>,
}

/// One packet of a payload, or one text message of a WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub enum PayloadPacket<'a> {
    /// In the payload's own buffer, with its type digit; empty if the payload
    /// or a part of it is.
    Text(&'a mut [u8]),
    Binary(Bytes),
    /// `b` and something that is not padded standard base64.
    Malformed,
}

impl Payload {
    pub fn new(bytes: BytesMut) -> Self {
        Self { bytes, at: Some(0) }
    }

    /// The next packet; an empty payload is one empty packet.
    pub fn next_packet(&mut self) -> Option<PayloadPacket<'_>> {
        let rest = self.bytes.get_mut(self.at?..)?;
        let packet = match rest.iter().position(|byte| *byte == SEPARATOR) {
            Some(packet_bytes) => {
                self.at = Some(self.at? + packet_bytes + 1);
                rest.get_mut(..packet_bytes)?
            }
            None => {
                self.at = None;
                rest
            }
        };
        Some(PayloadPacket::read(packet))
    }
}

impl<'a> PayloadPacket<'a> {
    pub fn read(packet: &'a mut [u8]) -> Self {
        match packet {
            [b'b', base64 @ ..] => {
                STANDARD.decode(base64).map_or(Self::Malformed, |bytes| Self::Binary(bytes.into()))
            }
            text => Self::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(payload: &[u8]) -> Vec<String> {
        let mut payload = Payload::new(payload.into());
        std::iter::from_fn(|| payload.next_packet().map(|packet| format!("{packet:?}"))).collect()
    }

    #[test]
    fn packets_come_apart_in_order() {
        assert_eq!(
            packets(b"4h\x1ebAQIDBA==\x1e3\x1ebAQ\x1e"),
            [
                "Text([52, 104])",
                "Binary(b\"\\x01\\x02\\x03\\x04\")",
                "Text([51])",
                "Malformed",
                "Text([])"
            ]
        );
    }

    #[test]
    fn an_empty_payload_is_one_empty_packet() {
        assert_eq!(packets(b""), ["Text([])"]);
    }
}
