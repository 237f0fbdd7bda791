//! A server message, serialised once and framed once.
//!
//! ```text
//!   81 1b 42["vote:submitted",{"…":1}]         an event: one text frame
//!   81 2f 451-["image",{"_placeholder":true,"num":0}] 82 03 00 01 02
//!                                              a binary event: its attachments follow
//! ```
//!
//! The buffer is a run of server frames. As a whole it is what a WebSocket
//! writer sends; the payloads between the heads are the Engine.IO packets of
//! a polling payload. A binary event and its attachments are one [`Encoded`],
//! so nothing can come between them in any queue.
//!
//! A message is written into memory that its thread keeps for that, and then
//! put into one block of the heap together with the count of those who share
//! it: one allocation, however many receive it.

use std::cell::Cell;
use std::fmt::Display;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use smallvec::SmallVec;

use crate::protocol::frame::{HEAD_BYTES_MAX, Opcode, put_head, split_frame};

/// What goes between two packets of a polling payload (Engine.IO v4, "Payload encoding").
pub const SEPARATOR: u8 = 0x1E;

/// A message ready for every carrier; cloning it counts a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    frames: Bytes,
}

/// An event that lacks its end: `42["name",argument`. Whether an offset
/// follows may be decided when all else is serialised.
#[derive(Debug)]
pub struct Draft(Builder);

impl Draft {
    /// # Errors
    /// When `argument` refuses to be JSON (a map whose keys are no strings).
    pub fn event<T: Serialize + ?Sized>(
        namespace: &str,
        name: &str,
        argument: &T,
    ) -> Result<Self, serde_json::Error> {
        let mut builder = Builder::packet(b"42", namespace);
        builder.push(b"[");
        builder.json(name)?;
        builder.push(b",");
        builder.json(argument)?;
        Ok(Self(builder))
    }

    /// `42["name",argument]`
    pub fn finish(mut self) -> Encoded {
        self.0.push(b"]");
        self.0.finish()
    }

    /// `42["name",argument,"offset"]`, where the offset is text that JSON
    /// takes as it is: a client that is given a `pid` keeps the last argument
    /// of every event if it is a string, and says it when it comes back
    /// (Socket.IO, "Connection state recovery").
    pub fn finish_at(mut self, offset: &impl Display) -> Encoded {
        let written = write!(self.0.buffer, ",\"{offset}\"]");
        debug_assert!(written.is_ok());
        self.0.finish()
    }
}

/// One Engine.IO packet of an [`Encoded`], without its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    Text(&'a [u8]),
    /// Raw bytes: an attachment, or a binary Engine.IO message.
    Binary(&'a [u8]),
}

impl Encoded {
    /// The Engine.IO ping, `2`.
    pub const PING: Self = Self { frames: Bytes::from_static(b"\x81\x012") };
    /// The Engine.IO answer to a probe, `3probe`.
    pub const PROBE_PONG: Self = Self { frames: Bytes::from_static(b"\x81\x063probe") };
    /// The Engine.IO close packet, `1`.
    pub const CLOSE: Self = Self { frames: Bytes::from_static(b"\x81\x011") };
    /// The Engine.IO noop, `6`.
    pub const NOOP: Self = Self { frames: Bytes::from_static(b"\x81\x016") };

    /// An event with one argument, serialised straight into the frame:
    /// `42/namespace,["name",argument]`.
    ///
    /// # Errors
    /// When `argument` refuses to be JSON (a map whose keys are no strings).
    pub fn event_with<T: Serialize + ?Sized>(
        namespace: &str,
        name: &str,
        argument: &T,
    ) -> Result<Self, serde_json::Error> {
        Ok(Draft::event(namespace, name, argument)?.finish())
    }

    /// An event from its JSON array, name first: `["name",…]`.
    pub fn event(namespace: &str, array: &[u8]) -> Self {
        let mut builder = Builder::packet(b"42", namespace);
        builder.push(array);
        builder.finish()
    }

    /// An event that asks for an acknowledgement; see [`Encoded::event`].
    pub fn event_asking(namespace: &str, ack: u64, array: &[u8]) -> Self {
        let mut builder = Builder::packet(b"42", namespace);
        builder.id(ack);
        builder.push(array);
        builder.finish()
    }

    /// An acknowledgement with one argument: `43/namespace,12[argument]`.
    ///
    /// # Errors
    /// As [`Encoded::event_with`].
    pub fn ack_with<T: Serialize + ?Sized>(
        namespace: &str,
        id: u64,
        argument: &T,
    ) -> Result<Self, serde_json::Error> {
        let mut builder = Builder::packet(b"43", namespace);
        builder.id(id);
        builder.push(b"[");
        builder.json(argument)?;
        builder.push(b"]");
        Ok(builder.finish())
    }

    /// An acknowledgement from the JSON array of its arguments.
    pub fn ack(namespace: &str, id: u64, array: &[u8]) -> Self {
        let mut builder = Builder::packet(b"43", namespace);
        builder.id(id);
        builder.push(array);
        builder.finish()
    }

    /// A binary event: `array` names its attachments by placeholders
    /// (`{"_placeholder":true,"num":0}`); the attachments follow it.
    pub fn binary_event<B: AsRef<[u8]>>(namespace: &str, array: &[u8], attachments: &[B]) -> Self {
        let mut builder = Builder::binary_packet(b'5', attachments.len(), namespace);
        builder.push(array);
        builder.finish_with(attachments)
    }

    /// A binary acknowledgement; see [`Encoded::binary_event`].
    pub fn binary_ack<B: AsRef<[u8]>>(
        namespace: &str,
        id: u64,
        array: &[u8],
        attachments: &[B],
    ) -> Self {
        let mut builder = Builder::binary_packet(b'6', attachments.len(), namespace);
        builder.id(id);
        builder.push(array);
        builder.finish_with(attachments)
    }

    /// Several messages as one, which nothing can come between.
    pub fn joined<'a>(messages: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut messages = messages.into_iter().peekable();
        let Some(first) = messages.next() else { return Builder::empty().finish_as_is() };
        if messages.peek().is_none() {
            return first.clone();
        }
        let mut builder = Builder::empty();
        builder.push(&first.frames);
        messages.for_each(|message| builder.push(&message.frames));
        builder.finish_as_is()
    }

    /// The answer to CONNECT: `40/namespace,{"sid":"…"}`. `object` is JSON.
    pub fn connect(namespace: &str, object: &[u8]) -> Self {
        let mut builder = Builder::packet(b"40", namespace);
        builder.push(object);
        builder.finish()
    }

    /// CONNECT_ERROR: `44/namespace,{"message":"…","data":…}`. `object` is JSON.
    pub fn connect_error(namespace: &str, object: &[u8]) -> Self {
        let mut builder = Builder::packet(b"44", namespace);
        builder.push(object);
        builder.finish()
    }

    /// DISCONNECT: `41` or `41/namespace,`.
    pub fn disconnect(namespace: &str) -> Self {
        Builder::packet(b"41", namespace).finish()
    }

    /// The Engine.IO open packet: `0{"sid":…}`. `object` is JSON.
    pub fn open(object: &[u8]) -> Self {
        let mut builder = Builder::text();
        builder.push(b"0");
        builder.push(object);
        builder.finish()
    }

    /// A bare Engine.IO text message: `4…`.
    pub fn message(text: &str) -> Self {
        let mut builder = Builder::text();
        builder.push(b"4");
        builder.push(text.as_bytes());
        builder.finish()
    }

    /// A bare Engine.IO binary message.
    pub fn binary_message(bytes: &[u8]) -> Self {
        let mut builder = Builder::empty();
        put_head(&mut builder.buffer, Opcode::Binary, bytes.len());
        builder.push(bytes);
        builder.finish_as_is()
    }

    /// The WebSocket form: whole server frames.
    pub fn websocket(&self) -> &Bytes {
        &self.frames
    }

    /// As [`Encoded::websocket`], for a writer that keeps the bytes.
    pub fn into_websocket(self) -> Bytes {
        self.frames
    }

    /// The Engine.IO packets, in order.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        let mut rest = &self.frames[..];
        std::iter::from_fn(move || {
            let (opcode, payload, after) = split_frame(rest)?;
            rest = after;
            Some(match opcode {
                Opcode::Text => Packet::Text(payload),
                _ => Packet::Binary(payload),
            })
        })
    }

    /// Bytes that [`Encoded::put_polling`] appends to a payload that is not empty.
    pub fn polling_bytes(&self) -> usize {
        self.packets()
            .map(|packet| match packet {
                Packet::Text(text) => 1 + text.len(),
                Packet::Binary(bytes) => 2 + bytes.len().div_ceil(3) * 4,
            })
            .sum()
    }

    /// The polling form: appends the packets to a payload, with separators
    /// where they belong; binary as `b` and base64.
    pub fn put_polling(&self, payload: &mut Vec<u8>) {
        for packet in self.packets() {
            if !payload.is_empty() {
                payload.push(SEPARATOR);
            }
            match packet {
                Packet::Text(text) => payload.extend_from_slice(text),
                Packet::Binary(bytes) => put_base64(payload, bytes),
            }
        }
    }
}

fn put_base64(payload: &mut Vec<u8>, bytes: &[u8]) {
    payload.push(b'b');
    let start = payload.len();
    payload.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut payload[start..]);
    debug_assert_eq!(written.ok(), Some(payload.len() - start));
}

/// A text frame under construction: room for the longest head, then the packet.
#[derive(Debug)]
struct Builder {
    buffer: Vec<u8>,
}

thread_local! {
    /// Where this thread writes its messages; empty while one is being written.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer that has grown beyond that is not kept for the next message.
const SCRATCH_BYTES_MAX: usize = 64 * 1_024;

impl Builder {
    fn empty() -> Self {
        let mut buffer = SCRATCH.take();
        buffer.clear();
        Self { buffer }
    }

    fn text() -> Self {
        let mut builder = Self::empty();
        builder.buffer.resize(HEAD_BYTES_MAX, 0);
        builder
    }

    /// `42` or `42/namespace,`.
    fn packet(kind: &[u8; 2], namespace: &str) -> Self {
        let mut builder = Self::text();
        builder.push(kind);
        builder.namespace(namespace);
        builder
    }

    /// `451-` or `451-/namespace,`.
    fn binary_packet(kind: u8, attachments: usize, namespace: &str) -> Self {
        let mut builder = Self::text();
        builder.push(&[b'4', kind]);
        builder.id(attachments as u64);
        builder.push(b"-");
        builder.namespace(namespace);
        builder
    }

    fn namespace(&mut self, namespace: &str) {
        if namespace != "/" {
            self.push(namespace.as_bytes());
            self.push(b",");
        }
    }

    fn id(&mut self, id: u64) {
        let written = write!(self.buffer, "{id}");
        debug_assert!(written.is_ok());
    }

    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.buffer, value)
    }

    fn finish(self) -> Encoded {
        self.finish_with::<&[u8]>(&[])
    }

    /// Puts the head right in front of the packet, and the attachments after it.
    fn finish_with<B: AsRef<[u8]>>(mut self, attachments: &[B]) -> Encoded {
        let mut head = SmallVec::<[u8; HEAD_BYTES_MAX]>::new();
        put_head(&mut head, Opcode::Text, self.buffer.len() - HEAD_BYTES_MAX);
        let start = HEAD_BYTES_MAX - head.len();
        self.buffer[start..HEAD_BYTES_MAX].copy_from_slice(&head);
        for attachment in attachments {
            let attachment = attachment.as_ref();
            put_head(&mut self.buffer, Opcode::Binary, attachment.len());
            self.push(attachment);
        }
        self.finish_from(start)
    }

    /// Of frames that are whole already.
    fn finish_as_is(self) -> Encoded {
        self.finish_from(0)
    }

    fn finish_from(self, start: usize) -> Encoded {
        let frames = shared(&self.buffer[start..]);
        if self.buffer.capacity() <= SCRATCH_BYTES_MAX {
            SCRATCH.set(self.buffer);
        }
        Encoded { frames }
    }
}

/// A block of the heap of the next size that holds the bytes, with their count
/// in it. Large messages get one that fits, and one more for the count, which
/// no longer matters to them.
fn shared(frames: &[u8]) -> Bytes {
    match frames.len() {
        0..=256 => Bytes::from_owner(SmallVec::<[u8; 256]>::from_slice(frames)),
        257..=512 => Bytes::from_owner(SmallVec::<[u8; 512]>::from_slice(frames)),
        513..=1_024 => Bytes::from_owner(SmallVec::<[u8; 1_024]>::from_slice(frames)),
        _ => Bytes::copy_from_slice(frames),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polling(messages: &[Encoded]) -> String {
        let mut payload = Vec::new();
        for message in messages {
            message.put_polling(&mut payload);
        }
        String::from_utf8(payload).expect("a polling payload is text")
    }

    #[test]
    fn an_event_is_a_frame_around_a_packet() {
        let event = Encoded::event_with("/", "greet", &["é"]).expect("JSON");
        assert_eq!(event.websocket()[..2], [0x81, 18]);
        assert_eq!(polling(&[event]), r#"42["greet",["é"]]"#);
        let event = Encoded::event("/custom", br#"["a",1]"#);
        assert_eq!(polling(&[event]), r#"42/custom,["a",1]"#);
        assert!(size_of::<Encoded>() <= 40);
    }

    #[test]
    fn an_offset_is_one_argument_more() {
        let draft = Draft::event("/", "greet", &1).expect("JSON");
        assert_eq!(polling(&[draft.finish_at(&"3-f")]), r#"42["greet",1,"3-f"]"#);
    }

    #[test]
    fn long_packets_get_long_heads() {
        for length in [125, 126, 70_000] {
            let message = Encoded::message(&"x".repeat(length - 1));
            let packets: Vec<_> = message.packets().collect();
            assert!(matches!(packets[..], [Packet::Text(text)] if text.len() == length));
        }
    }

    #[test]
    fn attachments_stay_adjacent_in_both_forms() {
        let array = br#"["image",{"_placeholder":true,"num":0}]"#;
        let event = Encoded::binary_event("/", array, &[[1, 2, 3, 4]]);
        let payload = polling(&[Encoded::PING, event.clone(), Encoded::NOOP]);
        let expected =
            "2\u{1e}451-[\"image\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==\u{1e}6";
        assert_eq!(payload, expected);
        assert!(event.websocket().ends_with(&[0x82, 4, 1, 2, 3, 4]));
    }

    #[test]
    fn polling_bytes_counts_separators() {
        let messages = [Encoded::ack("/", 7, b"[]"), Encoded::binary_message(b"abcd")];
        let counted: usize = messages.iter().map(Encoded::polling_bytes).sum();
        assert_eq!(counted, polling(&messages).len() + 1);
    }

    #[test]
    fn acknowledgements_carry_their_id() {
        let ack = Encoded::ack_with("/", 12, &true).expect("JSON");
        assert_eq!(polling(&[ack]), "4312[true]");
        let ack = Encoded::binary_ack("/n", 3, b"[]", &[b""]);
        assert_eq!(polling(&[ack]), "461-/n,3[]\u{1e}b");
    }
}
