//! `protocol.md` §5: the server pings, the client pongs.
//!
//! The exact instants are tested in virtual time, on the state machine.

use std::time::Duration;

use tokio::time::Instant;

use cardroom::connection::Options;

use crate::support::eio::{
    Poller, expect_close_without_code, open_websocket, patient, say, serve_engineio,
};
use crate::support::raw_ws::{FIN, PING, PONG, TEXT, frame};

const INTERVAL: Duration = Duration::from_millis(100);

/// Pings often, and waits for a pong as long as a busy machine may take.
fn quick() -> Options {
    Options { ping_interval: INTERVAL, ping_timeout: Duration::from_secs(2), ..patient() }
}

#[tokio::test]
async fn a_connection_lives_as_long_as_it_pongs() {
    let mut since_pong = Instant::now();
    let mut socket = open_websocket(serve_engineio(quick())).await;
    for _ in 0..3 {
        socket.expect(TEXT, "2").await;
        assert!(INTERVAL / 2 < since_pong.elapsed(), "{:?}", since_pong.elapsed());
        since_pong = Instant::now();
        say(&mut socket, "3").await;
    }
    say(&mut socket, "4alive").await;
    socket.expect(TEXT, "4alive").await;
}

#[tokio::test]
async fn a_connection_that_does_not_pong_is_closed() {
    let mut socket = open_websocket(serve_engineio(quick())).await;
    socket.expect(TEXT, "2").await;
    // Data is no sign of life.
    say(&mut socket, "4busy").await;
    socket.expect(TEXT, "4busy").await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn pings_are_sent_however_busy_the_connection_is() {
    let mut socket = open_websocket(serve_engineio(quick())).await;
    for _ in 0..1_000 {
        say(&mut socket, "4busy").await;
        if crate::support::eio::see_text(&mut socket).await == "2" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("no ping among a thousand messages");
}

#[tokio::test]
async fn polling_pings_too() {
    let poller = Poller::open(serve_engineio(quick())).await;
    for _ in 0..2 {
        poller.get().await.is(200, "2");
        poller.post("3").await.is(200, "ok");
    }
    poller.get().await.is(200, "2");
    let mut parked = poller.park().await;
    parked.answer().await.expect("an answer").is(200, "1");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_ping_from_the_client_closes() {
    let mut socket = open_websocket(serve_engineio(patient())).await;
    say(&mut socket, "2").await;
    expect_close_without_code(&mut socket).await;
}

/// Pings of RFC 6455 are another matter: any proxy may send them.
#[tokio::test]
async fn a_websocket_ping_is_answered_and_counts_for_nothing() {
    let mut socket = open_websocket(serve_engineio(patient())).await;
    socket.send(&frame(FIN | PING, "beat")).await;
    socket.expect(PONG, "beat").await;
    say(&mut socket, "4hello").await;
    socket.expect(TEXT, "4hello").await;
}
