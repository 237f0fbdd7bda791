//! Whatever a client sends ends its own connection at worst.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::eio::{
    Poller, join_websocket, open_websocket, patient, say, see_text, serve_socketio,
};
use crate::support::http::{Request, ask};
use crate::support::raw_ws::{BINARY, FIN, TEXT, frame};

/// Texts that look like packets more often than chance would have it.
fn packets() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "4",
        "0",
        "2",
        "5",
        "1-",
        "0-",
        "/n,",
        "/",
        ",",
        "[",
        "]",
        "{",
        "}",
        "\"a\"",
        "\"",
        ":",
        "12",
        "-",
        "\"message\"",
        "{\"_placeholder\":true,\"num\":0}",
        "null",
        " ",
        "\u{1e}",
        "b",
        "AQID",
        "é",
        "\\u0000",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[tokio::test]
async fn nobody_else_is_touched_by_garbage() {
    let server = serve_socketio(patient());
    let mut bystander = join_websocket(server).await;
    see_text(&mut bystander).await;
    let mut runner = TestRunner::deterministic();
    for round in 0..300 {
        let tree = packets().new_tree(&mut runner).expect("a value");
        let packet = tree.current();
        match round % 4 {
            0 => {
                let mut socket = join_websocket(server).await;
                say(&mut socket, &format!("42{packet}")).await;
            }
            1 => {
                let mut socket = open_websocket(server).await;
                say(&mut socket, &packet).await;
                socket.send_in_vain(&frame(FIN | BINARY, packet.as_bytes())).await;
            }
            2 => {
                let poller = Poller::join(server).await;
                poller.post(&packet).await;
            }
            _ => {
                let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", packet.len());
                ask(server, "GET", &target, &[("X-Odd", "\u{fe}")], b"").await;
            }
        }
    }
    say(&mut bystander, r#"42["message","untouched"]"#).await;
    bystander.expect(TEXT, r#"42["message-back","untouched"]"#).await;
}

#[tokio::test]
async fn half_a_request_is_nobodys_problem() {
    let server = serve_socketio(patient());
    for target in ["/socket.io/", "/socket.io/?", "/socket.io/?%zz=%&transport=%70olling&&&="] {
        let answer = ask(server, "GET", target, &[], b"").await;
        assert_eq!(answer.status, 400, "{target}");
    }
    drop(Request::send_part(server, "POST", "/socket.io/", &[], b"4", 1_000).await);
    Poller::join(server).await;
}
