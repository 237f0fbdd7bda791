//! What costs nothing to send: control frames, heartbeats, the beginnings of
//! messages. Each is bounded, and none fills a queue.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use cardroom::connection::Options;
use cardroom::protocol::CloseReason;

use crate::support::app::Scripted;
use crate::support::eio::{Poller, join_websocket, patient, say};
use crate::support::raw_ws::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Seen, TEXT, frame};

const POLICY: u16 = 1008;

fn strict() -> Options {
    Options { idle_packets_max: 100, message_timeout: Duration::from_millis(300), ..patient() }
}

#[tokio::test]
async fn a_ping_flood_closes_the_connection() {
    for opcode in [PING, PONG] {
        let mut app = Scripted::serve(strict());
        let mut socket = join_websocket(app.server).await;
        socket.send_in_vain(&frame(FIN | opcode, "x").repeat(1_000)).await;
        app.expect_end("/", CloseReason::Flooding).await;
        let mut pongs = 0;
        loop {
            match socket.see().await {
                Seen::Frame { opcode: PONG, .. } => pongs += 1,
                Seen::Frame { opcode: CLOSE, payload } => {
                    assert_eq!(payload, POLICY.to_be_bytes());
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        // Two, if the clock's second ended in between.
        assert!(pongs <= 200, "{pongs}");
    }
}

#[tokio::test]
async fn of_pings_that_wait_the_latest_is_answered() {
    let app = Scripted::serve(Options { idle_packets_max: 1_000_000, ..patient() });
    let mut socket = join_websocket(app.server).await;
    // More than the sockets' buffers take back: most are never answered.
    const PINGS: u32 = 60_000;
    let payload = |n: u32| format!("{n:0125}");
    let mut pings = Vec::new();
    for n in 0..PINGS {
        pings.extend(frame(FIN | PING, payload(n)));
    }
    socket.send(&pings).await;
    let last = payload(PINGS - 1).into_bytes();
    let mut answered = 0;
    loop {
        answered += 1;
        match socket.see().await {
            Seen::Frame { opcode: PONG, payload } if payload == last => break,
            Seen::Frame { opcode: PONG, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(answered <= PINGS, "{answered}");
    say(&mut socket, r#"421["alive"]"#).await;
    socket.expect(TEXT, r#"431["alive"]"#).await;
}

#[tokio::test]
async fn a_flood_of_heartbeats_or_noops_closes_the_connection() {
    for packet in ["3", "6", "430[]"] {
        let mut app = Scripted::serve(strict());
        let mut socket = join_websocket(app.server).await;
        socket.send_in_vain(&frame(FIN | TEXT, packet).repeat(1_000)).await;
        app.expect_end("/", CloseReason::Flooding).await;

        let poller = Poller::join(app.server).await;
        poller.post([packet; 1_000].join("\u{1e}")).await.is(200, "ok");
        app.expect_end("/", CloseReason::Flooding).await;
    }
}

#[tokio::test]
async fn joining_and_leaving_for_ever_closes_the_connection() {
    let mut app = Scripted::serve(strict());
    let mut socket = join_websocket(app.server).await;
    let round = [frame(FIN | TEXT, "40/n,"), frame(FIN | TEXT, "41/n,")].concat();
    socket.send_in_vain(&round.repeat(1_000)).await;
    for _ in 0..200 {
        let (namespace, reason) = app.next_end().await;
        match reason {
            CloseReason::ClientNamespaceDisconnect => assert_eq!(namespace, "/n"),
            CloseReason::Flooding => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("it may go on for ever");
}

#[tokio::test]
async fn an_empty_message_closes_the_connection() {
    let mut app = Scripted::serve(strict());
    let mut socket = join_websocket(app.server).await;
    socket.send_in_vain(&frame(FIN | TEXT, "").repeat(1_000)).await;
    app.expect_end("/", CloseReason::ParseError).await;
}

#[tokio::test]
async fn a_message_that_was_begun_must_end() {
    let head_only = frame(FIN | BINARY, [0; 100])[..10].to_vec();
    for begun in [frame(TEXT, "42["), frame(FIN | TEXT, "42[")[..1].to_vec(), head_only] {
        let mut app = Scripted::serve(strict());
        let mut socket = join_websocket(app.server).await;
        let started = Instant::now();
        socket.send(&begun).await;
        app.expect_end("/", CloseReason::TransportError).await;
        socket.expect_close(POLICY).await;
        assert!(started.elapsed() >= strict().message_timeout);
    }
}

#[tokio::test]
async fn neither_fragments_nor_pings_buy_time() {
    let mut app = Scripted::serve(strict());
    let mut socket = join_websocket(app.server).await;
    let started = Instant::now();
    socket.send(&frame(TEXT, "42[")).await;
    let dripping = tokio::spawn(async move {
        loop {
            socket.send_in_vain(&frame(CONTINUATION, " ")).await;
            socket.send_in_vain(&frame(FIN | PING, "")).await;
            sleep(Duration::from_millis(20)).await;
        }
    });
    app.expect_end("/", CloseReason::TransportError).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    dripping.abort();
}

#[tokio::test]
async fn between_messages_there_is_all_the_time() {
    // Enough for one message, however busy the machine is.
    let message_timeout = Duration::from_secs(2);
    let app = Scripted::serve(Options { message_timeout, ..strict() });
    let mut socket = join_websocket(app.server).await;
    for _ in 0..2 {
        sleep(message_timeout).await;
        socket.send_bytewise(&frame(TEXT, r#"421["al"#)).await;
        socket.send_bytewise(&frame(FIN | CONTINUATION, r#"ive"]"#)).await;
        socket.expect(TEXT, r#"431["alive"]"#).await;
    }
}
