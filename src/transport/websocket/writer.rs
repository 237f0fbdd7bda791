//! Bytes to a client, as many at once as the kernel takes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::transport::stream::WriteHalf;

/// Why nothing more can be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteEnd {
    /// The peer took no byte for the stall time-out.
    #[error("peer stopped reading")]
    Stalled,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The sending half of a WebSocket. Each `Bytes` it is given holds one or more
/// whole frames, framed elsewhere ([`crate::protocol::frame`]); it looks at none.
#[derive(Debug)]
pub struct Writer<W = WriteHalf> {
    stream: W,
    stall_timeout: Duration,
    is_inside_a_frame: bool,
    written_bytes: u64,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// `stall_timeout` is how long the peer may take nothing at all; any
    /// progress starts it anew.
    pub fn new(stream: W, stall_timeout: Duration) -> Self {
        Self { stream, stall_timeout, is_inside_a_frame: false, written_bytes: 0 }
    }

    /// Writes all of `frames`, in order, up to [`FRAMES_PER_WRITE_MAX`] per
    /// system call.
    ///
    /// Cancel-safe: a frame leaves the queue when its last byte is written, and
    /// one that is partly written keeps only its rest. Dropping the future loses
    /// nothing, provided that the same queue comes again.
    pub async fn write(&mut self, frames: &mut VecDeque<Bytes>) -> Result<(), WriteEnd> {
        loop {
            // An empty buffer would look like a peer that takes nothing.
            while frames.front().is_some_and(Bytes::is_empty) {
                frames.pop_front();
            }
            if frames.is_empty() {
                return self.flush().await;
            }
            let stream = &mut self.stream;
            let some = poll_fn(|cx| poll_some(stream, cx, frames));
            let written =
                timeout(self.stall_timeout, some).await.map_err(|_| WriteEnd::Stalled)??;
            if written == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            self.written_bytes += written as u64;
            self.is_inside_a_frame = advance(frames, written);
        }
    }

    /// As [`Writer::write`], polled, and with no limit of time: for whoever
    /// keeps one for himself.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        frames: &mut VecDeque<Bytes>,
    ) -> Poll<io::Result<()>> {
        loop {
            while frames.front().is_some_and(Bytes::is_empty) {
                frames.pop_front();
            }
            if frames.is_empty() {
                return Pin::new(&mut self.stream).poll_flush(cx);
            }
            let written = ready!(poll_some(&mut self.stream, cx, frames))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written_bytes += written as u64;
            self.is_inside_a_frame = advance(frames, written);
        }
    }

    /// TLS may still hold records that the socket did not take.
    async fn flush(&mut self) -> Result<(), WriteEnd> {
        // Most often there is nothing to wait for, and no timer needed.
        let at_once = poll_fn(|cx| Poll::Ready(Pin::new(&mut self.stream).poll_flush(cx))).await;
        let flushed = match at_once {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => timeout(self.stall_timeout, self.stream.flush())
                .await
                .map_err(|_| WriteEnd::Stalled)?,
        };
        Ok(flushed?)
    }

    /// Whether the peer has seen only the beginning of some frame, so that a
    /// close frame would be taken for its rest.
    pub fn is_inside_a_frame(&self) -> bool {
        self.is_inside_a_frame
    }

    /// Bytes that the kernel has taken so far.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Writes the last frame, if there is a place for it, and sends FIN.
    pub(super) async fn finish(&mut self, last: Bytes) -> Result<(), WriteEnd> {
        if !self.is_inside_a_frame {
            self.write(&mut VecDeque::from([last])).await?;
        }
        Ok(self.stream.shutdown().await?)
    }
}

impl Writer {
    /// Writes whole frames at once, as far as the kernel takes them, and puts
    /// the rest of what has begun into `rest`. Returns `false` if nothing was
    /// taken: the kernel has no room, the frames are more than one call takes,
    /// or the stream is secured. What is wrong, whoever waits will learn.
    pub(in crate::transport) fn try_write<'a>(
        &mut self,
        frames: impl ExactSizeIterator<Item = &'a Bytes> + Clone,
        rest: &mut VecDeque<Bytes>,
    ) -> bool {
        if FRAMES_PER_WRITE_MAX < frames.len() {
            return false;
        }
        let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE_MAX];
        let count = fill(&mut slices, frames.clone());
        let Ok(written @ 1..) = self.stream.try_write_vectored(slices.split_at(count).0) else {
            return false;
        };
        self.written_bytes += written as u64;
        if written < frames.clone().map(Bytes::len).sum() {
            rest.extend(frames.cloned());
            self.is_inside_a_frame = advance(rest, written);
        }
        true
    }

    /// Makes the end of the stream a reset: the kernel forgets what it has not
    /// sent, instead of keeping it for a peer that does not take it.
    pub(in crate::transport) fn reset(self) {
        // Fails on a socket that is gone already.
        let _ = self.stream.with_tcp(TcpStream::set_zero_linger);
    }
}

/// Frames handed to the kernel in one call; Linux takes 1,024 at most.
pub const FRAMES_PER_WRITE_MAX: usize = 64;

/// The slices live on the stack of one poll, not in a future.
fn poll_some<W: AsyncWrite + Unpin>(
    stream: &mut W,
    cx: &mut Context<'_>,
    frames: &VecDeque<Bytes>,
) -> Poll<io::Result<usize>> {
    let mut stream = Pin::new(stream);
    if let (Some(frame), 1) = (frames.front(), frames.len()) {
        // The kernel has less to do for one buffer than for a list of one.
        return stream.as_mut().poll_write(cx, frame);
    }
    let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE_MAX];
    let count = fill(&mut slices, frames);
    stream.poll_write_vectored(cx, slices.split_at(count).0)
}

/// Returns how many slices were filled.
fn fill<'a>(slices: &mut [IoSlice<'a>], frames: impl IntoIterator<Item = &'a Bytes>) -> usize {
    let mut count = 0;
    for (slice, frame) in slices.iter_mut().zip(frames) {
        *slice = IoSlice::new(frame);
        count += 1;
    }
    count
}

/// Drops `written` bytes from the front; true if that ends inside a frame.
fn advance(frames: &mut VecDeque<Bytes>, mut written: usize) -> bool {
    while let Some(front) = frames.front_mut() {
        if written < front.len() {
            front.advance(written);
            return written > 0;
        }
        written -= front.len();
        frames.pop_front();
    }
    false
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    const STALL: Duration = Duration::from_secs(5);

    fn queue(frames: &[&'static str]) -> VecDeque<Bytes> {
        frames.iter().map(|frame| Bytes::from_static(frame.as_bytes())).collect()
    }

    #[tokio::test]
    async fn partial_writes_keep_the_order() {
        let (near, mut far) = tokio::io::duplex(3);
        let mut writer = Writer::new(near, STALL);
        let mut frames = queue(&["hello ", "", "w", "orld", ""]);
        let mut read = vec![0; 11];
        let (written, got) = tokio::join!(writer.write(&mut frames), far.read_exact(&mut read));
        written.unwrap();
        got.unwrap();
        assert_eq!(read, b"hello world");
        assert!(frames.is_empty() && !writer.is_inside_a_frame());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_has_stalled_and_the_rest_stays() {
        let (near, _far) = tokio::io::duplex(8);
        let mut writer = Writer::new(near, STALL);
        let mut frames = queue(&["12345", "67890"]);
        assert!(matches!(writer.write(&mut frames).await, Err(WriteEnd::Stalled)));
        assert!(writer.is_inside_a_frame());
        assert_eq!(frames, queue(&["90"]));
    }

    #[tokio::test(start_paused = true)]
    async fn progress_starts_the_stall_time_anew() {
        let (near, mut far) = tokio::io::duplex(1);
        let mut writer = Writer::new(near, STALL);
        let mut frames = queue(&["slow"]);
        let slow_reader = async {
            for _ in 0..4 {
                tokio::time::sleep(STALL - Duration::from_secs(1)).await;
                far.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(writer.write(&mut frames), slow_reader);
        written.unwrap();
    }

    #[tokio::test]
    async fn more_frames_than_one_call_takes() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let mut writer = Writer::new(near, STALL);
        let many = 10 * FRAMES_PER_WRITE_MAX + 1;
        let mut frames: VecDeque<_> = (0..many).map(|_| Bytes::from_static(b"ab")).collect();
        writer.write(&mut frames).await.unwrap();
        drop(writer);
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"ab".repeat(many));
    }
}
