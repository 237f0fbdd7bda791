//! Two runs that differ in one person's votes must be the same to everybody
//! else, byte by byte, until those votes are shown.

use std::collections::BTreeMap;

use crate::secrecy::canonical::Names;
use crate::secrecy::schedule::{Recording, seq_of};
use crate::secrecy::stage::Remains;

/// The reveal up to which two runs are compared: its step and its `seq`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Horizon {
    pub(super) step: u32,
    pub(super) seq: u64,
}

impl Horizon {
    /// All of a run.
    pub(super) const END: Self = Self { step: u32::MAX, seq: u64::MAX };

    /// Whether it was received before the cards were turned.
    fn is_before(self, step: u32, line: &str) -> bool {
        step < self.step || step == self.step && seq_of(line).is_some_and(|seq| seq < self.seq)
    }
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Compared {
    pub(super) streams: usize,
    pub(super) packets: usize,
    pub(super) bytes: usize,
    /// Whether something differs behind the horizon, as it should.
    pub(super) differs_behind: bool,
}

/// What the others received in both runs.
pub(super) fn streams(
    one: &Recording,
    other: &Recording,
    horizon: Horizon,
) -> Result<Compared, String> {
    let names = |recording: &Recording| {
        let mut names = Names::default();
        names.know(&recording.session, "session");
        names.know(&recording.code, "code");
        names
    };
    let (mut in_one, mut in_other) = (names(one), names(other));
    let mut compared = Compared::default();
    if one.streams.len() != other.streams.len() {
        return Err(format!("{} streams and {}", one.streams.len(), other.streams.len()));
    }
    for (a, b) in one.streams.iter().zip(&other.streams) {
        if a.name != b.name {
            return Err(format!("{} and {}", a.name, b.name));
        }
        if a.is_own {
            continue;
        }
        compared.streams += 1;
        let cut = |tape: &[(u32, String)]| {
            tape.iter()
                .position(|(step, line)| !horizon.is_before(*step, line))
                .unwrap_or(tape.len())
        };
        let (end_a, end_b) = (cut(&a.tape), cut(&b.tape));
        for place in 0..end_a.max(end_b) {
            let line = |tape: &[(u32, String)], end, names: &mut Names| {
                let line = tape[..end].get(place).map(|(_, line)| names.canonical(line));
                line.unwrap_or_else(|| "(nothing)".to_owned())
            };
            let left = line(&a.tape, end_a, &mut in_one);
            let right = line(&b.tape, end_b, &mut in_other);
            if left != right {
                let step = a.tape.get(place).or_else(|| b.tape.get(place)).map_or(0, |line| line.0);
                return Err(format!(
                    "{}, line {place} (step {step}):\n  {}\n  {}\nfirst run:{}\nsecond run:{}",
                    a.name,
                    excerpt(&left, &right),
                    excerpt(&right, &left),
                    around(&a.tape, place),
                    around(&b.tape, place)
                ));
            }
            compared.packets += 1;
            compared.bytes += a.tape[place].1.len();
        }
        let behind = a.tape[end_a..].iter().zip(&b.tape[end_b..]);
        compared.differs_behind |= behind
            .into_iter()
            .any(|((_, left), (_, right))| in_one.canonical(left) != in_other.canonical(right));
    }
    Ok(compared)
}

/// A line from shortly before the place where it differs from another.
fn excerpt(line: &str, other: &str) -> String {
    let same = line.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(120);
    line.chars().skip(from).take(300).collect()
}

/// The lines about a place, each by its beginning.
fn around(tape: &[(u32, String)], place: usize) -> String {
    let lines = tape.iter().take(place + 4).skip(place.saturating_sub(4));
    lines
        .map(|(step, line)| format!("\n  {step:>3} {}", line.chars().take(160).collect::<String>()))
        .collect()
}

/// What instances let out beside that: the same to the last line and number,
/// but for what is listed with its reason.
pub(super) fn remains(
    one: &Remains,
    other: &Remains,
    sessions: [&BTreeMap<String, u64>; 2],
) -> Result<Compared, String> {
    let mut compared = Compared::default();
    for (instance, (a, b)) in one.metrics.iter().zip(&other.metrics).enumerate() {
        for series in a.keys().chain(b.keys()) {
            let (left, right) = (a.get(series), b.get(series));
            let is_same = if is_of_the_moment(series) {
                left.is_some() == right.is_some()
            } else {
                left == right
            };
            if !is_same {
                return Err(format!("instance {instance}, {series}: {left:?} and {right:?}"));
            }
        }
        compared.streams += a.len();
    }
    for (instance, (a, b)) in one.logs.iter().zip(&other.logs).enumerate() {
        let (left, right) = (lines(a, sessions[0]), lines(b, sessions[1]));
        same(&left, &right).map_err(|what| format!("log of instance {instance}: {what}"))?;
        compared.packets += left.values().sum::<usize>();
    }
    let (left, right) =
        (doorbells(&one.published, sessions[0]), doorbells(&other.published, sessions[1]));
    same(&left, &right).map_err(|what| format!("published: {what}"))?;
    compared.bytes += one.published.values().map(Vec::len).sum::<usize>();
    Ok(compared)
}

/// Numbers that time decides; why.
const OF_THE_MOMENT: &[(&str, &str)] = &[
    ("process_", "of the machine"),
    ("cardroom_tasks", "of the machine"),
    ("cardroom_sessions", "idle ones are unloaded after a minute"),
    ("_seconds", "durations, and counts of them by duration"),
    ("cardroom_tcp_connections", "a poll's connection may be kept or closed"),
    ("cardroom_outbox_bytes", "what is on its way at this moment"),
    ("cardroom_http_requests_total{status=\"2xx\"}", "packets share polls as time has it"),
    ("cardroom_relay", "as many as there are polls"),
    ("cardroom_store_", "retries and renewals"),
    ("cardroom_commit", "retries, and facts that share a commit"),
];

fn is_of_the_moment(series: &str) -> bool {
    OF_THE_MOMENT.iter().any(|(name, _)| series.contains(name))
}

/// Lines that time decides; why.
const SAID_WHEN_IT_HAPPENS: &[(&str, &str)] = &[
    ("listening", "addresses"),
    ("announced", "addresses"),
    ("ended connections_left=", "as many as have not hung up yet"),
    ("closing the connections", "the same"),
    ("session unloaded", "a minute after the last has gone"),
    ("cardroom::transport::relay", "as many as there are polls"),
];

/// The lines of a log without what legitimately differs, each with how often
/// it stands there: what is said at one moment by several threads has no order.
fn lines(log: &str, sessions: &BTreeMap<String, u64>) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    for line in log.lines() {
        if SAID_WHEN_IT_HAPPENS.iter().any(|(part, _)| line.contains(part)) {
            continue;
        }
        let (_, said) = line.split_once("Z ").unwrap_or(("", line));
        *lines.entry(without_ids(said, sessions)).or_default() += 1;
    }
    lines
}

/// `key=value` where the value is an id.
fn without_ids(line: &str, sessions: &BTreeMap<String, u64>) -> String {
    const IDS: &[&str] = &["socket.id=", "peer=", "instance=", "address=", "redis.url="];
    let is_end = |c: char| matches!(c, ' ' | '}' | ',');
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('=') {
        let (key, value) = rest.split_at(at + 1);
        out.push_str(key);
        let end = value.find(is_end).unwrap_or(value.len());
        let (value, after) = value.split_at(end);
        if let Some(seed) = sessions.get(value) {
            out.push_str(&format!("<session {seed}>"));
        } else if IDS.iter().any(|id| key.ends_with(id)) {
            out.push_str("<id>");
        } else {
            out.push_str(value);
        }
        rest = after;
    }
    out + rest
}

/// What goes from instance to instance, by session. A doorbell is `b` and
/// `epoch:version:nonce:origin`; facts share one as time has it, so that only
/// the last version counts. Of anything else the length does.
fn doorbells(
    published: &BTreeMap<String, Vec<String>>,
    sessions: &BTreeMap<String, u64>,
) -> BTreeMap<String, usize> {
    let mut shapes = BTreeMap::new();
    for (channel, payloads) in published {
        let id = channel.trim_start_matches("session:").trim_matches(['{', '}']);
        let session = sessions.get(id).map_or_else(|| channel.clone(), u64::to_string);
        let mut last_version = 0;
        for payload in payloads {
            let fields: Vec<&str> = payload.strip_prefix('b').unwrap_or("").split(':').collect();
            if let [_, version, _, _] = fields.as_slice() {
                last_version = last_version.max(version.parse().unwrap_or(usize::MAX));
            } else {
                let shape = format!("session {session}: {} bytes", length(payload));
                *shapes.entry(shape).or_default() += 1;
            }
        }
        shapes.insert(format!("session {session}: doorbells up to"), last_version);
    }
    shapes
}

/// Of a text in which MONITOR has escaped what cannot be printed.
fn length(escaped: &str) -> usize {
    let mut characters = escaped.chars();
    let mut length = 0;
    while let Some(character) = characters.next() {
        length += 1;
        if character == '\\' && characters.next() == Some('x') {
            characters.nth(1);
        }
    }
    length
}

fn same(one: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>) -> Result<(), String> {
    for line in one.keys().chain(other.keys()) {
        let (a, b) = (one.get(line), other.get(line));
        if a != b {
            return Err(format!("{a:?} and {b:?} times: {line}"));
        }
    }
    Ok(())
}
