//! What clients notice of a rolling restart.

use std::collections::BTreeMap;
use std::fmt;

use crate::clock::ms_between;
use crate::history::{History, Seen};
use crate::scenario::Scenario;
use crate::verdict::Verdict;

#[derive(Default)]
pub(crate) struct Rolling {
    clients: usize,
    /// Attempts that failed: what a person would see as an error.
    refused: usize,
    reconnects: usize,
    /// Of one client, while one instance was on its way out and back.
    per_client_and_instance_max: usize,
    in_one_second_max: usize,
    not_recovered: usize,
    /// Seats that were told to have left.
    left: usize,
    /// Instances that did not end with 0.
    unclean: Vec<String>,
    /// From the signal to the end of each.
    drains_ms: Vec<u64>,
    first_refusal: Option<String>,
}

impl Rolling {
    pub(crate) fn of(history: &History) -> Self {
        let mut rolling = Self { clients: history.clients.len(), ..Self::default() };
        let mut began: Vec<u64> = Vec::new();
        for fault in &history.faults {
            if fault.what.ends_with("SIGTERM") {
                began.push(fault.t);
            } else if fault.what.contains(" ended with ") {
                rolling.drains_ms.extend(began.last().map(|at| ms_between(*at, fault.t)));
                if !fault.what.ends_with("Some(0)") {
                    rolling.unclean.push(fault.what.clone());
                }
            }
        }
        let mut connects = Vec::new();
        for (name, client) in &history.clients {
            rolling.follow(name, &client.seen, &began, &mut connects);
        }
        connects.sort_unstable();
        let second = |at: &u64| connects.partition_point(|other| *other < at + 1_000_000_000);
        let windows = connects.iter().enumerate().map(|(index, at)| second(at) - index);
        rolling.in_one_second_max = windows.max().unwrap_or_default();
        rolling
    }

    fn follow(&mut self, name: &str, seen: &[(u64, Seen)], began: &[u64], connects: &mut Vec<u64>) {
        let mut per_instance: BTreeMap<usize, usize> = BTreeMap::new();
        let mut has_connected = false;
        for (t, seen) in seen {
            match seen {
                // Before it, everybody comes at once.
                Seen::Refused { why } if began.first().is_some_and(|first| first <= t) => {
                    self.refused += 1;
                    self.first_refusal.get_or_insert_with(|| format!("{name}: {why}"));
                }
                Seen::Connect { .. } if !has_connected => has_connected = true,
                Seen::Connect { recovered } => {
                    self.reconnects += 1;
                    self.not_recovered += usize::from(!recovered);
                    connects.push(*t);
                    let instance = began.partition_point(|begin| begin <= t);
                    *per_instance.entry(instance).or_default() += 1;
                }
                Seen::Deliver { event, .. } if event == "player:left" => self.left += 1,
                _ => {}
            }
        }
        let most = per_instance.into_values().max().unwrap_or_default();
        self.per_client_and_instance_max = self.per_client_and_instance_max.max(most);
    }

    pub(crate) fn judge(&self, scenario: &Scenario, verdict: &mut Verdict) {
        let mut never = |count: usize, what: &str| {
            if 0 < count {
                verdict.violated("roll", || format!("{count} {what}"));
            }
        };
        never(self.refused, "attempts to connect were refused");
        never(self.not_recovered, "reconnects did not recover");
        never(self.left, "times somebody was told to have left");
        never(self.unclean.len(), "instances did not end cleanly");
        never(
            self.per_client_and_instance_max.saturating_sub(1),
            "reconnects too many of one client",
        );
        let share = self.share();
        if scenario.reconnects_per_second_max.is_some_and(|max| max < share) {
            verdict.violated("roll", || format!("{share:.3} of the reconnects in one second"));
        }
    }

    fn share(&self) -> f64 {
        self.in_one_second_max as f64 / self.reconnects.max(1) as f64
    }
}

impl fmt::Display for Rolling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} clients: {} refused, {} reconnects ({} not recovered), at most {} per client and \
             instance, at most {} ({:.1} %) in one second, {} told to have left; drains took {:?} ms",
            self.clients,
            self.refused,
            self.reconnects,
            self.not_recovered,
            self.per_client_and_instance_max,
            self.in_one_second_max,
            self.share() * 100.0,
            self.left,
            self.drains_ms,
        )?;
        if let Some(first) = &self.first_refusal {
            write!(f, "; first refusal: {first}")?;
        }
        self.unclean.iter().try_for_each(|unclean| write!(f, "; {unclean}"))
    }
}
