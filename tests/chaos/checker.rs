//! Judges a history by the log. Nothing in here asks a server; what should
//! have been said is worked out with the pure rules from the log alone.

use crate::history::History;
use crate::invariants::{
    commands, delivery, figures, liveness, log, reveal, rules, secrecy, snapshots,
};
use crate::truth::Truth;
use crate::verdict::Verdict;

/// What a scenario cannot promise, with the server as it is configured there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leniency {
    /// Redis goes back in time: what was acknowledged since is gone, and that
    /// is said to everybody who had seen it.
    pub(crate) goes_back: bool,
}

pub(crate) fn check(history: &History, truth: &Truth, leniency: Leniency) -> Verdict {
    let mut verdict = Verdict::default();
    figures::collect(history, truth, &mut verdict);
    log::check(truth, &mut verdict);
    let places = commands::check(history, truth, leniency, &mut verdict);
    commands::check_real_time(history, &places, leniency, &mut verdict);
    delivery::check(history, truth, leniency, &mut verdict);
    secrecy::check(history, &mut verdict);
    liveness::check(history, truth, &mut verdict);
    reveal::check(history, truth, &places, &mut verdict);
    for (id, log) in &truth.sessions {
        let mut rules = rules::Rules::new(*id);
        let mut snapshots = snapshots::Snapshots::new(*id, history, log, leniency);
        let mut effects = commands::Effects::new(*id, history, &places);
        log.walk(&mut [&mut rules, &mut snapshots, &mut effects]);
        rules.finish(&mut verdict);
        snapshots.finish(&mut verdict);
        effects.finish(&mut verdict, leniency);
    }
    verdict
}
