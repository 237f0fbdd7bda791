//! `protocol.md` §3: what overlapping, aborted and closing requests do.

use std::io::Write as _;
use std::net::TcpStream;

use crate::support::eio::{Poller, patient, serve_engineio, settle};

#[tokio::test]
async fn a_second_get_ends_both_and_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut first = poller.park().await;
    poller.get().await.is(400, "");
    first.answer().await.expect("an answer").is(200, "1");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_second_post_ends_both_and_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut first = poller.post_slowly(10).await;
    poller.post("4second").await.is(400, "");
    assert!(first.answer().await.is_none(), "the first is broken off");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_get_that_the_peer_aborts_ends_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    drop(poller.park().await);
    settle().await;
    poller.expect_gone().await;
}

/// Whether hyper meets the end before it polls the request is a matter of luck.
#[tokio::test]
async fn a_get_that_is_aborted_at_once_ends_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut stream = TcpStream::connect(poller.server).expect("server accepts");
    let request = format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", poller.target());
    stream.write_all(request.as_bytes()).expect("there is room");
    drop(stream);
    settle().await;
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_post_that_the_peer_aborts_ends_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    drop(poller.post_slowly(10).await);
    settle().await;
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_get_and_a_post_may_overlap() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut parked = poller.park().await;
    poller.post("4hello").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "4hello");
}

#[tokio::test]
async fn a_client_that_closes_gets_ok_and_a_noop() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut parked = poller.park().await;
    poller.post("1").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "6");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_ping_from_the_client_is_ok_and_the_end() {
    let poller = Poller::open(serve_engineio(patient())).await;
    poller.post("2").await.is(200, "ok");
    poller.expect_gone().await;
}

#[tokio::test]
async fn requests_for_one_connection_do_not_touch_another() {
    let server = serve_engineio(patient());
    let (bad, good) = (Poller::open(server).await, Poller::open(server).await);
    let mut parked = good.park().await;
    drop(bad.park().await);
    bad.post("garbage").await;
    settle().await;
    good.post("4hello").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "4hello");
}
