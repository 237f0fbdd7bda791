//! Clients that do not take what is written to them. The exact instants are
//! tested in virtual time (`src/connection/tests.rs`), the figures by
//! `make abuse`.

use std::time::Duration;

use tokio::time::Instant;

use cardroom::connection::{Options, PaceLimits};
use cardroom::protocol::CloseReason;

use crate::support::app::Scripted;
use crate::support::eio::{Poller, join_websocket, patient, say};
use crate::support::raw_ws::{FIN, TEXT, frame};

fn impatient() -> Options {
    taking_within(Duration::from_secs(2))
}

fn taking_within(timeout: Duration) -> Options {
    Options { pace: PaceLimits { bytes_max: 49_152, timeout }, ..patient() }
}

#[tokio::test]
async fn a_websocket_that_is_not_read_is_closed_with_all_that_waits() {
    let mut app = Scripted::serve(impatient());
    let mut socket = join_websocket(app.server).await;
    let asks = frame(FIN | TEXT, format!("421[\"{}\"]", "x".repeat(10_000)));
    let asking = tokio::spawn(async move {
        // Until the server reads no further, or is gone.
        for _ in 0..2_000 {
            socket.send_in_vain(&asks).await;
        }
        socket
    });
    app.expect_end("/", CloseReason::SlowConsumer).await;
    assert!(app.connections.is_empty());
    asking.abort();
}

#[tokio::test]
async fn a_polling_client_that_stops_polling_is_closed() {
    let mut app = Scripted::serve(impatient());
    let poller = Poller::join(app.server).await;
    poller.post(r#"42["count"]"#).await.is(200, "ok");
    app.expect_end("/", CloseReason::SlowConsumer).await;
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_polling_client_that_polls_goes_on() {
    // It polls all the time; but a busy machine may hold it up.
    let mut app = Scripted::serve(taking_within(Duration::from_secs(5)));
    let poller = Poller::join(app.server).await;
    poller.post(r#"42["count"]"#).await.is(200, "ok");
    let started = Instant::now();
    let mut seen = String::new();
    while !seen.contains(r#"42["n",999]"#) {
        seen += poller.get().await.body();
        assert!(started.elapsed() < Duration::from_secs(60), "a thousand take a second");
    }
    app.expect_no_end().await;
}

#[tokio::test]
async fn a_client_for_which_nothing_waits_may_be_silent() {
    let mut app = Scripted::serve(impatient());
    let _poller = Poller::join(app.server).await;
    let _socket = join_websocket(app.server).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    app.expect_no_end().await;
}

#[tokio::test]
async fn one_slow_client_costs_its_neighbours_nothing() {
    let mut app = Scripted::serve(impatient());
    let mut slow = join_websocket(app.server).await;
    let mut good = join_websocket(app.server).await;
    say(&mut slow, r#"42["flood"]"#).await;
    for _ in 0..20 {
        say(&mut good, r#"421["hello"]"#).await;
        good.expect(TEXT, r#"431["hello"]"#).await;
    }
    app.expect_end("/", CloseReason::SlowConsumer).await;
    say(&mut good, r#"421["hello"]"#).await;
    good.expect(TEXT, r#"431["hello"]"#).await;
}
