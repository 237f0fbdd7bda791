//! `protocol.md` §6, second half: the Socket.IO layer.

use cardroom::connection::Options;
use cardroom::protocol::CloseReason;

use crate::support::app::Scripted;
use crate::support::eio::{
    expect_close_without_code, join_websocket, open_websocket, patient, say, see_text,
    serve_socketio, sid_of,
};
use crate::support::raw_ws::{BINARY, FIN, RawWs, TEXT, frame};

/// A socket on `/` of the echo, its `auth` event read.
async fn echo(options: Options) -> RawWs {
    let mut socket = join_websocket(serve_socketio(options)).await;
    socket.expect(TEXT, r#"42["auth",{}]"#).await;
    socket
}

async fn expect_echo(socket: &mut RawWs) {
    say(socket, r#"42["message","still here"]"#).await;
    socket.expect(TEXT, r#"42["message-back","still here"]"#).await;
}

#[tokio::test]
async fn connect_is_answered_with_a_public_id() {
    let mut socket = open_websocket(serve_socketio(patient())).await;
    for namespace in ["", "/custom,"] {
        say(&mut socket, &format!("40{namespace}")).await;
        let answer = see_text(&mut socket).await;
        let object = answer.strip_prefix(&format!("40{namespace}")).expect("the same namespace");
        assert_eq!(sid_of(&format!("0{object}")).len(), 20);
        assert!(!object.contains("pid"), "recovery is off");
        socket.expect(TEXT, format!("42{namespace}[\"auth\",{{}}]")).await;
    }
    expect_echo(&mut socket).await;
}

#[tokio::test]
async fn connect_brings_auth() {
    let mut socket = open_websocket(serve_socketio(patient())).await;
    say(&mut socket, r#"40{"token":"é\"","n":[1,{}]}"#).await;
    assert!(see_text(&mut socket).await.starts_with("40{"));
    socket.expect(TEXT, r#"42["auth",{"token":"é\"","n":[1,{}]}]"#).await;
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_connection_stays() {
    let mut socket = open_websocket(serve_socketio(patient())).await;
    for namespace in ["/random", "/?a=b", "/custom?token=1"] {
        say(&mut socket, &format!("40{namespace},")).await;
        let refused = format!(r#"44{namespace},{{"message":"Invalid namespace"}}"#);
        socket.expect(TEXT, refused).await;
    }
    say(&mut socket, "40").await;
    assert!(see_text(&mut socket).await.starts_with("40{"));
}

#[tokio::test]
async fn a_refusal_may_carry_data() {
    let mut socket = open_websocket(Scripted::serve(patient()).server).await;
    say(&mut socket, "40/refused,").await;
    let refused = r#"44/refused,{"message":"not now","data":{"content":"try later"}}"#;
    socket.expect(TEXT, refused).await;
}

#[tokio::test]
async fn what_is_emitted_before_accepting_precedes_the_answer() {
    let mut socket = open_websocket(Scripted::serve(patient()).server).await;
    say(&mut socket, "40/early,").await;
    socket.expect(TEXT, r#"42/early,["early"]"#).await;
    assert!(see_text(&mut socket).await.starts_with("40/early,{"));
}

#[tokio::test]
async fn whatever_breaks_the_protocol_closes_the_whole_connection() {
    #[rustfmt::skip]
    let packets = [
        // CONNECT takes an object, once per namespace.
        "40", "40[]", "40\"x\"", "40{", "40{}x", "401{}",
        // Only a client that has joined may speak.
        "42/custom,[\"a\"]", "41/custom,", "43/custom,0[]",
        // CONNECT_ERROR is the server's.
        "44", "44{\"message\":\"no\"}",
        // EVENT takes a non-empty array with a usable name first.
        "42", "42{}", "42[]", "42[", "42[\"a\"", "42[null]", "42[{}]", "42abc[\"message\",1]", "42\"a\"", "42[\"a\",]",
        "42[\"connect\"]", "42[\"connect_error\"]", "42[\"disconnect\"]", "42[\"disconnecting\"]",
        "42[\"newListener\"]", "42[\"removeListener\"]",
        // ACK takes an id and an array.
        "43", "43[]", "431", "431{}", "431[",
        // DISCONNECT takes nothing.
        "41[]", "41{}", "410",
        // No such packets.
        "4", "4abc", "47", "4-1",
        // Attachments are counted, from 1 to 10.
        "45", "45[\"a\"]", "45-[\"a\"]", "450-[\"a\"]", "4511-[\"a\"]", "451[\"a\"]", "45-1-[\"a\"]",
        "4599999999999999999999-[\"a\"]", "4518446744073709551617-[\"a\"]", "460-1[]", "461-[]",
        // Ids are what JavaScript can count.
        "429007199254740992[\"a\"]", "4299999999999999999999999[\"a\"]",
    ];
    let server = serve_socketio(patient());
    let mut bystander = join_websocket(server).await;
    bystander.expect(TEXT, r#"42["auth",{}]"#).await;
    for packet in packets {
        let mut socket = join_websocket(server).await;
        socket.expect(TEXT, r#"42["auth",{}]"#).await;
        say(&mut socket, packet).await;
        expect_close_without_code(&mut socket).await;
        expect_echo(&mut bystander).await;
    }
}

#[tokio::test]
async fn before_any_connect_nothing_else_may_be_said() {
    let server = serve_socketio(patient());
    for packet in ["42[\"message\"]", "41", "430[]", "451-[\"message\"]", "4", "x"] {
        let mut socket = open_websocket(server).await;
        say(&mut socket, packet).await;
        expect_close_without_code(&mut socket).await;
    }
    let mut socket = open_websocket(server).await;
    socket.send(&frame(FIN | BINARY, [1, 2, 3])).await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn names_may_be_numbers_or_escaped() {
    let mut socket = join_websocket(Scripted::serve(patient()).server).await;
    say(&mut socket, "4205[7,1]").await;
    socket.expect(TEXT, "435[\"7\"]").await;
    say(&mut socket, "426[\"caf\\u00e9\"]").await;
    socket.expect(TEXT, "436[\"café\"]").await;
    say(&mut socket, " ").await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn the_client_may_ask_for_an_acknowledgement() {
    let mut socket = echo(patient()).await;
    say(&mut socket, r#"42456["message-with-ack",1,"2",{"3":[false]}]"#).await;
    socket.expect(TEXT, r#"43456[1,"2",{"3":[false]}]"#).await;
    say(&mut socket, r#"420["message-with-ack"]"#).await;
    socket.expect(TEXT, "430[]").await;
}

#[tokio::test]
async fn the_server_may_ask_for_an_acknowledgement() {
    let mut socket = join_websocket(Scripted::serve(patient()).server).await;
    say(&mut socket, r#"42["ask long"]"#).await;
    socket.expect(TEXT, r#"420["question"]"#).await;
    // Unknown ids are ignored, and so is an answer that comes twice.
    say(&mut socket, r#"4377["who?"]"#).await;
    say(&mut socket, r#"430["yes",1]"#).await;
    say(&mut socket, r#"430["no"]"#).await;
    socket.expect(TEXT, r#"42["asked","[\"yes\",1]"]"#).await;
    say(&mut socket, r#"42["ask"]"#).await;
    socket.expect(TEXT, r#"421["question"]"#).await;
    socket.expect(TEXT, r#"42["asked","timed out"]"#).await;
}

#[tokio::test]
async fn the_number_of_awaited_acknowledgements_is_bounded() {
    let app = Scripted::serve(Options { acks_awaited_max: 1, ..patient() });
    let mut socket = join_websocket(app.server).await;
    say(&mut socket, r#"42["ask long"]"#).await;
    socket.expect(TEXT, r#"420["question"]"#).await;
    say(&mut socket, r#"42["ask long"]"#).await;
    socket.expect(TEXT, r#"42["asked","too many"]"#).await;
}

#[tokio::test]
async fn binary_events_go_both_ways() {
    let mut socket = echo(patient()).await;
    let placeholders = r#"{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]"#;
    say(&mut socket, &format!(r#"452-["message",{placeholders}]"#)).await;
    socket.send(&frame(FIN | BINARY, [1, 2, 3])).await;
    socket.send(&frame(FIN | BINARY, [])).await;
    socket.expect(TEXT, format!(r#"452-["message-back",{placeholders}]"#)).await;
    socket.expect(BINARY, [1, 2, 3]).await;
    socket.expect(BINARY, []).await;
    expect_echo(&mut socket).await;
}

#[tokio::test]
async fn binary_acknowledgements_go_both_ways() {
    let mut socket = echo(patient()).await;
    say(&mut socket, r#"451-789["message-with-ack",{"_placeholder":true,"num":0}]"#).await;
    socket.send(&frame(FIN | BINARY, [1, 2, 3])).await;
    socket.expect(TEXT, r#"461-789[{"_placeholder":true,"num":0}]"#).await;
    socket.expect(BINARY, [1, 2, 3]).await;

    let mut socket = join_websocket(Scripted::serve(patient()).server).await;
    say(&mut socket, r#"42["ask long"]"#).await;
    socket.expect(TEXT, r#"420["question"]"#).await;
    say(&mut socket, r#"461-0[{"_placeholder":true,"num":0}]"#).await;
    socket.send(&frame(FIN | BINARY, [1, 2, 3])).await;
    assert!(see_text(&mut socket).await.starts_with(r#"42["asked","[{"#));
}

#[tokio::test]
async fn attachments_come_next_and_as_many_as_announced() {
    let announced = r#"451-["message",{"_placeholder":true,"num":0}]"#;
    let mut socket = echo(patient()).await;
    say(&mut socket, announced).await;
    say(&mut socket, r#"42["message"]"#).await;
    expect_close_without_code(&mut socket).await;

    let mut socket = echo(patient()).await;
    say(&mut socket, announced).await;
    socket.send(&frame(FIN | BINARY, [1])).await;
    socket.expect(TEXT, r#"451-["message-back",{"_placeholder":true,"num":0}]"#).await;
    socket.expect(BINARY, [1]).await;
    socket.send(&frame(FIN | BINARY, [2])).await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn placeholders_out_of_range_close() {
    for num in ["1", "-1", "\"0\"", "null", "0.5", "18446744073709551616"] {
        let mut socket = echo(patient()).await;
        let packet = format!(r#"451-["message",{{"_placeholder":true,"num":{num}}}]"#);
        say(&mut socket, &packet).await;
        socket.send(&frame(FIN | BINARY, [1])).await;
        expect_close_without_code(&mut socket).await;
    }
}

/// socketio/socket.io#5489: ten were too few for some.
#[tokio::test]
async fn the_limit_of_attachments_is_configurable() {
    let mut socket = echo(Options { attachments_max: 12, ..patient() }).await;
    say(&mut socket, r#"4512-["message"]"#).await;
    for _ in 0..12 {
        socket.send(&frame(FIN | BINARY, [7])).await;
    }
    socket.expect(TEXT, r#"4512-["message-back"]"#).await;
    let mut socket = echo(Options { attachments_max: 1, ..patient() }).await;
    say(&mut socket, r#"452-["message"]"#).await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn a_packet_waits_for_the_one_before_it() {
    let mut app = Scripted::serve(patient());
    let mut socket = open_websocket(app.server).await;
    // Real clients wait for the `40`; here the event just waits its turn.
    say(&mut socket, "40/slow,").await;
    say(&mut socket, r#"42/slow,1["first"]"#).await;
    assert!(see_text(&mut socket).await.starts_with("40/slow,{"));
    socket.expect(TEXT, r#"43/slow,1["first"]"#).await;
    say(&mut socket, r#"42/slow,["wait"]"#).await;
    say(&mut socket, r#"42/slow,2["second"]"#).await;
    socket.expect(TEXT, r#"43/slow,2["second"]"#).await;
    say(&mut socket, "41/slow,").await;
    app.expect_end("/slow", CloseReason::ClientNamespaceDisconnect).await;
}

#[tokio::test]
async fn namespaces_are_limited_in_length_and_number() {
    let options = || Options { namespaces_max: 2, ..patient() };
    let server = Scripted::serve(options()).server;
    let mut socket = open_websocket(server).await;
    say(&mut socket, &format!("40/{},", "n".repeat(127))).await;
    assert!(see_text(&mut socket).await.starts_with("40/n"));
    say(&mut socket, "40/b,").await;
    assert!(see_text(&mut socket).await.starts_with("40/b"));
    say(&mut socket, "40/c,").await;
    expect_close_without_code(&mut socket).await;
    let mut socket = open_websocket(server).await;
    say(&mut socket, &format!("40/{},", "n".repeat(128))).await;
    expect_close_without_code(&mut socket).await;
}

#[tokio::test]
async fn payloads_are_limited_in_depth() {
    let mut socket = echo(patient()).await;
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    say(&mut socket, &format!(r#"42["message",{}]"#, nested(50))).await;
    socket.expect(TEXT, format!(r#"42["message-back",{}]"#, nested(50))).await;
    say(&mut socket, &format!(r#"42["message",{}]"#, nested(100_000))).await;
    expect_close_without_code(&mut socket).await;
}
