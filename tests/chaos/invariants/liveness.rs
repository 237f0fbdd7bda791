//! I11 and I15: once the faults are over everybody gets to the same end by
//! the broadcasts alone, nothing waits any more, and who is there is seen to
//! be there.

use crate::history::{History, Seen};
use crate::truth::Truth;
use crate::verdict::Verdict;

/// Answers to a join that make a client give up.
const FUTILE: &[&str] = &[
    "SESSION_NOT_FOUND",
    "SESSION_EXPIRED",
    "SESSION_ENDED",
    "INVALID_PLAYER_TOKEN",
    "PLAYER_REMOVED",
];

pub(crate) fn check(history: &History, truth: &Truth, verdict: &mut Verdict) {
    for (name, client) in &history.clients {
        let end = client.session.and_then(|id| truth.sessions.get(&id)?.walk(&mut []));
        let Some(end) = end else {
            verdict.violated("I11", || format!("{name}: the session is gone"));
            continue;
        };
        let mut last = None;
        for (_, seen) in &client.seen {
            match seen {
                Seen::Final { seq } => last = Some(*seq),
                Seen::Stuck { what } => {
                    verdict.violated("I11", || format!("{name} never got back ({what})"));
                }
                // The seat and its session are there all the time.
                Seen::NotJoined { code } if FUTILE.contains(&code.as_str()) => {
                    verdict.violated("I11", || format!("{name} was told {code}"));
                }
                _ => {}
            }
        }
        if last != Some(Some(end.seq)) {
            let head = end.seq;
            verdict.violated("I11", || format!("{name} ends at {last:?}, the session at {head}"));
        }
        let seat = client.player.and_then(|player| end.seats.get(&player));
        if !seat.is_some_and(|seat| seat.is_online()) {
            verdict.violated("I15", || format!("{name} is connected and does not look so"));
        }
    }
}
