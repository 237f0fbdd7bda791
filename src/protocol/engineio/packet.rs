//! Engine.IO packets: a type digit and the rest.

/// The types of text packets, by their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketType {
    Open,
    Close,
    Ping,
    Pong,
    Message,
    Upgrade,
    Noop,
}

/// Splits a text packet in its own buffer; `None` for an empty one or an
/// unknown type.
pub fn split_packet(packet: &mut [u8]) -> Option<(PacketType, &mut [u8])> {
    let (digit, rest) = packet.split_first_mut()?;
    let packet_type = match digit {
        b'0' => PacketType::Open,
        b'1' => PacketType::Close,
        b'2' => PacketType::Ping,
        b'3' => PacketType::Pong,
        b'4' => PacketType::Message,
        b'5' => PacketType::Upgrade,
        b'6' => PacketType::Noop,
        _ => return None,
    };
    Some((packet_type, rest))
}
