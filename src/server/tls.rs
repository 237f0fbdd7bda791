//! TLS on our own port, for machines without a load balancer in front.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error, info};

use crate::transport::stream::Stream;

/// The certificate of this server, and what new connections are secured with.
pub struct Tls {
    files: TlsFiles,
    current: Mutex<Arc<ServerConfig>>,
}

/// PEM: the chain, our own certificate first, and its key.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why no certificate can be shown. Names files, never what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("failed to read {}: {error}", file.display())]
    File { file: PathBuf, error: rustls::pki_types::pem::Error },
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("failed to use {} with {}: {error}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, error: rustls::Error },
}

impl Tls {
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Mutex::new(Arc::new(server_config(&files)?));
        Ok(Self { files, current })
    }

    /// Reads the files again, for the connections from now on. When they
    /// cannot be used, what was read before goes on being used.
    pub fn reload(&self) {
        match server_config(&self.files) {
            Ok(config) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                info!(file = %self.files.certificate.display(), "certificate read again");
            }
            Err(error) => error!(%error, "certificate not read again, the old one stays"),
        }
    }

    /// `None` if the peer does not manage the handshake within `limit`.
    pub(super) async fn secure(&self, stream: TcpStream, limit: Duration) -> Option<Stream> {
        let current = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner));
        match timeout(limit, TlsAcceptor::from(current).accept(stream)).await {
            Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream))),
            // It is the peer's: another protocol, an old version, a scanner.
            Ok(Err(error)) => {
                debug!(%error, "no TLS");
                None
            }
            Err(_) => None,
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// TLS 1.2 and 1.3 with the provider's choice of ciphers.
fn server_config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let TlsFiles { certificate, key } = files;
    let unusable =
        |error| TlsError::Unusable { certificate: certificate.clone(), key: key.clone(), error };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| unreadable(certificate, error))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.clone()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(unusable)?;
    // WebSockets need it, and browsers ask for nothing newer where it is said.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // When an instance ends, many come at once: most have been here before.
    config.ticketer = ring::Ticketer::new().map_err(unusable)?;
    Ok(config)
}

fn unreadable(file: &Path, error: rustls::pki_types::pem::Error) -> TlsError {
    TlsError::File { file: file.to_owned(), error }
}

/// Reloads whenever the process is sent SIGHUP, as long as this is polled.
#[cfg(unix)]
pub(super) async fn reload_on_hangup(tls: Arc<Tls>) {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::hangup()) {
        Ok(mut hangups) => {
            while hangups.recv().await.is_some() {
                tls.reload();
            }
        }
        Err(error) => error!(%error, "certificates are not read again on SIGHUP"),
    }
}

#[cfg(not(unix))]
pub(super) async fn reload_on_hangup(_: Arc<Tls>) {
    std::future::pending().await
}
