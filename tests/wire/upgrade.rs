//! `protocol.md` §4: from polling to WebSocket.

use std::time::Duration;

use cardroom::connection::Options;

use crate::support::eio::{
    Poller, error, expect_close_without_code, patient, say, serve_engineio, settle,
};
use crate::support::http::{self, UPGRADE};
use crate::support::raw_ws::{CLOSE, FIN, RawWs, Seen, TEXT, frame};

async fn probe(poller: &Poller) -> RawWs {
    let mut socket = RawWs::connect(poller.server, &poller.upgrade_target()).await;
    say(&mut socket, "2probe").await;
    socket.expect(TEXT, "3probe").await;
    socket
}

#[tokio::test]
async fn a_probe_and_a_five_move_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut socket = probe(&poller).await;
    say(&mut socket, "5").await;
    say(&mut socket, "4hello").await;
    socket.expect(TEXT, "4hello").await;
}

#[tokio::test]
async fn a_parked_poll_is_answered_so_that_the_client_can_stop_polling() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut parked = poller.park().await;
    let _socket = probe(&poller).await;
    parked.answer().await.expect("an answer").is(200, "6");
}

/// engineioxide 0.17.2: answered once only, the client never got to upgrade.
#[tokio::test]
async fn every_poll_during_the_upgrade_is_answered() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut socket = probe(&poller).await;
    for _ in 0..3 {
        poller.get().await.is(200, "6");
    }
    say(&mut socket, "5").await;
    say(&mut socket, "4hello").await;
    socket.expect(TEXT, "4hello").await;
}

#[tokio::test]
async fn a_poll_that_is_parked_when_the_five_comes_is_answered() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut socket = RawWs::connect(poller.server, &poller.upgrade_target()).await;
    let mut parked = poller.park().await;
    say(&mut socket, "5").await;
    parked.answer().await.expect("an answer").is(200, "6");
    say(&mut socket, "4without a probe").await;
    socket.expect(TEXT, "4without a probe").await;
}

#[tokio::test]
async fn messages_wait_for_the_five_or_take_the_poll() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut socket = probe(&poller).await;
    poller.post("4by poll").await.is(200, "ok");
    poller.get().await.is(200, "4by poll");
    poller.post("4by websocket").await.is(200, "ok");
    say(&mut socket, "5").await;
    socket.expect(TEXT, "4by websocket").await;
}

#[tokio::test]
async fn anything_else_before_the_five_closes_the_websocket_only() {
    for packet in ["4hello", "2", "3", "2probe ", "x", ""] {
        let poller = Poller::open(serve_engineio(patient())).await;
        let mut socket = RawWs::connect(poller.server, &poller.upgrade_target()).await;
        say(&mut socket, packet).await;
        expect_close_without_code(&mut socket).await;
        poller.post("4polling lives").await.is(200, "ok");
        poller.get().await.is(200, "4polling lives");
        // And may try again.
        probe(&poller).await;
    }
}

/// socketioxide#731: an upgrade without an end leaked connections.
#[tokio::test]
async fn an_upgrade_that_takes_too_long_closes_the_websocket_only() {
    let upgrade_timeout = Duration::from_secs(2);
    let poller = Poller::open(serve_engineio(Options { upgrade_timeout, ..patient() })).await;
    let mut socket = probe(&poller).await;
    expect_close_without_code(&mut socket).await;
    poller.post("4polling lives").await.is(200, "ok");
    poller.get().await.is(200, "4polling lives");
}

#[tokio::test]
async fn the_heartbeat_goes_on_during_an_upgrade() {
    let options = Options {
        ping_interval: Duration::from_millis(50),
        // Until then the upgrade has begun, however busy the machine is.
        ping_timeout: Duration::from_secs(2),
        ..patient()
    };
    let poller = Poller::open(serve_engineio(options)).await;
    let mut socket = RawWs::connect(poller.server, &poller.upgrade_target()).await;
    expect_close_without_code(&mut socket).await;
    poller.expect_gone().await;
}

#[tokio::test]
async fn after_the_upgrade_polls_are_a_mismatch() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut socket = probe(&poller).await;
    say(&mut socket, "5").await;
    say(&mut socket, "4hello").await;
    socket.expect(TEXT, "4hello").await;
    poller.get().await.is(400, &error(3, "Bad request"));
    poller.post("4hello").await.is(400, &error(3, "Bad request"));
    say(&mut socket, "4undisturbed").await;
    socket.expect(TEXT, "4undisturbed").await;
}

#[tokio::test]
async fn a_second_websocket_is_closed_during_and_after_the_upgrade() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut first = probe(&poller).await;
    let mut second = RawWs::connect(poller.server, &poller.upgrade_target()).await;
    expect_close_without_code(&mut second).await;
    say(&mut first, "5").await;
    say(&mut first, "4hello").await;
    first.expect(TEXT, "4hello").await;
    let mut third = RawWs::connect(poller.server, &poller.upgrade_target()).await;
    expect_close_without_code(&mut third).await;
    say(&mut first, "4undisturbed").await;
    first.expect(TEXT, "4undisturbed").await;
}

#[tokio::test]
async fn a_websocket_that_leaves_before_the_five_disturbs_nothing() {
    let poller = Poller::open(serve_engineio(patient())).await;
    drop(probe(&poller).await);
    settle().await;
    let mut socket = probe(&poller).await;
    socket.send(&frame(FIN | CLOSE, 1001u16.to_be_bytes())).await;
    assert!(matches!(socket.see().await, Seen::Frame { opcode: CLOSE, .. }));
    poller.post("4polling lives").await.is(200, "ok");
    poller.get().await.is(200, "4polling lives");
}

#[tokio::test]
async fn an_unknown_sid_cannot_upgrade() {
    let server = serve_engineio(patient());
    let poller = Poller { server, sid: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned() };
    let answer = http::ask(server, "GET", &poller.upgrade_target(), UPGRADE, b"").await;
    answer.is(400, "Session ID unknown");
}
