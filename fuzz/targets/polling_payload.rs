//! The body of a POST: its packets are those between the separators, and put
//! together again they are the body.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use cardroom::protocol::encoded::{Encoded, SEPARATOR};
use cardroom::protocol::engineio::{Payload, PayloadPacket};

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let mut payload = Payload::new(BytesMut::from(input));
    let mut pieces = input.split(|byte| *byte == SEPARATOR);
    let mut again = Vec::new();
    let mut is_right = true;
    while let Some(packet) = payload.next_packet() {
        let piece = pieces.next().expect("no packet from nowhere");
        match packet {
            PayloadPacket::Text(text) => {
                assert_eq!(text, piece);
                // A server's own packets take the same way.
                if let Some(text) =
                    piece.strip_prefix(b"4").and_then(|text| str::from_utf8(text).ok())
                {
                    put(&Encoded::message(text), &mut again);
                } else {
                    separated(&mut again).extend_from_slice(text);
                }
            }
            PayloadPacket::Binary(bytes) => {
                assert_eq!(piece[0], b'b');
                assert_eq!(STANDARD.encode(&bytes).as_bytes(), &piece[1..], "one spelling only");
                put(&Encoded::binary_message(&bytes), &mut again);
            }
            PayloadPacket::Malformed => {
                assert_eq!(piece[0], b'b');
                is_right = false;
            }
        }
        // `separated` cannot tell an empty payload from an empty first packet.
        is_right &= !piece.is_empty();
    }
    assert_eq!(pieces.next(), None, "no packet is left out");
    if is_right {
        assert_eq!(again, input);
    }
}

fn put(message: &Encoded, payload: &mut Vec<u8>) {
    let before = payload.len();
    message.put_polling(payload);
    let grown = payload.len() - before;
    assert_eq!(grown + usize::from(before == 0), message.polling_bytes());
}

fn separated(payload: &mut Vec<u8>) -> &mut Vec<u8> {
    if !payload.is_empty() {
        payload.push(SEPARATOR);
    }
    payload
}
