//! The stream of one client, plain or secured by TLS.
//!
//! An enum, not a trait object: every byte passes here. What is plain costs one
//! comparison.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;

/// What HTTP is spoken over.
#[derive(Debug)]
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// The socket underneath, for its options.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    pub fn into_split(self) -> (ReadHalf, WriteHalf) {
        match self {
            Self::Plain(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf::Plain(read), WriteHalf::Plain(write))
            }
            Self::Tls(stream) => {
                let shared = Shared(Arc::new(Mutex::new(stream)));
                (ReadHalf::Tls(shared.clone()), WriteHalf::Tls(shared))
            }
        }
    }
}

#[derive(Debug)]
pub enum ReadHalf {
    Plain(OwnedReadHalf),
    Tls(Shared),
}

#[derive(Debug)]
pub enum WriteHalf {
    Plain(OwnedWriteHalf),
    Tls(Shared),
}

/// TLS has one state for both directions. One task drives both, so the lock is
/// always free.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Box<TlsStream<TcpStream>>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Box<TlsStream<TcpStream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadHalf {
    /// Waits, without holding a buffer, until there is something to read, or
    /// the stream has ended.
    pub async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Plain(half) => half.readable().await,
            // What was decrypted ahead counts, too.
            Self::Tls(shared) => std::future::poll_fn(|cx| shared.poll_readable(cx)).await,
        }
    }
}

impl WriteHalf {
    /// The socket underneath, for its options.
    pub fn with_tcp<T>(&self, use_it: impl FnOnce(&TcpStream) -> T) -> T {
        match self {
            Self::Plain(half) => use_it(half.as_ref()),
            Self::Tls(shared) => use_it(shared.lock().get_ref().0),
        }
    }
}

impl Shared {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut **self.lock()).poll_fill_buf(cx).map_ok(drop)
    }
}

macro_rules! read {
    ($type:ty, $tls:ident => $stream:expr) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
                    Self::Tls($tls) => Pin::new($stream).poll_read(cx, buf),
                }
            }
        }
    };
}

macro_rules! write {
    ($type:ty, $tls:ident => $stream:expr) => {
        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
                    Self::Tls($tls) => Pin::new($stream).poll_write(cx, buf),
                }
            }

            /// Many frames become few records, and those one call of the kernel.
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
                    Self::Tls($tls) => Pin::new($stream).poll_write_vectored(cx, bufs),
                }
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
                    Self::Tls($tls) => Pin::new($stream).poll_flush(cx),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
                    Self::Tls($tls) => Pin::new($stream).poll_shutdown(cx),
                }
            }
        }
    };
}

read!(Stream, stream => stream);
write!(Stream, stream => stream);
read!(ReadHalf, shared => &mut **shared.lock());
write!(WriteHalf, shared => &mut **shared.lock());
