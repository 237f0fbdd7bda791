//! What a run showed.

use std::collections::BTreeMap;

/// One thing that should not have happened.
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) text: String,
}

#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) commands: usize,
    pub(crate) acked: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
    pub(crate) resent: usize,
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) gaps: usize,
    pub(crate) reordered: usize,
    pub(crate) diverged: usize,
    pub(crate) delivered: usize,
    pub(crate) snapshots: usize,
    pub(crate) entries: usize,
    pub(crate) cuts: usize,
    /// Milliseconds from the cut that the client saw until it was whole again.
    pub(crate) recovered_by_replay: Vec<u64>,
    pub(crate) recovered_by_snapshot: Vec<u64>,
    /// How long after the first client of a session the last one heard, ms.
    pub(crate) lag_ms_max: u64,
    /// From the first answer of a restarted Redis to the first acknowledgement.
    pub(crate) service_back_ms: Vec<u64>,
    violations: Vec<Violation>,
    counts: BTreeMap<&'static str, usize>,
}

/// As many of each kind are told in full.
const TOLD_MAX: usize = 5;

impl Verdict {
    pub(crate) fn violated(&mut self, invariant: &'static str, text: impl FnOnce() -> String) {
        let count = self.counts.entry(invariant).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.violations.push(Violation { invariant, text: text() });
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(crate) const fn counts(&self) -> &BTreeMap<&'static str, usize> {
        &self.counts
    }

    /// Adds the figures of another round.
    pub(crate) fn add(&mut self, other: Self) {
        self.commands += other.commands;
        self.acked += other.acked;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.resent += other.resent;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.gaps += other.gaps;
        self.reordered += other.reordered;
        self.diverged += other.diverged;
        self.delivered += other.delivered;
        self.snapshots += other.snapshots;
        self.entries += other.entries;
        self.cuts += other.cuts;
        self.recovered_by_replay.extend(other.recovered_by_replay);
        self.recovered_by_snapshot.extend(other.recovered_by_snapshot);
        self.lag_ms_max = self.lag_ms_max.max(other.lag_ms_max);
        self.service_back_ms.extend(other.service_back_ms);
        self.violations.extend(other.violations);
        for (invariant, count) in other.counts {
            *self.counts.entry(invariant).or_default() += count;
        }
    }
}

/// The value below which `percent` of them lie; 0 of nothing.
pub(crate) fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).copied().unwrap_or_default()
}
