//! The heads of the WebSocket frames a server sends (RFC 6455 §5.2).
//!
//! Server frames are unmasked and, here, never fragmented and never
//! compressed, so a frame is its head followed by the payload as it is. That
//! is what lets one buffer serve as a WebSocket frame and as a polling packet.

/// RFC 6455 §5.2 and §11.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

/// The longest head of an unmasked frame, in bytes.
pub const HEAD_BYTES_MAX: usize = 10;

/// Appends the head of a final, unmasked frame with `payload_bytes` to come.
pub fn put_head(out: &mut impl Extend<u8>, opcode: Opcode, payload_bytes: usize) {
    const FIN: u8 = 0x80;
    let first = FIN | opcode as u8;
    match payload_bytes {
        0..=125 => out.extend([first, payload_bytes as u8]),
        126..=0xFFFF => {
            out.extend([first, 126]);
            out.extend((payload_bytes as u16).to_be_bytes());
        }
        _ => {
            out.extend([first, 127]);
            out.extend((payload_bytes as u64).to_be_bytes());
        }
    }
}

/// Splits the first frame off bytes that [`put_head`] and a payload made.
/// `None` at the end, or when the bytes are not of that shape.
pub fn split_frame(bytes: &[u8]) -> Option<(Opcode, &[u8], &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let opcode = match first & 0x0F {
        0x1 => Opcode::Text,
        0x2 => Opcode::Binary,
        0x8 => Opcode::Close,
        0x9 => Opcode::Ping,
        0xA => Opcode::Pong,
        _ => return None,
    };
    let (payload_bytes, rest) = match second {
        126 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        short => (usize::from(short), rest),
    };
    let (payload, rest) = rest.split_at_checked(payload_bytes)?;
    Some((opcode, payload, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(payload_bytes: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put_head(&mut out, Opcode::Text, payload_bytes);
        out
    }

    #[test]
    fn length_takes_the_shortest_form() {
        assert_eq!(head(0), [0x81, 0]);
        assert_eq!(head(125), [0x81, 125]);
        assert_eq!(head(126), [0x81, 126, 0, 126]);
        assert_eq!(head(65_535), [0x81, 126, 0xFF, 0xFF]);
        assert_eq!(head(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert!(head(usize::MAX).len() <= HEAD_BYTES_MAX);
    }

    #[test]
    fn frames_come_apart_as_they_were_put_together() {
        for payload_bytes in [0, 1, 125, 126, 65_535, 65_536] {
            let mut bytes = head(payload_bytes);
            bytes.resize(bytes.len() + payload_bytes, b'x');
            bytes.extend_from_slice(b"rest");
            let (opcode, payload, rest) = split_frame(&bytes).expect("a whole frame");
            assert_eq!((opcode, payload.len(), rest), (Opcode::Text, payload_bytes, &b"rest"[..]));
        }
        assert_eq!(split_frame(&head(5)), None);
        assert_eq!(split_frame(&[]), None);
    }
}
