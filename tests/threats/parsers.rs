//! What is read of what peers say: packets and JSON.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::seeing::house::{House, problem};
use crate::support::eio::join_websocket;
use crate::support::http::ask;
use crate::support::raw_ws::{BINARY, CLOSE, FIN, Seen, TEXT, frame};
use crate::threats::sources::{files, read, root};
use crate::threats::witness::hosted;

const SESSIONS: &str = "/api/v1/sessions";
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn socketio_parser() {
    let house = House::open();
    let (mut ann, _) = hosted(house.address).await;
    let long = format!("2/{},[\"a\"]", "n".repeat(200));
    let corpus = [
        // CVE-2022-2421, CVE-2020-36049: attachments that are none.
        r#"51-["a",{"_placeholder":true,"num":"splice"}]"#,
        r#"51-["a",{"_placeholder":true,"num":7}]"#,
        r#"51-["a",{"_placeholder":true,"num":-1}]"#,
        r#"53-["a"]"#,
        r#"5999999999-["a"]"#,
        r#"50-["a"]"#,
        r#"5-["a"]"#,
        r#"51["a"]"#,
        // CVE-2023-32695: an event whose name is none.
        r#"2[{"toString":"a"}]"#,
        r#"2[null]"#,
        r#"2[[]]"#,
        "2[]",
        "2{}",
        "2",
        r#"2["a""#,
        // Names that the client library keeps for itself.
        r#"2["disconnect"]"#,
        r#"2["\u0063onnect"]"#,
        r#"2["a"]]"#,
        r#"299999999999999999999["a"]"#,
        &long,
        r#"4{"message":"mine to say?"}"#,
        "7",
        "x",
        "",
    ];
    for packet in corpus {
        let mut socket = join_websocket(house.address).await;
        let pieces = [frame(FIN | TEXT, format!("4{packet}")), frame(FIN | BINARY, "attached")];
        socket.send_in_vain(&pieces.concat()).await;
        loop {
            match socket.see().await {
                Seen::Frame { opcode: CLOSE, .. } | Seen::Eof => break,
                Seen::Frame { payload, .. } => {
                    let said = String::from_utf8_lossy(&payload).into_owned();
                    assert!(!said.starts_with("43"), "{packet}: {said}");
                }
            }
        }
    }
    // A name that nobody expects is only unknown.
    for name in ["__proto__", "constructor", "error", "message", "toString", ""] {
        let code = ann.is_refused(name, json!({})).await;
        assert!(["UNKNOWN_EVENT", "BAD_REQUEST"].contains(&code.as_str()), "{name}: {code}");
    }
}

#[tokio::test]
async fn json_depth_duplicate_keys_numbers() {
    let house = House::open();
    let (mut ann, _) = hosted(house.address).await;
    for payload in [
        r#"{"timestamp":1e400}"#,
        r#"{"timestamp":-1e999}"#,
        r#"{"timestamp":9223372036854775808}"#,
        r#"{"timestamp":1.5}"#,
        r#"{"timestamp":1,"timestamp":2}"#,
        r#"{"timestamp":1,"time\u0073tamp":2}"#,
        r#"{"timestamp":1,"x":[[[[[[[[[[[[1]]]]]]]]]]]]}"#,
    ] {
        let answer = ann.ask_raw(&format!(r#"["heartbeat",{payload}]"#)).await;
        assert_eq!(answer["error"]["code"], "BAD_REQUEST", "{payload}: {answer}");
    }
    for text in [r"\ud800", r"\udc00x", r"\u0000"] {
        let answer = ann.ask_raw(&format!(r#"["story:create",{{"title":"{text}"}}]"#)).await;
        assert_eq!(answer["error"]["code"], "BAD_REQUEST", "{text}: {answer}");
    }
    // What is no JSON ends the connection, and so does what is too deep.
    let deep = format!(r#"["heartbeat",{}1{}]"#, "[".repeat(30_000), "]".repeat(30_000));
    for array in [
        &deep,
        r#"["heartbeat",{"timestamp":NaN}]"#,
        r#"["heartbeat",{"timestamp":01}]"#,
        "[\"heartbeat\",\"\0\"]",
    ] {
        let mut socket = join_websocket(house.address).await;
        socket.send_in_vain(&frame(FIN | TEXT, format!("421{array}"))).await;
        loop {
            match socket.see().await {
                Seen::Frame { opcode: CLOSE, .. } | Seen::Eof => break,
                Seen::Frame { payload, .. } => assert!(!payload.starts_with(b"43")),
            }
        }
    }
    for body in [
        format!(r#"{{"name":{}"#, "[".repeat(60_000)),
        r#"{"name":"x","name":"y"}"#.to_owned(),
        r#"{"name":1e400}"#.to_owned(),
        "{\"name\":\"\u{0}\"}".to_owned(),
    ] {
        let answer = ask(house.address, "POST", SESSIONS, &[JSON], body.as_bytes()).await;
        problem(&answer, 400, "BAD_REQUEST");
    }
    ann.does("heartbeat", json!({"timestamp": 1})).await;
}

#[tokio::test]
async fn hash_flooding() {
    const FEW: usize = 500;
    const TIMES: usize = 10;
    /// Linear is 10; quadratic is 100.
    const PRICE_MAX: u32 = 50;
    let house = House::set(&[
        "limits.sessions_per_address_hour_max=100000",
        "rate_limits.session:create=100000",
    ]);
    // The least of some: the machine may be busy.
    let price = async |keys: usize| {
        // What collides in 32-bit polynomial hashes: AaAa and its like.
        let key =
            |n: usize| (0..13).map(|bit| if n >> bit & 1 == 1 { "BB" } else { "Aa" }).collect();
        let keys: Vec<String> = (0..keys).map(key).collect();
        let fields: Vec<String> = keys.iter().map(|key| format!("{key:?}:0")).collect();
        let body = format!(r#"{{"name":"x",{}}}"#, fields.join(","));
        let mut least = Duration::MAX;
        for _ in 0..7 {
            let start = Instant::now();
            let answer = ask(house.address, "POST", SESSIONS, &[JSON], body.as_bytes()).await;
            least = least.min(start.elapsed());
            assert_eq!(answer.status, 201, "{} bytes", body.len());
        }
        least
    };
    let few = price(FEW / 5).await.max(Duration::from_millis(1));
    let many = price(FEW / 5 * TIMES).await;
    assert!(many <= few * PRICE_MAX, "{few:?}, then {many:?}");
    // No hash here has a seed that is known beforehand.
    let manifest = read("Cargo.toml");
    for name in ["ahash", "fxhash", "rustc-hash", "hashbrown", "indexmap", "fnv"] {
        assert!(!manifest.contains(&format!("\n{name} =")), "{name}");
    }
    for path in files(&root().join("src"), &["rs"]) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for word in ["with_hasher", "FxHash", "ahash", "BuildHasherDefault"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}
