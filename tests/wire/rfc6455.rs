//! RFC 6455 by raw bytes, against the echo profile: first each case in which
//! fastwebsockets alone would be wrong, then what else may come.

use std::net::{Ipv4Addr, SocketAddr};

use cardroom::server;
use cardroom::transport::websocket::ReadLimits;

use crate::conformance::websocket;
use crate::support::raw_ws::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RawWs, Seen, TEXT, frame, http, upgrade_request,
};

const MESSAGE_BYTES_MAX: usize = 1_000_000;
const LIMITS: ReadLimits = ReadLimits { message_bytes_max: MESSAGE_BYTES_MAX, fragments_max: 32 };

fn echo_server() -> SocketAddr {
    let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into(), 16).expect("a port is free");
    let address = listener.local_addr().expect("listener is bound");
    tokio::spawn(websocket::serve(listener, LIMITS));
    address
}

async fn client() -> RawWs {
    RawWs::connect(echo_server(), "/").await
}

/// Sends frames to a fresh server, which must close with the code and before
/// that send nothing.
async fn assert_closes(code: u16, frames: &[Vec<u8>]) {
    let mut client = client().await;
    client.send(&frames.concat()).await;
    client.expect_close(code).await;
}

// What fastwebsockets 0.10 accepts, drops, or answers with a bare reset.

#[tokio::test]
async fn an_unmasked_frame_is_1002() {
    assert_closes(1002, &[vec![FIN | TEXT, 2, b'h', b'i']]).await;
}

#[tokio::test]
async fn a_control_frame_beyond_125_bytes_is_1002() {
    for opcode in [PING, PONG, CLOSE] {
        assert_closes(1002, &[frame(FIN | opcode, [0; 126])]).await;
    }
}

#[tokio::test]
async fn a_message_inside_a_message_is_1002() {
    assert_closes(1002, &[frame(TEXT, "first"), frame(TEXT, "second")]).await;
    assert_closes(1002, &[frame(TEXT, "first"), frame(FIN | TEXT, "second")]).await;
}

#[tokio::test]
async fn a_continuation_of_nothing_is_1002() {
    assert_closes(1002, &[frame(FIN | CONTINUATION, "x")]).await;
    let mut client = client().await;
    client.send(&frame(TEXT, "a")).await;
    client.send(&frame(FIN | CONTINUATION, "b")).await;
    client.expect(TEXT, "ab").await;
    client.send(&frame(CONTINUATION, "c")).await;
    client.expect_close(1002).await;
}

#[tokio::test]
async fn text_that_ends_inside_a_code_point_is_1007() {
    assert_closes(1007, &[frame(FIN | TEXT, b"\xE2\x82")]).await;
    assert_closes(1007, &[frame(TEXT, "ok "), frame(FIN | CONTINUATION, b"\xE2\x82")]).await;
}

#[tokio::test]
async fn the_size_limit_holds_in_sum() {
    let third = vec![b'x'; 400_000];
    let fragments =
        [frame(TEXT, &third), frame(CONTINUATION, &third), frame(FIN | CONTINUATION, &third)];
    let mut client = client().await;
    client.send_in_vain(&fragments.concat()).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_fine() {
    let mut client = client().await;
    let exactly = vec![b'x'; MESSAGE_BYTES_MAX];
    client.send(&frame(FIN | BINARY, &exactly)).await;
    client.expect(BINARY, &exactly).await;

    let (head, tail) = exactly.split_at(600_000);
    client.send(&[frame(BINARY, head), frame(FIN | CONTINUATION, tail)].concat()).await;
    client.expect(BINARY, &exactly).await;

    client.send_in_vain(&frame(FIN | BINARY, vec![b'x'; MESSAGE_BYTES_MAX + 1])).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn the_code_arrives_although_much_is_still_being_sent() {
    let mut client = client().await;
    client.send_in_vain(&frame(FIN | BINARY, vec![0; 8 * MESSAGE_BYTES_MAX])).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn an_upgrade_is_a_get() {
    let server = echo_server();
    let refused = http(server, &upgrade_request("POST", "/", "13")).await;
    assert!(refused.starts_with("HTTP/1.1 405 "), "{refused}");
    assert!(!refused.contains("101"), "{refused}");
}

// The rest of the RFC.

#[tokio::test]
async fn an_upgrade_names_version_13() {
    let refused = http(echo_server(), &upgrade_request("GET", "/", "12")).await;
    assert!(refused.starts_with("HTTP/1.1 426 "), "{refused}");
    assert!(refused.contains("sec-websocket-version: 13\r\n"), "{refused}");
}

#[tokio::test]
async fn an_upgrade_has_no_body() {
    let request = upgrade_request("GET", "/", "13")
        .replace("\r\n\r\n", "\r\nContent-Length: 6\r\n\r\n\u{1}frame");
    let refused = http(echo_server(), &request).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
}

#[tokio::test]
async fn reserved_bits_opcodes_and_long_lengths_are_1002() {
    for first in [0x40 | TEXT, 0x20 | BINARY, 0x10 | PING, 0x3, 0x7, 0xB, 0xF] {
        assert_closes(1002, &[frame(FIN | first, "")]).await;
    }
    assert_closes(1002, &[frame(PING, "fragmented")]).await;
    assert_closes(1002, &[vec![FIN | TEXT, 0xFE, 0, 5, 0, 0, 0, 0]]).await;
}

#[tokio::test]
async fn a_length_nobody_could_hold_is_refused_by_its_head() {
    let head = [&[FIN | BINARY, 0xFF], &(1u64 << 62).to_be_bytes()[..], &[0; 4]].concat();
    assert_closes(1009, &[head]).await;
}

#[tokio::test]
async fn text_fails_at_its_first_wrong_byte_not_at_its_end() {
    let whole = frame(FIN | TEXT, b"abcdef\xED\xA0\x80 and what never comes");
    assert_closes(1007, &[whole[..6 + 8].to_vec()]).await;
    assert_closes(1007, &[frame(TEXT, b"abc\xC0")]).await;
}

#[tokio::test]
async fn too_many_fragments_are_1008() {
    let mut frames = vec![frame(TEXT, "")];
    frames.extend((1..32).map(|_| frame(CONTINUATION, "")));
    frames.push(frame(FIN | CONTINUATION, ""));
    assert_closes(1008, &frames).await;

    let mut client = client().await;
    frames.remove(1);
    client.send(&frames.concat()).await;
    client.expect(TEXT, "").await;
}

#[tokio::test]
async fn a_close_is_answered_with_its_code() {
    assert_closes(1000, &[frame(FIN | CLOSE, b"\x03\xE8bye")]).await;
    assert_closes(3999, &[frame(FIN | CLOSE, 3999u16.to_be_bytes())]).await;

    let mut client = client().await;
    client.send(&frame(FIN | CLOSE, "")).await;
    client.expect(CLOSE, "").await;
    assert_eq!(client.see().await, Seen::Eof);
}

#[tokio::test]
async fn a_malformed_close_is_told_so() {
    assert_closes(1002, &[frame(FIN | CLOSE, b"\x03")]).await;
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        assert_closes(1002, &[frame(FIN | CLOSE, code.to_be_bytes())]).await;
    }
    assert_closes(1007, &[frame(FIN | CLOSE, b"\x03\xE8\xFF")]).await;
}

#[tokio::test]
async fn pings_are_answered_in_order_even_inside_a_message() {
    let mut client = client().await;
    client.send(&frame(TEXT, "fragmented ")).await;
    for ping in 0..100u8 {
        client.send(&frame(FIN | PING, [ping; 125])).await;
    }
    client.send(&frame(FIN | PONG, "unasked")).await;
    client.send(&frame(FIN | CONTINUATION, "message")).await;
    for ping in 0..100u8 {
        client.expect(PONG, [ping; 125]).await;
    }
    client.expect(TEXT, "fragmented message").await;
}

#[tokio::test]
async fn bytes_may_come_one_at_a_time() {
    let mut client = client().await;
    let medium = "é".repeat(100);
    client.send_bytewise(&frame(FIN | TEXT, &medium)).await;
    client.expect(TEXT, &medium).await;
    client.send_bytewise(&[frame(TEXT, b"\xE2\x82"), frame(FIN | PING, "!")].concat()).await;
    client.send_bytewise(&frame(FIN | CONTINUATION, b"\xAC")).await;
    client.expect(PONG, "!").await;
    client.expect(TEXT, "€").await;
    client.send_bytewise(&frame(FIN | CLOSE, b"\x03\xE8")).await;
    client.expect_close(1000).await;
}

#[tokio::test]
async fn many_messages_may_come_at_once_and_what_is_good_is_answered_first() {
    let mut client = client().await;
    let mut burst: Vec<u8> = (0..1000).flat_map(|n| frame(FIN | TEXT, format!("{n}"))).collect();
    burst.extend(frame(FIN | 0x3, "reserved opcode"));
    client.send(&burst).await;
    for n in 0..1000 {
        client.expect(TEXT, format!("{n}")).await;
    }
    client.expect_close(1002).await;
}

#[tokio::test]
async fn frames_may_come_with_the_request() {
    let ahead = [frame(FIN | TEXT, "early"), frame(FIN | TEXT, "bird")].concat();
    for cut in [0, 1, 5, ahead.len() - 1, ahead.len()] {
        let (with_request, later) = ahead.split_at(cut);
        let mut client = RawWs::connect_ahead(echo_server(), "/", with_request).await;
        client.send(later).await;
        client.expect(TEXT, "early").await;
        client.expect(TEXT, "bird").await;
    }
}
