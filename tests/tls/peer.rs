//! A client that speaks HTTP/1.1 over TLS, one request after the other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::PATIENCE;
use crate::tls::authority::Authority;

pub(super) struct Peer(TlsStream<TcpStream>);

impl Peer {
    pub(super) async fn connect(address: SocketAddr, authority: &Authority) -> Self {
        Self::try_connect(address, authority, &[b"h2", b"http/1.1"]).await.expect("a handshake")
    }

    pub(super) async fn try_connect(
        address: SocketAddr,
        authority: &Authority,
        protocols: &[&[u8]],
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.der())).expect("a certificate");
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        let connect = TlsConnector::from(Arc::new(config)).connect(name, stream);
        Ok(Self(timeout(PATIENCE, connect).await.expect("an answer")?))
    }

    /// What the server has shown.
    pub(super) fn certificate(&self) -> Vec<u8> {
        let shown = self.0.get_ref().1.peer_certificates().expect("a chain");
        shown.first().expect("its own").to_vec()
    }

    /// Status and head.
    pub(super) async fn get(&mut self, target: &str) -> (u16, String) {
        let (head, _) = self.ask("GET", target, "").await;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), head)
    }

    pub(super) async fn body(&mut self, target: &str) -> String {
        self.ask("GET", target, "").await.1
    }

    pub(super) async fn post(&mut self, target: &str, body: &str) {
        let (head, _) = self.ask("POST", target, body).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }

    async fn ask(&mut self, method: &str, target: &str, body: &str) -> (String, String) {
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.0.write_all(request.as_bytes()).await.expect("it reads");
        self.0.flush().await.expect("it reads");
        timeout(PATIENCE, self.answer()).await.expect("an answer")
    }

    async fn answer(&mut self) -> (String, String) {
        let mut answer = Vec::new();
        loop {
            let read = self.0.read_buf(&mut answer).await.expect("an answer");
            assert_ne!(read, 0, "it hung up");
            let text = String::from_utf8_lossy(&answer).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let length = lines
                .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .find_map(|(_, value)| value.parse::<usize>().ok());
            if length.unwrap_or(0) <= body.len() {
                return (head.to_owned(), body.to_owned());
            }
        }
    }
}
