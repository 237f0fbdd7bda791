//! Who may look: at the port of the numbers whoever reaches it, on the main
//! port whoever has the token.

use crate::seeing::house::{ADMINISTRATOR, House, SCRAPER, get_as, problem, value};
use crate::support::http::{Answer, ask, get};

fn guarded() -> House {
    House::with(|config| {
        config.metrics.token = SCRAPER.into();
        config.admin.token = ADMINISTRATOR.into();
    })
}

#[tokio::test]
async fn without_tokens_there_is_nothing_on_the_main_port() {
    let house = House::open();
    for path in ["/metrics", "/api/v1/status"] {
        problem(&get(house.address, path).await, 404, "NOT_FOUND");
        problem(&get_as(house.address, path, "").await, 404, "NOT_FOUND");
        problem(&get_as(house.address, path, "anything-that-is-long").await, 404, "NOT_FOUND");
    }
    let metrics = house.metrics.expect("a port of its own");
    assert_eq!(get(metrics, "/metrics").await.status, 200);
}

#[tokio::test]
async fn the_main_port_asks_for_the_token_of_each() {
    let house = guarded();
    for (path, token, other) in
        [("/metrics", SCRAPER, ADMINISTRATOR), ("/api/v1/status", ADMINISTRATOR, SCRAPER)]
    {
        let refused = get(house.address, path).await;
        problem(&refused, 401, "UNAUTHORIZED");
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"cardroom operators\"");
        for wrong in [other, "", &token[1..], &format!("{token}0")] {
            problem(&get_as(house.address, path, wrong).await, 401, "UNAUTHORIZED");
        }
        assert_eq!(get_as(house.address, path, token).await.status, 200);
    }
    // If there is a token, it counts on the port of the numbers too.
    let metrics = house.metrics.expect("a port of its own");
    problem(&get(metrics, "/metrics").await, 401, "UNAUTHORIZED");
    assert_eq!(get_as(metrics, "/metrics", SCRAPER).await.status, 200);
}

#[tokio::test]
async fn the_port_of_the_numbers_has_nothing_else() {
    let house = House::open();
    let metrics = house.metrics.expect("a port of its own");
    for path in
        ["/", "/healthz", "/api/v1/status", "/socket.io/?EIO=4&transport=polling", "/metricsx"]
    {
        problem(&get(metrics, path).await, 404, "NOT_FOUND");
    }
    problem(&ask(metrics, "POST", "/metrics", &[], b"").await, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(get(metrics, "/metrics?x=1").await.status, 200);
}

#[tokio::test]
async fn a_scraper_gets_the_format_it_asks_for() {
    let house = House::open();
    let metrics = house.metrics.expect("a port of its own");
    let text = get(metrics, "/metrics").await;
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let accept = [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
    let open: Answer = ask(metrics, "GET", "/metrics", &accept, b"").await;
    let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), expected);
    assert!(open.body().ends_with("\n# EOF\n"));
}

#[tokio::test]
async fn the_status_tells_of_this_instance_and_of_all() {
    let house = guarded();
    let guest = house.guest().await;
    let status = value(&get_as(house.address, "/api/v1/status", ADMINISTRATOR).await, 200);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["store"], serde_json::json!({"kind": "memory", "ready": true}));
    assert_eq!(status["address"], house.address.to_string());
    assert_eq!(status["figures"]["connections"], 1);
    assert_eq!(status["figures"]["draining"], false);
    assert!(0 < status["figures"]["rssBytes"].as_u64().expect("a number"));
    let instances = status["instances"].as_array().expect("a list");
    assert_eq!(instances.len(), 1);
    assert_eq!(instances[0]["id"], status["id"]);
    drop(guest);
}
