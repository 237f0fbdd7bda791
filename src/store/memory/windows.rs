//! The windows of budgets, kept in this process.

use std::collections::HashMap;

use crate::limits::{Exceeded, Shortage, Window};
use crate::poker::ids::{Millis, PlayerId};
use crate::store::attempt::{Attempt, Budget, Charge, Charges, OutOf, Party};

/// Between two looks for windows that are over, at least.
const SWEEP_EVERY_MS: u64 = 60_000;

/// Parties whose attempts are remembered.
const PARTIES_MAX: usize = 100_000;

/// Those of the seats of one session.
#[derive(Debug, Default)]
pub(super) struct SeatWindows {
    windows: HashMap<(PlayerId, &'static str), Window>,
    swept_at: Millis,
}

/// Those of everybody who has no seat yet.
#[derive(Debug, Default)]
pub(super) struct PartyWindows {
    windows: HashMap<(Party, &'static str), Window>,
    swept_at: Millis,
}

impl SeatWindows {
    /// What each budget says; nothing is counted.
    pub(super) fn room(&mut self, charges: &Charges, now: Millis) -> Vec<Result<(), Shortage>> {
        let budgets = charges.budgets.iter();
        budgets
            .map(|wanted| {
                let limit = wanted.attempt.limit;
                self.window(&wanted.attempt).room(limit, now, wanted.attempts)
            })
            .collect()
    }

    /// Counts those that fit.
    pub(super) fn count(
        &mut self,
        charges: &Charges,
        verdicts: &[Result<(), Shortage>],
        now: Millis,
    ) {
        sweep(&mut self.windows, &mut self.swept_at, now);
        for (wanted, verdict) in charges.budgets.iter().zip(verdicts) {
            let fit = verdict.map_or_else(|shortage| shortage.fit, |()| wanted.attempts);
            if 0 < fit {
                self.window(&wanted.attempt).count(wanted.attempt.limit, now, fit);
            }
        }
    }

    fn window(&mut self, attempt: &Attempt) -> &mut Window {
        self.windows.entry((attempt.player, attempt.event)).or_default()
    }
}

impl PartyWindows {
    pub(super) fn charge(
        &mut self,
        party: Party,
        budgets: &[Budget],
        now: Millis,
    ) -> Result<(), OutOf> {
        if PARTIES_MAX <= self.windows.len() {
            self.swept_at = Millis::default();
        }
        sweep(&mut self.windows, &mut self.swept_at, now);
        if PARTIES_MAX <= self.windows.len() {
            // Never open: whoever fills the table is limited with the rest.
            return Err(OutOf { budget: 0, exceeded: Exceeded { retry_after_ms: 1_000 } });
        }
        for (index, budget) in budgets.iter().enumerate() {
            let Some(window) = self.windows.get_mut(&(party, budget.what)) else { continue };
            let checked = window.check(budget.limit, now);
            checked.map_err(|exceeded| OutOf { budget: index, exceeded })?;
        }
        for budget in budgets.iter().filter(|budget| budget.charge == Charge::Count) {
            let window = self.windows.entry((party, budget.what)).or_default();
            window.count(budget.limit, now, 1);
        }
        Ok(())
    }
}

fn sweep<K>(windows: &mut HashMap<K, Window>, swept_at: &mut Millis, now: Millis) {
    if SWEEP_EVERY_MS <= now.since(*swept_at) {
        windows.retain(|_, window| !window.is_over(now));
        *swept_at = now;
    }
}
