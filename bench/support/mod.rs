//! What the benches share: how long they measure, frames, and tables to play at.

#![allow(dead_code, reason = "each bench uses a part of it")]

pub(crate) mod crowd;
pub(crate) mod frames;
#[path = "../../tests/support/ports.rs"]
pub(crate) mod ports;
pub(crate) mod replay;
pub(crate) mod stores;
pub(crate) mod table;

use std::time::Duration;

use criterion::Criterion;

/// Short, so that all benches together take minutes; `cargo bench --bench NAME
/// -- --measurement-time 10` for more.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
}
