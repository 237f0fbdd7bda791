//! The rules of RFC 6455 §5 for frames that a client sends, plus our limits.
//!
//! Pure: bytes pass by, in pieces of any size, and a [`Violation`] or the end
//! of a frame is noticed. Payload is never kept; text is looked at only where
//! fastwebsockets would look too late (see [`FrameRules::follow_text`]).

use crate::protocol::frame::Opcode;
use crate::transport::websocket::utf8::{NotUtf8, Utf8Validator};
use crate::transport::websocket::violation::Violation;

/// What one client may make this instance hold.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// Payload of one message in sum over its fragments; equal is fine.
    pub message_bytes_max: usize,
    /// Frames of one message, empty ones included.
    pub fragments_max: u32,
}

/// Follows the frames of one connection.
#[derive(Debug)]
pub(super) struct FrameRules {
    limits: ReadLimits,
    place: Place,
    message: Option<Message>,
    utf8: Utf8Validator,
}

/// Where in a frame the next byte belongs.
#[derive(Debug)]
enum Place {
    Head(PartialHead),
    Payload(Payload),
}

/// The data message that has begun and not ended (§5.4).
#[derive(Debug, Clone, Copy)]
struct Message {
    is_text: bool,
    bytes: u64,
    fragments: u32,
}

#[derive(Debug)]
struct Payload {
    is_text: bool,
    /// The last frame of its message.
    ends_message: bool,
    /// The whole message is this one frame.
    is_whole_message: bool,
    mask: [u8; 4],
    bytes: u64,
    bytes_seen: u64,
}

impl FrameRules {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self {
            limits,
            place: Place::Head(PartialHead::default()),
            message: None,
            utf8: Utf8Validator::default(),
        }
    }

    /// Follows `bytes` up to the end of the current frame and returns how many
    /// of them belong to it. After a violation there is nothing left to follow.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<usize, Violation> {
        let mut rest = bytes;
        while let Place::Head(head) = &mut self.place {
            let Some((byte, after)) = rest.split_first() else { return Ok(bytes.len()) };
            rest = after;
            if let Some(frame) = head.push(*byte)? {
                self.place = Place::Payload(self.begin_frame(frame)?);
            }
        }
        let Place::Payload(payload) = &mut self.place else { return Ok(bytes.len()) };

        let missing = usize::try_from(payload.bytes - payload.bytes_seen).unwrap_or(usize::MAX);
        let (piece, after) = rest.split_at(rest.len().min(missing));
        if payload.is_text {
            Self::follow_text(payload, &mut self.utf8, piece)?;
        }
        payload.bytes_seen += piece.len() as u64;
        if payload.bytes_seen == payload.bytes {
            self.place = Place::Head(PartialHead::default());
        }
        Ok(bytes.len() - after.len())
    }

    /// Judges a frame by its head and by the message it stands in.
    fn begin_frame(&mut self, head: Head) -> Result<Payload, Violation> {
        let mut payload = Payload {
            is_text: false,
            ends_message: head.is_final,
            is_whole_message: false,
            mask: head.mask,
            bytes: head.payload_bytes,
            bytes_seen: 0,
        };
        let is_text = match (head.kind, self.message) {
            (Kind::Control, _) => return Ok(payload),
            (Kind::Data { .. }, Some(_)) => return Err(Violation::Interleaved),
            (Kind::Continuation, None) => return Err(Violation::NothingToContinue),
            (Kind::Data { is_text }, None) => is_text,
            (Kind::Continuation, Some(message)) => message.is_text,
        };
        let before = self.message.take();
        let message = Message {
            is_text,
            bytes: before.map_or(0, |m| m.bytes).saturating_add(head.payload_bytes),
            fragments: before.map_or(0, |m| m.fragments).saturating_add(1),
        };
        if message.bytes > self.limits.message_bytes_max as u64 {
            return Err(Violation::MessageTooBig);
        }
        if message.fragments > self.limits.fragments_max {
            return Err(Violation::TooManyFragments);
        }
        payload.is_text = is_text;
        payload.is_whole_message = head.is_final && message.fragments == 1;
        if !head.is_final {
            self.message = Some(message);
        }
        Ok(payload)
    }

    /// Validates text as it passes, so that it fails at its first wrong byte.
    ///
    /// A message that arrives as one frame in one piece, nearly every one, is
    /// left to fastwebsockets, which validates it right after with SIMD.
    fn follow_text(
        payload: &Payload,
        utf8: &mut Utf8Validator,
        piece: &[u8],
    ) -> Result<(), Violation> {
        const SCRATCH_BYTES: usize = 1024; // a multiple of the mask's four
        if payload.is_whole_message && piece.len() as u64 == payload.bytes {
            return Ok(());
        }
        let mut mask = payload.mask;
        mask.rotate_left((payload.bytes_seen % 4) as usize);
        let mut scratch = [0; SCRATCH_BYTES];
        for masked in piece.chunks(SCRATCH_BYTES) {
            let text = unmask_into(&mut scratch, masked, mask);
            utf8.push(text)?;
        }
        let is_end = payload.bytes_seen + piece.len() as u64 == payload.bytes;
        if is_end && payload.ends_message {
            utf8.finish()?;
        }
        Ok(())
    }
}

fn unmask_into<'a>(scratch: &'a mut [u8], masked: &[u8], mask: [u8; 4]) -> &'a [u8] {
    let (text, _) = scratch.split_at_mut(masked.len().min(scratch.len()));
    for ((out, byte), key) in text.iter_mut().zip(masked).zip(mask.iter().cycle()) {
        *out = byte ^ key;
    }
    text
}

impl From<NotUtf8> for Violation {
    fn from(NotUtf8: NotUtf8) -> Self {
        Self::NotUtf8
    }
}

/// A frame's head as far as the rules need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    kind: Kind,
    is_final: bool,
    mask: [u8; 4],
    payload_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data { is_text: bool },
    Continuation,
    Control,
}

/// A head of which some bytes have come. Each byte is judged when it comes.
#[derive(Debug, Default)]
struct PartialHead {
    bytes: [u8; HEAD_BYTES_MAX],
    len: usize,
}

/// Two bytes, a 64-bit length and the mask.
const HEAD_BYTES_MAX: usize = 14;

impl PartialHead {
    fn push(&mut self, byte: u8) -> Result<Option<Head>, Violation> {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
        let [first, second, ..] = self.bytes;
        let (kind, is_final) = judge_first(first)?;
        if self.len < 2 {
            return Ok(None);
        }
        let length = judge_second(second, kind)?;
        let [_, _, a, b, c, d, e, f, g, h, i, j, k, l] = self.bytes;
        let (head_bytes, payload_bytes, mask) = match length {
            126 => (8, u64::from(u16::from_be_bytes([a, b])), [c, d, e, f]),
            127 => (14, u64::from_be_bytes([a, b, c, d, e, f, g, h]), [i, j, k, l]),
            short => (6, u64::from(short), [a, b, c, d]),
        };
        if self.len < head_bytes {
            return Ok(None);
        }
        judge_length(length, payload_bytes)?;
        Ok(Some(Head { kind, is_final, mask, payload_bytes }))
    }
}

fn judge_first(byte: u8) -> Result<(Kind, bool), Violation> {
    const CONTINUATION: u8 = 0x0;
    const TEXT: u8 = Opcode::Text as u8;
    const BINARY: u8 = Opcode::Binary as u8;
    const CLOSE: u8 = Opcode::Close as u8;
    const PING: u8 = Opcode::Ping as u8;
    const PONG: u8 = Opcode::Pong as u8;

    if byte & 0x70 != 0 {
        return Err(Violation::ReservedBits);
    }
    let is_final = byte & 0x80 != 0;
    let kind = match byte & 0x0F {
        CONTINUATION => Kind::Continuation,
        TEXT => Kind::Data { is_text: true },
        BINARY => Kind::Data { is_text: false },
        CLOSE | PING | PONG if is_final => Kind::Control,
        CLOSE | PING | PONG => return Err(Violation::ControlFragmented),
        _ => return Err(Violation::ReservedOpcode),
    };
    Ok((kind, is_final))
}

/// Returns the seven bits of length: 126 and 127 announce a longer one.
fn judge_second(byte: u8, kind: Kind) -> Result<u8, Violation> {
    let length = byte & 0x7F;
    if byte & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    if kind == Kind::Control && length > 125 {
        return Err(Violation::ControlTooLong);
    }
    Ok(length)
}

fn judge_length(length: u8, payload_bytes: u64) -> Result<(), Violation> {
    let shortest_from = match length {
        126 => 126,
        127 => 1 << 16,
        _ => 0,
    };
    if payload_bytes >> 63 != 0 {
        return Err(Violation::LengthOverflow);
    }
    if payload_bytes < shortest_from {
        return Err(Violation::LengthNotShortest);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: ReadLimits = ReadLimits { message_bytes_max: 300, fragments_max: 3 };
    const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

    /// A masked frame with the first byte as given.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            short @ 0..=125 => out.push(0x80 | short as u8),
            long => {
                out.push(0x80 | 126);
                out.extend((long as u16).to_be_bytes());
            }
        }
        out.extend(MASK);
        out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }

    /// Follows all frames, `piece_bytes` at a time.
    fn follow(frames: &[Vec<u8>], piece_bytes: usize) -> Result<(), Violation> {
        let mut rules = FrameRules::new(LIMITS);
        for mut piece in frames.concat().chunks(piece_bytes) {
            while !piece.is_empty() {
                let taken = rules.follow(piece)?;
                assert!(taken > 0, "each call gets further");
                piece = &piece[taken..];
            }
        }
        Ok(())
    }

    fn judge(frames: &[Vec<u8>]) -> Result<(), Violation> {
        let whole = follow(frames, usize::MAX);
        for piece_bytes in [1, 2, 3, 7] {
            assert_eq!(follow(frames, piece_bytes), whole, "in pieces of {piece_bytes}");
        }
        whole
    }

    #[test]
    fn it_stops_at_the_end_of_each_frame() {
        let (one, two) = (frame(0x81, b"one"), frame(0x89, b""));
        let mut rules = FrameRules::new(LIMITS);
        let both = [one.clone(), two.clone()].concat();
        assert_eq!(rules.follow(&both), Ok(one.len()));
        assert_eq!(rules.follow(&both[one.len()..]), Ok(two.len()));
    }

    #[test]
    fn good_frames_pass() {
        let pieces = [frame(0x01, b"\xE2\x82"), frame(0x89, b"ping"), frame(0x80, b"\xAC")];
        assert_eq!(judge(&pieces), Ok(()));
        assert_eq!(judge(&[frame(0x82, &[0xFF; 300]), frame(0x88, b"")]), Ok(()));
    }

    #[test]
    fn heads_that_break_a_rule() {
        let unmasked = vec![0x81, 0x00];
        let long_ping = vec![0x89, 0x80 | 126];
        let padded_16 = vec![0x81, 0xFE, 0, 125, 0, 0, 0, 0];
        let padded_64 = vec![0x81, 0xFF, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
        let endless = vec![0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(judge(&[unmasked]), Err(Violation::Unmasked));
        assert_eq!(judge(&[long_ping]), Err(Violation::ControlTooLong));
        assert_eq!(judge(&[padded_16]), Err(Violation::LengthNotShortest));
        assert_eq!(judge(&[padded_64]), Err(Violation::LengthNotShortest));
        assert_eq!(judge(&[endless]), Err(Violation::LengthOverflow));
        assert_eq!(judge(&[frame(0x09, b"")]), Err(Violation::ControlFragmented));
        for reserved in [0x83, 0x87, 0x8B, 0x8F] {
            assert_eq!(judge(&[frame(reserved, b"")]), Err(Violation::ReservedOpcode));
        }
        for bits in [0x90, 0xA0, 0xC0] {
            assert_eq!(judge(&[frame(bits | 1, b"")]), Err(Violation::ReservedBits));
        }
    }

    #[test]
    fn fragments_out_of_order() {
        assert_eq!(judge(&[frame(0x80, b"x")]), Err(Violation::NothingToContinue));
        let interleaved = [frame(0x01, b"x"), frame(0x01, b"y")];
        assert_eq!(judge(&interleaved), Err(Violation::Interleaved));
        let after_the_end = [frame(0x01, b"x"), frame(0x80, b"y"), frame(0x80, b"z")];
        assert_eq!(judge(&after_the_end), Err(Violation::NothingToContinue));
    }

    #[test]
    fn the_limits_hold_in_sum() {
        let exactly = [frame(0x02, &[0; 200]), frame(0x80, &[0; 100])];
        let one_more = [frame(0x02, &[0; 200]), frame(0x80, &[0; 101])];
        assert_eq!(judge(&exactly), Ok(()));
        assert_eq!(judge(&one_more), Err(Violation::MessageTooBig));
        let endless = [frame(0x02, b""), frame(0x00, b""), frame(0x00, b""), frame(0x00, b"")];
        assert_eq!(judge(&endless), Err(Violation::TooManyFragments));
    }

    #[test]
    fn text_fails_at_its_first_wrong_byte() {
        let mut rules = FrameRules::new(LIMITS);
        let text = frame(0x81, b"abcd\xED\xA0\x80 and more");
        let up_to_the_wrong_byte = &text[..6 + 6];
        assert_eq!(rules.follow(up_to_the_wrong_byte), Err(Violation::NotUtf8));
        assert_eq!(judge(&[frame(0x01, b"\xE2\x82"), frame(0x80, b"")]), Err(Violation::NotUtf8));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_verdict(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), Just(0x81), Just(0x01), Just(0x80), Just(0x84)],
                0..64,
            ),
            piece_bytes in 1usize..64,
        ) {
            let _ = follow(&[bytes], piece_bytes);
        }
    }
}
