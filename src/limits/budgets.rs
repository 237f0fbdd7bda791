//! Gates of many keys under one limit, bounded in number.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::gate::Gate;
use crate::limits::limit::{Exceeded, Limit};
use crate::poker::ids::Millis;

#[derive(Debug)]
pub struct Budgets<K> {
    limit: Limit,
    keys_max: usize,
    gates: Mutex<HashMap<K, Gate>>,
}

impl<K: Hash + Eq + Clone> Budgets<K> {
    pub fn new(limit: Limit, keys_max: usize) -> Self {
        Self { limit, keys_max, gates: Mutex::default() }
    }

    pub const fn limit(&self) -> Limit {
        self.limit
    }

    pub fn admit(&self, key: &K, now: Millis) -> Result<(), Exceeded> {
        self.with(key, now, |gate, limit| gate.admit(limit, now))
    }

    pub fn check(&self, key: &K, now: Millis) -> Result<(), Exceeded> {
        match self.gates().get_mut(key) {
            Some(gate) => gate.check(self.limit, now),
            // Nothing counts yet, so nothing need be remembered.
            None => Ok(()),
        }
    }

    /// The store refuses what was admitted here at `admitted_at`.
    pub fn refuse(&self, key: &K, admitted_at: Millis, now: Millis, exceeded: Exceeded) {
        let _ = self.with(key, now, |gate, limit| {
            gate.refuse(limit, admitted_at, now, exceeded);
            Ok(())
        });
    }

    /// What was admitted at `admitted_at` is none after all.
    pub fn take_back(&self, key: &K, admitted_at: Millis) {
        if let Some(gate) = self.gates().get_mut(key) {
            gate.take_back(self.limit, admitted_at);
        }
    }

    /// The store says that there is no room.
    pub fn close(&self, key: &K, now: Millis, exceeded: Exceeded) {
        let _ = self.with(key, now, |gate, _| {
            gate.close(now, exceeded);
            Ok(())
        });
    }

    fn with(
        &self,
        key: &K,
        now: Millis,
        ask: impl FnOnce(&mut Gate, Limit) -> Result<(), Exceeded>,
    ) -> Result<(), Exceeded> {
        let mut gates = self.gates();
        if !gates.contains_key(key) && self.keys_max <= gates.len() {
            gates.retain(|_, gate| !gate.is_over(now));
            if self.keys_max <= gates.len() {
                // Never open: whoever fills the table is limited with the rest.
                return Err(Exceeded { retry_after_ms: 1_000 });
            }
        }
        ask(gates.entry(key.clone()).or_default(), self.limit)
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<K, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_bounded_and_never_open() {
        let budgets = Budgets::new(Limit::per_minute(2), 1);
        assert_eq!(budgets.admit(&1, Millis(0)), Ok(()));
        assert!(budgets.admit(&2, Millis(0)).is_err());
        assert_eq!(budgets.admit(&2, Millis(60_000)), Ok(()));
    }
}
