//! What a player may do and see.

use serde_json::{Value, json};

use cardroom::api::offset::Offset;

use crate::seeing::house::{House, get_as, value};
use crate::support::http::ask;
use crate::threats::witness::{Witness, hosted, joined, vote};

/// Longer than any word that may differ between two runs, other than random ones.
const WORD_BYTES_MAX: usize = 12;

/// What a host, a player, and one who comes late are told of a vote for this
/// card before the reveal, with ids and times replaced; then what the reveal says.
async fn told_of(card: &str) -> (Vec<Value>, Value) {
    let house = House::open();
    let mut ann = Witness::at(house.address).await;
    let deck = json!({"name": "Ours", "cards": ["a", "quux", "zyxwvutsrq"]});
    let create = json!({"name": "Sprint", "playerName": "Ann", "deck": deck});
    let created = ann.does("session:create", create).await;
    let (mut bob, _) = joined(house.address, &created, "Bob").await;
    ann.hears("player:joined").await;
    let (mut eli, _) = joined(house.address, &created, "Eli").await;
    ann.hears("player:joined").await;
    bob.does("vote:submit", vote("a")).await;
    ann.hears("vote:submitted").await;
    bob.does("vote:submit", vote(card)).await;
    ann.hears("vote:submitted").await;
    let (mut late, _) = joined(house.address, &created, "Late").await;
    ann.hears("player:joined").await;
    let id = created["sessionId"].as_str().expect("an id");
    let token = created["playerToken"].as_str().expect("a token");
    let state = get_as(house.address, &format!("/api/v1/sessions/{id}/state"), token).await;
    for witness in [&mut ann, &mut eli, &mut late] {
        witness.does("session:sync", json!({})).await;
    }
    let mut told: Vec<Value> = [&ann, &eli, &late].iter().flat_map(|one| one.payloads()).collect();
    told.push(value(&state, 200));
    let code = created["code"].as_str().expect("a code").to_owned();
    told.iter_mut().for_each(|value| mask(value, &code));

    ann.does("cards:reveal", json!({})).await;
    (told, eli.hears("cards:revealed").await)
}

/// Replaces what is random or of the clock; offsets have as many digits as they
/// happen to have, all else its length.
fn mask(value: &mut Value, code: &str) {
    match value {
        Value::String(text) if Offset::parse(text).is_some() => *text = "an offset".to_owned(),
        Value::String(text) if *text == code || WORD_BYTES_MAX < text.len() => {
            *text = format!("{} bytes", text.len());
        }
        Value::Number(number) if number.as_u64().is_some_and(|number| 1_000_000_000 < number) => {
            *value = json!("a time");
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, code)),
        Value::Object(fields) => {
            // Players are listed by their ids.
            if let Some(Value::Array(players)) = fields.get_mut("players") {
                players.sort_by_key(|player| player["name"].to_string());
            }
            fields.values_mut().for_each(|value| mask(value, code));
        }
        _ => {}
    }
}

#[tokio::test]
async fn vote_leak_before_reveal() {
    let (short, first) = told_of("quux").await;
    let (long, second) = told_of("zyxwvutsrq").await;
    assert_eq!(short.len(), long.len());
    for (short, long) in short.iter().zip(&long) {
        assert_eq!(short, long);
    }
    // The reveal tells, so that the comparison would have found it.
    assert!(first["votes"].to_string().contains("quux"), "{first}");
    assert!(second["votes"].to_string().contains("zyxwvutsrq"), "{second}");
}

#[tokio::test]
async fn privilege_escalation() {
    let house = House::set(&[
        "limits.failed_joins_max=100000",
        "limits.failed_joins_per_minute_max=100000",
        "rate_limits.session:join=100000",
    ]);
    let (mut ann, created) = hosted(house.address).await;
    let (mut bob, player) = joined(house.address, &created, "Bob").await;
    let (host, own) = (created["player"]["id"].clone(), player["player"]["id"].clone());
    ann.does("vote:submit", vote("5")).await;

    // What a voter may not, whoever the payload claims that it is from.
    let target = json!({ "playerId": own });
    for (event, payload) in [
        ("session:configure", json!({"name": "Mine"})),
        ("session:lock", json!({"locked": true})),
        ("session:end", json!({})),
        ("player:remove", json!({"playerId": host})),
        ("player:promote", target.clone()),
        ("player:transfer", target.clone()),
        ("player:set-spectator", json!({"playerId": host, "isSpectator": true})),
        ("cards:reveal", json!({})),
        ("game:reset", json!({})),
        ("story:update", json!({"title": "Mine"})),
        ("story:import", json!({"format": "lines", "data": "Mine"})),
        ("timer:start", json!({})),
    ] {
        let mut forged = payload;
        for (key, value) in
            [("role", json!("host")), ("facilitator", host.clone()), ("by", host.clone())]
        {
            forged[key] = value;
        }
        assert_eq!(bob.is_refused(event, forged).await, "FORBIDDEN", "{event}");
    }
    let mut forged = vote("8");
    forged["playerId"] = host.clone();
    bob.does("vote:submit", forged).await;
    let mine = ann.does("session:sync", json!({})).await["snapshot"]["you"].to_string();
    assert!(mine.contains("\"5\"") && !mine.contains("\"8\""), "{mine}");

    // Nobody takes a seat whose token he has not.
    let id = created["sessionId"].as_str().expect("an id");
    let mut eve = Witness::at(house.address).await;
    let claim = json!({"sessionId": id, "playerId": host, "playerName": "Eve"});
    assert_eq!(eve.is_refused("session:join", claim).await, "INVALID_PLAYER_TOKEN");
    let token = created["playerToken"].as_str().expect("a token");
    for at in 0..token.len() {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(bytes).expect("it is ASCII");
        let take = json!({"sessionId": id, "playerToken": flipped});
        let code = eve.is_refused("session:join", take).await;
        assert!(["INVALID_PLAYER_TOKEN", "BAD_REQUEST"].contains(&code.as_str()), "{at}: {code}");
    }
    let bearer = format!("Bearer {}", player["playerToken"].as_str().expect("a token"));
    let path = format!("/api/v1/sessions/{id}");
    let ended = ask(house.address, "DELETE", &path, &[("Authorization", &bearer)], b"").await;
    assert_eq!(ended.status, 403, "{}", ended.body());

    // Rights come and go with the role, at once.
    ann.does("player:promote", target.clone()).await;
    bob.does("cards:reveal", json!({})).await;
    ann.does("player:demote", target).await;
    assert_eq!(bob.is_refused("game:reset", json!({})).await, "FORBIDDEN");
}

#[tokio::test]
async fn timing_and_ordering_games() {
    const RACES: u64 = 20;
    let house = House::set(&["rate_limits.vote:submit=1000", "rate_limits.vote:change=1000"]);
    let (mut ann, created) = hosted(house.address).await;
    let (mut bob, player) = joined(house.address, &created, "Bob").await;
    let own = &player["player"]["id"];
    for round in 1..=RACES {
        let of_round = |card: &str| json!({"storyId": "s1", "value": card, "roundId": round});
        bob.does("vote:submit", of_round("5")).await;
        // The last word at the very moment of the reveal, with a date of its own.
        let mut late = of_round("8");
        late["timestamp"] = json!(1);
        let (revealed, changed) =
            tokio::join!(ann.ask("cards:reveal", json!({})), bob.ask("vote:change", late));
        assert_eq!(revealed["ok"], true, "{revealed}");
        let (one, other) = (ann.hears("cards:revealed").await, bob.hears("cards:revealed").await);
        assert_eq!(one["votes"], other["votes"], "all hear the same");
        let votes = one["votes"].as_array().expect("a list");
        let cast = votes.iter().find(|vote| vote["playerId"] == *own).expect("Bob's vote");
        match changed["ok"].as_bool() {
            Some(true) => assert_eq!(cast["value"], "8", "acknowledged before the reveal"),
            _ => {
                assert_eq!(changed["error"]["code"], "ROUND_REVEALED", "{changed}");
                assert_eq!(cast["value"], "5", "refused, and without effect");
            }
        }
        for event in ["vote:submit", "vote:change"] {
            assert_eq!(bob.is_refused(event, of_round("13")).await, "ROUND_REVEALED", "{event}");
        }
        ann.does("game:reset", json!({ "roundId": round })).await;
        // What was meant for the round before does not land in this one.
        assert_eq!(bob.is_refused("vote:submit", of_round("13")).await, "STALE_ROUND");
    }
}
