//! A stream whose peer has to go on reading.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::transport::stream::Stream;

/// Fails a write that makes no progress for `timeout`, and makes the end of the
/// stream a reset: behind a FIN the kernel would go on for such a peer.
///
/// hyper limits how long a request may take to arrive and not how long a
/// response may take to leave; the kernel ends a peer whose window stays shut,
/// not one that opens it by a byte now and then. The kernel asks for more only
/// when a third of its buffer is free, so a peer has to take that much in each
/// `timeout`. Costs a timer while a write waits, and nothing otherwise.
#[derive(Debug)]
pub struct Stalling<S> {
    stream: S,
    timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

/// A stream that can end without its peer.
pub trait Reset {
    /// When it is dropped, what has not left is forgotten.
    fn set_reset(&self);
}

impl Reset for Stream {
    fn set_reset(&self) {
        // Fails on a socket that is gone already.
        let _ = self.tcp().set_zero_linger();
    }
}

impl<S> Stalling<S> {
    pub fn new(stream: S, timeout: Duration) -> Self {
        Self { stream, timeout, waiting: None }
    }

    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Reset> Stalling<S> {
    /// What a write came to, unless it has waited too long.
    fn judge<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let timeout = self.timeout;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(timeout)));
        std::task::ready!(waiting.as_mut().poll(context));
        self.stream.set_reset();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Reset + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // Over TCP there is nothing to flush, which says nothing of the peer.
        if flushed.is_ready() { flushed } else { self.judge(flushed, context) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::*;

    impl Reset for tokio::io::DuplexStream {
        fn set_reset(&self) {}
    }

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_waits_too_long_fails() {
        let (near, _far) = tokio::io::duplex(8);
        let started = Instant::now();
        let error = Stalling::new(near, TIMEOUT).write_all(&[0; 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_starts_it_anew() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut near = Stalling::new(near, TIMEOUT);
        let slowly = async {
            for _ in 0..20 {
                sleep(TIMEOUT - Duration::from_secs(1)).await;
                far.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(near.write_all(&[0; 20]), slowly);
        written.unwrap();
    }
}
