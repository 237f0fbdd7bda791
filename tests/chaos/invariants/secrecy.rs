//! I8: nothing that is said before a reveal has a place for a vote in it,
//! other than the own one. Structural on purpose: it does not ask the
//! projection of the server. (Byte by byte: tests/clients/secrecy.)

use serde_json::Value;

use crate::history::{History, Seen};
use crate::verdict::Verdict;

/// Where a value would stand.
const TELLING: &[&str] = &["votes", "consensus", "value", "confidence", "distribution"];
/// Parts that have fields of those names and hold no votes.
const HARMLESS: &[&str] = &["deck", "settings", "config", "you"];

pub(crate) fn check(history: &History, verdict: &mut Verdict) {
    let mut is_told = vec![false; history.bodies.len()];
    for (name, client) in &history.clients {
        for (_, seen) in &client.seen {
            match seen {
                Seen::Deliver { event, body } if event != "cards:revealed" => {
                    let Some(payload) = history.bodies.get(*body) else { continue };
                    let Some(told) = is_told.get_mut(*body) else { continue };
                    if !std::mem::replace(told, true) && tells(payload) {
                        verdict.violated("I8", || format!("{name}: {event} has room for a vote"));
                    }
                }
                Seen::Whisper { event, payload } if event != "vote:mine" && tells(payload) => {
                    verdict.violated("I8", || format!("{name}: {event} has room for a vote"));
                }
                Seen::Snapshot { why, text } => {
                    let snapshot: Value = serde_json::from_str(text.get()).unwrap_or_default();
                    if tells(&snapshot) {
                        verdict.violated("I8", || format!("{name}: a snapshot ({why}) tells"));
                    }
                }
                _ => {}
            }
        }
    }
}

fn tells(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(tells),
        Value::Object(fields) => {
            let is_revealed = fields.get("phase").is_some_and(|phase| phase == "revealed")
                || fields.get("isRevealed").is_some_and(|is| is == true);
            if is_revealed {
                return false;
            }
            fields.iter().any(|(key, value)| {
                !HARMLESS.contains(&key.as_str())
                    && (TELLING.contains(&key.as_str()) || tells(value))
            })
        }
        _ => false,
    }
}
