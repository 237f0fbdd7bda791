//! What somebody tried and what was let through, by the times at which he
//! asked and was answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many in any window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) what: &'static str,
    pub(crate) attempts_max: usize,
    pub(crate) window: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<&'static str, Account>>);

#[derive(Debug, Default, Clone)]
pub(crate) struct Account {
    pub(crate) attempts: usize,
    pub(crate) refused: usize,
    /// When each was asked and answered.
    admitted: Vec<(Instant, Instant)>,
}

impl Ledger {
    pub(crate) fn tried(&self, what: &'static str) {
        self.with(what, |account| account.attempts += 1);
    }

    pub(crate) fn admitted(&self, what: &'static str, asked: Instant) {
        self.with(what, |account| account.admitted.push((asked, Instant::now())));
    }

    pub(crate) fn refused(&self, what: &'static str) {
        self.with(what, |account| account.refused += 1);
    }

    pub(crate) fn account(&self, what: &str) -> Account {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(what).cloned().unwrap_or_default()
    }

    fn with(&self, what: &'static str, change: impl FnOnce(&mut Account)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default());
    }
}

impl Account {
    pub(crate) fn admitted(&self) -> usize {
        self.admitted.len()
    }

    /// The most that were let through in one window for certain: asked after
    /// it began and answered before it ended.
    pub(crate) fn most_within(&self, window: Duration) -> usize {
        let begun = |begin: Instant| {
            let inside = |(asked, answered): &&(Instant, Instant)| {
                begin <= *asked && *answered < begin + window
            };
            self.admitted.iter().filter(inside).count()
        };
        self.admitted.iter().map(|(asked, _)| begun(*asked)).max().unwrap_or_default()
    }
}

impl Budget {
    /// One in twenty above the budget is forgiven.
    pub(crate) fn is_exceeded(&self, in_a_window: usize) -> bool {
        self.attempts_max * 105 < in_a_window * 100
    }
}
