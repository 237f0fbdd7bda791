//! Seats over HTTP: taken, taken again, asked after.

use serde_json::json;

use crate::rest::house::{House, problem, value};

#[tokio::test]
async fn a_seat_is_taken_and_recognised() {
    let house = House::open();
    let opened = house.session(json!({ "name": "x" })).await;
    let join = format!("/api/v1/sessions/{}/join", opened.code);

    let seat = value(&house.post(&join, json!({ "playerName": "Bob" })).await, 200);
    assert_eq!(seat["sessionId"], opened.id);
    let token = seat["playerToken"].as_str().expect("a token");
    let again = value(&house.post(&join, json!({ "playerToken": token })).await, 200);
    assert_eq!(again["playerId"], seat["playerId"]);

    let nameless = house.post(&join, json!({})).await;
    problem(&nameless, 400, "NAME_REQUIRED");
    let stolen = house.post(&join, json!({ "playerId": seat["playerId"] })).await;
    problem(&stolen, 401, "INVALID_PLAYER_TOKEN");
    let unknown = house.post("/api/v1/sessions/ABCD1234/join", json!({ "playerName": "x" })).await;
    problem(&unknown, 404, "SESSION_NOT_FOUND");
}

#[tokio::test]
async fn passwords_and_locks_hold() {
    let house = House::open();
    let opened = house.session(json!({ "name": "x", "password": "let me in" })).await;
    let join = opened.path("/join");
    let with = |password: &str| json!({ "playerName": "Bob", "password": password });
    let without = house.post(&join, json!({ "playerName": "Bob" })).await;
    problem(&without, 403, "PASSWORD_REQUIRED");
    problem(&house.post(&join, with("guess")).await, 403, "PASSWORD_INVALID");
    value(&house.post(&join, with("let me in")).await, 200);

    let locked = house.session(json!({ "name": "x", "settings": { "locked": true } })).await;
    let refused = house.post(&locked.path("/join"), json!({ "playerName": "Bob" })).await;
    problem(&refused, 423, "SESSION_LOCKED");
}

#[tokio::test]
async fn a_token_is_validated_by_the_codes_of_the_handshake() {
    let house = House::open();
    let opened = house.session(json!({ "name": "x" })).await;
    let other = house.session(json!({ "name": "y" })).await;
    let guest = house.guest(&opened, "Bob").await;
    let check = async |session: &str, token: &str| {
        let body = json!({ "sessionId": session, "playerToken": token });
        house.post("/api/v1/sessions/validate", body).await
    };

    let valid = value(&check(&opened.id, &opened.host_token).await, 200);
    assert_eq!(valid["valid"], true);
    assert_eq!(valid["playerId"], opened.host);
    assert_eq!(valid["role"], "host");
    assert!(valid["expiresAt"].is_string());
    assert_eq!(value(&check(&opened.code, &guest).await, 200)["role"], "player");

    problem(&check(&other.id, &guest).await, 401, "INVALID_PLAYER_TOKEN");
    problem(&check(&opened.id, "cr1.a.b.c").await, 401, "INVALID_PLAYER_TOKEN");
    problem(&check("nonsense", &guest).await, 404, "SESSION_NOT_FOUND");
    let missing = house.post("/api/v1/sessions/validate", json!({ "sessionId": "x" })).await;
    assert_eq!(problem(&missing, 400, "BAD_REQUEST")["field"], "playerToken");

    house.by(&opened.host_token, "DELETE", &opened.path(""), json!({})).await;
    problem(&check(&opened.id, &guest).await, 410, "SESSION_ENDED");
}
