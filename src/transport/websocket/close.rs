//! The closing handshake: codes, close frames, and an end the peer can hear.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;

use crate::protocol::frame::{self, Opcode};
use crate::transport::stream::ReadHalf;
use crate::transport::websocket::reader::Reader;
use crate::transport::websocket::violation::Violation;
use crate::transport::websocket::writer::Writer;

/// A close code that may stand in a frame (RFC 6455 §7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode(u16);

impl CloseCode {
    pub const NORMAL: Self = Self(1000);
    pub const GOING_AWAY: Self = Self(1001);
    pub const PROTOCOL_ERROR: Self = Self(1002);
    pub const UNSUPPORTED: Self = Self(1003);
    pub const INVALID_PAYLOAD: Self = Self(1007);
    pub const POLICY: Self = Self(1008);
    pub const TOO_BIG: Self = Self(1009);
    pub const INTERNAL_ERROR: Self = Self(1011);

    pub fn get(self) -> u16 {
        self.0
    }

    /// The code in the payload of a peer's close frame: `None` if it is empty
    /// (what is reported as 1005). The reason is checked and dropped.
    pub(super) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        if payload.is_empty() {
            return Ok(None);
        }
        let (code, reason) = payload.split_first_chunk().ok_or(Violation::CloseMalformed)?;
        std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
        match u16::from_be_bytes(*code) {
            // The rest is reserved, undefined, or never sent (1005, 1006, 1015).
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(Some(Self(code))),
            _ => Err(Violation::CloseMalformed),
        }
    }
}

/// A whole close frame; without a code its payload is empty, which the peer
/// reports as 1005.
pub fn close_frame(code: Option<CloseCode>) -> Bytes {
    let mut out = Vec::with_capacity(4);
    let payload = code.map(|CloseCode(code)| code.to_be_bytes());
    frame::put_head(&mut out, Opcode::Close, payload.map_or(0, |code| code.len()));
    out.extend(payload.into_iter().flatten());
    out.into()
}

/// How long a peer that is being closed may cost something.
#[derive(Debug, Clone, Copy)]
pub struct CloseLimits {
    /// From the close frame to the end of the connection, at most.
    pub linger: Duration,
    /// Bytes of the peer that are read and thrown away, at most.
    pub drain_bytes_max: usize,
}

/// Ends a connection: close frame, FIN, then reads what the peer still sends
/// until it closes too (RFC 6455 §7.1.1).
///
/// The reading is the point. A socket that is closed with unread bytes resets
/// the connection, and the reset destroys the close frame on its way: the peer
/// would see 1006 instead of the code that explains what it did wrong.
///
/// Best effort and bounded by `limits`: there is nobody left to report to. What
/// was written before must be written to its end, or the frame would land inside
/// another one; see [`Writer::is_inside_a_frame`].
pub async fn close(
    reader: Reader,
    mut writer: Writer,
    code: Option<CloseCode>,
    limits: CloseLimits,
) {
    let (mut stream, _slot) = reader.into_stream();
    let farewell = async {
        if writer.finish(close_frame(code)).await.is_ok() {
            drain(&mut stream, limits.drain_bytes_max).await;
        }
    };
    let _ = tokio::time::timeout(limits.linger, farewell).await;
}

async fn drain(stream: &mut ReadHalf, bytes_max: usize) {
    const READ_BYTES: usize = 4096;
    let mut sink = BytesMut::with_capacity(READ_BYTES); // on the heap: a future stays small
    let mut drained = 0;
    while drained <= bytes_max {
        match stream.read_buf(&mut sink).await {
            Ok(0) | Err(_) => return,
            Ok(bytes) => drained += bytes,
        }
        sink.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_carry_the_code_or_nothing() {
        assert_eq!(&close_frame(None)[..], [0x88, 0]);
        assert_eq!(&close_frame(Some(CloseCode::TOO_BIG))[..], [0x88, 2, 0x03, 0xF1]);
    }

    #[test]
    fn only_codes_that_may_be_sent_are_accepted() {
        let parse = |code: u16| CloseCode::parse(&code.to_be_bytes());
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
            assert_eq!(parse(code), Ok(Some(CloseCode(code))));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert_eq!(parse(code), Err(Violation::CloseMalformed));
        }
        assert_eq!(CloseCode::parse(b""), Ok(None));
        assert_eq!(CloseCode::parse(b"\x03"), Err(Violation::CloseMalformed));
        assert_eq!(CloseCode::parse(b"\x03\xE8\xFF"), Err(Violation::NotUtf8));
    }
}
