//! What those who run the server have, and nobody else.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::seeing::house::{ADMINISTRATOR, House, SCRAPER, get_as, problem};
use crate::support::http::{ask, get};
use crate::threats::witness::{Witness, hosted};

#[tokio::test]
async fn metrics_exposure() {
    const SESSIONS: usize = 200;
    let house = House::set(&[
        "rate_limits.session:create=100000",
        "limits.sessions_per_address_hour_max=100000",
    ]);
    for token in ["", "guess", SCRAPER] {
        problem(&get_as(house.address, "/metrics", token).await, 404, "NOT_FOUND");
    }
    let names = |page: &str| -> BTreeSet<String> {
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    };
    let metrics = house.metrics.expect("a port of its own");
    let before = get(metrics, "/metrics").await;
    let mut ids = Vec::new();
    for number in 0..SESSIONS {
        let body = json!({"name": format!("Sprint {number}"), "playerName": "Ann"}).to_string();
        let json = [("Content-Type", "application/json")];
        let answer = ask(house.address, "POST", "/api/v1/sessions", &json, body.as_bytes()).await;
        assert_eq!(answer.status, 201, "{}", answer.body());
        let opened: Value = serde_json::from_str(answer.body()).expect("JSON");
        ids.push(opened["sessionId"].as_str().expect("an id").to_owned());
    }
    let mut ann = Witness::at(house.address).await;
    ann.ask("label=\"made up\"", json!({})).await;
    let after = get(metrics, "/metrics").await;
    assert_eq!(names(before.body()), names(after.body()), "series are a fixed set");
    assert!(!ids.iter().any(|id| after.body().contains(id.as_str())));
    let guarded = House::with(|config| config.metrics.token = SCRAPER.into());
    let metrics = guarded.metrics.expect("a port of its own");
    for server in [guarded.address, metrics] {
        problem(&get(server, "/metrics").await, 401, "UNAUTHORIZED");
        problem(&get_as(server, "/metrics", ADMINISTRATOR).await, 401, "UNAUTHORIZED");
        assert_eq!(get_as(server, "/metrics", SCRAPER).await.status, 200);
    }
}

#[tokio::test]
async fn graceful_shutdown_abuse_admin_endpoints() {
    let house = House::with(|config| {
        config.server.drain_seconds = 1;
        config.server.drain_notice_ms = 100;
    });
    for path in [
        "/admin",
        "/admin/drain",
        "/drain",
        "/shutdown",
        "/quit",
        "/stop",
        "/reload",
        "/debug",
        "/debug/pprof/",
        "/actuator",
        "/env",
        "/config",
        "/metrics",
        "/status",
        "/api/v1/status",
        "/api/v1/drain",
        "/api/v1/shutdown",
        "/api/v1/admin",
        "/api/v1/instances",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let answer = ask(house.address, method, path, &[], b"").await;
            assert!([404, 405].contains(&answer.status), "{method} {path}: {}", answer.status);
        }
    }
    let (mut ann, _) = hosted(house.address).await;
    for event in ["shutdown", "server:shutdown", "drain", "admin", "instance:drain"] {
        assert_eq!(ann.is_refused(event, json!({})).await, "UNKNOWN_EVENT");
    }
    assert_eq!(get(house.address, "/readyz").await.status, 200);

    // Nobody holds up the end: neither who talks on, nor who never finishes.
    let mut half = TcpStream::connect(house.address).await.expect("it listens");
    let begun = b"POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{";
    half.write_all(begun).await.expect("it reads");
    let start = Instant::now();
    house.close();
    let talking = tokio::spawn(async move { ann.hears("connection:error").await["code"].clone() });
    while TcpStream::connect(house.address).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(15), "it never ends");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(talking.await.expect("no panic"), "SERVER_SHUTDOWN");
}
