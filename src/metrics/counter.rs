//! Numbers that grow, and numbers that go up and down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::metrics::page::Page;

/// Only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn increment(&self) {
        self.add(1);
    }

    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many there are of something that comes and goes. A clone is the same
/// gauge.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicI64>);

/// One of what a gauge counts, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it counts it as gone"]
pub struct Held(Gauge);

impl Gauge {
    pub fn hold(&self) -> Held {
        self.add(1);
        Held(self.clone())
    }

    pub fn add(&self, difference: i64) {
        self.0.fetch_add(difference, Ordering::Relaxed);
    }

    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Never below zero: what is read between two additions is not shown.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed).max(0) as u64
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

/// A counter for each of some names that are known beforehand.
#[derive(Debug)]
pub struct CounterFamily {
    label: &'static str,
    counters: Box<[(&'static str, Counter)]>,
}

impl CounterFamily {
    pub fn new(label: &'static str, names: impl IntoIterator<Item = &'static str>) -> Self {
        let counters = names.into_iter().map(|name| (name, Counter::default()));
        Self { label, counters: counters.collect() }
    }

    /// The one with this number, in the order of the names.
    pub fn increment(&self, index: usize) {
        if let Some((_, counter)) = self.counters.get(index) {
            counter.increment();
        }
    }

    pub fn value(&self, index: usize) -> u64 {
        self.counters.get(index).map_or(0, |(_, counter)| counter.value())
    }

    /// All samples of the family, behind `labels`.
    pub fn write(&self, page: &mut Page, labels: &[(&str, &str)]) {
        for (name, counter) in &self.counters {
            let mut all = labels.to_vec();
            all.push((self.label, name));
            page.sample(&all, counter.value());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_counts_until_it_is_dropped() {
        let gauge = Gauge::default();
        let (first, second) = (gauge.hold(), gauge.hold());
        assert_eq!(gauge.value(), 2);
        drop((first, second));
        assert_eq!(gauge.value(), 0);
    }

    #[test]
    fn a_number_beyond_the_names_counts_nothing() {
        let family = CounterFamily::new("reason", ["a", "b"]);
        family.increment(1);
        family.increment(2);
        assert_eq!((family.value(0), family.value(1), family.value(2)), (0, 1, 0));
    }
}
