//! What a peer can do wrong, and the close code each wrong earns.

use crate::transport::websocket::close::CloseCode;

/// The peer broke RFC 6455 or a limit of ours. The connection is over: frames
/// after a violation cannot be trusted to begin where they seem to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// §5.1: a client masks every frame.
    #[error("frame is not masked")]
    Unmasked,
    /// §5.2: no extension was negotiated that could give them a meaning.
    #[error("reserved bits are set")]
    ReservedBits,
    /// §5.2: 0x3–0x7 and 0xB–0xF.
    #[error("opcode is reserved")]
    ReservedOpcode,
    /// §5.2: the most significant bit of a 64-bit length must be 0.
    #[error("length exceeds 63 bits")]
    LengthOverflow,
    /// §5.2: the minimal number of bytes must be used.
    #[error("length is not in its shortest form")]
    LengthNotShortest,
    /// §5.5: at most 125 bytes.
    #[error("control frame is longer than 125 bytes")]
    ControlTooLong,
    /// §5.5.
    #[error("control frame is fragmented")]
    ControlFragmented,
    /// §5.4: a continuation continues something.
    #[error("continuation without a message")]
    NothingToContinue,
    /// §5.4: fragments of two messages must not be interleaved.
    #[error("new message inside a fragmented one")]
    Interleaved,
    /// §7.4, §5.5.1: one byte is no code, and some codes are never sent.
    #[error("close frame is malformed")]
    CloseMalformed,
    /// §8.1: in a text message or in the reason of a close frame.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// More than `message_bytes_max`, in sum over the fragments.
    #[error("message is too big")]
    MessageTooBig,
    /// More than `fragments_max`.
    #[error("message has too many fragments")]
    TooManyFragments,
    /// Begun, and not ended in time.
    #[error("message takes too long")]
    TooSlow,
    /// More pings and pongs than any client sends.
    #[error("too many control frames")]
    TooManyControls,
}

impl Violation {
    /// RFC 6455 §7.4.1.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::NotUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::MessageTooBig => CloseCode::TOO_BIG,
            Self::TooManyFragments | Self::TooSlow | Self::TooManyControls => CloseCode::POLICY,
            Self::Unmasked
            | Self::ReservedBits
            | Self::ReservedOpcode
            | Self::LengthOverflow
            | Self::LengthNotShortest
            | Self::ControlTooLong
            | Self::ControlFragmented
            | Self::NothingToContinue
            | Self::Interleaved
            | Self::CloseMalformed => CloseCode::PROTOCOL_ERROR,
        }
    }
}
