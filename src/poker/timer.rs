//! The countdown clock of a round, as state: nothing ticks.

use crate::poker::ids::{Millis, PlayerId};
use crate::poker::word::words;

/// One timer may never exceed this, extensions included.
pub const TIMER_SECONDS_MAX: u32 = 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExpire {
    #[default]
    Nothing,
    Reveal,
}

words! { OnExpire {
    Nothing "none",
    Reveal "reveal",
} }

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    pub phase: TimerPhase,
    /// The full length, extensions included, in milliseconds.
    pub duration_ms: u64,
    pub on_expire: OnExpire,
    pub started_at: Option<Millis>,
    pub started_by: Option<PlayerId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerPhase {
    Idle,
    Running { ends_at: Millis },
    Paused { remaining_ms: u64 },
    Expired { ended_at: Millis },
}

impl Timer {
    pub const fn idle() -> Self {
        Self {
            phase: TimerPhase::Idle,
            duration_ms: 0,
            on_expire: OnExpire::Nothing,
            started_at: None,
            started_by: None,
        }
    }

    pub fn running(
        now: Millis,
        duration_ms: u64,
        on_expire: OnExpire,
        by: Option<PlayerId>,
    ) -> Self {
        Self {
            phase: TimerPhase::Running { ends_at: now.add_ms(duration_ms) },
            duration_ms,
            on_expire,
            started_at: Some(now),
            started_by: by,
        }
    }

    /// Milliseconds left; never negative.
    pub fn remaining_ms(&self, now: Millis) -> u64 {
        match self.phase {
            TimerPhase::Running { ends_at } => ends_at.since(now),
            TimerPhase::Paused { remaining_ms } => remaining_ms,
            TimerPhase::Idle | TimerPhase::Expired { .. } => 0,
        }
    }

    pub const fn is_live(&self) -> bool {
        matches!(self.phase, TimerPhase::Running { .. } | TimerPhase::Paused { .. })
    }
}
