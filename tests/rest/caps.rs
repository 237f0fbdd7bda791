//! `reliability.md` §4.2, room size: what has a limit takes as much and no
//! more, and its refusal names the limit.

use serde_json::{Value, json};

use crate::rest::house::{House, problem, value};
use crate::seeing::house::House as Watched;
use crate::support::http::ask;

const SESSIONS: &str = "/api/v1/sessions";

/// What there may be of a thing, and a request that has as many.
struct Cap {
    name: &'static str,
    max: usize,
    path: &'static str,
    body: fn(usize) -> Value,
}

fn x(count: usize) -> String {
    "x".repeat(count)
}

fn cards(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn deck(name: &str, cards: Vec<String>) -> Value {
    json!({ "name": "x", "deck": { "name": name, "cards": cards } })
}

#[rustfmt::skip]
const CAPS: &[Cap] = &[
    Cap { name: "session name", max: 100, path: SESSIONS, body: |n| json!({ "name": x(n) }) },
    Cap { name: "session password", max: 128, path: SESSIONS, body: |n| json!({ "name": "x", "password": x(n) }) },
    Cap { name: "host name", max: 50, path: SESSIONS, body: |n| json!({ "name": "x", "playerName": x(n) }) },
    Cap { name: "deck name", max: 50, path: SESSIONS, body: |n| deck(&x(n), cards(3)) },
    Cap { name: "cards of a deck", max: 30, path: SESSIONS, body: |n| deck("Ours", cards(n)) },
    Cap { name: "label of a card", max: 10, path: SESSIONS, body: |n| deck("Ours", vec![x(n), "1".to_owned(), "2".to_owned()]) },
    Cap { name: "players asked for", max: 4, path: SESSIONS, body: |n| json!({ "name": "x", "settings": { "maxPlayers": n } }) },
    Cap { name: "player name", max: 50, path: "/join", body: |n| json!({ "playerName": x(n) }) },
    Cap { name: "story title", max: 200, path: "/stories", body: |n| json!({ "title": x(n) }) },
    Cap { name: "story description", max: 2_000, path: "/stories", body: |n| json!({ "title": "x", "description": x(n) }) },
    Cap { name: "story key", max: 40, path: "/stories", body: |n| json!({ "title": "x", "key": x(n) }) },
    Cap { name: "story link", max: 500, path: "/stories", body: |n| json!({ "title": "x", "link": format!("https://a/{}", x(n - 10)) }) },
];

#[tokio::test]
async fn each_text_and_list_takes_as_much_and_no_more() {
    for cap in CAPS {
        let house = House::with(|config| config.limits.players_per_session_max = 4);
        let send = async |count: usize| {
            let body = (cap.body)(count);
            if cap.path == SESSIONS {
                return house.post(SESSIONS, body).await;
            }
            let opened = house.session(json!({ "name": "x" })).await;
            house.by(&opened.host_token, "POST", &opened.path(cap.path), body).await
        };
        let taken = send(cap.max).await;
        assert!(taken.status < 300, "{}: {}", cap.name, taken.body());
        let refused = send(cap.max + 1).await;
        let said: Value = value(&refused, 400);
        let detail = said["detail"].as_str().expect("a sentence");
        let names_it =
            detail.contains(&cap.max.to_string()) || detail.contains("the server's limit");
        assert!(names_it, "{}: {detail}", cap.name);
    }
}

#[tokio::test]
async fn a_session_takes_so_many_people_spectators_among_them() {
    let house = Watched::with(|config| config.limits.players_per_session_max = 3);
    let mut host = house.guest().await;
    let created = host.ask("session:create", json!({ "name": "x", "playerName": "Hana" })).await;
    let session = created["sessionId"].clone();
    assert!(session.is_string(), "{created}");
    let join = |name: &str, is_spectator: bool| json!({ "sessionId": session, "playerName": name, "isSpectator": is_spectator });
    let mut ann = house.guest().await;
    assert_eq!(ann.ask("session:join", join("Ann", false)).await["ok"], true);
    let mut sam = house.guest().await;
    assert_eq!(sam.ask("session:join", join("Sam", true)).await["ok"], true);
    for is_spectator in [false, true] {
        let mut late = house.guest().await;
        let refused = late.ask("session:join", join("Late", is_spectator)).await;
        assert_eq!(refused["error"]["code"], "SESSION_FULL", "{refused}");
        assert_eq!(refused["error"]["details"]["maxPlayers"], 3);
    }
}

#[tokio::test]
async fn a_session_takes_so_many_stories() {
    let house = House::with(|config| config.limits.stories_per_session_max = 3);
    let opened = house.session(json!({ "name": "x" })).await;
    let add = async || {
        let story = json!({ "title": "x" });
        house.by(&opened.host_token, "POST", &opened.path("/stories"), story).await
    };
    // One is there from the beginning.
    for _ in 0..2 {
        assert_eq!(add().await.status, 201);
    }
    assert_eq!(problem(&add().await, 409, "STORY_LIMIT")["details"]["storiesMax"], 3);
}

#[tokio::test]
async fn a_body_has_so_many_bytes() {
    let house = House::with(|config| config.server.body_bytes_max = 2_048);
    let body = |bytes: usize| format!("{{\"name\":\"x\"}}{}", " ".repeat(bytes - 12));
    let send = async |bytes: usize| {
        let json = [("Content-Type", "application/json")];
        ask(house.address, "POST", SESSIONS, &json, body(bytes).as_bytes()).await
    };
    assert_eq!(send(2_048).await.status, 201);
    let refused = problem(&send(2_049).await, 413, "PAYLOAD_TOO_LARGE");
    assert!(refused["detail"].as_str().is_some_and(|text| text.contains("2048")), "{refused}");
}

#[tokio::test]
async fn an_address_opens_so_many_sessions_in_an_hour_whichever_way() {
    let house = Watched::with(|config| config.limits.sessions_per_address_hour_max = 4);
    let json = [("Content-Type", "application/json")];
    let over_http = async || ask(house.address, "POST", SESSIONS, &json, br#"{"name":"x"}"#).await;
    let over_socket = async || {
        let mut guest = house.guest().await;
        guest.ask("session:create", json!({ "name": "x", "playerName": "Ann" })).await
    };
    for _ in 0..2 {
        assert_eq!(over_http().await.status, 201);
        assert_eq!(over_socket().await["ok"], true);
    }
    let refused = over_http().await;
    let retry_after = problem(&refused, 429, "RATE_LIMITED")["retryAfter"].clone();
    assert_eq!(refused.header("retry-after"), retry_after.to_string());
    let refused = over_socket().await;
    assert_eq!(refused["error"]["code"], "RATE_LIMITED", "{refused}");
    for seconds in [&retry_after, &refused["error"]["retryAfter"]] {
        let seconds = seconds.as_u64().expect("seconds");
        assert!((3_500..=3_600).contains(&seconds), "{seconds}");
    }
    // Who only joins is not asked.
    let join = "/api/v1/sessions/0000000000000000/join";
    let nowhere = ask(house.address, "POST", join, &json, br#"{"playerName":"x"}"#).await;
    problem(&nowhere, 404, "SESSION_NOT_FOUND");
}
