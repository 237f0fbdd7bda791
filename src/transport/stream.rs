//! The stream of one client, plain or secured by TLS.
//!
//! An enum, not a trait object: every byte passes here. What is plain costs one
//! comparison.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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

impl WriteHalf {
    /// The socket underneath, for its options.
    pub fn with_tcp<T>(&self, use_it: impl FnOnce(&TcpStream) -> T) -> T {
        match self {
            Self::Plain(half) => use_it(half.as_ref()),
            Self::Tls(shared) => use_it(shared.lock().get_ref().0),
        }
    }
}

impl WriteHalf {
    /// What the kernel takes at once; nothing of a secured stream, whose
    /// records are the business of the task that drives it.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, bufs) {
            // The kernel has less to do for one buffer than for a list of one.
            (Self::Plain(half), [only]) => half.try_write(only),
            (Self::Plain(half), bufs) => half.try_write_vectored(bufs),
            (Self::Tls(_), _) => Err(io::ErrorKind::WouldBlock.into()),
        }
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

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;
    use rustls::crypto::ring;
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    /// A stream of ours, and its peer's socket, on which records are read raw.
    async fn secured() -> (Stream, TcpStream) {
        let made = generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate");
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let far = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("listens");
        let (near, _) = listener.accept().await.expect("a peer");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(client));
        let (near, far) = tokio::join!(
            TlsAcceptor::from(Arc::new(server)).accept(near),
            connector.connect(name, far)
        );
        let (far, _) = far.expect("a handshake").into_inner();
        (Stream::Tls(Box::new(near.expect("a handshake"))), far)
    }

    #[tokio::test]
    async fn many_frames_are_one_record_and_nothing_stays_behind() {
        let (stream, mut far) = secured().await;
        let (_read, mut write) = stream.into_split();
        let frames = vec![vec![b'x'; 50]; 60];
        let slices: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        let written = write.write_vectored(&slices).await.expect("it takes all");
        assert_eq!(written, 3_000);
        write.flush().await.expect("it takes all");
        // The tickets of the handshake come first.
        let record = loop {
            let mut head = [0; 5];
            far.read_exact(&mut head).await.expect("a record");
            let mut record = vec![0; u16::from_be_bytes([head[3], head[4]]).into()];
            far.read_exact(&mut record).await.expect("a record");
            if 1_000 < record.len() {
                break record;
            }
        };
        assert!((3_000..3_100).contains(&record.len()), "{}", record.len());
    }
}
