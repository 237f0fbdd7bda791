//! `protocol.md` §6, first half: how connections and sockets end, and who is told.

use std::time::Duration;

use cardroom::connection::Options;
use cardroom::hub::OutboxLimits;
use cardroom::protocol::CloseReason;

use crate::support::app::Scripted;
use crate::support::eio::{
    POLLING, Poller, WEBSOCKET, expect_close_without_code, join_websocket, open_websocket, patient,
    say, see_text, settle,
};
use crate::support::http::{self, UPGRADE};
use crate::support::raw_ws::{CLOSE, FIN, Seen, TEXT, frame};

#[tokio::test]
async fn disconnecting_a_socket_says_41_and_leaves_the_connection_open() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, r#"42["disconnect me"]"#).await;
    socket.expect(TEXT, "41").await;
    app.expect_end("/", CloseReason::ServerNamespaceDisconnect).await;
    say(&mut socket, "40/n,").await;
    assert!(see_text(&mut socket).await.starts_with("40/n,{"));
    say(&mut socket, r#"42/n,["disconnect me"]"#).await;
    socket.expect(TEXT, "41/n,").await;
    app.expect_end("/n", CloseReason::ServerNamespaceDisconnect).await;
}

#[tokio::test]
async fn disconnecting_and_closing_says_41_before_the_end() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    socket
        .send(&[frame(FIN | TEXT, r#"42["disconnect me"]"#), frame(FIN | TEXT, "40")].concat())
        .await;
    socket.expect(TEXT, "41").await;
    app.expect_end("/", CloseReason::ServerNamespaceDisconnect).await;
    assert!(see_text(&mut socket).await.starts_with("40{"));
    app.connections.close_all(CloseReason::ServerShuttingDown);
    expect_close_without_code(&mut socket).await;
    app.expect_end("/", CloseReason::ServerShuttingDown).await;
}

#[tokio::test]
async fn closing_the_engine_says_no_41() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, r#"42["close"]"#).await;
    expect_close_without_code(&mut socket).await;
    socket.send(&frame(FIN | CLOSE, "")).await;
    assert_eq!(socket.see().await, Seen::Eof);
    app.expect_end("/", CloseReason::ForcedClose).await;
    app.expect_no_end().await;
}

#[tokio::test]
async fn closing_the_engine_answers_the_parked_poll() {
    let mut app = Scripted::serve(patient());
    let poller = Poller::join(app.server).await;
    let mut parked = poller.park().await;
    poller.post(r#"42["close"]"#).await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "1");
    app.expect_end("/", CloseReason::ForcedClose).await;
    poller.expect_gone().await;
}

#[tokio::test]
async fn closing_the_engine_waits_for_a_poll_and_for_what_was_queued() {
    let mut app = Scripted::serve(patient());
    let poller = Poller::join(app.server).await;
    poller.post("421[\"last words\"]\u{1e}42[\"close\"]").await.is(200, "ok");
    app.expect_end("/", CloseReason::ForcedClose).await;
    poller.get().await.is(200, "431[\"last words\"]\u{1e}1");
    poller.expect_gone().await;
}

/// Guards against a socket that hears an event twice after a drain.
#[tokio::test]
async fn a_drain_says_what_was_queued_before_it_closes() {
    let mut app = Scripted::serve(patient());
    let poller = Poller::join(app.server).await;
    poller.post(r#"421["last words"]"#).await.is(200, "ok");
    app.connections.drain();
    settle().await;
    poller.get().await.is(200, r#"431["last words"]"#);
    poller.get().await.is(200, "1");
    app.expect_end("/", CloseReason::ServerShuttingDown).await;
}

#[tokio::test]
async fn a_closed_connection_waits_for_its_poll_in_vain_only_so_long() {
    let close_timeout = Duration::from_millis(50);
    let app = Scripted::serve(Options { close_timeout, ..patient() });
    let poller = Poller::join(app.server).await;
    poller.post(r#"42["close"]"#).await.is(200, "ok");
    while !app.connections.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_client_that_leaves_a_namespace_may_come_back() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, "41").await;
    app.expect_end("/", CloseReason::ClientNamespaceDisconnect).await;
    say(&mut socket, "40").await;
    assert!(see_text(&mut socket).await.starts_with("40{"));
}

#[tokio::test]
async fn a_client_that_closes_ends_all_its_sockets() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, "40/n,").await;
    see_text(&mut socket).await;
    say(&mut socket, "1").await;
    app.expect_end("/", CloseReason::TransportClose).await;
    app.expect_end("/n", CloseReason::TransportClose).await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn a_websocket_that_closes_or_vanishes_ends_its_sockets_once() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    socket.send(&frame(FIN | CLOSE, 1000u16.to_be_bytes())).await;
    socket.expect_close(1000).await;
    app.expect_end("/", CloseReason::TransportClose).await;

    drop(join_websocket(app.server).await);
    app.expect_end("/", CloseReason::TransportClose).await;
    app.expect_no_end().await;
    assert!(app.connections.is_empty());
}

#[tokio::test]
async fn each_way_out_has_its_reason() {
    let mut app = Scripted::serve(Options { max_payload_bytes: 100, ..patient() });
    for (packet, reason) in [
        ("2", CloseReason::TransportError),
        ("x", CloseReason::ParseError),
        ("4x", CloseReason::ParseError),
        (&"4".repeat(101), CloseReason::TooLarge),
    ] {
        let mut socket = join_websocket(app.server).await;
        say(&mut socket, packet).await;
        app.expect_end("/", reason).await;
    }
    let poller = Poller::join(app.server).await;
    drop(poller.park().await);
    app.expect_end("/", CloseReason::TransportError).await;
}

#[tokio::test]
async fn a_client_that_does_not_pong_ends_with_ping_timeout() {
    // Before the first ping it has joined, however busy the machine is.
    let ping_interval = Duration::from_secs(2);
    let ping_timeout = Duration::from_millis(50);
    let mut app = Scripted::serve(Options { ping_interval, ping_timeout, ..patient() });
    let _socket = join_websocket(app.server).await;
    app.expect_end("/", CloseReason::PingTimeout).await;
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_closed() {
    let outbox = OutboxLimits { messages_max: 100, bytes_max: 50_000, ..OutboxLimits::default() };
    let mut app = Scripted::serve(Options { outbox, ..patient() });
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, r#"42["flood"]"#).await;
    app.expect_end("/", CloseReason::SlowConsumer).await;

    let poller = Poller::join(app.server).await;
    poller.post(r#"42["flood"]"#).await;
    app.expect_end("/", CloseReason::SlowConsumer).await;
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_connection_without_a_namespace_is_closed_in_time() {
    let connect_timeout = Duration::from_millis(50);
    let app = Scripted::serve(Options { connect_timeout, ..patient() });
    let mut socket = open_websocket(app.server).await;
    expect_close_without_code(&mut socket).await;
    let poller = Poller::open(app.server).await;
    poller.get().await.is(200, "1");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_connection_that_left_its_last_namespace_is_closed_in_time() {
    // Until then it has joined, however busy the machine is.
    let connect_timeout = Duration::from_secs(1);
    let mut app = Scripted::serve(Options { connect_timeout, ..patient() });
    let mut socket = join_websocket(app.server).await;
    tokio::time::sleep(connect_timeout * 2).await;
    say(&mut socket, "41").await;
    app.expect_end("/", CloseReason::ClientNamespaceDisconnect).await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn a_namespace_that_is_never_decided_is_closed_in_time() {
    let connect_timeout = Duration::from_millis(50);
    let mut app = Scripted::serve(Options { connect_timeout, ..patient() });
    let mut socket = open_websocket(app.server).await;
    say(&mut socket, "40/never,").await;
    expect_close_without_code(&mut socket).await;
    app.expect_no_end().await;
}

#[tokio::test]
async fn an_event_that_is_waited_for_does_not_keep_a_connection_alive() {
    let mut app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, r#"42["wait forever"]"#).await;
    settle().await;
    app.connections.close_all(CloseReason::ServerShuttingDown);
    expect_close_without_code(&mut socket).await;
    app.expect_end("/", CloseReason::ServerShuttingDown).await;
}

#[tokio::test]
async fn a_panic_of_the_application_ends_one_connection() {
    let mut app = Scripted::serve(patient());
    let mut bystander = join_websocket(app.server).await;
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, r#"42["panic"]"#).await;
    app.expect_end("/", CloseReason::ForcedClose).await;
    assert_eq!(socket.see().await, Seen::Eof);
    assert_eq!(app.connections.len(), 1);
    say(&mut bystander, r#"421["untouched"]"#).await;
    bystander.expect(TEXT, r#"431["untouched"]"#).await;
}

#[tokio::test]
async fn a_full_or_draining_instance_answers_503() {
    let app = Scripted::serve(Options { connections_max: 2, ..patient() });
    let polling = Poller::join(app.server).await;
    let websocket = join_websocket(app.server).await;
    http::get(app.server, POLLING).await.is(503, "");
    http::ask(app.server, "GET", WEBSOCKET, UPGRADE, b"").await.is(503, "");
    polling.post("41").await.is(200, "ok");
    drop(websocket);
    while app.connections.len() == 2 {
        settle().await;
    }
    http::get(app.server, POLLING).await;

    app.connections.drain();
    polling.get().await.is(200, "1");
    http::get(app.server, POLLING).await.is(503, "");
}

/// Events that come with the close socket.io-client would hear again when it
/// has recovered.
#[tokio::test]
async fn an_instance_that_leaves_tells_what_waits_and_only_then_closes() {
    let mut app = Scripted::serve(patient());
    let polling = Poller::join(app.server).await;
    polling.post(r#"421["still said"]"#).await.is(200, "ok");
    app.connections.drain();
    settle().await;
    app.expect_no_end().await;
    polling.get().await.is(200, r#"431["still said"]"#);
    app.expect_end("/", CloseReason::ServerShuttingDown).await;
    polling.get().await.is(200, "1");
    polling.expect_gone().await;
}
