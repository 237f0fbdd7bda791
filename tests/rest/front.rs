//! What every request meets before its handler: paths, methods, origins,
//! media types, limits; and the pages of the server itself.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rest::house::{House, problem, value};
use crate::support::http::ask;

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn the_server_says_what_it_is_and_how_it_is() {
    let house = House::open();
    let front = house.get("/").await;
    assert_eq!(front.status, 200);
    // The web page, or in a build without it a few lines that say so.
    let is_page = front.header("content-type") == "text/html; charset=utf-8";
    assert!(is_page || front.body().contains("/api/v1/openapi.json"));
    assert_eq!(front.header("x-content-type-options"), "nosniff");
    assert_eq!(front.header("referrer-policy"), "no-referrer");
    house.get("/healthz").await.is(200, r#"{"status":"ok"}"#);
    house.get("/readyz").await.is(200, r#"{"status":"ok"}"#);
    let description = value(&house.get("/api/v1/openapi.json").await, 200);
    assert_eq!(description["openapi"], "3.1.0");
    // The engine has its own answers.
    assert_eq!(house.get("/socket.io/?EIO=4&transport=polling").await.status, 200);
    house.get("/socket.io/?EIO=4").await.is(400, r#"{"code":0,"message":"Transport unknown"}"#);
}

#[tokio::test]
async fn paths_and_methods_that_are_none() {
    let house = House::open();
    for path in ["/api", "/api/v1/sessions/", "/favicon.ico", "//", "/api/v1/sessions/x/y"] {
        problem(&house.get(path).await, 404, "NOT_FOUND");
    }
    for (method, path, allow) in [
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("GET", "/api/v1/sessions", "POST, OPTIONS"),
        ("PUT", "/api/v1/sessions/ABCD1234", "GET, DELETE, HEAD, OPTIONS"),
    ] {
        let refused = house.send(method, path, &[], json!({})).await;
        problem(&refused, 405, "METHOD_NOT_ALLOWED");
        assert_eq!(refused.header("allow"), allow);
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let house = House::open();
    let full = house.get("/").await;
    let mut stream = TcpStream::connect(house.address).await.expect("accepted");
    let request = "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = format!("content-length: {}", full.bytes.len());
    assert!(head.to_ascii_lowercase().contains(&length), "{head}");
    assert_eq!(body, "");
}

#[tokio::test]
async fn forms_and_foreign_pages_change_nothing() {
    let house = House::with(|config| {
        config.server.origins = vec!["https://good.example".to_owned()];
    });
    let body = json!({ "name": "x" }).to_string();
    let open = async |headers: &[(&str, &str)]| {
        ask(house.address, "POST", "/api/v1/sessions", headers, body.as_bytes()).await
    };
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; b=1"] {
        let answer = open(&[("Content-Type", media)]).await;
        problem(&answer, 415, "UNSUPPORTED_MEDIA_TYPE");
    }
    problem(&open(&[]).await, 415, "UNSUPPORTED_MEDIA_TYPE");
    let packed = open(&[JSON, ("Content-Encoding", "gzip")]).await;
    problem(&packed, 415, "UNSUPPORTED_MEDIA_TYPE");

    for origin in ["https://evil.example", "https://good.example.evil", "null"] {
        let answer = open(&[JSON, ("Origin", origin)]).await;
        problem(&answer, 403, "ORIGIN_NOT_ALLOWED");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let good = open(&[JSON, ("Origin", "https://good.example")]).await;
    assert_eq!(good.status, 201);
    assert_eq!(good.header("access-control-allow-origin"), "https://good.example");
    assert_eq!(good.header("access-control-allow-credentials"), "true");
    let own = open(&[JSON, ("Origin", "http://localhost")]).await;
    assert_eq!(own.status, 201, "the Host of these tests is localhost");

    let preflight = [
        ("Origin", "https://good.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type, authorization"),
    ];
    let answer = ask(house.address, "OPTIONS", "/api/v1/sessions", &preflight, b"").await;
    answer.is(204, "");
    assert_eq!(answer.header("access-control-allow-origin"), "https://good.example");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type, authorization");
    assert_eq!(answer.header("allow"), "POST, OPTIONS");
}

#[tokio::test]
async fn bodies_have_a_size() {
    let house = House::with(|config| config.server.body_bytes_max = 1_024);
    let name = "x".repeat(1_024);
    let large = house.post("/api/v1/sessions", json!({ "name": name })).await;
    problem(&large, 413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn bodies_have_a_time() {
    let house = House::with(|config| config.server.body_timeout_ms = 100);
    let mut stream = TcpStream::connect(house.address).await.expect("accepted");
    let head = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(9), read).await;
    read.expect("answered in time").expect("answered");
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 408 "));
}
