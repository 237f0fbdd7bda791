//! What comes through somebody's browser.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::seeing::house::{House, problem};
use crate::support::eio::{POLLING, Poller, WEBSOCKET};
use crate::support::http::{UPGRADE, ask, get};
use crate::threats::sources::{files, root};
use crate::threats::witness::{hosted, joined, vote};

const GOOD: &str = "https://good.example";
const SESSIONS: &str = "/api/v1/sessions";
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Each differs from [`GOOD`] in one way.
const EVIL: [&str; 15] = [
    "https://evil.example",
    "https://good.example.evil",
    "https://evilgood.example",
    "https://evil-good.example",
    "https://good.exampl",
    "https://good.example:8443",
    "http://good.example",
    "https://GOOD.example",
    "https://good.example/",
    "https://good.example@evil.example",
    "https://good.example, https://evil.example",
    "wss://good.example",
    "good.example",
    "null",
    "",
];

fn open() -> House {
    House::with(|config| config.server.origins = vec![GOOD.to_owned()])
}

#[tokio::test]
async fn cswsh_and_cors() {
    let house = open();
    let server = house.address;
    let poller = Poller::open(server).await;
    let evil = EVIL.iter().map(|origin| vec![("Origin", *origin)]);
    let twice = vec![("Origin", GOOD), ("Origin", "https://evil.example")];
    for origins in evil.chain([twice]) {
        let upgrade = [UPGRADE, &origins].concat();
        for (method, target, headers) in [
            ("GET", POLLING, &origins),
            ("POST", &poller.target(), &origins),
            ("GET", &poller.target(), &origins),
            ("GET", WEBSOCKET, &upgrade),
            ("GET", &poller.upgrade_target(), &upgrade),
            ("GET", "/api/v1/sessions/ABCD1234", &origins),
        ] {
            let answer = ask(server, method, target, headers, b"").await;
            // What is read without a secret is not kept back, only not shown to the page.
            let is_public = target.starts_with("/api");
            assert!(is_public || answer.status == 403, "{origins:?} {target}: {}", answer.status);
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origins:?} {target}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{origins:?}");
        }
        let answer = ask(server, "OPTIONS", POLLING, &origins, b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origins:?}");
    }
    // A listed page, and whoever is no browser: identity is never a cookie.
    for origins in [&[("Origin", GOOD)][..], &[]] {
        let answer = ask(server, "GET", POLLING, origins, b"").await;
        assert_eq!(answer.status, 200, "{origins:?}");
        assert_eq!(answer.header("set-cookie"), "");
        let upgrade = [UPGRADE, origins].concat();
        assert_eq!(ask(server, "GET", WEBSOCKET, &upgrade, b"").await.status, 101, "{origins:?}");
    }
}

#[tokio::test]
async fn csrf_on_session_creation() {
    let house = House::with(|config| {
        config.server.origins = vec![GOOD.to_owned()];
        config.limits.sessions_per_address_hour_max = 2;
    });
    let open = async |headers: &[(&str, &str)]| {
        ask(house.address, "POST", SESSIONS, headers, br#"{"name":"x"}"#).await
    };
    // What a form of another page can send without asking first.
    for form in
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
    {
        let sent = open(&[("Content-Type", form), ("Origin", "https://evil.example")]).await;
        assert!([403, 415].contains(&sent.status), "{form}: {}", sent.status);
        problem(&open(&[("Content-Type", form)]).await, 415, "UNSUPPORTED_MEDIA_TYPE");
    }
    for origin in EVIL {
        problem(&open(&[JSON, ("Origin", origin)]).await, 403, "ORIGIN_NOT_ALLOWED");
    }
    for _ in 0..2 {
        let good = open(&[JSON, ("Origin", GOOD)]).await;
        assert_eq!((good.status, good.header("set-cookie").as_str()), (201, ""));
    }
    problem(&open(&[JSON, ("Origin", GOOD)]).await, 429, "RATE_LIMITED");
}

#[tokio::test]
async fn xss_in_the_page() {
    const MARKUP: &str = "<img src=x onerror=alert(1)>";
    // Reversed text, an escape sequence of terminals, a letter in two parts.
    let hostile = format!("{MARKUP}\u{202e}\u{2066}\u{1b}[31m\u{0}e\u{301}");
    let house = open();
    let (mut ann, created) = hosted(house.address).await;
    let renamed = ann.ask("player:update", json!({ "name": hostile })).await;
    assert_eq!(renamed["ok"], true, "{renamed}");
    let shown = ann.does("session:sync", json!({})).await.to_string();
    assert!(shown.contains(MARKUP), "names are text, and stay what they are: {shown}");
    assert!(shown.contains('\u{e9}'), "one letter, composed: {shown}");
    for turned in ['\u{202e}', '\u{2066}', '\u{1b}', '\u{0}'] {
        assert!(!shown.contains(turned), "{turned:?} in {shown}");
    }
    assert!(!shown.contains("\\u00"), "{shown}");
    let invisible = json!({"name": "\u{200b}\u{2060}\u{feff}"});
    assert_eq!(ann.is_refused("player:update", invisible).await, "BAD_REQUEST");

    let id = created["sessionId"].as_str().expect("an id");
    for path in ["/", "/nowhere/%3Cscript%3E", &format!("{SESSIONS}/{id}"), "/api/v1/openapi.json"]
    {
        let answer = get(house.address, path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let is_page = answer.header("content-type").starts_with("text/html");
        assert!(!is_page || path == "/", "{path} is markup");
        let policy = answer.header("content-security-policy");
        if !is_page {
            assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{path}");
            continue;
        }
        for rule in [
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ] {
            assert!(policy.contains(rule), "{rule} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    let page = root().join("web/page");
    let sources = files(&page.join("src"), &["ts", "tsx"]);
    assert!(10 < sources.len(), "{} sources", sources.len());
    for path in sources.iter().chain([&page.join("index.html")]) {
        let text = fs::read_to_string(path).expect("a source file");
        let banned = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "srcdoc",
            "eval(",
            "new Function",
            "dangerouslySetInnerHTML",
            "javascript:",
            "onerror=",
        ];
        for word in banned {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn proto_and_constructor() {
    let house = House::set(&["rate_limits.player:update=100"]);
    let (mut ann, created) = hosted(house.address).await;
    let (mut bob, _) = joined(house.address, &created, "__proto__").await;
    // Known words where people may write what they like, and unknown keys besides.
    let deck = json!({"name": "prototype", "cards": ["__proto__", "valueOf", "toString"]});
    let evil = r#""__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}"#;
    ann.does("session:configure", json!({ "deck": deck, "name": "constructor" })).await;
    for event in ["story:create", "story:update", "game:reset", "vote:submit", "reaction:send"] {
        ann.ask_raw(&format!(r#"["{event}",{{"title":"__proto__","emoji":"👍",{evil}}}]"#)).await;
    }
    ann.does("player:update", json!({"name": "hasOwnProperty"})).await;
    for (voter, card) in [(&mut ann, "__proto__"), (&mut bob, "toString")] {
        voter.does("vote:submit", vote(card)).await;
    }
    ann.does("cards:reveal", json!({})).await;
    bob.hears("cards:revealed").await;
    ann.does("game:reset", json!({})).await;
    ann.does("history:get", json!({})).await;
    for guest in [&mut ann, &mut bob] {
        guest.does("session:sync", json!({})).await;
        guest.ask_raw(&format!(r#"["__proto__",{{{evil}}}]"#)).await;
    }

    let token = format!("Bearer {}", created["playerToken"].as_str().expect("a token"));
    let id = created["sessionId"].as_str().expect("an id");
    let state = ask(
        house.address,
        "GET",
        &format!("{SESSIONS}/{id}/state"),
        &[("Authorization", &token)],
        b"",
    )
    .await;
    let export = ask(
        house.address,
        "GET",
        &format!("{SESSIONS}/{id}/export?format=json"),
        &[("Authorization", &token)],
        b"",
    )
    .await;
    let over_http = [state, export].into_iter().filter(|answer| answer.status == 200);
    let over_http = over_http.map(|answer| serde_json::from_str(answer.body()).expect("JSON"));
    let payloads: Vec<Value> =
        ann.payloads().into_iter().chain(bob.payloads()).chain(over_http).collect();
    assert!(20 < payloads.len());
    payloads.iter().for_each(has_no_such_key);
    merge_in_node(&payloads).await;
}

fn has_no_such_key(value: &Value) {
    match value {
        Value::Array(values) => values.iter().for_each(has_no_such_key),
        Value::Object(fields) => {
            for (key, value) in fields {
                // Nobody but the server chooses a key.
                let is_ours = !["__proto__", "constructor", "prototype", "polluted", "toString"]
                    .contains(&key.as_str());
                assert!(is_ours, "{key} in {fields:?}");
                has_no_such_key(value);
            }
        }
        _ => {}
    }
}

async fn merge_in_node(payloads: &[Value]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("payloads");
    let lines: Vec<String> = payloads.iter().map(Value::to_string).collect();
    fs::write(&file, lines.join("\n")).expect("it is ours");
    let script: &Path = &root().join("tests/threats/merge.mjs");
    let output = Command::new("node").arg(script).arg(&file).output().await.expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
