//! What must not be seen: secrets, who plays, and what they vote.

use serde_json::json;

use crate::seeing::house::{ADMINISTRATOR, House, SCRAPER, get_as, vote};

#[tokio::test]
async fn neither_page_names_a_session_a_player_a_vote_or_a_secret() {
    let shared = "what-the-instances-share-and-nobody-else";
    let house = House::with(|config| {
        config.metrics.token = SCRAPER.into();
        config.admin.token = ADMINISTRATOR.into();
        config.instances.shared_secret = shared.into();
    });
    let mut ann = house.guest().await;
    let deck = json!({"preset": "custom", "cards": ["canary-vote", "other"]});
    let create = json!({
        "name": "canary-session", "playerName": "canary-ann", "deck": deck,
        "password": "canary-password",
    });
    let created = ann.ask("session:create", create).await;
    let created = match created["ok"].as_bool() {
        Some(true) => created,
        // However decks are written: the default one will do.
        _ => {
            let create = json!({"name": "canary-session", "playerName": "canary-ann",
                "password": "canary-password"});
            ann.ask("session:create", create).await
        }
    };
    assert_eq!(created["ok"], true, "{created}");
    let mut bob = house.guest().await;
    let join = json!({"sessionId": created["sessionId"], "playerName": "canary-bob",
        "password": "canary-password"});
    let joined = bob.ask("session:join", join).await;
    assert_eq!(joined["ok"], true, "{joined}");
    bob.ask("vote:submit", vote("canary-vote")).await;
    bob.ask("story:create", json!({"title": "canary-story"})).await;
    bob.ask("canary:event", json!({"canary-key": "canary-value"})).await;
    crate::support::http::get(house.address, "/canary-path?canary-query=1").await;

    let words = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let mut secrets = vec![
        "canary".to_owned(),
        shared.to_owned(),
        SCRAPER.to_owned(),
        ADMINISTRATOR.to_owned(),
        words(&created["sessionId"]),
    ];
    for answer in [&created, &joined] {
        for field in ["playerId", "playerToken", "code"] {
            secrets.extend(answer[field].as_str().map(str::to_owned));
        }
    }
    assert!(8 <= secrets.len(), "{secrets:?}");
    for (path, token) in [("/metrics", SCRAPER), ("/api/v1/status", ADMINISTRATOR)] {
        let answer = get_as(house.address, path, token).await;
        assert_eq!(answer.status, 200);
        for secret in &secrets {
            assert!(!answer.body().contains(secret), "{path} says {secret}");
        }
    }
}

/// The numbers before the reveal are the same whatever is voted.
#[tokio::test]
async fn the_numbers_do_not_depend_on_what_is_voted() {
    let mut pages = Vec::new();
    for cards in [["1", "2"], ["89", "☕"]] {
        let house = House::open();
        let mut ann = house.guest().await;
        let created = ann.create().await;
        let mut bob = house.guest().await;
        bob.join(&created, "Bob").await;
        ann.hears("player:joined").await;
        for card in cards {
            bob.ask("vote:submit", vote(card)).await;
        }
        let samples =
            house.scrape_until(|samples| samples.get("cardroom_seats_online") == 2.0).await;
        // Times and the process differ from run to run.
        let counted = samples.0.into_iter().filter(|(series, _)| {
            let is_of_time =
                ["seconds", "process_", "tasks", "call=\"directory\"", "call=\"commit\""];
            !is_of_time.iter().any(|part| series.contains(part))
        });
        pages.push(counted.collect::<Vec<_>>());
    }
    assert_eq!(pages[0], pages[1]);
}
