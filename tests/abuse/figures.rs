//! What was measured, in words.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Times of one kind, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Times(Mutex<Vec<u64>>);

impl Times {
    pub(crate) fn add(&self, time: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.push(time.as_micros() as u64);
    }

    /// All since the last time, sorted.
    pub(crate) fn take(&self) -> Sorted {
        let mut times = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        times.sort_unstable();
        Sorted(times)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Sorted(Vec<u64>);

impl Sorted {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// In milliseconds; 0 of nothing.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).map_or(0.0, |micros| *micros as f64 / 1e3)
    }

    pub(crate) fn and(&mut self, others: &Self) {
        self.0.extend(&others.0);
        self.0.sort_unstable();
    }

    /// `p50 / p99 ms (n)`
    pub(crate) fn words(&self) -> String {
        let [half, most] = [50, 99].map(|percent| self.percentile(percent));
        format!("{half:>7.2} / {most:>7.2} ms ({} measured)", self.len())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// 0 of nothing.
pub(crate) fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}
