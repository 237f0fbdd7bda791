//! What every target is held to beside its own assertions: time, memory and
//! the size of its input.

use std::cell::Cell;
use std::fs;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// `engine.max_payload_bytes`: no peer gets more through in one piece.
pub const INPUT_BYTES_MAX: usize = 64 * 1_024;
/// Of the processor; more is a hang.
pub const TIME_MAX: Duration = Duration::from_millis(100);
/// Allocated at one time, above what was there before.
pub const MEMORY_BYTES_MAX: usize = 1 << 20;

/// What one input cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    time: Duration,
    memory_bytes: usize,
}

/// Runs one input and fails if it costs too much. New maxima are told on
/// stderr, where `scripts/fuzz.sh` finds them.
pub fn hold(input: &[u8], run: impl Fn(&[u8])) {
    thread_local! {
        static MOST: Cell<Cost> = const { Cell::new(Cost { time: Duration::ZERO, memory_bytes: 0 }) };
    }
    /// An input that seems to cost much is run again: the first run may have
    /// filled a cache, and a page fault is nobody's fault.
    const TRIES: usize = 4;

    if INPUT_BYTES_MAX < input.len() {
        return;
    }
    let most = MOST.get();
    let mut cost = measure(input, &run);
    for _ in 1..TRIES {
        if cost.time <= most.time && cost.memory_bytes <= most.memory_bytes {
            return;
        }
        let again = measure_again(input, &run);
        cost.time = cost.time.min(again.time);
        cost.memory_bytes = cost.memory_bytes.min(again.memory_bytes);
    }
    assert!(cost.time <= TIME_MAX, "took {:?}", cost.time);
    assert!(cost.memory_bytes <= MEMORY_BYTES_MAX, "took {} bytes", cost.memory_bytes);
    let most = Cost {
        time: cost.time.max(most.time),
        memory_bytes: cost.memory_bytes.max(most.memory_bytes),
    };
    MOST.set(most);
    eprintln!("slowest {} us, most {} bytes", most.time.as_micros(), most.memory_bytes);
}

fn measure(input: &[u8], run: impl Fn(&[u8])) -> Cost {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let start = Instant::now();
    run(input);
    let time = start.elapsed();
    Cost { time, memory_bytes: MEMORY.peak_usage().saturating_sub(before) }
}

/// As [`measure`], for what may have been interrupted: the time on a processor,
/// which Linux counts in ticks of some milliseconds.
fn measure_again(input: &[u8], run: impl Fn(&[u8])) -> Cost {
    const TICK: Duration = Duration::from_millis(4);
    let start = processor_time();
    let cost = measure(input, run);
    let spent = processor_time().zip(start).map(|(end, start)| end.saturating_sub(start));
    match spent {
        Some(spent) if TICK < cost.time => Cost { time: cost.time.min(spent + TICK), ..cost },
        _ => cost,
    }
}

fn processor_time() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split(' ').next()?.parse().map(Duration::from_nanos).ok()
}

/// `fuzz_target!` with the limits of this crate.
#[macro_export]
macro_rules! target {
    ($run:path) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::hold(input, $run));
    };
}
