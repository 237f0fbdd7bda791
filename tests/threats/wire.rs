//! What comes as bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::seeing::house::{House, problem};
use crate::support::eio::{POLLING, WEBSOCKET, join_websocket};
use crate::support::http::{ask, ask_from, get};
use crate::support::raw_ws::{BINARY, CLOSE, FIN, Seen, TEXT, frame, upgrade_request};
use crate::threats::program::Program;
use crate::threats::sources::{files, locked, read, root};
use crate::threats::witness::{hosted, joined};

const PATIENCE: Duration = Duration::from_secs(20);
const SESSIONS: &str = "/api/v1/sessions";
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn socketio_parser() {
    let house = House::open();
    let (mut ann, _) = hosted(house.address).await;
    let long = format!("2/{},[\"a\"]", "n".repeat(200));
    let corpus = [
        // CVE-2022-2421, CVE-2020-36049: attachments that are none.
        r#"51-["a",{"_placeholder":true,"num":"splice"}]"#,
        r#"51-["a",{"_placeholder":true,"num":7}]"#,
        r#"51-["a",{"_placeholder":true,"num":-1}]"#,
        r#"53-["a"]"#,
        r#"5999999999-["a"]"#,
        r#"50-["a"]"#,
        r#"5-["a"]"#,
        r#"51["a"]"#,
        // CVE-2023-32695: an event whose name is none.
        r#"2[{"toString":"a"}]"#,
        r#"2[null]"#,
        r#"2[[]]"#,
        "2[]",
        "2{}",
        "2",
        r#"2["a""#,
        // Names that the client library keeps for itself.
        r#"2["disconnect"]"#,
        r#"2["\u0063onnect"]"#,
        r#"2["a"]]"#,
        r#"299999999999999999999["a"]"#,
        &long,
        r#"4{"message":"mine to say?"}"#,
        "7",
        "x",
        "",
    ];
    for packet in corpus {
        let mut socket = join_websocket(house.address).await;
        let pieces = [frame(FIN | TEXT, format!("4{packet}")), frame(FIN | BINARY, "attached")];
        socket.send_in_vain(&pieces.concat()).await;
        loop {
            match socket.see().await {
                Seen::Frame { opcode: CLOSE, .. } | Seen::Eof => break,
                Seen::Frame { payload, .. } => {
                    let said = String::from_utf8_lossy(&payload).into_owned();
                    assert!(!said.starts_with("43"), "{packet}: {said}");
                }
            }
        }
    }
    // A name that nobody expects is only unknown.
    for name in ["__proto__", "constructor", "error", "message", "toString", ""] {
        let code = ann.is_refused(name, json!({})).await;
        assert!(["UNKNOWN_EVENT", "BAD_REQUEST"].contains(&code.as_str()), "{name}: {code}");
    }
}

#[tokio::test]
async fn json_depth_duplicate_keys_numbers() {
    let house = House::open();
    let (mut ann, _) = hosted(house.address).await;
    for payload in [
        r#"{"timestamp":1e400}"#,
        r#"{"timestamp":-1e999}"#,
        r#"{"timestamp":9223372036854775808}"#,
        r#"{"timestamp":1.5}"#,
        r#"{"timestamp":1,"timestamp":2}"#,
        r#"{"timestamp":1,"time\u0073tamp":2}"#,
        r#"{"timestamp":1,"x":[[[[[[[[[[[[1]]]]]]]]]]]]}"#,
    ] {
        let answer = ann.ask_raw(&format!(r#"["heartbeat",{payload}]"#)).await;
        assert_eq!(answer["error"]["code"], "BAD_REQUEST", "{payload}: {answer}");
    }
    for text in [r"\ud800", r"\udc00x", r"\u0000"] {
        let answer = ann.ask_raw(&format!(r#"["story:create",{{"title":"{text}"}}]"#)).await;
        assert_eq!(answer["error"]["code"], "BAD_REQUEST", "{text}: {answer}");
    }
    // What is no JSON ends the connection, and so does what is too deep.
    let deep = format!(r#"["heartbeat",{}1{}]"#, "[".repeat(30_000), "]".repeat(30_000));
    for array in [
        &deep,
        r#"["heartbeat",{"timestamp":NaN}]"#,
        r#"["heartbeat",{"timestamp":01}]"#,
        "[\"heartbeat\",\"\0\"]",
    ] {
        let mut socket = join_websocket(house.address).await;
        socket.send_in_vain(&frame(FIN | TEXT, format!("421{array}"))).await;
        loop {
            match socket.see().await {
                Seen::Frame { opcode: CLOSE, .. } | Seen::Eof => break,
                Seen::Frame { payload, .. } => assert!(!payload.starts_with(b"43")),
            }
        }
    }
    for body in [
        format!(r#"{{"name":{}"#, "[".repeat(60_000)),
        r#"{"name":"x","name":"y"}"#.to_owned(),
        r#"{"name":1e400}"#.to_owned(),
        "{\"name\":\"\u{0}\"}".to_owned(),
    ] {
        let answer = ask(house.address, "POST", SESSIONS, &[JSON], body.as_bytes()).await;
        problem(&answer, 400, "BAD_REQUEST");
    }
    ann.does("heartbeat", json!({"timestamp": 1})).await;
}

#[tokio::test]
async fn hash_flooding() {
    const FEW: usize = 500;
    const TIMES: usize = 10;
    /// Linear is 10; quadratic is 100.
    const PRICE_MAX: u32 = 50;
    let house = House::set(&[
        "limits.sessions_per_address_hour_max=100000",
        "rate_limits.session:create=100000",
    ]);
    // The least of some: the machine may be busy.
    let price = async |keys: usize| {
        // What collides in 32-bit polynomial hashes: AaAa and its like.
        let key =
            |n: usize| (0..13).map(|bit| if n >> bit & 1 == 1 { "BB" } else { "Aa" }).collect();
        let keys: Vec<String> = (0..keys).map(key).collect();
        let fields: Vec<String> = keys.iter().map(|key| format!("{key:?}:0")).collect();
        let body = format!(r#"{{"name":"x",{}}}"#, fields.join(","));
        let mut least = Duration::MAX;
        for _ in 0..7 {
            let start = Instant::now();
            let answer = ask(house.address, "POST", SESSIONS, &[JSON], body.as_bytes()).await;
            least = least.min(start.elapsed());
            assert_eq!(answer.status, 201, "{} bytes", body.len());
        }
        least
    };
    let few = price(FEW / 5).await.max(Duration::from_millis(1));
    let many = price(FEW / 5 * TIMES).await;
    assert!(many <= few * PRICE_MAX, "{few:?}, then {many:?}");
    // No hash here has a seed that is known beforehand.
    let manifest = read("Cargo.toml");
    for name in ["ahash", "fxhash", "rustc-hash", "hashbrown", "indexmap", "fnv"] {
        assert!(!manifest.contains(&format!("\n{name} =")), "{name}");
    }
    for path in files(&root().join("src"), &["rs"]) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for word in ["with_hasher", "FxHash", "ahash", "BuildHasherDefault"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

/// All that comes back until the server hangs up.
async fn said_to(server: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.expect("server accepts");
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // A reset may follow the answer, when not all was read.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn smuggling_and_header_tricks() {
    let house = House::open();
    let post = "POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: smuggled\r\nConnection: close\r\n\r\n";
    for tricks in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: +2\r\n\r\n{}",
        "Content-Length:\r\n 2\r\n\r\n{}",
        "X: a\rContent-Length: 2\r\n\r\n{}",
        "X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        "Host: b\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let said = said_to(house.address, format!("{post}{tricks}{smuggled}").as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{tricks:?}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{tricks:?}: {said}");
    }
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    assert!(said_to(house.address, large.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    // No HTTP/2 without TLS, asked for in either way.
    assert_eq!(said_to(house.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "");
    let h2c = [
        ("Connection", "Upgrade, HTTP2-Settings, close"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ];
    assert_eq!(ask(house.address, "GET", "/healthz", &h2c, b"").await.status, 200);
}

#[tokio::test]
async fn slowloris_slow_post_slow_read() {
    const LIMIT: Duration = Duration::from_millis(500);
    let house = House::with(|config| {
        let limit = LIMIT.as_millis() as u64;
        config.server.header_timeout_ms = limit;
        config.server.body_timeout_ms = limit;
        config.server.keep_alive_ms = 1_000;
        config.engine.connect_timeout_ms = limit;
        config.engine.fragment_timeout_ms = limit;
    });
    let (mut good, _) = hosted(house.address).await;
    let upgrade = upgrade_request("GET", WEBSOCKET, "13");
    let half = [upgrade.as_bytes(), &frame(FIN | TEXT, "40"), &frame(TEXT, "42[")].concat();
    let attacks: [(&str, &[u8]); 6] = [
        ("nothing at all", b""),
        ("half a head", b"GET / HTTP/1.1\r\nHost: a\r\nX: "),
        ("half a body", b"POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
        ("no CONNECT", upgrade.as_bytes()),
        ("half a message", &half),
        ("idle after an answer", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    let held = attacks.map(|(name, bytes)| {
        let (server, bytes) = (house.address, bytes.to_vec());
        tokio::spawn(async move {
            let start = Instant::now();
            let mut stream = TcpStream::connect(server).await.expect("server accepts");
            stream.write_all(&bytes).await.expect("server reads");
            let said = read_all(&mut stream).await;
            (name, start.elapsed(), said)
        })
    });
    for attack in held {
        let (name, time, said) = attack.await.expect("no panic");
        assert!(LIMIT <= time && time < PATIENCE / 2, "{name}: {time:?}");
        assert!(!said.starts_with("HTTP/1.1 201"), "{name}: {said}");
        good.does("session:sync", json!({})).await;
    }
}

#[tokio::test]
async fn x_forwarded_for_spoofing() {
    let house = House::with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1".to_owned()];
        config.limits.connections_per_address_max = 1;
    });
    let open = async |source: u8, headers: &[(&str, &str)]| {
        ask_from(source, house.address, "GET", POLLING, headers, b"").await.status
    };
    // From an address that is no proxy: whatever it says, it is one client.
    assert_eq!(open(2, &[]).await, 200);
    for name in [
        "X-Forwarded-For",
        "Forwarded",
        "X-Real-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
    ] {
        for spoofed in ["198.51.100.1", "127.0.0.1", "::1", "for=198.51.100.1"] {
            assert_eq!(open(2, &[(name, spoofed)]).await, 503, "{name}: {spoofed}");
        }
    }
    // Through the proxy: only what the proxy itself has written, on the right.
    let own = "X-Forwarded-For";
    assert_eq!(open(1, &[(own, "198.51.100.1")]).await, 200);
    for n in 0..20 {
        let spoofed = format!("203.0.113.{n}, 198.51.100.1");
        assert_eq!(open(1, &[(own, &spoofed)]).await, 503);
        let line = format!("203.0.113.{n}");
        assert_eq!(open(1, &[(own, &line), (own, "198.51.100.1")]).await, 503);
    }
    assert_eq!(open(1, &[(own, "198.51.100.1, 198.51.100.2")]).await, 200);
}

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

#[tokio::test]
async fn lambda_abuse() {
    // The questions that the function answers, by the same code, at the server.
    let house = House::with(|config| config.limits.failed_joins_max = 5);
    let (_ann, created) = hosted(house.address).await;
    let (_bob, player) = joined(house.address, &created, "Bob").await;
    let check = async |body: Value| {
        let body = body.to_string();
        ask(house.address, "POST", "/api/v1/sessions/validate", &[JSON], body.as_bytes()).await
    };
    let token = player["playerToken"].as_str().expect("a token");
    let asked = |session: &Value, token: &str| json!({"sessionId": session, "playerToken": token});
    let own = &created["sessionId"];
    assert_eq!(check(asked(own, token)).await.status, 200);
    assert_eq!(check(asked(own, &"x".repeat(100_000))).await.status, 413);
    assert_eq!(check(asked(own, "cr1.a.b.c")).await.status, 401);
    // A good token does not make an oracle of codes.
    let mut statuses = Vec::new();
    for number in 0..10 {
        statuses.push(check(asked(&json!(format!("ABCD234{number}")), token)).await.status);
    }
    assert!(statuses.iter().all(|status| [401, 404, 429].contains(status)), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");

    // The functions have nothing of the server in them, and bounds of their own.
    for name in ["session-validate", "metrics-export"] {
        let manifest = read(&format!("functions/{name}/Cargo.toml"));
        let uses = manifest.lines().find(|line| line.starts_with("cardroom = "));
        let uses = uses.expect("it uses the library");
        assert!(uses.contains("default-features = false") && !uses.contains("server"), "{uses}");
    }
    assert!(
        read("functions/session-validate/src/request.rs").contains("BODY_BYTES_MAX < body.len()")
    );
    assert!(read("functions/metrics-export/src/event.rs").contains("EVENT_BYTES_MAX < text.len()"));
    get(house.address, "/healthz").await.is(200, r#"{"status":"ok"}"#);
}
