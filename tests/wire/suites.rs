//! What the suites of others need, and no table of `protocol.md` names.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use cardroom::server;

use crate::conformance::client;
use crate::support::eio::{
    expect_close_without_code, join_websocket, open_websocket, patient, say, see_text,
    serve_engineio, serve_socketio,
};
use crate::support::raw_ws::{BINARY, TEXT};

fn serve_client() -> SocketAddr {
    let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into(), 64).expect("a port is free");
    let address = listener.local_addr().expect("listener is bound");
    tokio::spawn(client::serve(listener));
    address
}

/// `forceBase64` of engine.io-client, after its upgrade.
#[tokio::test]
async fn base64_in_a_websocket_text_is_a_binary_message() {
    let server = serve_engineio(patient());
    let mut socket = open_websocket(server).await;
    say(&mut socket, "bAAECAwQ=").await;
    socket.expect(BINARY, [0, 1, 2, 3, 4]).await;
    say(&mut socket, "bAAECAwQ").await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn base64_in_a_websocket_text_is_an_attachment() {
    let mut socket = join_websocket(serve_socketio(patient())).await;
    see_text(&mut socket).await;
    let packet = |name| format!("451-[\"{name}\",{{\"_placeholder\":true,\"num\":0}}]");
    say(&mut socket, &packet("message")).await;
    say(&mut socket, "bAQID").await;
    socket.expect(TEXT, packet("message-back")).await;
    socket.expect(BINARY, [1, 2, 3]).await;
}

/// The suite of the protocol listens for one message at a time, and loses the
/// second of two that come in one segment.
#[tokio::test]
async fn auth_comes_after_the_answer_and_before_what_was_asked_since() {
    let mut socket = open_websocket(serve_socketio(patient())).await;
    let asked = Instant::now();
    say(&mut socket, "40").await;
    say(&mut socket, r#"42["message",1]"#).await;
    assert!(see_text(&mut socket).await.starts_with("40{"));
    socket.expect(TEXT, r#"42["auth",{}]"#).await;
    assert!(asked.elapsed() >= Duration::from_millis(60), "in a segment of its own");
    socket.expect(TEXT, r#"42["message-back",1]"#).await;
}

/// The suite of socket.io-client sends bytes and then text.
#[tokio::test]
async fn abuff2_may_be_text() {
    let mut socket = join_websocket(serve_client()).await;
    say(&mut socket, r#"42["abuff2","too early"]"#).await;
    say(&mut socket, r#"451-["abuff1",{"_placeholder":true,"num":0}]"#).await;
    say(&mut socket, "bAQID").await;
    say(&mut socket, r#"42["abuff2","please arrive second"]"#).await;
    socket.expect(TEXT, r#"42["abuff2-ack"]"#).await;
}
