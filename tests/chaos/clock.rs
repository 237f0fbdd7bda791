//! CLOCK_MONOTONIC, which all processes of a machine share: what the clients
//! write down and what is done to the servers stand in one order.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since some moment that is the same for everybody.
pub(crate) fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let since = Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    );
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) const MS: u64 = 1_000_000;

pub(crate) fn ms_between(from: u64, to: u64) -> u64 {
    to.saturating_sub(from) / MS
}
