//! How many, in how long.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub attempts_max: u32,
    pub window_ms: u64,
}

impl Limit {
    /// Up to so many attempts, each is remembered by its own millisecond and
    /// the window is exact. Beyond, attempts are remembered by the part of the
    /// window that they fall into, and leave with the end of that part: still
    /// never more than the limit in any window, and a place becomes free up to
    /// one part late.
    pub const STAMPS_MAX: u32 = 256;
    /// Into so many parts the window of a larger limit is divided.
    const PARTS: u64 = 64;

    pub const fn per_minute(attempts_max: u32) -> Self {
        Self { attempts_max, window_ms: 60_000 }
    }

    pub const fn window_seconds(&self) -> u64 {
        self.window_ms / 1_000
    }

    /// How fine the times of attempts are kept, in milliseconds; at least 1.
    pub const fn grain_ms(&self) -> u64 {
        if self.attempts_max <= Self::STAMPS_MAX || self.window_ms < Self::PARTS {
            1
        } else {
            self.window_ms.div_ceil(Self::PARTS)
        }
    }
}

/// When a refused attempt may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Until enough attempts have left the window for one more.
    pub retry_after_ms: u64,
}

impl Exceeded {
    /// Whole seconds, at least 1: what clients are told.
    pub fn retry_after_s(&self) -> u32 {
        u32::try_from(self.retry_after_ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
    }
}
