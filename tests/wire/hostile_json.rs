//! JSON that means harm: too deep, too many keys, no numbers, no text. Every
//! reader of what peers send answers it, and at a price that grows as its length.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cardroom::api::client_event::{
    DEPTH_MAX, EventName, SessionJoin, depth, object, parse, parse_auth,
};
use cardroom::api::rest::{NewSession, TokenCheck};
use cardroom::connection::Earlier;
use cardroom::protocol::socketio::{Client, Limits};

const LIMITS: Limits =
    Limits { attachments_max: 1, namespaces_max: 1, connect_timeout: Duration::from_secs(45) };

/// Whether it takes a JSON object.
type Reader = fn(&str) -> bool;

const READERS: &[(&str, Reader)] = &[
    ("a packet", |json| is_packet(&format!("2[\"heartbeat\",{json}]"))),
    ("a packet with an attachment", |json| is_packet(&format!("51-[\"heartbeat\",{json}]"))),
    ("an event", |json| {
        let mut array = format!("[{json}]").into_bytes();
        parse(EventName::StoryImport, &mut array).is_ok()
    }),
    ("the auth of a handshake", |json| parse_auth(&mut json.as_bytes().to_vec()).is_ok()),
    ("an earlier socket", |json| Earlier::of(json.as_bytes()).is_some()),
    ("a body that opens a session", is_body::<NewSession>),
    ("a body that joins", is_body::<SessionJoin>),
    ("a body with a token", is_body::<TokenCheck>),
];

fn is_packet(packet: &str) -> bool {
    let mut client = Client::new(Duration::ZERO, LIMITS);
    client.join("/", ());
    match client.text(Duration::ZERO, &mut packet.as_bytes().to_vec()) {
        Ok(cardroom::protocol::socketio::Received::Incomplete) => {
            client.binary(Default::default()).is_ok()
        }
        other => other.is_ok(),
    }
}

fn is_body<T: cardroom::api::field::Field>(json: &str) -> bool {
    depth(json.as_bytes()) <= DEPTH_MAX && object::<T>(&mut json.as_bytes().to_vec()).is_ok()
}

#[test]
fn a_hundred_thousand_levels_are_refused_on_a_small_stack() {
    const LEVELS: usize = 100_000;
    const STACK_BYTES: usize = 256 * 1_024;
    let judged = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(|| {
        for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
            for close in [close, ""] {
                let inner = format!("{}1{}", open.repeat(LEVELS), close.repeat(LEVELS));
                for (reader, takes) in READERS {
                    assert!(!takes(&format!("{{\"name\":\"x\",\"pid\":{inner}}}")), "{reader}");
                }
            }
        }
    });
    judged.expect("a thread").join().expect("neither a panic nor the end of the stack");
}

#[test]
fn numbers_that_are_none_and_text_that_is_none() {
    let takes = |name: EventName, payload: &str| {
        parse(name, &mut format!("[{payload}]").into_bytes()).is_ok()
    };
    assert!(takes(EventName::Heartbeat, r#"{"timestamp":1}"#));
    for number in ["1e400", "-1e400", "1e-1", "1.5", "9223372036854775808", "NaN", "01", "\"1\""] {
        let payload = format!(r#"{{"timestamp":{number}}}"#);
        assert!(!takes(EventName::Heartbeat, &payload), "{number}");
    }
    assert!(takes(EventName::StoryCreate, r#"{"title":"\ud83d\ude00"}"#));
    for text in [r"\ud800", r"\udc00x", r"\ud800\ud800", r"\ude00\ud83d", "\0", r"\u0000", r"\x"] {
        let payload = format!(r#"{{"title":"{text}"}}"#);
        assert!(!takes(EventName::StoryCreate, &payload), "{text:?}");
    }
}

/// Ids, names and rooms that peers choose are kept in maps whose seed nobody
/// knows, or in trees; and the readers keep none at all.
#[test]
fn no_map_has_a_hash_that_can_be_foreseen() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source file");
            for hasher in
                ["ahash", "fxhash", "FxHash", "hashbrown", "IndexMap", "BuildHasherDefault"]
            {
                assert!(!text.contains(hasher), "{hasher} in {}", path.display());
            }
        }
    }
}

#[test]
fn keys_cost_as_much_as_they_are_long() {
    const KEYS: usize = 4_096;
    /// 16 times the keys; quadratic would be 256 times the price.
    const TIMES: usize = 16;
    const PRICE_MAX: u32 = 80;
    // Different in their last letters only, as many of one hash would be; and all the same.
    let alike = |count: usize| keys(count, |key| format!("kkkkkkkkkkkkkkkk{key:05}"));
    let same = |count: usize| keys(count, |_| "kkkkkkkkkkkkkkkkkkkkk".to_owned());
    for (reader, takes) in READERS {
        for (few, many) in [(alike(KEYS), alike(KEYS * TIMES)), (same(KEYS), same(KEYS * TIMES))] {
            let (few, many) = (price(&few, takes), price(&many, takes));
            let few = few.max(Duration::from_micros(100));
            assert!(many <= few * PRICE_MAX, "{reader}: {few:?}, then {many:?}");
        }
    }
}

fn keys(count: usize, key: impl Fn(usize) -> String) -> String {
    let fields: Vec<String> = (0..count).map(|index| format!("\"{}\":0", key(index))).collect();
    format!("{{\"pid\":\"x\",{}}}", fields.join(","))
}

/// The least of some runs, in time of this thread: the machine may be busy.
fn price(json: &str, takes: &Reader) -> Duration {
    let now = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let runs = (0..3).map(|_| {
        let start = now();
        std::hint::black_box(takes(json));
        now() - start
    });
    runs.min().expect("three runs")
}
