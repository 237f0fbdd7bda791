//! Whole messages from a client.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocketError};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::transport::slot::ConnectionSlot;
use crate::transport::stream::ReadHalf;
use crate::transport::websocket::close::CloseCode;
use crate::transport::websocket::guard::Guard;
use crate::transport::websocket::rules::ReadLimits;
use crate::transport::websocket::violation::Violation;

/// What a client sent. Buffers are owned, unmasked and free to be changed in
/// place; of a message of one frame no more than the first KiB was copied.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Valid UTF-8.
    Text(BytesMut),
    Binary(BytesMut),
    /// Wants a pong with the same payload, at most 125 bytes.
    Ping(BytesMut),
    Pong,
    /// The last frame a peer sends; `None` if it named no code. Reading on is
    /// pointless: answer with [`close`](super::close::close).
    Close(Option<CloseCode>),
}

/// Why no further message will come.
#[derive(Debug, thiserror::Error)]
pub enum ReadEnd {
    /// The peer hung up without a close frame.
    #[error("connection ended without a close frame")]
    Eof,
    /// The peer's fault; it should be told the [`Violation::close_code`].
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The network's fault.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The receiving half of a WebSocket.
///
/// fastwebsockets allocates 8 KiB before it reads a byte. It is therefore
/// created anew for each frame, once the socket has something to read, and
/// dropped with an empty buffer: a connection at rest holds none. That is two
/// allocations per frame, next to the system call that brought it.
#[derive(Debug)]
pub struct Reader {
    guard: Guard,
    limits: ReadLimits,
    /// The message whose first fragments have come.
    partial: Option<Partial>,
    message_timeout: Option<Duration>,
    slot: Option<ConnectionSlot>,
}

#[derive(Debug)]
struct Partial {
    /// When its first byte came.
    begun: Instant,
    is_text: bool,
    payload: BytesMut,
}

impl Reader {
    pub(super) fn new(
        stream: ReadHalf,
        ahead: Bytes,
        limits: ReadLimits,
        slot: Option<ConnectionSlot>,
    ) -> Self {
        let guard = Guard::new(stream, ahead, limits);
        Self { guard, limits, partial: None, message_timeout: None, slot }
    }

    /// A message that has begun must have ended so much later, whatever comes
    /// between its fragments; a control frame likewise.
    pub fn with_message_timeout(self, message_timeout: Duration) -> Self {
        Self { message_timeout: Some(message_timeout), ..self }
    }

    /// Waits for the next message or control frame. Nothing is answered here.
    ///
    /// One ping at a time: a peer that floods is read no faster than its owner
    /// calls this, so answering each before the next call bounds the pongs.
    ///
    /// **Not cancel-safe**: a future dropped while a frame is half read loses
    /// what was read of it, and the stream makes no sense afterwards. Poll one
    /// future until it is done (`select!` on `&mut next`), or drop it only to
    /// close the connection.
    pub async fn next(&mut self) -> Result<Incoming, ReadEnd> {
        loop {
            let due = self.partial.as_ref().map(|partial| partial.begun);
            let due = due.and_then(|begun| Some(begun + self.message_timeout?));
            before(due, self.guard.begun()).await??;
            let begun = Instant::now();
            let due = due.or_else(|| Some(begun + self.message_timeout?));
            let frame = before(due, self.frame()).await??;
            if let Some(incoming) = self.accept(frame, begun)? {
                return Ok(incoming);
            }
        }
    }

    /// Gives up frames for what is left of the stream, to drain it.
    pub(super) fn into_stream(self) -> (ReadHalf, Option<ConnectionSlot>) {
        (self.guard.into_stream(), self.slot)
    }

    async fn frame(&mut self) -> Result<Fragment, ReadEnd> {
        // Only the reading half is used. It asks for a way to answer pings and
        // closes, which it is told below not to do.
        let (mut frames, _) =
            fastwebsockets::after_handshake_split(&mut self.guard, tokio::io::sink(), Role::Server);
        frames.set_auto_close(false);
        frames.set_auto_pong(false);
        // It refuses what is equal to its maximum, and only per frame; the
        // rules have refused what is too big before this could.
        frames.set_max_message_size(self.limits.message_bytes_max.saturating_add(1).max(126));

        let result = frames.read_frame(&mut |_| async { Ok::<(), Infallible>(()) }).await;
        match result.map(Fragment::from) {
            Ok(fragment) => Ok(fragment),
            Err(error) => Err(self.read_end(error)),
        }
    }

    fn read_end(&self, error: WebSocketError) -> ReadEnd {
        if let Some(violation) = self.guard.violation() {
            return violation.into();
        }
        match error {
            WebSocketError::UnexpectedEOF => ReadEnd::Eof,
            WebSocketError::InvalidUTF8 => Violation::NotUtf8.into(),
            WebSocketError::IoError(error) => error.into(),
            // The rules see all else first; should one slip through, it is
            // still a peer that broke the protocol.
            other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()).into(),
        }
    }

    /// The order of fragments and their sum are known to be right.
    fn accept(&mut self, frame: Fragment, begun: Instant) -> Result<Option<Incoming>, Violation> {
        let is_text = match frame.opcode {
            OpCode::Ping => return Ok(Some(Incoming::Ping(frame.payload))),
            OpCode::Pong => return Ok(Some(Incoming::Pong)),
            OpCode::Close => {
                return CloseCode::parse(&frame.payload).map(|code| Some(Incoming::Close(code)));
            }
            OpCode::Text => true,
            OpCode::Binary | OpCode::Continuation => false,
        };
        let message = match self.partial.take() {
            None => Partial { begun, is_text, payload: frame.payload },
            Some(mut message) => {
                message.payload.extend_from_slice(&frame.payload);
                message
            }
        };
        if !frame.is_final {
            self.partial = Some(message);
            return Ok(None);
        }
        Ok(Some(match message.is_text {
            true => Incoming::Text(message.payload),
            false => Incoming::Binary(message.payload),
        }))
    }
}

/// The output of `future`, if that comes before `due`.
///
/// A timer is made only for what is not there at once, which little is.
async fn before<F: Future>(due: Option<Instant>, future: F) -> Result<F::Output, Violation> {
    let mut future = pin!(future);
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let Some(due) = due else { return Poll::Pending };
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        timer.as_mut().poll(context).map(|()| Err(Violation::TooSlow))
    })
    .await
}

/// A frame of fastwebsockets, its payload owned.
struct Fragment {
    is_final: bool,
    opcode: OpCode,
    payload: BytesMut,
}

impl From<Frame<'_>> for Fragment {
    fn from(frame: Frame<'_>) -> Self {
        let payload = match frame.payload {
            Payload::Bytes(bytes) => bytes,
            other => BytesMut::from(&other[..]),
        };
        Self { is_final: frame.fin, opcode: frame.opcode, payload }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::*;
    use crate::transport::stream::Stream;

    /// Guards against a client that is closed for a message it never began: the
    /// runtime may say that a socket is readable after all has been read.
    #[tokio::test]
    async fn a_message_begins_with_its_first_byte() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut far = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("up");
        let (near, _) = listener.accept().await.expect("a client");
        // Somebody else reads what the runtime has been told of.
        let near = near.into_std().expect("a socket");
        let mut thief = near.try_clone().expect("a second handle");
        let near = TcpStream::from_std(near).expect("not blocking");
        far.write_all(b"x").await.expect("room");
        near.readable().await.expect("something is there");
        assert_eq!(thief.read(&mut [0; 8]).expect("a byte"), 1);
        near.readable().await.expect("believed to be readable still");

        let (stream, _writer) = Stream::Plain(near).into_split();
        let limits = ReadLimits { message_bytes_max: 64, fragments_max: 4 };
        let reader = Reader::new(stream, Bytes::new(), limits, None);
        let mut reader = reader.with_message_timeout(Duration::from_millis(50));
        let mut next = pin!(reader.next());
        let idle = timeout(Duration::from_millis(300), next.as_mut()).await;
        assert!(idle.is_err(), "{idle:?}");
        far.write_all(b"\x81\x82\0\0\0\0hi").await.expect("room");
        let message = next.await.expect("a message");
        assert_eq!(message, Incoming::Text(BytesMut::from("hi")));
    }
}
