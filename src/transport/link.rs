//! A WebSocket as a connection wants it: polled, and answering its pings by itself.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::connection::{Incoming, Link};
use crate::protocol::CloseReason;
use crate::protocol::frame::{HEAD_BYTES_MAX, Opcode, put_head};
use crate::transport::websocket::close::{self, CloseCode, CloseLimits, close_frame};
use crate::transport::websocket::{Incoming as Frame, ReadEnd, Reader, Violation, Writer};

/// How long a peer that is being closed may take, and how much it may still send.
const CLOSE_LIMITS: CloseLimits =
    CloseLimits { linger: Duration::from_secs(5), drain_bytes_max: 4 << 20 };

/// Pongs that wait for a peer which pings and does not read; it is read no
/// further until it does.
const PONGS_MAX: usize = 4;

/// The frame queue of a quiet connection keeps no more room than this.
const QUEUE_FRAMES_KEPT: usize = 8;

pub(super) struct SocketLink {
    /// [`Reader::next`] is not cancel-safe, so one future reads for good. It
    /// hands each message over in `inbox`, and waits until that is empty.
    reading: Pin<Box<dyn Future<Output = (Reader, End)> + Send>>,
    inbox: Arc<Inbox>,
    writer: Writer,
    queue: VecDeque<Bytes>,
    pongs: usize,
    ended: Option<(Reader, End)>,
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
    pub(super) fn new(reader: Reader, writer: Writer) -> Self {
        let inbox = Arc::<Inbox>::default();
        Self {
            reading: Box::pin(read(reader, Arc::clone(&inbox))),
            inbox,
            writer,
            queue: VecDeque::new(),
            pongs: 0,
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

    /// Writes what is queued and `last`, then reads until the peer has closed too.
    async fn part(mut self, last: Bytes) {
        self.queue.push_back(last);
        if self.writer.write(&mut self.queue).await.is_err() || self.ended.is_some() {
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
        while self.pongs < PONGS_MAX {
            let frame = self.poll_frame(context);
            if let Some((_, end)) = &self.ended {
                return Poll::Ready(Incoming::Ended(end.reason()));
            }
            match std::task::ready!(frame) {
                Frame::Text(text) => return Poll::Ready(Incoming::Text(text)),
                Frame::Binary(bytes) => return Poll::Ready(Incoming::Binary(bytes.freeze())),
                Frame::Ping(payload) => {
                    let mut pong = Vec::with_capacity(HEAD_BYTES_MAX + payload.len());
                    put_head(&mut pong, Opcode::Pong, payload.len());
                    pong.extend_from_slice(&payload);
                    self.queue.push_back(pong.into());
                    self.pongs += 1;
                    // An error will be met again by whoever writes next.
                    let _ = self.poll_flush(context);
                }
                Frame::Pong | Frame::Close(_) => {}
            }
        }
        Poll::Pending
    }

    fn queue(&mut self, frames: Bytes) {
        self.queue.push_back(frames);
    }

    fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The stall time-out of the writer does not count here, because each call
    /// begins anew; the heartbeat ends a connection that takes nothing.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let written = std::task::ready!(pin!(self.writer.write(&mut self.queue)).poll(context));
        self.pongs = 0;
        if self.queue.capacity() > QUEUE_FRAMES_KEPT {
            self.queue = VecDeque::new();
        }
        Poll::Ready(written.map_err(|_| CloseReason::TransportError))
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let code = match &self.ended {
                None => {
                    let part = self.part(close_frame(None));
                    let _ = tokio::time::timeout(CLOSE_LIMITS.linger, part).await;
                    return;
                }
                Some((_, End::Lost(_))) => return,
                Some((_, End::ByPeer(code))) => *code,
                Some((_, End::ByViolation(violation))) => Some(violation.close_code()),
            };
            let rest = self.writer.write(&mut self.queue);
            let written = tokio::time::timeout(CLOSE_LIMITS.linger, rest).await;
            if let (Ok(Ok(())), Some((reader, _))) = (written, self.ended) {
                close::close(reader, self.writer, code, CLOSE_LIMITS).await;
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
