//! `protocol.md` §1: the handshake and its refusals.

use cardroom::connection::{Options, Origins};

use crate::support::eio::{
    POLLING, Poller, WEBSOCKET, error, open_websocket, patient, see_text, serve_engineio,
    serve_socketio, sid_of,
};
use crate::support::http::{self, UPGRADE};
use crate::support::raw_ws::RawWs;

#[tokio::test]
async fn a_handshake_over_polling_is_answered_with_the_open_packet() {
    let server = serve_engineio(Options::default());
    let answer = http::get(server, &format!("{POLLING}&t=abc123")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-length"), answer.body().len().to_string());
    assert_eq!(answer.header("set-cookie"), "", "the cookie is off");
    let sid = sid_of(answer.body());
    assert!(sid.len() == 40 && !sid.contains(['+', '/', '=']), "{sid}");
    let expected = format!(
        r#"0{{"sid":"{sid}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#
    );
    assert_eq!(answer.body(), expected);
}

#[tokio::test]
async fn a_handshake_over_websocket_offers_no_upgrade() {
    let mut socket = RawWs::connect(serve_engineio(Options::default()), WEBSOCKET).await;
    let open = see_text(&mut socket).await;
    let expected = format!(
        r#"0{{"sid":"{}","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#,
        sid_of(&open)
    );
    assert_eq!(open, expected);
}

#[tokio::test]
async fn without_websockets_polling_offers_no_upgrade() {
    let server = serve_engineio(Options { allow_websocket: false, ..patient() });
    assert!(http::get(server, POLLING).await.body().contains(r#""upgrades":[]"#));
}

#[tokio::test]
async fn a_post_is_answered_ok() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let answer = poller.post("4hello").await;
    answer.is(200, "ok");
    assert_eq!(answer.header("content-type"), "text/html");
    assert_eq!(answer.header("content-length"), "2");
}

#[tokio::test]
async fn the_secret_sid_and_the_public_sid_differ() {
    let poller = Poller::open(serve_socketio(patient())).await;
    poller.post("40").await.is(200, "ok");
    let answer = poller.get().await;
    assert!(answer.body().starts_with(r#"40{"sid":""#) && !answer.body().contains(&poller.sid));
}

/// In the order in which they are checked: each request is wrong in the later
/// points as well.
#[tokio::test]
async fn refusals_over_polling_are_json_with_a_numeric_code() {
    let listed = Origins::Listed(vec!["https://cards.example".to_owned()]);
    let server = serve_engineio(Options { origins: listed, ..patient() });
    let sid = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let foreign = ("Origin", "https://elsewhere.example");
    let garbled = ("Origin", "https://\u{e9}.example");
    let unknown_transport = error(0, "Transport unknown");
    let bad_request = error(3, "Bad request");
    #[rustfmt::skip]
    let cases = [
        ("PUT", "/socket.io/?EIO=3".to_owned(), garbled, 400, &unknown_transport),
        ("PUT", "/socket.io/?EIO=3&transport=tube".to_owned(), garbled, 400, &unknown_transport),
        ("PUT", "/socket.io/?EIO=3&transport=polling&transport=polling".to_owned(), garbled, 400, &unknown_transport),
        ("PUT", format!("/socket.io/?EIO=3&transport=polling&sid={sid}"), garbled, 400, &bad_request),
        ("PUT", format!("/socket.io/?EIO=3&transport=polling&sid={sid}"), foreign, 400, &error(1, "Session ID unknown")),
        ("PUT", "/socket.io/?EIO=3&transport=websocket".to_owned(), foreign, 400, &error(2, "Bad handshake method")),
        ("POST", "/socket.io/?EIO=4&transport=polling".to_owned(), foreign, 400, &error(2, "Bad handshake method")),
        ("GET", "/socket.io/?EIO=3&transport=websocket".to_owned(), foreign, 400, &bad_request),
        ("GET", "/socket.io/?EIO=3&transport=polling".to_owned(), foreign, 403, &error(4, "Forbidden")),
        ("GET", "/socket.io/?EIO=3&transport=polling".to_owned(), ("X", "y"), 400, &error(5, "Unsupported protocol version")),
        ("GET", "/socket.io/?transport=polling".to_owned(), ("X", "y"), 400, &error(5, "Unsupported protocol version")),
    ];
    for (method, target, header, status, body) in cases {
        let answer = http::ask(server, method, &target, &[header], b"").await;
        assert_eq!((answer.status, answer.body()), (status, body.as_str()), "{method} {target}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn a_disabled_transport_is_unknown() {
    let server = serve_engineio(Options { allow_polling: false, ..patient() });
    http::get(server, POLLING).await.is(400, &error(0, "Transport unknown"));
    open_websocket(server).await;
    let server = serve_engineio(Options { allow_websocket: false, ..patient() });
    let answer = http::ask(server, "GET", WEBSOCKET, UPGRADE, b"").await;
    answer.is(400, "Transport unknown");
}

#[tokio::test]
async fn a_known_sid_under_another_transport_is_a_bad_request() {
    let poller = Poller::open(serve_engineio(patient())).await;
    let answer = http::get(poller.server, &poller.upgrade_target()).await;
    answer.is(400, &error(3, "Bad request"));
    poller.post("4still here").await.is(200, "ok");
}

#[tokio::test]
async fn a_known_sid_takes_only_get_and_post() {
    let poller = Poller::open(serve_engineio(patient())).await;
    for method in ["PUT", "DELETE"] {
        http::ask(poller.server, method, &poller.target(), &[], b"").await.is(500, "");
    }
    poller.post("4still here").await.is(200, "ok");
}

#[tokio::test]
async fn refusals_of_a_websocket_come_before_the_101_as_bare_text() {
    let listed = Origins::Listed(vec!["https://cards.example".to_owned()]);
    let server = serve_engineio(Options { origins: listed, ..patient() });
    let foreign = ("Origin", "https://elsewhere.example");
    let cases = [
        ("/socket.io/?EIO=4&transport=tube", None, 400, "Transport unknown"),
        ("/socket.io/?EIO=4&transport=polling", None, 400, "Bad request"),
        ("/socket.io/?EIO=4&transport=websocket&sid=nobody", None, 400, "Session ID unknown"),
        ("/socket.io/?EIO=4&transport=websocket", Some(foreign), 403, "Forbidden"),
        ("/socket.io/?EIO=3&transport=websocket", None, 400, "Unsupported protocol version"),
    ];
    for (target, header, status, message) in cases {
        let headers: Vec<_> = UPGRADE.iter().copied().chain(header).collect();
        let answer = http::ask(server, "GET", target, &headers, b"").await;
        answer.is(status, message);
        assert_eq!(answer.header("connection"), "close");
        assert_eq!(answer.header("content-type"), "text/html");
    }
}

#[tokio::test]
async fn half_a_websocket_handshake_is_refused() {
    let server = serve_engineio(patient());
    let no_key = &UPGRADE[..3];
    let answer = http::ask(server, "GET", WEBSOCKET, no_key, b"").await;
    assert_eq!((answer.status, answer.header("connection").as_str()), (400, "close"));
}
