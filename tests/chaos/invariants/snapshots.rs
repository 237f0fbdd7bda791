//! I6 for snapshots: what a client is shown at some `seq` is, to the last
//! field, what the log leads to there.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use cardroom::api::snapshot::Scene;
use cardroom::poker::ids::{Millis, PlayerId, SessionId};
use cardroom::poker::session::Session;

use crate::checker::Leniency;
use crate::history::{History, Seen};
use crate::invariants::same::difference;
use crate::truth::{Entry, SessionLog, Visitor};
use crate::verdict::Verdict;

pub(crate) struct Snapshots<'a> {
    session: SessionId,
    pending: HashMap<u64, Vec<Shown<'a>>>,
    seen: usize,
}

struct Shown<'a> {
    client: &'a str,
    why: &'a str,
    player: PlayerId,
    text: &'a str,
    problem: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    seq: u64,
}

impl<'a> Snapshots<'a> {
    pub(crate) fn new(
        session: SessionId,
        history: &'a History,
        _log: &SessionLog,
        leniency: Leniency,
    ) -> Self {
        let went_back = if leniency.goes_back { history.last_fault("redis kill") } else { None };
        let mut snapshots = Self { session, pending: HashMap::new(), seen: 0 };
        for (name, client) in &history.clients {
            let (Some(own), Some(player)) = (client.session, client.player) else { continue };
            if own != session {
                continue;
            }
            for (t, seen) in &client.seen {
                let Seen::Snapshot { why, text } = seen else { continue };
                let text = text.get();
                let Ok(head) = serde_json::from_str::<Head>(text) else { continue };
                if went_back.is_some_and(|at| *t < at) {
                    continue;
                }
                let problem = "there is no such place in the log".to_owned();
                let shown = Shown { client: name, why, player, text, problem };
                snapshots.pending.entry(head.seq).or_default().push(shown);
                snapshots.seen += 1;
            }
        }
        snapshots
    }

    pub(crate) fn finish(self, verdict: &mut Verdict) {
        verdict.snapshots += self.seen;
        for (seq, shown) in self.pending {
            for Shown { client, why, problem, .. } in shown {
                verdict.diverged += 1;
                let session = self.session;
                verdict.violated("I6", || {
                    format!("{client}: the snapshot ({why}) at {seq} of {session}: {problem}")
                });
            }
        }
    }
}

impl Visitor for Snapshots<'_> {
    fn after(&mut self, state: &Session, _entry: &Entry) {
        let Some(pending) = self.pending.get_mut(&state.seq) else { return };
        // Several versions may have one `seq`; any of them will do.
        pending.retain_mut(|shown| match problem(state, shown) {
            Some(problem) => {
                shown.problem = problem;
                true
            }
            None => false,
        });
        if pending.is_empty() {
            self.pending.remove(&state.seq);
        }
    }
}

fn problem(state: &Session, shown: &Shown<'_>) -> Option<String> {
    let is: Value = serde_json::from_str(shown.text).ok()?;
    let time = is.get("serverTime").and_then(Value::as_u64).unwrap_or_default();
    let scene = Scene::new(state, Millis(time));
    let should = serde_json::to_value(scene.snapshot(shown.player)).unwrap_or_default();
    difference(&should, &is)
}
