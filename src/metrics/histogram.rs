//! How large, how long: counts by bucket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::metrics::page::Page;

/// Counts observations by size. Two atomic additions each; a reader may see
/// one of them without the other.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds, inclusive, in the unit of the observations; ascending.
    bounds: &'static [u64],
    /// One more than bounds: what is larger than all of them.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    /// Observations in one unit of what is shown.
    scale: f64,
}

const NANOSECOND: u64 = 1;
const MICROSECOND: u64 = 1_000 * NANOSECOND;
const MILLISECOND: u64 = 1_000 * MICROSECOND;

const TIMES: &[u64] = &[
    100 * MICROSECOND,
    250 * MICROSECOND,
    500 * MICROSECOND,
    MILLISECOND,
    2 * MILLISECOND + 500 * MICROSECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    25 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
    500 * MILLISECOND,
    1_000 * MILLISECOND,
    2_500 * MILLISECOND,
    10_000 * MILLISECOND,
];

/// What reaches the members of a room takes microseconds.
const SHORT_TIMES: &[u64] = &[
    MICROSECOND,
    5 * MICROSECOND,
    10 * MICROSECOND,
    25 * MICROSECOND,
    50 * MICROSECOND,
    100 * MICROSECOND,
    250 * MICROSECOND,
    500 * MICROSECOND,
    MILLISECOND,
    5 * MILLISECOND,
    25 * MILLISECOND,
    100 * MILLISECOND,
];

const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

impl Histogram {
    /// From 0.1 ms to 10 s, in seconds.
    pub fn of_times() -> Self {
        Self::new(TIMES, 1e9)
    }

    /// From 1 µs to 0.1 s, in seconds.
    pub fn of_short_times() -> Self {
        Self::new(SHORT_TIMES, 1e9)
    }

    /// From 1 to 1,024.
    pub fn of_sizes() -> Self {
        Self::new(SIZES, 1.0)
    }

    fn new(bounds: &'static [u64], scale: f64) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, sum: AtomicU64::new(0), scale }
    }

    pub fn observe_time(&self, time: Duration) {
        self.observe(time.as_nanos() as u64);
    }

    pub fn observe(&self, value: u64) {
        let index = self.bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get(index) {
            bucket.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(value, Ordering::Relaxed);
        }
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// Of what was observed, in its own unit.
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }

    /// The samples of this histogram, behind `labels`.
    pub fn write(&self, page: &mut Page, labels: &[(&str, &str)]) {
        let sum = self.sum() as f64 / self.scale;
        let mut up_to = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            up_to += bucket.load(Ordering::Relaxed);
            let bound = match self.bounds.get(index) {
                Some(bound) => format!("{:?}", *bound as f64 / self.scale),
                None => "+Inf".to_owned(),
            };
            let mut all = labels.to_vec();
            all.push(("le", &bound));
            page.part("_bucket", &all, up_to);
        }
        page.part("_sum", labels, sum);
        page.part("_count", labels, up_to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::page::Format;

    #[test]
    fn buckets_are_cumulative_and_bounds_inclusive() {
        let histogram = Histogram::of_sizes();
        for size in [0, 1, 2, 3, 4, 5_000] {
            histogram.observe(size);
        }
        let mut page = Page::new(Format::Text);
        page.histogram("sizes", "Of rooms");
        histogram.write(&mut page, &[]);
        let text = page.finish();
        for line in [
            "sizes_bucket{le=\"1.0\"} 2",
            "sizes_bucket{le=\"2.0\"} 3",
            "sizes_bucket{le=\"4.0\"} 5",
            "sizes_bucket{le=\"1024.0\"} 5",
            "sizes_bucket{le=\"+Inf\"} 6",
            "sizes_sum 5010",
            "sizes_count 6",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn times_are_shown_in_seconds() {
        let histogram = Histogram::of_times();
        histogram.observe_time(Duration::from_micros(300));
        assert_eq!((histogram.count(), histogram.sum()), (1, 300_000));
        let mut page = Page::new(Format::Text);
        page.histogram("times_seconds", "Of calls");
        histogram.write(&mut page, &[]);
        let text = page.finish();
        assert!(text.contains("{le=\"0.00025\"} 0\n"), "{text}");
        assert!(text.contains("{le=\"0.0005\"} 1\n"), "{text}");
        assert!(text.contains("times_seconds_sum 0.0003\n"), "{text}");
    }
}
