//! The numbers are those of what was played, and their names never change.

use std::collections::BTreeSet;

use serde_json::json;

use crate::seeing::house::{House, Samples, vote};
use crate::support::eio::{Poller, say, see_text};
use crate::support::http;
use crate::support::raw_ws::RawWs;

#[tokio::test]
async fn the_numbers_are_those_of_the_story() {
    let house = House::open();
    let before = house.scrape().await;
    assert_eq!(before.sum("cardroom_events_total"), 0.0);
    assert_eq!(before.get("cardroom_sessions"), 0.0);

    let mut ann = house.guest().await;
    let created = ann.create().await;
    assert_eq!(created["ok"], true, "{created}");
    let mut bob = house.guest().await;
    assert_eq!(bob.join(&created, "Bob").await["ok"], true);
    ann.hears("player:joined").await;
    for card in ["5", "8"] {
        assert_eq!(bob.ask("vote:submit", vote(card)).await["ok"], true);
    }
    assert_eq!(ann.ask("vote:submit", vote("5")).await["ok"], true);
    // Each kind of refusal, once.
    assert_eq!(bob.ask("session:end", json!({})).await["error"]["code"], "FORBIDDEN");
    assert_eq!(bob.ask("vote:submit", vote("1000")).await["error"]["code"], "INVALID_CARD");
    assert_eq!(bob.ask("vote:submit", json!({})).await["error"]["code"], "BAD_REQUEST");
    assert_eq!(bob.ask("no:such", json!({})).await["error"]["code"], "UNKNOWN_EVENT");
    assert_eq!(ann.ask("cards:reveal", json!({})).await["ok"], true);
    assert_eq!(bob.ask("cards:reveal", json!({})).await["error"]["code"], "FORBIDDEN");
    let mut stranger = house.guest().await;
    let nowhere = json!({"sessionId": "ABCD2345", "playerName": "Eve"});
    let refused = stranger.ask("session:join", nowhere).await;
    assert_eq!(refused["error"]["code"], "SESSION_NOT_FOUND");
    let mut is_limited = false;
    for _ in 0..6 {
        let answer = bob.ask("player:update", json!({"avatar": "🦊"})).await;
        is_limited |= answer["error"]["code"] == "RATE_LIMITED";
    }
    assert!(is_limited);

    let after = house.scrape_until(|samples| samples.get("cardroom_seats_online") == 2.0).await;
    let event = |event: &str, outcome: &str| {
        after.get(&format!("cardroom_events_total{{event=\"{event}\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!(event("session:create", "ok"), 1.0);
    assert_eq!(event("session:join", "ok"), 1.0);
    assert_eq!(event("session:join", "gone"), 1.0);
    assert_eq!(event("vote:submit", "ok"), 3.0);
    assert_eq!(event("vote:submit", "bad"), 2.0);
    assert_eq!(event("session:end", "forbidden"), 1.0);
    assert_eq!(event("cards:reveal", "ok"), 1.0);
    assert_eq!(event("cards:reveal", "forbidden"), 1.0);
    assert_eq!(event("player:update", "ok"), 5.0);
    assert_eq!(event("player:update", "rate_limited"), 1.0);
    assert_eq!(event("unknown", "bad"), 1.0);
    assert_eq!(after.sum("cardroom_events_total"), 18.0);
    // An unknown event is answered before anybody looks at the clock.
    assert_eq!(after.get("cardroom_acknowledgement_seconds_count"), 17.0);

    assert_eq!(after.get("cardroom_connections{transport=\"websocket\"}"), 3.0);
    assert_eq!(after.get("cardroom_connections{transport=\"polling\"}"), 0.0);
    assert_eq!(after.get("cardroom_connections_opened_total{transport=\"websocket\"}"), 3.0);
    assert_eq!(after.get("cardroom_sockets"), 3.0);
    assert_eq!(after.get("cardroom_sessions"), 1.0);
    assert_eq!(after.get("cardroom_joins_total{by=\"newcomer\"}"), 1.0);
    assert_eq!(after.get("cardroom_joins_total{by=\"returning\"}"), 1.0, "with the host's token");
    assert_eq!(after.get("cardroom_store_calls_total{call=\"create\",outcome=\"ok\"}"), 1.0);
    let commits = after.get("cardroom_store_calls_total{call=\"commit\",outcome=\"ok\"}");
    assert_eq!(after.get("cardroom_commit_seconds_count"), commits);
    assert!(commits <= after.get("cardroom_committed_events_total"));
    assert_eq!(after.get("cardroom_store_up"), 1.0);
    assert_eq!(after.get("cardroom_store_info{store=\"memory\"}"), 1.0);
    assert!(0.0 < after.get("cardroom_fan_out_members_sum"));
    assert!(0.0 < after.get("process_resident_memory_bytes"));
    assert!(0.0 < after.get("process_open_fds"));

    drop((ann, bob, stranger));
    let left = house.scrape_until(|samples| samples.sum("cardroom_connections") == 0.0).await;
    assert_eq!(
        left.get("cardroom_connections_closed_total{reason=\"transport close\"}")
            + left.get("cardroom_connections_closed_total{reason=\"transport error\"}"),
        3.0
    );
    assert_eq!(left.get("cardroom_sockets"), 0.0);
    house.scrape_until(|samples| samples.get("cardroom_seats_online") == 0.0).await;
}

#[tokio::test]
async fn transports_are_told_apart() {
    let house = House::open();
    let poller = Poller::join(house.address).await;
    let samples = house.scrape().await;
    assert_eq!(samples.get("cardroom_connections{transport=\"polling\"}"), 1.0);
    let mut upgraded = RawWs::connect(house.address, &poller.upgrade_target()).await;
    say(&mut upgraded, "2probe").await;
    assert_eq!(see_text(&mut upgraded).await, "3probe");
    say(&mut upgraded, "5").await;
    let samples = house
        .scrape_until(|samples| samples.get("cardroom_connections{transport=\"websocket\"}") == 1.0)
        .await;
    assert_eq!(samples.get("cardroom_connections{transport=\"polling\"}"), 0.0);
    assert_eq!(samples.get("cardroom_connections_upgraded_total"), 1.0);
    assert_eq!(samples.get("cardroom_connections_opened_total{transport=\"polling\"}"), 1.0);
}

#[tokio::test]
async fn a_thousand_sessions_bring_no_new_series() {
    const SESSIONS: usize = 1_000;
    let house = House::set(&[
        "rate_limits.session:create=100000",
        "limits.sessions_per_address_hour_max=100000",
    ]);
    let names = |samples: &Samples| -> BTreeSet<String> { samples.0.keys().cloned().collect() };
    let before = names(&house.scrape().await);
    for number in 0..SESSIONS {
        let body = json!({"name": format!("Sprint {number}")}).to_string();
        let json = [("Content-Type", "application/json")];
        let answer =
            http::ask(house.address, "POST", "/api/v1/sessions", &json, body.as_bytes()).await;
        assert_eq!(answer.status, 201, "{}", answer.body());
    }
    // Peers make up names, paths and agents.
    let mut guest = house.guest().await;
    for number in 0..50 {
        guest.ask(&format!("made:up{number}"), json!({})).await;
        http::get(house.address, &format!("/made/up/{number}")).await;
    }
    let after = house.scrape().await;
    assert_eq!(after.get("cardroom_http_requests_total{status=\"2xx\"}"), SESSIONS as f64);
    assert_eq!(after.get("cardroom_http_requests_total{status=\"4xx\"}"), 50.0);
    let created = after.get("cardroom_store_calls_total{call=\"create\",outcome=\"ok\"}");
    assert_eq!(created, SESSIONS as f64);
    assert_eq!(names(&after), before);
    assert!(before.len() < 700, "{} series of one instance", before.len());
}
