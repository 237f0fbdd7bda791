//! The port where it speaks TLS: the program itself, with certificates made
//! for the test.

mod authority;
mod peer;
mod program;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::node;
use crate::tls::authority::Authority;
use crate::tls::peer::Peer;
use crate::tls::program::Program;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_real_client_plays_over_tls() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    authority.issue_into(folder.path());
    let ca = authority.write_to(folder.path());
    let program = Program::start(folder.path(), &[]).await;
    assert!(program.url.starts_with("https://"), "{}", program.url);
    for transports in ["websocket", "polling", "polling,websocket"] {
        node::run("tls.mjs", &[&program.url, transports, &ca]).await;
    }
    assert_eq!(program.end().await, Some(0));
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_a_bad_one_for_none() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let first = authority.issue_into(folder.path());
    let program = Program::start(folder.path(), &[]).await;
    let mut old = Peer::connect(program.address, &authority).await;
    assert_eq!(old.certificate(), first);

    let second = authority.issue_into(folder.path());
    program.hang_up();
    program.logs("certificate read again").await;
    assert_eq!(Peer::connect(program.address, &authority).await.certificate(), second);
    assert_eq!(old.get("/healthz").await.0, 200, "the old connection goes on");

    std::fs::write(folder.path().join("key.pem"), "no key").expect("it is ours");
    program.hang_up();
    program.logs("certificate not read again, the old one stays").await;
    let mut newest = Peer::connect(program.address, &authority).await;
    assert_eq!(newest.certificate(), second);
    assert_eq!(newest.get("/healthz").await.0, 200);
    assert_eq!(program.end().await, Some(0));
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_refused_and_disturbs_nobody() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    authority.issue_into(folder.path());
    let program = Program::start(folder.path(), &["server.header_timeout_ms=3000"]).await;
    let mut good = Peer::connect(program.address, &authority).await;
    assert_eq!(good.get("/healthz").await.0, 200);

    let plain = said_to(program.address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!plain.windows(4).any(|bytes| bytes == b"HTTP"), "{plain:?}");
    // TLS 1.1, and nothing newer.
    let alert = said_to(program.address, &client_hello(0x0302)).await;
    assert_eq!(alert.first(), Some(&ALERT), "{alert:?}");
    assert_eq!(alert.last(), Some(&PROTOCOL_VERSION), "{alert:?}");
    // Nothing at all.
    assert_eq!(said_to(program.address, b"").await, b"");
    // Half of a handshake.
    let hello = client_hello(0x0303);
    assert_eq!(said_to(program.address, &hello[..20]).await, b"");

    let (status, head) = good.get("/healthz").await;
    assert_eq!(status, 200);
    assert!(head.to_lowercase().contains("strict-transport-security: max-age=31536000"), "{head}");
    assert!(Peer::try_connect(program.address, &authority, &[b"h2"]).await.is_err());
    assert_eq!(program.end().await, Some(0));
}

#[tokio::test]
async fn half_of_the_settings_is_an_error_with_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    Authority::new().issue_into(folder.path());
    let certificate = folder.path().join("certificate.pem");
    let half = format!("server.tls_certificate_file={}", certificate.display());
    let log = Program::fails(&[&half]).await;
    assert!(log.contains("server.tls_key_file"), "{log}");
    let missing = folder.path().join("missing.pem");
    let missing = format!("server.tls_key_file={}", missing.display());
    let log = Program::fails(&[&half, &missing]).await;
    assert!(log.contains("failed to read") && log.contains("missing.pem"), "{log}");
}

/// All that is answered until the other side hangs up.
async fn said_to(address: SocketAddr, said: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(said).await.expect("it reads");
    let mut heard = Vec::new();
    // A reset is an answer, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("it hangs up");
    heard
}

const ALERT: u8 = 21;
const PROTOCOL_VERSION: u8 = 70;

/// A ClientHello of that version (RFC 5246 §7.4.1.2).
fn client_hello(version: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, and no compression.
    body.extend([0, 2, 0xC0, 0x13, 1, 0]);
    // The extension `signature_algorithms`: rsa_pkcs1_sha256.
    body.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 1]);
    let length = body.len() as u32;
    let mut message = vec![1];
    message.extend(&length.to_be_bytes()[1..]);
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

#[tokio::test]
async fn instances_ask_each_other_at_an_address_of_their_own() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    authority.issue_into(folder.path());
    let redis = crate::store::redis_server::RedisServer::start();
    let url = format!("redis.url={}", redis.url());
    let shared = [&url, "instances.shared_secret=what the instances of this test share"];
    let log = Program::fails_in(folder.path(), &shared).await;
    assert!(log.contains("instances.listen"), "{log}");

    let shared = [&shared[..], &["instances.listen=127.0.0.1:0"]].concat();
    let owner = Program::start(folder.path(), &shared).await;
    let other = Program::start(folder.path(), &shared).await;
    let mut at_owner = Peer::connect(owner.address, &authority).await;
    let mut at_other = Peer::connect(other.address, &authority).await;
    let opened = at_owner.body("/socket.io/?EIO=4&transport=polling").await;
    let sid = opened.split('"').nth(3).expect("a sid").to_owned();
    let target = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    at_other.post(&target, "40").await;
    let joined = at_other.body(&target).await;
    assert!(joined.starts_with("40{"), "{joined}");

    // There they find nothing but what is sealed.
    let sealed = sealed_address(&redis).await;
    let public = said_to(sealed, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(public.await.starts_with(b"HTTP/1.1 404"));
    assert_eq!(owner.end().await, Some(0));
    assert_eq!(other.end().await, Some(0));
}

async fn sealed_address(redis: &crate::store::redis_server::RedisServer) -> SocketAddr {
    for _ in 0..100 {
        let keys: Vec<String> = redis.ask(&["KEYS", "*instance:*"]).await;
        if let Some(key) = keys.first() {
            let address: String = redis.ask(&["HGET", key, "address"]).await;
            return address.parse().expect("an address");
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("no instance is listed");
}
