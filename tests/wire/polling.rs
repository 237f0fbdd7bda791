//! `protocol.md` §2: polling payloads.

use std::io::Read as _;

use flate2::read::GzDecoder;

use cardroom::connection::Options;

use crate::support::eio::{
    POLLING, Poller, error, expect_close_without_code, open_websocket, patient, say,
    serve_engineio, serve_socketio, sid_of,
};
use crate::support::http;
use crate::support::raw_ws::{FIN, TEXT, frame};

#[tokio::test]
async fn packets_are_joined_by_0x1e_both_ways() {
    let poller = Poller::open(serve_engineio(patient())).await;
    poller.post("4one\u{1e}4two\u{1e}bAQIDBA==").await.is(200, "ok");
    poller.get().await.is(200, "4one\u{1e}4two\u{1e}bAQIDBA==");
}

/// Totodore/socketioxide#734: a batch for a parked poll lost its separators.
#[tokio::test]
async fn a_batch_for_a_parked_poll_has_its_separators() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut parked = poller.park().await;
    poller.post("4one\u{1e}4two").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "4one\u{1e}4two");
}

#[tokio::test]
async fn an_attachment_stays_behind_its_header_packet() {
    let poller = Poller::join(serve_socketio(patient())).await;
    let event = |name| {
        format!(
            "452-[\"{name}\",{{\"_placeholder\":true,\"num\":0}},{{\"_placeholder\":true,\"num\":1}}]\u{1e}bAQID\u{1e}bBAU="
        )
    };
    poller.post(event("message")).await.is(200, "ok");
    poller.get().await.is(200, &event("message-back"));
}

#[tokio::test]
async fn binary_without_padding_or_outside_the_alphabet_ends_the_connection() {
    for payload in ["bAQIDBA", "b-_-_", "b4", "b AQI"] {
        let poller = Poller::open(serve_engineio(patient())).await;
        poller.post(payload).await.is(200, "ok");
        poller.expect_gone().await;
    }
}

/// GHSA-r635-g3xr-vw7x: such requests must not be left open.
#[tokio::test]
async fn an_octet_stream_ends_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    poller.post_as("application/octet-stream", [1, 2, 3]).await.is(400, "");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_body_that_is_not_utf8_ends_the_connection() {
    let poller = Poller::open(serve_engineio(patient())).await;
    poller.post(b"4\xff\xfe").await.is(400, "");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_body_may_be_as_long_as_max_payload_and_no_longer() {
    let server = serve_engineio(Options { max_payload_bytes: 100, ..patient() });
    let poller = Poller::open(server).await;
    let longest = "4".to_owned() + &"x".repeat(99);
    poller.post(&longest).await.is(200, "ok");
    poller.get().await.is(200, &longest);
    poller.post(longest + "x").await.is(413, "");
    poller.post("4the connection lives on").await.is(200, "ok");
}

#[tokio::test]
async fn a_body_may_hold_so_many_packets_and_no_more() {
    let server = serve_engineio(Options { packets_per_post_max: 2, ..patient() });
    let poller = Poller::open(server).await;
    poller.post("4a\u{1e}4b").await.is(200, "ok");
    poller.get().await.is(200, "4a\u{1e}4b");
    poller.post("4a\u{1e}4b\u{1e}4c").await.is(400, "");
    poller.expect_gone().await;
}

#[tokio::test]
async fn a_websocket_message_beyond_max_payload_is_closed_with_1009() {
    let server = serve_engineio(Options { max_payload_bytes: 100, ..patient() });
    let mut socket = open_websocket(server).await;
    let longest = "4".to_owned() + &"x".repeat(99);
    say(&mut socket, &longest).await;
    socket.expect(TEXT, &longest).await;
    socket.send(&frame(FIN | TEXT, longest + "x")).await;
    socket.expect_close(1009).await;
}

#[tokio::test]
async fn an_empty_body_is_ok_and_the_end() {
    let poller = Poller::open(serve_engineio(patient())).await;
    poller.post("").await.is(200, "ok");
    poller.expect_gone().await;
}

#[tokio::test]
async fn an_unknown_packet_is_ok_and_the_end() {
    for payload in ["abc", "4fine\u{1e}x", "9", "4fine\u{1e}"] {
        let poller = Poller::open(serve_engineio(patient())).await;
        poller.post(payload).await.is(200, "ok");
        poller.expect_gone().await;
    }
    let poller = Poller::open(serve_engineio(patient())).await;
    let mut parked = poller.park().await;
    poller.post("abc").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "1");
    poller.expect_gone().await;
}

#[tokio::test]
async fn an_answer_keeps_to_max_payload() {
    let server = serve_engineio(Options { max_payload_bytes: 20, ..patient() });
    let poller = Poller::open(server).await;
    let message = "4".to_owned() + &"é".repeat(4);
    poller.post(format!("{message}\u{1e}{message}")).await.is(200, "ok");
    poller.post(&message).await.is(200, "ok");
    poller.get().await.is(200, &format!("{message}\u{1e}{message}"));
    poller.get().await.is(200, &message);
}

#[tokio::test]
async fn long_answers_are_compressed_for_clients_that_accept_it() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let gzip = [("Accept-Encoding", "gzip, deflate")];
    let long = "4".to_owned() + &"x".repeat(1_023);
    poller.post(&long).await.is(200, "ok");
    let answer = http::ask(poller.server, "GET", &poller.target(), &gzip, b"").await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    let mut plain = String::new();
    GzDecoder::new(&answer.bytes[..]).read_to_string(&mut plain).expect("gzip");
    assert_eq!(plain, long);

    let shorter = &long[..1_023];
    poller.post(shorter).await.is(200, "ok");
    http::ask(poller.server, "GET", &poller.target(), &gzip, b"").await.is(200, shorter);
    poller.post(&long).await.is(200, "ok");
    poller.get().await.is(200, &long);
}

#[tokio::test]
async fn jsonp_and_b64_change_nothing() {
    let server = serve_engineio(patient());
    let answer = http::get(server, &format!("{POLLING}&b64=1&j=0")).await;
    let poller = Poller { server, sid: sid_of(answer.body()) };
    poller.post("bAQID").await.is(200, "ok");
    let target = format!("{}&b64=1&j=1", poller.target());
    http::get(server, &target).await.is(200, "bAQID");
}

#[tokio::test]
async fn an_empty_websocket_frame_closes() {
    let mut socket = open_websocket(serve_engineio(patient())).await;
    say(&mut socket, "").await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn an_unknown_sid_is_told_so_by_get_and_post() {
    let server = serve_engineio(patient());
    let poller = Poller { server, sid: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned() };
    poller.get().await.is(400, &error(1, "Session ID unknown"));
    poller.post("4hello").await.is(400, &error(1, "Session ID unknown"));
}
