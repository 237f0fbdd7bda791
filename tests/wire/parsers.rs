//! Our decoders beside those of the reference implementation, `socket.io-parser`
//! and `engine.io-parser` from npm: what both take means the same to both, what
//! they refuse we refuse, and where we refuse more it is by a rule with a name.
//!
//! The limit of ten attachments is theirs since 4.2.6 (CVE-2026-33151), the
//! refusal of `450-` since 4.2.7 (CVE-2026-69185). Both are met here.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Value, json};

use cardroom::protocol::engineio::{PacketType, Payload, PayloadPacket, split_packet};
use cardroom::protocol::socketio::{ACK_ID_MAX, Client, Limits, NAMESPACE_BYTES_MAX, Received};

use crate::support::node;

const SEED: &str = "20261123";
const SOCKET_IO_CASES: usize = 110_000;
const ENGINE_IO_CASES: usize = 20_000;

const JSON_DEPTH_MAX: u32 = 64;
/// The reference's `maxAttachments`.
const LIMITS: Limits =
    Limits { attachments_max: 10, namespaces_max: 16, connect_timeout: Duration::from_secs(45) };

#[derive(Deserialize)]
struct Case {
    messages: Vec<Message>,
    packets: Vec<Theirs>,
    error: Option<Refused>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Message {
    Text(String),
    /// As base64.
    Binary(String),
}

/// A packet as the reference decodes it.
#[derive(Deserialize)]
struct Theirs {
    /// The message that completed it; their number if none did.
    at: usize,
    #[serde(rename = "type")]
    kind: u8,
    nsp: String,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    data: Option<Value>,
    deep: u32,
}

#[derive(Deserialize)]
struct Refused {
    at: usize,
}

/// `null` is something that is there: a number that JSON cannot write.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

type Rule = fn(&str, &Theirs) -> bool;

/// Where we are stricter, and why nobody misses it. `text` is the packet's
/// header as it came.
const STRICTER: &[(&str, Rule)] = &[
    ("a packet begins with a digit; theirs takes nothing, or a space, for a 0", |text, _| {
        !text.starts_with(|c: char| c.is_ascii_digit())
    }),
    ("white space is no digit of an id", |text, _| has_blank_id(text)),
    ("CONNECT_ERROR is the server's to send", |_, theirs| theirs.kind == 4),
    ("CONNECT and DISCONNECT ask for no acknowledgement", |_, theirs| {
        theirs.kind < 2 && theirs.id.is_some()
    }),
    ("an event has a name, an acknowledgement its arguments", |_, theirs| {
        theirs.kind >= 2 && theirs.data.is_none()
    }),
    ("an acknowledgement says what it acknowledges", |_, theirs| {
        theirs.kind == 3 && theirs.id.is_none()
    }),
    ("an id is a number that JavaScript counts exactly", |_, theirs| {
        theirs.id.as_ref().is_some_and(|id| id.as_f64().is_none_or(|id| ACK_ID_MAX as f64 <= id))
    }),
    ("a namespace has at most 128 bytes", |_, theirs| NAMESPACE_BYTES_MAX < theirs.nsp.len()),
    // Attachments stand for objects, which are one level more.
    ("JSON nests at most 64 deep", |_, theirs| JSON_DEPTH_MAX <= theirs.deep),
    ("attachments are counted in digits", |text, _| {
        let count = text.get(1..).and_then(|rest| rest.split_once('-'));
        count.is_some_and(|(count, _)| !count.bytes().all(|byte| byte.is_ascii_digit()))
    }),
    ("a placeholder counts in digits", |text, _| {
        ["-0", "0.0", "0.5", "1e0"].iter().any(|num| text.contains(&format!("\"num\":{num}")))
    }),
    ("JSON with attachments is read whole, and a number is a finite double", |text, theirs| {
        let data = theirs.data.as_ref().map(Value::to_string);
        text.starts_with(['5', '6']) && data.is_some_and(|data| data.contains("\" number\""))
    }),
    ("an event's name is text; half a surrogate pair is none", |text, _| {
        text.contains("\\ud") || text.contains("\\uD")
    }),
];

/// What both take, and the application behind ours refuses as a whole.
const LEFT_TO_FIELDS: &str = "numbers beyond all numbers and half surrogate pairs go to the fields";
const NOT_CANONICAL: &str = "base64 has one spelling";

#[derive(Debug, Default)]
struct Tally {
    taken: usize,
    refused: usize,
    stricter: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn note(&mut self, rule: &'static str) {
        *self.stricter.entry(rule).or_default() += 1;
    }
}

#[test]
fn our_decoders_and_the_reference_agree() {
    let lines = generated();
    let mut tally = Tally::default();
    let mut lines = lines.map(|line| line.expect("node tells"));
    for line in lines.by_ref().take(SOCKET_IO_CASES) {
        let case: Case = serde_json::from_str(&line).expect("a case");
        judge(&case, &mut tally).unwrap_or_else(|problem| panic!("{problem} in {line}"));
    }
    let mut payloads = 0;
    for line in lines {
        judge_payload(&line, &mut tally);
        payloads += 1;
    }
    assert_eq!(payloads, ENGINE_IO_CASES);
    assert!(
        30_000 < tally.taken && 20_000 < tally.refused,
        "the cases are of all kinds: {tally:?}"
    );
    let rules = STRICTER.iter().map(|(rule, _)| *rule).chain([LEFT_TO_FIELDS, NOT_CANONICAL]);
    for rule in rules {
        assert!(tally.stricter.contains_key(rule), "nothing is left of the rule: {rule}");
    }
}

fn generated() -> impl Iterator<Item = std::io::Result<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(node::install());
    let mut node = Command::new("node");
    node.arg("parsers.mjs").current_dir(node::clients());
    node.args([SEED, &SOCKET_IO_CASES.to_string(), &ENGINE_IO_CASES.to_string()]);
    let mut child = node.stdout(Stdio::piped()).spawn().expect("node runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    lines.chain(std::iter::from_fn(move || {
        assert!(child.wait().expect("node ends").success());
        None
    }))
}

/// A socket is the name of its namespace.
type House = Client<String>;

fn judge(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let mut client = House::new(Duration::ZERO, LIMITS);
    // The header of the packet whose attachments are on their way.
    let mut header: Option<&str> = None;
    for (at, message) in case.messages.iter().enumerate() {
        let theirs = case.packets.iter().find(|packet| packet.at == at);
        let is_refused = case.error.as_ref().is_some_and(|error| error.at == at);
        let ours = match message {
            Message::Text(text) => {
                if header.is_none() {
                    stand(&mut client, text, theirs);
                    if is_refused {
                        // Nor would anybody else have taken it.
                        let mut nobody = House::new(Duration::ZERO, LIMITS);
                        if nobody.text(Duration::ZERO, &mut text.clone().into_bytes()).is_ok() {
                            return Err(format!("taken, and refused by theirs: {text}"));
                        }
                    }
                    header = Some(text);
                }
                let mut bytes = text.clone().into_bytes();
                let received = client.text(Duration::ZERO, &mut bytes);
                received.map(Ours::of).map_err(|_| ())
            }
            Message::Binary(base64) => {
                let bytes = STANDARD.decode(base64).expect("base64");
                match client.binary(bytes.into()) {
                    Ok(None) => Ok(Ours::Incomplete),
                    Ok(Some(mut assembled)) => assembled.received().map(Ours::of).map_err(|_| ()),
                    Err(_) => Err(()),
                }
            }
        };
        match (ours, theirs) {
            (Err(()), _) if is_refused => {
                tally.refused += 1;
                return Ok(());
            }
            (Ok(_), _) if is_refused => return Err(format!("message {at} is taken")),
            (Ok(Ours::Incomplete), None) => {}
            (Ok(Ours::Incomplete), Some(_)) => return Err(format!("message {at} is incomplete")),
            (Ok(_), None) => return Err(format!("message {at} is a packet to us only")),
            (Ok(ours), Some(theirs)) => {
                let text = header.take().unwrap_or_default();
                if !ours.means(theirs, text, tally) {
                    return Err(format!("message {at} is {ours:?} to us"));
                }
                tally.taken += 1;
            }
            (Err(()), _) => {
                // Its attachments may still have been on their way.
                let theirs = case.packets.iter().find(|packet| at <= packet.at);
                let text = header.unwrap_or_default();
                let rule = STRICTER
                    .iter()
                    .find(|(_, applies)| theirs.is_some_and(|theirs| applies(text, theirs)));
                let (rule, _) =
                    rule.ok_or_else(|| format!("message {at} is refused by us only"))?;
                tally.note(rule);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Joins what the packet needs to be taken at all; CONNECT needs the contrary.
fn stand(client: &mut House, text: &str, theirs: Option<&Theirs>) {
    let namespace = namespace_of(text);
    client.disconnect(Duration::ZERO, |joined| *joined == namespace);
    if theirs.is_none_or(|theirs| theirs.kind != 0) {
        while LIMITS.namespaces_max as usize <= client.sockets().count() {
            client.disconnect(Duration::ZERO, |_| true);
        }
        client.join(&namespace, namespace.clone());
    }
}

fn namespace_of(text: &str) -> String {
    match after_head(text) {
        rest if rest.starts_with('/') => rest.split(',').next().unwrap_or_default().to_owned(),
        _ => "/".to_owned(),
    }
}

/// What follows the type and the count of attachments.
fn after_head(text: &str) -> &str {
    let rest = text.get(1..).unwrap_or_default();
    match text.as_bytes().first() {
        Some(b'5' | b'6') => rest.split_once('-').map_or("", |(_, rest)| rest),
        _ => rest,
    }
}

fn has_blank_id(text: &str) -> bool {
    let rest = after_head(text);
    let rest = match rest.starts_with('/') {
        true => rest.split_once(',').map_or("", |(_, rest)| rest),
        false => rest,
    };
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    rest.chars().take_while(|c| is_blank(*c) || c.is_ascii_digit()).any(is_blank)
}

#[derive(Debug)]
enum Ours {
    Incomplete,
    Connect { namespace: String, auth: Vec<u8> },
    Disconnect { namespace: String },
    Event { namespace: String, id: Option<u64>, name: String, rest: Vec<u8>, binary: Vec<Bytes> },
    Ack { namespace: String, id: u64, array: Vec<u8>, binary: Vec<Bytes> },
}

impl Ours {
    fn of(received: Received<'_, String>) -> Self {
        match received {
            Received::Incomplete => Self::Incomplete,
            Received::Connect { namespace, auth } => {
                Self::Connect { namespace: namespace.to_owned(), auth: auth.to_vec() }
            }
            Received::Disconnected(namespace) => Self::Disconnect { namespace },
            Received::Event(namespace, event) => Self::Event {
                namespace,
                id: event.ack,
                name: event.name.to_owned(),
                rest: event.arguments.to_vec(),
                binary: event.attachments,
            },
            Received::Acknowledged { socket, id, array, attachments } => {
                Self::Ack { namespace: socket, id, array: array.to_vec(), binary: attachments }
            }
        }
    }

    fn means(&self, theirs: &Theirs, text: &str, tally: &mut Tally) -> bool {
        let (kind, namespace, id, data) = match self {
            Self::Incomplete => return false,
            Self::Connect { namespace, auth } if auth.is_empty() => (0, namespace, None, None),
            Self::Connect { namespace, auth } => (0, namespace, None, Some(value(auth, &[]))),
            Self::Disconnect { namespace } => (1, namespace, None, None),
            Self::Event { namespace, id, name, rest, binary } => {
                let mut data = value(rest, binary);
                if let Some(Value::Array(items)) = &mut data {
                    items.insert(0, json!(name));
                }
                (2, namespace, *id, Some(data))
            }
            Self::Ack { namespace, id, array, binary } => {
                (3, namespace, Some(*id), Some(value(array, binary)))
            }
        };
        let their_id = theirs.id.as_ref().map(Value::as_f64);
        let is_same_id = id.map(|id| Some(id as f64)) == their_id;
        if !is_same_id && id.is_none() && has_blank_id(text) {
            tally.note("white space is no digit of an id");
        } else if !is_same_id {
            return false;
        }
        if (kind, namespace) != (theirs.kind, &theirs.nsp) {
            return false;
        }
        match (data, &theirs.data) {
            (None, None) => true,
            (Some(None), Some(_)) => {
                tally.note(LEFT_TO_FIELDS);
                let exponent = text.contains('e') || text.contains('E');
                exponent || text.contains("\\ud") || text.contains("\\uD")
            }
            (Some(Some(ours)), Some(theirs)) => is_same(&ours, theirs),
            _ => false,
        }
    }
}

/// With its attachments in their places; `None` if the fields would refuse it.
fn value(json: &[u8], binary: &[Bytes]) -> Option<Value> {
    fn fill(value: &mut Value, binary: &[Bytes]) {
        match value {
            Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
                let num = object.get("num").and_then(Value::as_u64).expect("judged before");
                let bytes = &binary[usize::try_from(num).expect("in range")];
                *value = json!({ " binary": STANDARD.encode(bytes) });
            }
            Value::Object(object) => object.values_mut().for_each(|value| fill(value, binary)),
            Value::Array(items) => items.iter_mut().for_each(|value| fill(value, binary)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_slice(json).ok()?;
    if !binary.is_empty() {
        fill(&mut value, binary);
    }
    Some(value)
}

/// As JavaScript compares: numbers are doubles, and a name may be one.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64(), theirs.as_f64());
            let (Some(ours), Some(theirs)) = (ours, theirs) else { return false };
            ours == theirs || (ours - theirs).abs() <= theirs.abs() * 1e-12
        }
        (Value::String(name), Value::Number(theirs)) => {
            name.parse() == Ok(theirs.as_f64().unwrap_or(f64::NAN))
        }
        (Value::String(name), Value::Object(number)) => {
            let infinite = number.get(" number").and_then(Value::as_str);
            name.parse::<f64>().ok() == infinite.and_then(|number| number.parse().ok())
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, value)| {
                    theirs.get(key).is_some_and(|theirs| is_same(value, theirs))
                })
        }
        _ => ours == theirs,
    }
}

fn judge_payload(line: &str, tally: &mut Tally) {
    #[derive(Deserialize)]
    struct Case {
        payload: String,
        packets: Vec<Packet>,
    }
    #[derive(Deserialize)]
    struct Packet {
        #[serde(rename = "type")]
        kind: String,
        data: String,
    }
    let case: Case = serde_json::from_str(line).expect("a case");
    let mut ours = Payload::new(BytesMut::from(case.payload.as_bytes()));
    for theirs in &case.packets {
        let packet = ours.next_packet().unwrap_or_else(|| panic!("fewer packets to us: {line}"));
        let (kind, data) = match packet {
            PayloadPacket::Malformed => {
                assert_eq!(theirs.kind, "binary", "{line}");
                tally.note(NOT_CANONICAL);
                return;
            }
            PayloadPacket::Binary(bytes) => ("binary", STANDARD.encode(bytes)),
            PayloadPacket::Text(text) => match split_packet(text) {
                None => ("error", "parser error".to_owned()),
                Some((kind, rest)) => {
                    (name(kind), String::from_utf8(rest.to_vec()).expect("it was text"))
                }
            },
        };
        assert_eq!((kind, &data), (theirs.kind.as_str(), &theirs.data), "{line}");
        if kind == "error" {
            tally.refused += 1;
            return;
        }
        tally.taken += 1;
    }
    assert_eq!(ours.next_packet(), None, "more packets to us: {line}");
}

fn name(kind: PacketType) -> &'static str {
    match kind {
        PacketType::Open => "open",
        PacketType::Close => "close",
        PacketType::Ping => "ping",
        PacketType::Pong => "pong",
        PacketType::Message => "message",
        PacketType::Upgrade => "upgrade",
        PacketType::Noop => "noop",
    }
}
