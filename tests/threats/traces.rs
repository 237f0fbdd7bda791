//! What a peer's words leave behind: logs, keys, and what must be in neither.

use serde_json::{Value, json};

use cardroom::config::Config;
use cardroom::poker::ids::SessionId;

use crate::seeing::house::{SCRAPER, get_as};
use crate::store::redis_server::RedisServer;
use crate::support::http::{ask, get};
use crate::threats::program::Program;
use crate::threats::sources::locked;
use crate::threats::witness::{Witness, hosted, joined, vote};

#[tokio::test]
async fn log_injection() {
    const FORGED: &str =
        "\r\n{\"timestamp\":\"2026\",\"level\":\"ERROR\",\"message\":\"forged\"}\r\n\u{1b}[2J";
    for format in ["json", "text"] {
        let program = Program::start(&["log.level=trace", &format!("log.format={format}")]).await;
        let (mut ann, created) = hosted(program.address).await;
        ann.ask("player:update", json!({ "name": FORGED })).await;
        ann.ask("story:create", json!({ "title": FORGED, "key": FORGED })).await;
        ann.ask(FORGED, json!({ FORGED: FORGED })).await;
        let mut eve = Witness::at(program.address).await;
        eve.ask("session:join", json!({"sessionId": FORGED, "playerName": FORGED})).await;
        eve.ask(
            "session:join",
            json!({"sessionId": created["sessionId"], "playerName": FORGED,
            "playerToken": FORGED, "requestId": FORGED}),
        )
        .await;
        for path in ["/%0d%0aforged%1b", "/api/v1/sessions/%0d%0aforged", "/?x=%0d%0aforged"] {
            ask(
                program.address,
                "GET",
                path,
                &[
                    ("User-Agent", "a\tforged"),
                    ("Origin", "http://forged\u{9b}"),
                    ("X-Forwarded-For", "forged"),
                ],
                b"",
            )
            .await;
        }
        let log = program.end().await;
        assert!(10 < log.lines().count(), "{log}");
        for line in log.lines() {
            assert!(!line.chars().any(char::is_control), "{line:?}");
            if format == "json" {
                let record: Value = serde_json::from_str(line).expect("a record is JSON");
                assert_ne!(record["message"], "forged", "{line}");
                assert_ne!(record["timestamp"], "2026", "{line}");
            } else {
                assert!(line.starts_with("20") && !line.contains("forged\"}"), "{line}");
            }
        }
    }
    // RUSTSEC-2025-0055 is fixed there.
    assert!((0, 3, 20) <= locked("tracing-subscriber"));
}

#[tokio::test]
async fn redis_key_injection() {
    const HOSTILE: [&str; 9] = [
        "{}:*\r\n",
        "*",
        "{a}{b}",
        "a}:log{",
        "\0",
        "../instances",
        "ABCD1234}:log",
        "0123456789ABCDE\r",
        "\u{ff}\u{202e}*?[a]",
    ];
    let redis = RedisServer::start();
    let url = format!("redis.url={}", redis.url());
    let program =
        Program::start(&[&url, "redis.key_prefix=threats:", "redis.command_timeout_ms=10000"])
            .await;
    let (mut ann, created) = hosted(program.address).await;
    let (mut bob, _) = joined(program.address, &created, "{}:*\r\n").await;
    for (number, hostile) in HOSTILE.iter().enumerate() {
        assert!(hostile.parse::<SessionId>().is_err(), "{hostile:?}");
        let mut eve = Witness::at(program.address).await;
        for payload in [
            json!({"sessionId": hostile, "playerName": "Eve"}),
            json!({"sessionId": created["sessionId"], "playerName": "Eve", "playerToken": hostile}),
            json!({"sessionId": created["sessionId"], "playerName": "Eve", "playerId": hostile}),
        ] {
            assert_eq!(eve.ask("session:join", payload).await["ok"], false, "{hostile:?}");
        }
        for (event, field) in [
            ("vote:submit", "storyId"),
            ("vote:submit", "value"),
            ("story:delete", "storyId"),
            ("player:nudge", "playerId"),
        ] {
            let mut payload = vote("5");
            payload[field] = json!(hostile);
            bob.ask(event, payload).await;
        }
        ann.ask("story:create", json!({"title": hostile, "key": hostile})).await;
        let mut again = vote(["5", "8"][number % 2]);
        again["requestId"] = json!(hostile);
        ann.ask("vote:change", again).await;
        let encoded: String = hostile.bytes().map(|byte| format!("%{byte:02x}")).collect();
        get(program.address, &format!("/api/v1/sessions/{encoded}")).await;
        get(program.address, &format!("/socket.io/?EIO=4&transport=polling&sid={encoded}")).await;
    }
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]).await;
    assert!(4 < keys.len(), "{keys:?}");
    let id = created["sessionId"].as_str().expect("an id");
    let mut of_session = 0;
    for key in &keys {
        let rest = key.strip_prefix("threats:").unwrap_or_else(|| panic!("{key:?} is not ours"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":{}_-.".contains(&byte);
        assert!(rest.bytes().all(plain), "{key:?}");
        assert!(rest.matches('{').count() <= 1 && rest.matches('}').count() <= 1, "{key:?}");
        if let Some(tagged) = rest.strip_prefix("session:{") {
            let tag = tagged.split('}').next().unwrap_or_default();
            assert_eq!(tag, id, "{key:?}");
            assert!(tag.parse::<SessionId>().is_ok());
            of_session += 1;
        }
    }
    assert!(2 <= of_session, "{keys:?}");
    program.end().await;
}

#[tokio::test]
async fn secrets() {
    const CANARY: &str = "canary-0123456789abcdef0123456789abcdef";
    let keys = format!("auth.token_keys=[{{kid=\"a\", secret=\"{CANARY}-key\"}}]");
    let shared = format!("instances.shared_secret={CANARY}");
    let admin = format!("admin.token={CANARY}-admin");
    let settings = [keys.as_str(), &shared, &admin];
    let redis = format!("redis.url=redis://user:{CANARY}@127.0.0.1:1/0");
    let with_redis = [&settings[..], &[&redis]].concat();
    // As it is asked for its settings, for help, and as it fails to start.
    let cluster = "redis.command_timeout_ms=canary-is-no-number";
    for (settings, arguments) in [
        (&with_redis[..], &["--print-config"][..]),
        (&settings[..], &["--help"]),
        (&[&with_redis[..], &["server.listen=nowhere"]].concat()[..], &[]),
        (&[&with_redis[..], &[cluster]].concat()[..], &[]),
        (&[&format!("instances.shared_secret={}", &CANARY[..20])[..]], &[]),
    ] {
        let output = Program::says(settings, arguments).await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("canary-0123"), "{arguments:?}: {said}");
        assert!(!said.contains(SCRAPER), "{arguments:?}: {said}");
        assert!(!said.is_empty());
    }
    let mut config = Config::default();
    config.instances.shared_secret = CANARY.into();
    config.metrics.token = CANARY.into();
    assert!(!format!("{config:?}").contains(CANARY));
    assert!(!config.to_toml().contains(CANARY));

    // As it runs: what it logs at its most talkative, and its pages.
    let program = Program::start(&[&settings[..], &["log.level=trace"]].concat()).await;
    let (mut ann, created) = hosted(program.address).await;
    let (mut bob, player) = joined(program.address, &created, "Bob").await;
    ann.does("session:configure", json!({"password": "canary-0123-password"})).await;
    bob.does("vote:submit", vote("89")).await;
    bob.ask(
        "session:join",
        json!({"sessionId": created["sessionId"],
        "password": "canary-0123-wrong", "playerToken": player["playerToken"]}),
    )
    .await;
    let mut seen = Vec::new();
    for (path, token) in
        [("/metrics", SCRAPER.to_owned()), ("/api/v1/status", format!("{CANARY}-admin"))]
    {
        let answer = get_as(program.address, path, &token).await;
        assert_eq!(answer.status, 200);
        seen.push(answer.body().to_owned());
    }
    seen.push(program.end().await);
    assert!(seen.iter().all(|text| 10 < text.len()));
    for text in &seen {
        for secret in [
            "canary-0123",
            SCRAPER,
            "\"89\"",
            created["playerToken"].as_str().expect("it"),
            player["playerToken"].as_str().expect("it"),
        ] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
}
