//! The `AsyncRead` that stands between the socket and fastwebsockets.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};

use crate::transport::stream::ReadHalf;
use crate::transport::websocket::rules::{FrameRules, ReadLimits};
use crate::transport::websocket::violation::Violation;

/// Read before anybody holds a buffer for more; most messages are shorter.
const FIRST_BYTES_MAX: usize = 1_024;

/// Hands out the bytes of one frame at a time, each judged by the rules before
/// fastwebsockets sees it.
///
/// The first bytes of a frame are read before fastwebsockets and its buffer are
/// there; what is longer is read straight into that buffer. What a read brought
/// beyond the end of the current frame is set aside, so that fastwebsockets'
/// buffer is empty after each frame and can be given back.
#[derive(Debug)]
pub(super) struct Guard {
    stream: ReadHalf,
    rules: FrameRules,
    violation: Option<Violation>,
    /// Bytes that fastwebsockets has yet to see; at most what one read
    /// returned, empty at rest.
    ahead: BytesMut,
}

impl Guard {
    /// `ahead` are the bytes that came in one piece with the HTTP request.
    pub(super) fn new(stream: ReadHalf, ahead: Bytes, limits: ReadLimits) -> Self {
        Self {
            stream,
            rules: FrameRules::new(limits),
            violation: None,
            // Copied: the original keeps the whole buffer of the request alive.
            ahead: BytesMut::from(&ahead[..]),
        }
    }

    /// Waits, without holding a buffer, until a frame has begun or the stream
    /// has ended.
    pub(super) async fn begun(&mut self) -> io::Result<()> {
        if !self.ahead.is_empty() {
            return Ok(());
        }
        // Read, not asked for: a socket may be said to be readable after
        // somebody has read all. Taken at its word, a client that says nothing
        // would have begun a message, and would be closed for not ending it.
        let stream = &mut self.stream;
        let first = poll_fn(|cx| {
            let mut first = [MaybeUninit::uninit(); FIRST_BYTES_MAX];
            let mut buf = ReadBuf::uninit(&mut first);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf));
            Poll::Ready(read.map(|()| BytesMut::from(buf.filled())))
        });
        self.ahead = first.await?;
        Ok(())
    }

    /// Why the last read failed, if it was the peer's fault.
    pub(super) fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// The stream itself, once nobody wants frames any more.
    pub(super) fn into_stream(self) -> ReadHalf {
        self.stream
    }

    fn follow(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rules.follow(bytes).map_err(|violation| {
            self.violation = Some(violation);
            io::ErrorKind::InvalidData.into()
        })
    }

    fn read_ahead(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut ahead = std::mem::take(&mut self.ahead);
        let (fitting, _) = ahead.split_at(ahead.len().min(buf.remaining()));
        let taken = self.follow(fitting)?;
        buf.put_slice(fitting.get(..taken).unwrap_or_default());
        ahead.advance(taken);
        if !ahead.is_empty() {
            self.ahead = ahead;
        }
        Ok(())
    }
}

impl AsyncRead for Guard {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.violation.is_some() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if !this.ahead.is_empty() {
            return Poll::Ready(this.read_ahead(buf));
        }
        let filled_before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;

        let fresh = buf.filled().get(filled_before..).unwrap_or_default();
        let taken = this.follow(fresh)?;
        if taken < fresh.len() {
            this.ahead = BytesMut::from(fresh.get(taken..).unwrap_or_default());
            buf.set_filled(filled_before + taken);
        }
        Poll::Ready(Ok(()))
    }
}
