//! What is counted and measured rather than judged.

use std::collections::BTreeMap;

use crate::clock::ms_between;
use crate::history::{History, Outcome, Seen};
use crate::truth::Truth;
use crate::verdict::Verdict;

pub(crate) fn collect(history: &History, truth: &Truth, verdict: &mut Verdict) {
    verdict.commands = history.commands.len();
    verdict.entries = truth.sessions.values().map(|log| log.entries.len()).sum();
    let mut acknowledged: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for command in history.commands.values() {
        verdict.resent += usize::from(0 < command.resends);
        match &command.outcome {
            Outcome::Ok { at, .. } => {
                verdict.acked += 1;
                acknowledged.entry(history.session_of(command)).or_default().push(*at);
            }
            Outcome::Fail { .. } => verdict.failed += 1,
            Outcome::Info => verdict.unknown += 1,
        }
    }
    for times in acknowledged.values_mut() {
        times.sort_unstable();
        for fault in history.faults.iter().filter(|fault| fault.what.starts_with("redis answers")) {
            let next = times.partition_point(|at| *at < fault.t);
            if let Some(at) = times.get(next) {
                verdict.service_back_ms.push(ms_between(fault.t, *at));
            }
        }
    }
    for client in history.clients.values() {
        for (t, seen) in &client.seen {
            match seen {
                Seen::Cut => verdict.cuts += 1,
                Seen::Caught { how, cut } if how == "replay" => {
                    verdict.recovered_by_replay.push(ms_between(*cut, *t));
                }
                Seen::Caught { cut, .. } => {
                    verdict.recovered_by_snapshot.push(ms_between(*cut, *t));
                }
                _ => {}
            }
        }
    }
}
