//! I9 and I10, and I6 for what is broadcast: every client hears every event
//! once, in order, and exactly as the log has it; a hole or a repetition
//! counts even where the client repairs it. No snapshot is older than what
//! its client has seen.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use cardroom::api::projection::project;
use cardroom::poker::ids::SessionId;

use crate::checker::Leniency;
use crate::clock::{MS, ms_between};
use crate::history::{Client, History, Seen};
use crate::invariants::same::difference;
use crate::truth::{SessionLog, Truth};
use crate::verdict::Verdict;

/// What a session says under a `seq`: names and payloads.
type Said = HashMap<u64, Vec<(String, Value)>>;

pub(crate) fn check(history: &History, truth: &Truth, leniency: Leniency, verdict: &mut Verdict) {
    let said: HashMap<SessionId, Said> =
        truth.sessions.iter().map(|(id, log)| (*id, said(*id, log))).collect();
    let went_back = if leniency.goes_back { history.last_fault("redis answers") } else { None };
    let firsts = firsts(history);
    // A body is the same for all who heard it.
    let mut known = HashMap::new();
    for (name, client) in &history.clients {
        let Some(session) = client.session else { continue };
        let Some(said) = said.get(&session) else { continue };
        let mut ear =
            Ear { name, said, session, went_back, last: None, highest: 0, foreign: false };
        let mut connected_since = None;
        let mut last_event = "";
        for (t, seen) in &client.seen {
            match seen {
                Seen::Connect { recovered } => {
                    connected_since = Some(*t);
                    if !recovered {
                        ear.last = None;
                        ear.foreign = false;
                    }
                }
                Seen::Cut => connected_since = None,
                Seen::Snapshot { text, .. } => {
                    if let Ok(Seq { seq }) = serde_json::from_str(text.get()) {
                        ear.snapshot(seq, verdict);
                    }
                }
                Seen::Deliver { event, body } => {
                    let Some(payload) = history.bodies.get(*body) else { continue };
                    let seq = payload.get("seq").and_then(Value::as_u64).unwrap_or_default();
                    let is_twin = event == "player:left" && last_event == "player:removed";
                    if !is_twin {
                        ear.order(seq, event, verdict);
                    }
                    let problem = known
                        .entry((session, *body, event.as_str()))
                        .or_insert_with(|| ear.content(seq, event, payload));
                    match problem {
                        Some(problem) => ear.diverged(seq, event, *t, problem, verdict),
                        None => ear.agreed(seq, event, verdict),
                    }
                    let first = firsts.get(&(session, seq)).copied().unwrap_or(*t);
                    if connected_since.is_some_and(|since| since < first) {
                        verdict.lag_ms_max = verdict.lag_ms_max.max(ms_between(first, *t));
                    }
                    last_event = event;
                }
                _ => {}
            }
        }
    }
}

/// What was said before Redis went back may arrive a little later.
const ON_ITS_WAY: u64 = 500 * MS;

#[derive(Deserialize)]
struct Seq {
    seq: u64,
}

/// One client, listening.
struct Ear<'a> {
    name: &'a str,
    said: &'a Said,
    session: SessionId,
    /// When Redis went back in time.
    went_back: Option<u64>,
    last: Option<u64>,
    highest: u64,
    /// Has heard what is no longer in the log, and was not told so.
    foreign: bool,
}

impl Ear<'_> {
    fn order(&mut self, seq: u64, event: &str, verdict: &mut Verdict) {
        verdict.delivered += 1;
        let (name, last) = (self.name, self.last);
        match last {
            None => {
                verdict.violated("I9", || format!("{name}: {event} {seq} outside of a session"))
            }
            Some(last) if seq == last + 1 => {}
            Some(last) if seq <= last => {
                verdict.reordered += 1;
                verdict.violated("I9", || format!("{name}: {event} {seq} again, after {last}"));
            }
            Some(last) => {
                verdict.gaps += 1;
                verdict.violated("I9", || format!("{name}: {event} {seq} after {last}"));
            }
        }
        self.last = Some(seq.max(last.unwrap_or_default()));
        self.highest = self.highest.max(seq);
    }

    /// The log has it. Whoever had heard what it no longer has, and was not
    /// told so, goes on from where nobody is.
    fn agreed(&mut self, seq: u64, event: &str, verdict: &mut Verdict) {
        if std::mem::take(&mut self.foreign) {
            verdict.diverged += 1;
            let name = self.name;
            verdict.violated("I9", || {
                format!("{name}: {event} {seq} on top of what Redis has forgotten, untold")
            });
        }
    }

    fn snapshot(&mut self, seq: u64, verdict: &mut Verdict) {
        if seq < self.highest && self.went_back.is_none() {
            let (name, highest) = (self.name, self.highest);
            verdict.violated("I10", || format!("{name}: a snapshot of {seq} after {highest}"));
        }
        self.last = Some(seq);
        self.highest = self.highest.max(seq);
        self.foreign = false;
    }

    fn content(&self, seq: u64, event: &str, payload: &Value) -> Option<String> {
        let Some(said) = self.said.get(&seq) else {
            return Some("nothing of it is in the log".to_owned());
        };
        let candidates = said.iter().filter(|(name, _)| name == event);
        let mut problem = Some("the log has another event there".to_owned());
        for (_, should) in candidates {
            problem = difference(should, payload);
            if problem.is_none() {
                break;
            }
        }
        problem
    }

    fn diverged(&mut self, seq: u64, event: &str, t: u64, problem: &str, verdict: &mut Verdict) {
        if self.went_back.is_some_and(|at| t < at + ON_ITS_WAY) {
            self.foreign = true;
            return;
        }
        verdict.diverged += 1;
        let (name, session) = (self.name, self.session);
        verdict.violated("I6", || format!("{name}: {event} {seq} of {session}: {problem}"));
    }
}

fn said(id: SessionId, log: &SessionLog) -> Said {
    let mut said = Said::new();
    for entry in &log.entries {
        for outgoing in project(id, &entry.event) {
            let mut text = Vec::new();
            outgoing.message.put_polling(&mut text);
            // `42["name",payload]`
            let json = text.get(2..).unwrap_or_default();
            let Ok(Value::Array(parts)) = serde_json::from_slice(json) else { continue };
            let mut parts = parts.into_iter();
            if let (Some(Value::String(name)), Some(payload)) = (parts.next(), parts.next()) {
                said.entry(entry.event.seq).or_default().push((name, payload));
            }
        }
    }
    said
}

/// When somebody heard an event for the first time.
fn firsts(history: &History) -> HashMap<(SessionId, u64), u64> {
    let mut firsts = HashMap::new();
    let heard = |client: &Client, firsts: &mut HashMap<(SessionId, u64), u64>| {
        let Some(session) = client.session else { return };
        for (t, seen) in &client.seen {
            let Seen::Deliver { body, .. } = seen else { continue };
            let seq = history.bodies.get(*body).and_then(|payload| payload.get("seq"));
            let Some(seq) = seq.and_then(Value::as_u64) else { continue };
            let first = firsts.entry((session, seq)).or_insert(*t);
            *first = (*first).min(*t);
        }
    };
    history.clients.values().for_each(|client| heard(client, &mut firsts));
    firsts
}
