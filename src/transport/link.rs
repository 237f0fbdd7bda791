//! A WebSocket as a connection wants it: polled, and answering its pings by itself.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::connection::{Chatter, Incoming, Link};
use crate::hub::{Offered, Wire, held_bytes};
use crate::protocol::frame::{HEAD_BYTES_MAX, Opcode, put_head};
use crate::protocol::{CloseReason, Encoded};
use crate::transport::websocket::close::{self, CloseCode, CloseLimits, close_frame};
use crate::transport::websocket::{Incoming as Frame, ReadEnd, Reader, Violation, Writer};

/// How long a peer that is being closed may take, and how much it may still send.
const CLOSE_LIMITS: CloseLimits =
    CloseLimits { linger: Duration::from_secs(5), drain_bytes_max: 4 << 20 };

/// The frame queue of a quiet connection keeps no more room than this.
const QUEUE_FRAMES_KEPT: usize = 8;

pub(super) struct SocketLink {
    /// [`Reader::next`] is not cancel-safe, so one future reads for good. It
    /// hands each message over in `inbox`, and waits until that is empty.
    reading: Pin<Box<dyn Future<Output = (Reader, End)> + Send>>,
    inbox: Arc<Inbox>,
    line: Arc<Line>,
    chatter: Chatter,
    limits: LinkLimits,
    opened: Instant,
    /// The close code for a peer whose frames were all right.
    farewell: Option<CloseCode>,
    ended: Option<(Reader, End)>,
}

/// The way out. Shared with rooms, which may write past the connection's task
/// when nothing else is under way.
struct Line(Mutex<Outgoing>);

struct Outgoing {
    /// `None` once the link is being closed.
    writer: Option<Writer>,
    queue: VecDeque<Bytes>,
    /// The answer to the latest ping, behind the queue. Earlier ones need none
    /// any more (RFC 6455 §5.5.3), so that pings fill no queue.
    pong: Option<Bytes>,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire for Line {
    fn offer(&self, messages: &[Encoded]) -> Offered {
        let mut outgoing = self.lock();
        let is_at_rest = outgoing.is_at_rest();
        let Outgoing { writer: Some(writer), queue, .. } = &mut *outgoing else {
            return Offered::Refused;
        };
        if !is_at_rest || !writer.try_write(messages.iter().map(Encoded::websocket), queue) {
            return Offered::Refused;
        }
        if queue.is_empty() { Offered::Sent } else { Offered::Begun }
    }
}

impl Outgoing {
    fn is_at_rest(&self) -> bool {
        self.queue.is_empty() && self.pong.is_none()
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(writer) = &mut self.writer else { return Poll::Ready(Ok(())) };
        std::task::ready!(writer.poll_write(context, &mut self.queue))?;
        if let Some(pong) = self.pong.take() {
            self.queue.push_back(pong);
            std::task::ready!(writer.poll_write(context, &mut self.queue))?;
        }
        if self.queue.capacity() > QUEUE_FRAMES_KEPT {
            self.queue = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }
}

/// What a peer may cost that sends nothing of use.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkLimits {
    /// From the first byte of a message to its last.
    pub(super) message_timeout: Duration,
    /// Pings and pongs in a second.
    pub(super) controls_max: u32,
}

type Inbox = Mutex<Option<Frame>>;

/// How a link ended.
enum End {
    ByPeer(Option<CloseCode>),
    ByViolation(Violation),
    /// Nobody is left to say goodbye to.
    Lost(CloseReason),
}

impl SocketLink {
    pub(super) fn new(reader: Reader, writer: Writer, limits: LinkLimits) -> Self {
        let inbox = Arc::<Inbox>::default();
        let reader = reader.with_message_timeout(limits.message_timeout);
        Self {
            reading: Box::pin(read(reader, Arc::clone(&inbox))),
            inbox,
            line: Arc::new(Line(Mutex::new(Outgoing {
                writer: Some(writer),
                queue: VecDeque::new(),
                pong: None,
            }))),
            chatter: Chatter::default(),
            limits,
            opened: Instant::now(),
            farewell: None,
            ended: None,
        }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Frame> {
        if let Poll::Ready(ended) = self.reading.as_mut().poll(context) {
            self.ended = Some(ended);
            return Poll::Pending;
        }
        take(&self.inbox).map_or(Poll::Pending, Poll::Ready)
    }

    /// One more ping or pong; whether that makes too many. Then the peer is
    /// read no further.
    fn is_flooded(&mut self) -> bool {
        self.chatter.is_too_much(self.opened.elapsed(), self.limits.controls_max)
    }

    /// The writer, and what it has still to write. Nobody else writes from
    /// now on.
    fn take_writer(&self) -> Option<(Writer, VecDeque<Bytes>)> {
        let mut outgoing = self.line.lock();
        let mut queue = std::mem::take(&mut outgoing.queue);
        queue.extend(outgoing.pong.take());
        outgoing.writer.take().map(|writer| (writer, queue))
    }

    /// Writes what is queued and `last`, then reads until the peer has closed too.
    async fn part(mut self, mut writer: Writer, mut queue: VecDeque<Bytes>, last: Bytes) {
        queue.push_back(last);
        if writer.write(&mut queue).await.is_err() || self.ended.is_some() {
            return;
        }
        poll_fn(|context| {
            while self.poll_frame(context).is_ready() {}
            if self.ended.is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Link for SocketLink {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            let frame = self.poll_frame(context);
            if let Some((_, end)) = &self.ended {
                return Poll::Ready(Incoming::Ended(end.reason()));
            }
            match std::task::ready!(frame) {
                Frame::Text(text) => return Poll::Ready(Incoming::Text(text)),
                Frame::Binary(bytes) => return Poll::Ready(Incoming::Binary(bytes.freeze())),
                Frame::Ping(_) | Frame::Pong if self.is_flooded() => {
                    self.farewell = Some(Violation::TooManyControls.close_code());
                    return Poll::Ready(Incoming::Ended(CloseReason::Flooding));
                }
                Frame::Ping(payload) => {
                    let mut pong = Vec::with_capacity(HEAD_BYTES_MAX + payload.len());
                    put_head(&mut pong, Opcode::Pong, payload.len());
                    pong.extend_from_slice(&payload);
                    self.line.lock().pong = Some(pong.into());
                    // An error will be met again by whoever writes next.
                    let _ = self.poll_flush(context);
                }
                Frame::Pong | Frame::Close(_) => {}
            }
        }
    }

    fn queue(&mut self, frames: Bytes) {
        self.line.lock().queue.push_back(frames);
    }

    fn has_queued(&self) -> bool {
        !self.line.lock().is_at_rest()
    }

    fn behind_first_bytes(&self) -> usize {
        self.line.lock().queue.iter().skip(1).map(held_bytes).sum()
    }

    fn taken_bytes(&self) -> u64 {
        self.line.lock().writer.as_ref().map_or(0, Writer::written_bytes)
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let flushed = self.line.lock().poll_flush(context);
        flushed.map_err(|_| CloseReason::TransportError)
    }

    fn wire(&self) -> Option<Arc<dyn Wire>> {
        Some(Arc::clone(&self.line) as Arc<dyn Wire>)
    }

    fn abort(self: Box<Self>) {
        if let Some((writer, _)) = self.take_writer() {
            writer.reset();
        }
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Some((mut writer, mut queue)) = self.take_writer() else { return };
            let code = match &self.ended {
                None => {
                    let farewell = close_frame(self.farewell);
                    let part = self.part(writer, queue, farewell);
                    let _ = tokio::time::timeout(CLOSE_LIMITS.linger, part).await;
                    return;
                }
                Some((_, End::Lost(_))) => return,
                Some((_, End::ByPeer(code))) => *code,
                Some((_, End::ByViolation(violation))) => Some(violation.close_code()),
            };
            let rest = writer.write(&mut queue);
            let written = tokio::time::timeout(CLOSE_LIMITS.linger, rest).await;
            if let (Ok(Ok(())), Some((reader, _))) = (written, self.ended) {
                close::close(reader, writer, code, CLOSE_LIMITS).await;
            }
        })
    }
}

impl End {
    fn reason(&self) -> CloseReason {
        match self {
            Self::ByPeer(_) => CloseReason::TransportClose,
            Self::ByViolation(Violation::MessageTooBig) => CloseReason::TooLarge,
            Self::ByViolation(_) => CloseReason::TransportError,
            Self::Lost(reason) => *reason,
        }
    }
}

async fn read(mut reader: Reader, inbox: Arc<Inbox>) -> (Reader, End) {
    loop {
        match reader.next().await {
            Ok(Frame::Close(code)) => return (reader, End::ByPeer(code)),
            Ok(frame) => *inbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame),
            Err(ReadEnd::Violation(violation)) => return (reader, End::ByViolation(violation)),
            Err(ReadEnd::Eof) => return (reader, End::Lost(CloseReason::TransportClose)),
            Err(ReadEnd::Io(_)) => return (reader, End::Lost(CloseReason::TransportError)),
        }
        // Nobody wakes this: it is polled again when the message has been taken.
        let is_taken = || inbox.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        poll_fn(|_| if is_taken() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

fn take(inbox: &Inbox) -> Option<Frame> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).take()
}
