//! How much anybody may have, and how often.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::sleep;

use cardroom::clock::Clock;
use cardroom::config::sections::TokenKey;
use cardroom::connection::{Options, PaceLimits};
use cardroom::protocol::CloseReason;
use cardroom::server::Stores;
use cardroom::store::MemoryStore;

use crate::seeing::house::House;
use crate::support::app::Scripted;
use crate::support::eio::{POLLING, Poller, WEBSOCKET, join_websocket, patient, say};
use crate::support::http::{UPGRADE, ask, get};
use crate::support::raw_ws::{BINARY, CLOSE, CONTINUATION, FIN, RawWs, Seen, TEXT, frame};
use crate::threats::program::Program;
use crate::threats::sources::{files, read, root};
use crate::threats::witness::{Witness, hosted, joined, vote};

const VOTES_PER_MINUTE: usize = 10;

#[tokio::test]
async fn flooding() {
    let house = House::open();
    let (mut ann, created) = hosted(house.address).await;
    let (bob, _) = joined(house.address, &created, "Bob").await;
    // A hundred times what is allowed, at once and without waiting.
    let mut flood = Vec::new();
    for number in 0..100 * VOTES_PER_MINUTE {
        let event = json!(["vote:submit", vote(["5", "8"][number % 2])]);
        flood.extend(frame(FIN | TEXT, format!("42{}{event}", 1_000 + number)));
    }
    let mut socket = bob.socket;
    socket.send_in_vain(&flood).await;
    let mut refused = 0;
    loop {
        match socket.see().await {
            Seen::Frame { opcode: CLOSE, .. } | Seen::Eof => break,
            Seen::Frame { payload, .. } => {
                let packet = String::from_utf8_lossy(&payload);
                refused += usize::from(packet.starts_with("43") && packet.contains("RATE_LIMITED"));
            }
        }
    }
    assert!((100..=201).contains(&refused), "and let go after {refused}");
    // Nobody waits for commits before he lets a flooder go: the server's own
    // numbers say what it accepted, the flooder's acknowledgements need not.
    let accepted = r#"cardroom_events_total{event="vote:submit",outcome="ok"}"#;
    let samples = house.scrape_until(|samples| samples.0[accepted] >= VOTES_PER_MINUTE as f64);
    assert_eq!(samples.await.0[accepted], VOTES_PER_MINUTE as f64);
    // The others were told of ten votes, and play on.
    ann.does("vote:submit", vote("5")).await;
    ann.does("session:sync", json!({})).await;
    let told = ann.heard.iter().filter(|packet| packet.contains("vote:submitted")).count();
    assert!(told <= VOTES_PER_MINUTE + 1, "{told}");
}

#[tokio::test]
async fn reconnect_to_reset_limits() {
    let store = MemoryStore::new(Clock::system(), 8);
    let both = Stores::of(store);
    let mut config = House::config();
    let secret = SecretString::from("what both of these instances sign with");
    config.auth.token_keys = vec![TokenKey { kid: "a".to_owned(), secret }];
    let stores =
        || Stores { sessions: Arc::clone(&both.sessions), directory: Arc::clone(&both.directory) };
    let houses = [House::on(&config, stores()), House::on(&config, stores())];
    let (_ann, created) = hosted(houses[0].address).await;
    let (bob, player) = joined(houses[0].address, &created, "Bob").await;
    drop(bob);
    let mut accepted = 0;
    for number in 0..20 {
        let mut again = Witness::at(houses[number % 2].address).await;
        let join = json!({"sessionId": created["sessionId"], "playerToken": player["playerToken"]});
        again.does("session:join", join).await;
        for card in ["5", "8"] {
            let answer = again.ask("vote:submit", vote(card)).await;
            match answer["ok"].as_bool() {
                Some(true) => accepted += 1,
                _ => assert_eq!(answer["error"]["code"], "RATE_LIMITED", "{answer}"),
            }
        }
    }
    assert_eq!(accepted, VOTES_PER_MINUTE, "forty were tried at two instances");
}

const MIB: f64 = 1_048_576.0;

#[tokio::test]
async fn huge_frames_fragments_zip_bombs() {
    const ATTACKERS: usize = 16;
    let program = Program::start(&["log.level=warn"]).await;
    let server = program.address;
    let third = vec![b'x'; 30_000];
    let many: Vec<u8> = (0..40).flat_map(|_| frame(CONTINUATION, "x")).collect();
    let mut endless = vec![FIN | BINARY, 0x80 | 127];
    endless.extend((1_u64 << 62).to_be_bytes());
    endless.extend([1, 2, 3, 4]);
    // Of zeros that were deflated: RSV1 without an extension.
    let bomb = frame(FIN | 0x40 | TEXT, vec![0; 1_000]);
    let attacks: [(&str, Vec<u8>, u16); 5] = [
        ("a length that nobody can hold", endless, 1009),
        (
            "too much in sum",
            [frame(TEXT, &third), frame(CONTINUATION, &third), frame(FIN | CONTINUATION, &third)]
                .concat(),
            1009,
        ),
        ("too many fragments", [frame(TEXT, "x"), many].concat(), 1008),
        ("a compressed message", bomb, 1002),
        ("no mask", vec![FIN | TEXT, 2, b'4', b'0'], 1002),
    ];
    // Once before it counts: the first of everything costs something.
    for (name, bytes, code) in &attacks {
        let mut socket = join_websocket(server).await;
        socket.send_in_vain(bytes).await;
        assert_eq!(closed_with(&mut socket).await, Some(*code), "{name}");
    }
    let before = program.resident_bytes().await;
    let mut held = Vec::new();
    for _ in 0..ATTACKERS {
        for (name, bytes, code) in &attacks {
            let mut socket = join_websocket(server).await;
            socket.send_in_vain(bytes).await;
            assert_eq!(closed_with(&mut socket).await, Some(*code), "{name}");
        }
        // As much as is allowed, and never the end.
        let mut socket = join_websocket(server).await;
        socket.send(&[frame(TEXT, &third), frame(CONTINUATION, &third)].concat()).await;
        held.push(socket);
    }
    let grown = program.resident_bytes().await - before;
    assert!(grown < MIB * ATTACKERS as f64, "{:.1} MiB", grown / MIB);

    // Nothing is ever unpacked: not by an extension, not by a coding.
    let offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
    let upgraded = ask(server, "GET", WEBSOCKET, &[UPGRADE, &[offer]].concat(), b"").await;
    assert_eq!((upgraded.status, upgraded.header(offer.0).as_str()), (101, ""));
    let gzip = ("Content-Encoding", "gzip");
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let poller = Poller::open(server).await;
    let answer = ask(server, "POST", &poller.target(), &[gzip], &packed).await;
    assert_eq!(answer.status, 400, "no text, as it stands there");
    let json = ("Content-Type", "application/json");
    let answer = ask(server, "POST", "/api/v1/sessions", &[json, gzip], &packed).await;
    assert_eq!(answer.status, 415);
    let poller = Poller::open(server).await;
    assert_eq!(poller.post(vec![b'4'; 65_537]).await.status, 413);
    program.end().await;
}

async fn closed_with(socket: &mut RawWs) -> Option<u16> {
    loop {
        match socket.see().await {
            Seen::Frame { opcode: CLOSE, payload } => {
                return Some(u16::from_be_bytes(payload.try_into().ok()?));
            }
            Seen::Frame { .. } => {}
            Seen::Eof => return None,
        }
    }
}

#[tokio::test]
async fn unbounded_queues() {
    let mut sources = files(&root().join("src"), &["rs"]);
    sources.extend(files(&root().join("functions"), &["rs"]));
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for word in ["unbounded", "Unbounded", "std::sync::mpsc::channel", "SegQueue"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
    assert!(read(".clippy.toml").contains("tokio::sync::mpsc::unbounded_channel"));

    // Who takes nothing is not queued for without end: the emitter is told
    // (or `flood` would go on for ever), and the client is closed.
    let pace = PaceLimits { bytes_max: 49_152, timeout: Duration::from_millis(300) };
    let mut app = Scripted::serve(Options { pace, ..patient() });
    let mut slow = join_websocket(app.server).await;
    let mut good = join_websocket(app.server).await;
    say(&mut slow, r#"42["flood"]"#).await;
    app.expect_end("/", CloseReason::SlowConsumer).await;
    say(&mut good, r#"421["hello"]"#).await;
    good.expect(TEXT, r#"431["hello"]"#).await;
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux says what is used")]
async fn memory_per_connection() {
    const CONNECTIONS: usize = 300;
    const BYTES_MAX: f64 = 65_536.0;
    let program = Program::start(&["log.level=warn"]).await;
    // The first ones pay for what all share.
    let mut here = Vec::new();
    for _ in 0..20 {
        here.push(join_websocket(program.address).await);
    }
    let before = program.resident_bytes().await;
    for _ in 0..CONNECTIONS {
        here.push(join_websocket(program.address).await);
    }
    let each = (program.resident_bytes().await - before) / CONNECTIONS as f64;
    assert!(each < BYTES_MAX, "{each} bytes for each connection");
    program.end().await;

    // Above the mark nobody new comes in, and is told when to try again.
    let house = House::with(|config| config.server.memory_bytes_max = 1);
    let mut answer = get(house.address, POLLING).await;
    for _ in 0..500 {
        if answer.status == 503 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
        answer = get(house.address, POLLING).await;
    }
    answer.is(503, "");
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    let upgrade = ask(house.address, "GET", WEBSOCKET, UPGRADE, b"").await;
    assert_eq!(upgrade.status, 503);
    assert_eq!(get(house.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn room_size_and_fan_out() {
    const SEATS: usize = 20;
    let house = House::set(&["limits.players_per_session_max=20", "rate_limits.session:join=1000"]);
    let (mut ann, created) = hosted(house.address).await;
    let mut guests = Vec::new();
    for number in 1..SEATS {
        guests.push(joined(house.address, &created, &format!("Guest {number}")).await.0);
    }
    for is_spectator in [false, true] {
        let mut late = Witness::at(house.address).await;
        let join = json!({"sessionId": created["sessionId"], "playerName": "Late",
            "isSpectator": is_spectator});
        assert_eq!(late.is_refused("session:join", join).await, "SESSION_FULL");
    }
    ann.does("session:sync", json!({})).await;
    // One word for each who came, not one for each pair.
    let told = ann.heard.iter().filter(|packet| packet.starts_with("42")).count();
    assert!((SEATS - 1..=3 * SEATS).contains(&told), "{told} events of {SEATS} seats");

    // And what each may write has an end.
    let x = |count: usize| Value::from("x".repeat(count));
    for (event, field, max) in [
        ("player:update", "name", 50),
        ("story:create", "title", 200),
        ("session:configure", "name", 100),
    ] {
        assert_eq!(ann.is_refused(event, json!({ field: x(max + 1) })).await, "BAD_REQUEST");
        ann.does(event, json!({ field: x(max) })).await;
    }
}
