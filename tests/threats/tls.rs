//! The port where it speaks TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::threats::program::Program;
use crate::threats::sources::{locked, read};
use crate::threats::wire::{PATIENCE, read_all, said_to};

#[tokio::test]
async fn tls() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a pair");
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is ours");
        path.display().to_string()
    };
    let certificate = file("certificate.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let settings = [
        format!("server.tls_certificate_file={certificate}"),
        format!("server.tls_key_file={key}"),
    ];
    let program = Program::start(&[&settings[0], &settings[1]]).await;
    for (version, expected) in [
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let (spoken, suite, answer) =
            over_tls(program.address, made.cert.der().clone(), version).await;
        assert_eq!(spoken, expected);
        // Forward secrecy and authenticated encryption, and nothing else.
        let is_strong =
            suite.contains("AES") && suite.contains("GCM") || suite.contains("CHACHA20");
        let is_ephemeral = suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_");
        assert!(is_strong && is_ephemeral, "{suite}");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let head = answer.to_ascii_lowercase();
        assert!(head.contains("\r\nstrict-transport-security: max-age="), "{answer}");
    }
    let plain = said_to(program.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!plain.contains("HTTP"), "{plain}");
    program.end().await;
    // RUSTSEC-2024-0399 is fixed there.
    assert!((0, 23, 18) <= locked("rustls"), "{:?}", locked("rustls"));
    let tree = read("Cargo.lock");
    assert!(!tree.contains("name = \"openssl-sys\"") && !tree.contains("name = \"native-tls\""));
}

/// Version, suite, and the answer to one request.
async fn over_tls(
    server: SocketAddr,
    root: CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> (ProtocolVersion, String, String) {
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server).await.expect("server accepts");
    let name = ServerName::try_from("localhost").expect("a name");
    let connect = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let mut stream = timeout(PATIENCE, connect).await.expect("in time").expect("a handshake");
    let asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(asked).await.expect("server reads");
    let session = stream.get_ref().1;
    let spoken = session.protocol_version().expect("a version");
    let suite = format!("{:?}", session.negotiated_cipher_suite().expect("a suite").suite());
    (spoken, suite, read_all(&mut stream).await)
}
