//! Frames of a client, through the rules and the reader: everything that is
//! taken, and the first thing that is not, is what a plain reading of RFC 6455
//! makes of the same bytes.

#![no_main]

use std::cell::RefCell;

use bytes::Bytes;
use cardroom::transport::websocket::{
    CloseCode, Incoming, ReadEnd, ReadLimits, Violation, fuzzing,
};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

cardroom_fuzz::target!(run);

const WIDE: ReadLimits = ReadLimits { message_bytes_max: 64 * 1_024, fragments_max: 32 };
const NARROW: ReadLimits = ReadLimits { message_bytes_max: 300, fragments_max: 3 };

/// A stream whose peer has hung up.
struct Silence {
    runtime: Runtime,
    stream: Option<OwnedReadHalf>,
}

thread_local! {
    static SILENCE: RefCell<Silence> = RefCell::new(Silence::new());
}

impl Silence {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
        let stream = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let peer = TcpStream::connect(address).await.expect("connected");
            let (stream, _) = listener.accept().await.expect("accepted");
            drop(peer);
            stream.into_split().0
        });
        Self { runtime, stream: Some(stream) }
    }

    fn read(&mut self, bytes: Bytes, limits: ReadLimits) -> (Vec<Heard>, ReadEnd) {
        let mut heard = Vec::new();
        let stream = self.stream.take().expect("given back");
        let reading = fuzzing::read(stream, bytes, limits, |incoming| heard.push(incoming.into()));
        let (end, stream) = self.runtime.block_on(reading);
        self.stream = Some(stream);
        (heard, end)
    }
}

fn run(input: &[u8]) {
    let Some((choice, frames)) = input.split_first() else { return };
    let limits = if choice & 1 == 0 { WIDE } else { NARROW };
    let (heard, end) =
        SILENCE.with_borrow_mut(|silence| silence.read(Bytes::copy_from_slice(frames), limits));
    let violation = match end {
        ReadEnd::Eof => None,
        ReadEnd::Violation(violation) => Some(violation),
        ReadEnd::Io(error) => panic!("the network has no part in this: {error}"),
    };

    let mut model = Model::new(limits);
    let expected = model.read(frames).err();
    assert_eq!(heard, model.heard);
    assert_eq!(violation, expected);

    // The rules alone, whatever the pieces. They leave close frames to the reader,
    // and the text of a message in one piece.
    if !matches!(expected, Some(Violation::CloseMalformed | Violation::NotUtf8)) {
        let piece_bytes = 1 + usize::from(choice >> 1) % 16;
        assert_eq!(fuzzing::follow(frames, piece_bytes, limits).err(), expected);
    }
}

/// A copy: an owner of the connection keeps no message, whose buffer is larger.
#[derive(Debug, PartialEq)]
enum Heard {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

impl From<Incoming> for Heard {
    fn from(incoming: Incoming) -> Self {
        match incoming {
            Incoming::Text(text) => Self::Text(text.to_vec()),
            Incoming::Binary(bytes) => Self::Binary(bytes.to_vec()),
            Incoming::Ping(payload) => Self::Ping(payload.to_vec()),
            Incoming::Pong => Self::Pong,
            Incoming::Close(code) => Self::Close(code.map(CloseCode::get)),
        }
    }
}

/// RFC 6455 §5, read by somebody who has all bytes and no hurry.
struct Model {
    limits: ReadLimits,
    heard: Vec<Heard>,
    /// The message that has begun: whether it is text, its bytes, its frames.
    message: Option<(bool, Vec<u8>, u32)>,
}

impl Model {
    fn new(limits: ReadLimits) -> Self {
        Self { limits, heard: Vec::new(), message: None }
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while let Some(rest) = self.frame(bytes)? {
            bytes = rest;
        }
        Ok(())
    }

    /// One frame; what follows it, or `None` if it is cut short.
    fn frame<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, Violation> {
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0F);
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBits);
        }
        let is_control = 8 <= opcode;
        match opcode {
            0..=2 => {}
            8..=10 if is_final => {}
            8..=10 => return Err(Violation::ControlFragmented),
            _ => return Err(Violation::ReservedOpcode),
        }
        let Some((second, rest)) = rest.split_first() else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7F;
        if is_control && 125 < short {
            return Err(Violation::ControlTooLong);
        }
        let length_bytes = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((length, rest)) = rest.split_at_checked(length_bytes) else { return Ok(None) };
        let Some((mask, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let long = length.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        let length = match short {
            126 | 127 if long >> 63 != 0 => return Err(Violation::LengthOverflow),
            126 if long < 126 => return Err(Violation::LengthNotShortest),
            127 if long < 65_536 => return Err(Violation::LengthNotShortest),
            126 | 127 => long,
            short => u64::from(short),
        };
        if !is_control {
            match (opcode, &self.message) {
                (0, None) => return Err(Violation::NothingToContinue),
                (1 | 2, Some(_)) => return Err(Violation::Interleaved),
                (1 | 2, None) => self.message = Some((opcode == 1, Vec::new(), 0)),
                _ => {}
            }
            let (_, text, frames) = self.message.as_mut().expect("begun");
            if (self.limits.message_bytes_max as u64) < text.len() as u64 + length {
                return Err(Violation::MessageTooBig);
            }
            *frames += 1;
            if self.limits.fragments_max < *frames {
                return Err(Violation::TooManyFragments);
            }
        }
        let whole = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let (payload, rest) = rest.split_at(whole.unwrap_or(rest.len()));
        let payload: Vec<u8> =
            payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        if !is_control {
            let (is_text, message, _) = self.message.as_mut().expect("begun");
            message.extend_from_slice(&payload);
            if *is_text && !is_beginning_of_text(message) {
                return Err(Violation::NotUtf8);
            }
        }
        if whole.is_none() {
            return Ok(None);
        }
        let heard = match opcode {
            8 => Heard::Close(close_code(&payload)?),
            9 => Heard::Ping(payload),
            10 => Heard::Pong,
            _ if !is_final => return Ok(Some(rest)),
            _ => match self.message.take().expect("begun") {
                (true, text, _) if str::from_utf8(&text).is_err() => {
                    return Err(Violation::NotUtf8);
                }
                (true, text, _) => Heard::Text(text),
                (false, bytes, _) => Heard::Binary(bytes),
            },
        };
        self.heard.push(heard);
        Ok(Some(rest))
    }
}

fn is_beginning_of_text(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    match payload {
        [] => Ok(None),
        [_] => Err(Violation::CloseMalformed),
        [_, _, reason @ ..] if str::from_utf8(reason).is_err() => Err(Violation::NotUtf8),
        [high, low, ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(Some(code)),
            _ => Err(Violation::CloseMalformed),
        },
    }
}
