//! Sessions over HTTP: opened, looked at, ended.

use serde_json::json;

use crate::rest::house::{House, problem, value};

#[tokio::test]
async fn a_session_is_opened_and_can_be_found() {
    let house = House::open();
    let request = json!({
        "name": " Sprint 12 ",
        "deck": "t-shirt",
        "settings": { "autoReveal": true, "preset": "open" },
        "password": "let me in",
        "playerName": "Ann",
    });
    let answer = house.post("/api/v1/sessions", request).await;
    let opened = value(&answer, 201);
    assert_eq!(answer.header("location"), opened["url"]);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(opened["expiresAt"].as_str().is_some_and(|time| time.ends_with('Z')));

    let [id, code] = ["sessionId", "code"].map(|name| opened[name].as_str().expect("text"));
    let hyphened = format!("{}-{}", &code[..4].to_lowercase(), &code[4..]);
    for name in [id, &id.to_lowercase(), code, &hyphened] {
        let card = value(&house.get(&format!("/api/v1/sessions/{name}")).await, 200);
        let expected = json!({
            "sessionId": id,
            "code": code,
            "name": "Sprint 12",
            "status": "open",
            "playerCount": 0,
            "passwordProtected": true,
            "locked": false,
            "deckName": "T-shirt sizes",
        });
        assert_eq!(card, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_field() {
    let house = House::open();
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": "x".repeat(101) }), "name"),
        (json!({ "name": 5 }), "name"),
        (json!({ "name": "x", "deck": "poker" }), "deck"),
        (json!({ "name": "x", "settings": { "autoReveal": "yes" } }), "settings.autoReveal"),
        (json!({ "name": "x", "settings": { "timerSeconds": 3_601 } }), "timerSeconds"),
        (json!({ "name": "x", "password": "abc" }), "password"),
    ] {
        let refused = house.post("/api/v1/sessions", body).await;
        assert_eq!(problem(&refused, 400, "BAD_REQUEST")["field"], field);
    }
    for body in [json!([]), json!("x"), json!(null)] {
        problem(&house.post("/api/v1/sessions", body).await, 400, "BAD_REQUEST");
    }
    let deck = json!({ "name": "x", "deck": { "name": "Ours", "cards": ["1"] } });
    problem(&house.post("/api/v1/sessions", deck).await, 400, "INVALID_DECK");
    let mut deep = json!("name");
    for _ in 0..9 {
        deep = json!({ "x": deep });
    }
    problem(&house.post("/api/v1/sessions", deep).await, 400, "BAD_REQUEST");
}

#[tokio::test]
async fn what_is_no_session_is_not_found() {
    let house = House::open();
    for name in ["0000000000000000", "ABCD1234", "nonsense!", "{x}:*", "%0d%0a", "%7Bx%7D"] {
        let answer = house.get(&format!("/api/v1/sessions/{name}")).await;
        problem(&answer, 404, "SESSION_NOT_FOUND");
    }
}

#[tokio::test]
async fn codes_cannot_be_guessed_forever() {
    let house = House::with(|config| config.limits.failed_joins_max = 3);
    let opened = house.session(json!({ "name": "x" })).await;
    for guess in ["ABCD1230", "ABCD1231", "ABCD1232"] {
        let answer = house.get(&format!("/api/v1/sessions/{guess}")).await;
        problem(&answer, 404, "SESSION_NOT_FOUND");
    }
    let right = house.get(&format!("/api/v1/sessions/{}", opened.code)).await;
    let refused = problem(&right, 429, "RATE_LIMITED");
    assert_eq!(right.header("retry-after"), refused["retryAfter"].to_string());
    // An id is no guess.
    value(&house.get(&opened.path("")).await, 200);
}

#[tokio::test]
async fn the_number_of_new_sessions_is_limited() {
    let house = House::open();
    for _ in 0..10 {
        house.session(json!({ "name": "x" })).await;
    }
    let answer = house.post("/api/v1/sessions", json!({ "name": "x" })).await;
    problem(&answer, 429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_member_sees_the_state_and_nobody_else() {
    let house = House::open();
    let opened = house.session(json!({ "name": "x", "playerName": "Ann" })).await;
    let other = house.session(json!({ "name": "y" })).await;
    let state = opened.path("/state");

    let seen = value(&house.by(&opened.host_token, "GET", &state, json!({})).await, 200);
    assert_eq!(seen["sessionId"], opened.id);
    assert_eq!(seen["you"]["playerId"], opened.host);
    assert_eq!(seen["you"]["can"]["manage"], true);
    assert_eq!(seen["round"]["phase"], "voting");
    let by_code = format!("/api/v1/sessions/{}/state", opened.code);
    value(&house.by(&opened.host_token, "GET", &by_code, json!({})).await, 200);

    let nobody = house.get(&state).await;
    problem(&nobody, 401, "INVALID_PLAYER_TOKEN");
    assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"cardroom\"");

    // Whoever is no member gets one answer, whether there is such a session
    // or not.
    let mut answers = Vec::new();
    for token in [&other.host_token, "cr1.a.b.c", "x"] {
        for session in [&opened.id, &opened.code, "0000000000000000", "ABCD1234", "nonsense"] {
            let path = format!("/api/v1/sessions/{session}/state");
            let answer = house.by(token, "GET", &path, json!({})).await;
            problem(&answer, 401, "INVALID_PLAYER_TOKEN");
            answers.push((answer.header("www-authenticate"), answer.body().to_owned()));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn the_host_ends_the_session() {
    let house = House::open();
    let opened = house.session(json!({ "name": "x" })).await;
    let guest = house.guest(&opened, "Bob").await;
    let path = opened.path("");

    let refused = house.by(&guest, "DELETE", &path, json!({})).await;
    let refused = problem(&refused, 403, "FORBIDDEN");
    assert_eq!(refused["details"]["required"], "host");
    problem(&house.send("DELETE", &path, &[], json!({})).await, 401, "INVALID_PLAYER_TOKEN");

    house.by(&opened.host_token, "DELETE", &path, json!({})).await.is(204, "");
    problem(&house.by(&opened.host_token, "DELETE", &path, json!({})).await, 410, "SESSION_ENDED");
    let late = house.post(&opened.path("/join"), json!({ "playerName": "Cy" })).await;
    problem(&late, 410, "SESSION_ENDED");
    assert_eq!(value(&house.get(&path).await, 200)["status"], "ended");
    // Its members may still take the results with them.
    let export = house.by(&guest, "GET", &opened.path("/export?format=csv"), json!({})).await;
    assert_eq!(export.status, 200);
}
