//! The body of a POST: packets joined by 0x1E, binary ones as `b` and base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::protocol::encoded::SEPARATOR;

/// One packet of a payload.
#[derive(Debug, PartialEq, Eq)]
pub enum PayloadPacket<'a> {
    /// With its type digit; empty if the payload or a part of it is.
    Text(&'a mut [u8]),
    Binary(Bytes),
    /// `b` and something that is not padded standard base64.
    Malformed,
}

/// The packets of a payload, in order; text stays in the payload's own buffer.
pub fn payload_packets(payload: &mut [u8]) -> impl Iterator<Item = PayloadPacket<'_>> {
    payload.split_mut(|byte| *byte == SEPARATOR).map(|packet| match packet {
        [b'b', base64 @ ..] => STANDARD
            .decode(base64)
            .map_or(PayloadPacket::Malformed, |bytes| PayloadPacket::Binary(bytes.into())),
        text => PayloadPacket::Text(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_apart_in_order() {
        let mut payload = *b"4hello\x1ebAQIDBA==\x1e3\x1ebAQ\x1e";
        let packets: Vec<_> = payload_packets(&mut payload).collect();
        let expected = [
            PayloadPacket::Text(&mut b"4hello".to_owned()),
            PayloadPacket::Binary(Bytes::from_static(&[1, 2, 3, 4])),
            PayloadPacket::Text(&mut b"3".to_owned()),
            PayloadPacket::Malformed,
            PayloadPacket::Text(&mut []),
        ];
        assert_eq!(packets[..], expected);
    }

    #[test]
    fn an_empty_payload_is_one_empty_packet() {
        let packets: Vec<_> = payload_packets(&mut []).collect();
        assert_eq!(packets[..], [PayloadPacket::Text(&mut [])]);
    }
}
